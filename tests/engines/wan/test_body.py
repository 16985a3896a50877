# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawn figure and the retargeted one, byte for byte the official drawing of the same points."""

from typing import Any

import numpy as np
import pytest

from backend.engines.wan.body import Figure, draw_figure
from backend.engines.wan.reference import letterboxed
from backend.engines.wan.retarget import Posed, Retarget
from backend.media.images import read_picture

from .vectors import FOLDER, load

SKELETON, RETARGET = FOLDER / "geometry" / "skeleton", FOLDER / "geometry" / "retarget"
FIGURES = load("geometry/skeleton/keypoints")[1]
DRIVEN: Any = load("geometry/retarget/cases")[1]


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_figure_is_drawn_to_the_byte(name: str) -> None:
    case = FIGURES[name]
    drawn = draw_figure(Figure.of(np.array(case["keypoints"])), case["width"], case["height"])
    assert np.array_equal(drawn, read_picture(SKELETON / f"{name}.png"))
    for width, height in case.get("fitted_to", []):
        fitted = SKELETON / f"{name}_to_{width}x{height}.png"
        if fitted.exists():
            assert np.array_equal(letterboxed(drawn, width, height), read_picture(fitted))


def posed(case: Any, which: str, points: Any) -> Posed:
    return Posed(np.array(points), case[f"{which}_width"], case[f"{which}_height"])


@pytest.mark.parametrize("index", range(len(DRIVEN)))
def test_a_retargeted_figure_is_the_official_one(index: int) -> None:
    case = DRIVEN[index]
    driving = [posed(case, "driving", points) for points in case["driving"]]
    retarget = Retarget.measured(driving[0], posed(case, "reference", case["reference"]))
    assert retarget.visible.name.lower() == case["visible"]
    for frame, official in zip(driving, case["frames"], strict=True):
        figure = retarget.figure(frame)
        assert np.abs(figure.body - official["body"]).max() <= 1e-9
        for hand, points in zip(figure.hands, (official["left_hand"], official["right_hand"]), strict=True):
            assert [None if point[2] == 0 else point.tolist() for point in hand] == points


@pytest.mark.parametrize("path", sorted(RETARGET.glob("case*_frame1.png")), ids=lambda path: path.stem)
def test_a_retargeted_figure_is_drawn_to_the_byte(path: Any) -> None:
    case = DRIVEN[int(path.stem.removeprefix("case").removesuffix("_frame1"))]
    driving = [posed(case, "driving", points) for points in case["driving"]]
    retarget = Retarget.measured(driving[0], posed(case, "reference", case["reference"]))
    drawn = draw_figure(retarget.figure(driving[1]), case["reference_width"], case["reference_height"])
    assert np.array_equal(drawn, read_picture(path))


def test_joints_that_fall_together_leave_a_limb_as_long_as_it_was() -> None:
    case = DRIVEN[0]
    points = np.array(case["driving"][0])
    points[[15, 17, 18]] = points[15]  # left ankle and toes
    reference = posed(case, "reference", case["reference"])
    figure = Retarget.measured(posed(case, "driving", points), reference).figure(posed(case, "driving", points))
    assert np.isfinite(figure.body).all()
