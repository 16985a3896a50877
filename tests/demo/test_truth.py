# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendered performer's truth is true: of the pinhole, of the pixels, of the feet and of the mattes."""

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.acting import perform
from demo.anatomy import SIDES, Build, skeleton
from demo.script import VARIANTS, shot
from demo.shots import CUT_FRAMES, blender_python, rendered_shot
from demo.truth import JOINTS, Truth, camera_towards, load_truth

SIZE = (320, 180)


@pytest.fixture(scope="module")
def cut() -> Truth:
    """Three frames of the cut, small."""
    return load_truth(rendered_shot("solo", size=SIZE, frames=(CUT_FRAMES[0], CUT_FRAMES[0] + 2)))


def grey(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return np.asarray(picture, np.float64)


def test_the_camera_projects_as_opencv_does() -> None:
    camera = camera_towards((0.3, -4.0, 1.4), (0.1, 0.2, 0.9), 1.05)
    points = np.random.default_rng(1).uniform(-0.8, 0.8, (20, 3))
    focal = 1.05 * 640
    inner = np.array([[focal, 0, 319.5], [0, focal, 179.5], [0, 0, 1]])
    turn, _ = cv2.Rodrigues(camera.axes)
    theirs, _ = cv2.projectPoints(points, turn, -camera.axes @ camera.location, inner, np.zeros(4))
    np.testing.assert_allclose(camera.project(points, 640, 360), theirs[:, 0], atol=1e-6)


SMALL_BALLS = """
import sys
from pathlib import Path
import numpy as np
from demo.acting import perform
from demo.anatomy import Build, skeleton
from demo.figure import Part, assemble
from demo.room import room
from demo.script import shot
from demo.solid import ellipsoid
from demo.stage import Stage

bones, act = skeleton(Build()), shot("solo", 0).roles[0].act
rest = perform(bones, act, 0)
for number, place in enumerate(np.loadtxt(sys.argv[1])):
    # the ball hangs on the head: undo the head's way, so that it lies where it was put
    head = bones.index["head"]
    back = (place - rest.pose.head[head]) @ rest.pose.turn[head] + bones["head"].head
    ball = ellipsoid(back, (0.03, 0.03, 0.03), segments=32)
    part = Part(name="ball", solid=ball, albedo=np.ones_like(ball.vertices), bones=("head",))
    stage = Stage(room(0), [assemble(bones, [part])], 320, 180)
    stage.act([rest], shot("solo", 0).camera(0))
    stage.render(Path(sys.argv[2]), number)
"""


def test_whole_numbers_are_pixel_centres_in_the_rendering(tmp_path: Path) -> None:
    """The centroid of a ball that Blender draws is where we project its centre."""
    places = np.array([[-0.7, 0.1, 1.3], [0.9, -0.3, 0.5]])
    np.savetxt(tmp_path / "places.txt", places)
    command = [str(blender_python()), "-c", SMALL_BALLS, str(tmp_path / "places.txt"), str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    expected = shot("solo", 0).camera(0).project(places, *SIZE)
    for number, pixel in enumerate(expected):
        matte = grey(tmp_path / "out" / "matte_0" / f"{number:06d}.png")
        rows, columns = np.indices(matte.shape)
        centroid = np.array([(columns * matte).sum(), (rows * matte).sum()]) / matte.sum()
        assert np.abs(centroid - pixel).max() < 0.25


def test_every_visible_joint_lies_on_the_performer(cut: Truth) -> None:
    for frame in range(len(cut)):
        matte = grey(cut.matte() / f"{frame:06d}.png")
        near = cv2.dilate(matte, np.ones((3, 3), np.uint8))
        for x, y in cut.joints[frame, 0][cut.visible[frame, 0]]:
            assert near[round(y), round(x)] > 127


def test_the_plate_is_the_shot_without_performer_and_shadow(cut: Truth) -> None:
    """Away from both they are equal up to the sky's light that the performer takes from the room."""
    for frame in range(len(cut)):
        beauty, plate = (grey(folder / f"{frame:06d}.png") for folder in (cut.beauty, cut.plate))
        matte = grey(cut.matte() / f"{frame:06d}.png")
        left = int(cut.joints[frame, 0, :, 0].min()) - 60
        assert np.abs(beauty - plate)[:, :left].mean() <= 0.5
        assert np.abs(beauty - plate)[matte == 255].mean() > 10
        assert (beauty - plate)[matte == 0].min() < -15  # the shadow


def test_the_exam_asks_what_it_says() -> None:
    """A turn to 45 degrees, an arm across the body, a fast hand, and an empty picture at the end."""
    taken = shot("solo", 0)
    role = taken.roles[0]
    bones = skeleton(role.build)
    poses = [perform(bones, role.act, t).pose for t in range(taken.frames)]
    chest = bones.index["chest"]
    turned = [np.degrees(np.arctan2(pose.turn[chest][1, 0], pose.turn[chest][0, 0])) for pose in poses[:70]]
    assert 40 <= max(turned) <= 55
    assert poses[48].tail("twist.right")[0] > poses[48].tail("spine")[0]
    left = np.array([pose.tail("twist.left") for pose in poses])
    assert np.linalg.norm(np.diff(left[50:74], axis=0), axis=1).max() > 0.08
    nose = taken.camera(taken.frames - 1).project(poses[-1].tail("neck"), 640, 360)
    assert nose[0] > 700


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_standing_feet_do_not_slip_and_legs_reach_them(variant: str, seed: int) -> None:
    taken = shot(variant, seed)
    for role in taken.roles:
        bones = skeleton(role.build)
        before = None
        for t in range(taken.frames):
            now = perform(bones, role.act, t)
            for side in SIDES:
                ankle = now.pose.head[bones.index[f"foot.{side}"]]
                assert np.linalg.norm(now.pose.tail(f"shin.{side}") - ankle) < 0.03
                if before is not None and now.planted[side] and before.planted[side]:
                    assert np.abs(ankle - before.pose.head[bones.index[f"foot.{side}"]]).max() < 1e-9
            before = now


def test_the_resting_figure_is_symmetric() -> None:
    bones = skeleton(Build())
    for bone in bones.bones:
        if bone.name.endswith(".left"):
            other = bones[bone.name.replace(".left", ".right")]
            np.testing.assert_allclose(bone.tail * [-1, 1, 1], other.tail, atol=1e-12)


def test_the_truth_names_as_many_joints_as_trackers_do(cut: Truth) -> None:
    assert len(JOINTS) == cut.joints.shape[2] == 33
    assert cut.numbers.tolist() == list(range(CUT_FRAMES[0], CUT_FRAMES[0] + 3))
    assert cut.hands.shape[2:] == (2, 21, 2)
