# SPDX-License-Identifier: GPL-3.0-or-later
"""Lids on their own: how many are drawn, and their colour where the picture shows hardly any skin."""

from dataclasses import replace

import numpy as np
import pytest

from backend.engines.draft import face
from backend.engines.draft.character import Character
from backend.engines.draft.eyelids import Eyelids
from backend.engines.draft.head import HeadPose
from backend.engines.draft.layers import Layer
from backend.engines.draft.raster import Frame

FRAME = Frame(512, 512)


def blinking(right: float, left: float) -> HeadPose:
    """A head as in the picture, its eyes so far open."""
    return HeadPose(
        pivot=np.zeros(2, np.float32),
        scale=1.0,
        roll=0.0,
        tilt=np.eye(3, dtype=np.float32),
        expression=np.zeros((468, 2), np.float32),
        eyes_open=np.array((right, left), np.float32),
        facing=1.0,
    )


@pytest.mark.parametrize(("right", "left"), [(1.0, 1.0), (0.0, 1.0), (0.4, 0.0)])
def test_only_what_closes_has_a_lid(astronaut: Character, right: float, left: float) -> None:
    lids = Eyelids(astronaut).draw(astronaut.points.face[:, :2], blinking(right, left), FRAME)
    assert len(lids) == (right < 1) + (left < 1)


@pytest.mark.parametrize("away", [0, 1], ids=["right", "left"])
def test_an_eye_seen_from_behind_has_no_lid(astronaut: Character, away: int) -> None:
    points = astronaut.points.face[:, :2].copy()
    rims = [index for rim in face.EYES[away] for index in rim]
    points[rims, 0] = 2 * points[rims, 0].mean() - points[rims, 0]
    (lid,) = Eyelids(astronaut).draw(points, blinking(0, 0), FRAME)
    x = points[[index for rim in face.EYES[1 - away] for index in rim], 0]
    assert lid.x < x.min() and x.max() < lid.x + lid.rgba.shape[1]


def test_a_lid_amid_half_clear_skin_has_its_colour(astronaut: Character) -> None:
    skin = np.array((0.5, 0.3, 0.2), np.float32)
    picture = np.full((512, 512, 4), (*skin, 0.4), np.float32)
    ghost = replace(astronaut, layers=(Layer(name="trunk", picture=picture), *astronaut.layers[1:]))
    for lid in Eyelids(ghost).draw(ghost.points.face[:, :2], blinking(0, 0), FRAME):
        shown = lid.rgba[lid.rgba[..., 3] > 0.35]
        colour = shown[:, :3] / shown[:, 3:]
        assert (colour <= skin + 0.01).all() and np.allclose(np.median(colour, axis=0), skin, atol=0.01)
