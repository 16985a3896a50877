# SPDX-License-Identifier: GPL-3.0-or-later
"""The plate against a set that is known everywhere."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.contract.job import Shadow
from backend.media.sequence import Sequence
from backend.plate.build import build_plate, plate_frame
from backend.plate.camera import CameraKind
from backend.plate.report import PlateReport

from .shots import (
    HEIGHT,
    WIDTH,
    Built,
    KnownShot,
    Notes,
    built,
    figure,
    known_shot,
    on_disk,
    panning,
    psnr,
    room_shot,
    shadow_below,
    still,
    tracks_of,
)

FRAMES = 18


@pytest.fixture(scope="module")
def pan() -> KnownShot:
    return known_shot(FRAMES)


@pytest.fixture(scope="module")
def pan_built(pan: KnownShot, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built(pan, tmp_path_factory.mktemp("pan"))


def test_outside_the_hole_the_plate_is_the_source_to_the_bit(pan: KnownShot, pan_built: Built) -> None:
    for index, frame in enumerate(pan.frames):
        outside = pan_built.hole[index] == 0
        assert np.array_equal(pan_built.plate[index][outside], frame[outside])
        assert (pan_built.confidence[index][outside] == 255).all()


def test_a_moving_cameras_plate_is_true_and_beats_inpainting(pan: KnownShot, pan_built: Built) -> None:
    assert pan_built.report.camera is CameraKind.MOVING
    for index in range(0, FRAMES, 3):
        hole = pan_built.hole[index] > 0
        ours = psnr(pan_built.plate[index], pan.truth[index], hole)
        inpainted = cv2.inpaint(pan.frames[index], pan_built.hole[index], 3, cv2.INPAINT_TELEA)
        assert ours >= 30
        assert ours >= psnr(inpainted, pan.truth[index], hole) + 4


def test_a_floor_that_repeats_is_true_though_the_camera_follows_the_wall(tmp_path: Path) -> None:
    shot = room_shot(FRAMES)
    result = built(shot, tmp_path)
    for index in range(2, FRAMES, 3):
        hole = result.hole[index] > 0
        hole[: HEIGHT // 2] = False
        inpainted = cv2.inpaint(shot.frames[index], result.hole[index], 3, cv2.INPAINT_TELEA)
        ours = psnr(result.plate[index], shot.truth[index], hole)
        assert ours >= 28
        assert ours >= psnr(inpainted, shot.truth[index], hole) + 4


def test_a_locked_off_camera_gives_back_the_very_pixels(tmp_path: Path) -> None:
    shot = known_shot(FRAMES, look=still)
    result = built(shot, tmp_path)
    assert result.report.camera is CameraKind.LOCKED_OFF
    for index in range(FRAMES):
        seen = result.confidence[index] > 50
        error = np.abs(result.plate[index].astype(int) - shot.truth[index])[seen]
        assert np.mean(error == 0) > 0.97
        assert error.max() <= 3


def test_what_is_never_seen_is_called_invented_and_never_trusted(tmp_path: Path) -> None:
    shot = known_shot(5, look=still, walk_px=0)
    result = built(shot, tmp_path)
    assert result.report.invented_percent == (100.0,) * 5
    assert result.report.overall_invented_percent == 100
    assert result.notes.codes == ["plate_invented"]
    hole = result.hole[0] > 0
    assert result.confidence[0][hole].max() <= 50
    assert (np.abs(result.plate[0][hole].astype(int) - (20, 180, 60)).sum(1) > 60).all()


def test_a_ball_that_flies_by_is_not_part_of_the_set(tmp_path: Path) -> None:
    shot = known_shot(FRAMES, look=still)
    for index, frame in enumerate(shot.frames):
        cv2.circle(frame, (20 + 11 * index, 70), 9, (255, 255, 255), -1)
    result = built(shot, tmp_path)
    for index in (4, 9, 13):
        away = np.hypot(*(np.indices((HEIGHT, WIDTH)) - np.array([70, 20 + 11 * index])[:, None, None])) > 14
        seen = (result.confidence[index] > 50) & (result.hole[index] > 0) & away
        assert psnr(result.plate[index], shot.truth[index], seen) >= 32


def test_what_is_invented_stands_still(tmp_path: Path) -> None:
    result = built(known_shot(5, look=still, walk_px=0), tmp_path)
    assert all(np.array_equal(result.plate[0], result.plate[index]) for index in range(1, 5))


def test_a_change_of_exposure_is_followed(tmp_path: Path) -> None:
    shot = known_shot(FRAMES, gain=lambda index: 1 - 0.02 * index)
    result = built(shot, tmp_path)
    for index in range(0, FRAMES, 3):
        hole = result.hole[index] > 0
        assert psnr(result.plate[index], shot.truth[index], hole) >= 30


def test_trust_falls_where_the_error_rises(pan: KnownShot, tmp_path: Path) -> None:
    shot = known_shot(FRAMES, walk_px=1.5, look=still)
    result = built(shot, tmp_path)
    hole = result.hole[FRAMES // 2] > 0
    error = np.abs(result.plate[FRAMES // 2].astype(float) - shot.truth[FRAMES // 2]).mean(2)[hole]
    trust = result.confidence[FRAMES // 2][hole]
    assert error[trust <= 50].mean() > 5 * error[trust > 50].mean()


def test_two_runs_give_equal_bytes(pan: KnownShot, pan_built: Built, tmp_path: Path) -> None:
    again = built(pan, tmp_path)
    for ours, theirs in zip(
        sorted(pan_built.plate.folder.parent.rglob("*.*")), sorted((tmp_path / "into").rglob("*.*")), strict=True
    ):
        assert ours.read_bytes() == theirs.read_bytes()
    assert again.report == pan_built.report


@pytest.mark.parametrize("frame_count", [1, 2, 5])
@pytest.mark.parametrize("look", [still, panning])
def test_short_shots_come_out_whole(frame_count: int, look: object, tmp_path: Path) -> None:
    shot = known_shot(frame_count, look=look)  # type: ignore[arg-type]
    result = built(shot, tmp_path)
    assert len(result.report.invented_percent) == frame_count
    assert result.plate[frame_count - 1].shape == (HEIGHT, WIDTH, 3)


def test_a_frame_without_the_performer_is_the_source(tmp_path: Path) -> None:
    shot = known_shot(8)
    shot.mattes[3][:] = 0
    result = built(shot, tmp_path)
    assert np.array_equal(result.plate[3], shot.frames[3])
    assert result.report.invented_percent[3] == 0


def test_sixteen_bits_stay_sixteen_bits(tmp_path: Path) -> None:
    shot = known_shot(8, look=still)
    deep = [frame.astype(np.uint16) * 257 + 5 for frame in shot.frames]
    frames, mattes = on_disk(deep, tmp_path / "frames"), on_disk(shot.mattes, tmp_path / "mattes")
    into = tmp_path / "into"
    build_plate(frames, (mattes,), (tracks_of(shot.mattes),), Shadow.KEEP, into, Notes())
    plate, hole = Sequence(into / "plate", 8)[4], Sequence(into / "hole", 8)[4] > 0
    assert plate.dtype == np.uint16
    assert np.array_equal(plate[~hole], deep[4][~hole])
    seen = hole & (Sequence(into / "plate_confidence", 8)[4] > 50)
    assert np.abs(plate[seen].astype(int) - (shot.truth[4][seen].astype(int) * 257 + 5)).mean() < 64


def test_two_performers_both_go(tmp_path: Path) -> None:
    shot = known_shot(FRAMES, look=still)
    other = [figure((150 - 6 * index, 60)) for index in range(FRAMES)]
    both = [
        np.where(matte[..., None] > 127, (200, 30, 30), frame) for matte, frame in zip(other, shot.frames, strict=True)
    ]
    frames = on_disk([frame.astype(np.uint8) for frame in both], tmp_path / "frames")
    mattes = on_disk(shot.mattes, tmp_path / "one"), on_disk(other, tmp_path / "other")
    tracks = tracks_of(shot.mattes), tracks_of(other)
    build_plate(frames, mattes, tracks, Shadow.KEEP, tmp_path / "into", Notes())
    plate, hole = Sequence(tmp_path / "into/plate", FRAMES)[8], Sequence(tmp_path / "into/hole", FRAMES)[8] > 0
    assert hole[figure((150 - 48, 60)) > 127].all()
    assert psnr(plate, shot.truth[8], hole) >= 28


def test_a_painted_miniature_goes_the_whole_way(tmp_path: Path) -> None:
    frames = [np.full((48, 64, 3), 90 + index, np.uint8) for index in range(3)]
    matte = np.zeros((48, 64), np.uint8)
    matte[10:40, 28:36] = 255
    result = built(KnownShot(frames, frames, [matte] * 3, []), tmp_path)
    assert np.abs(result.plate[1].astype(int) - 91).max() <= 1


def test_each_performers_margin_is_by_the_own_height(tmp_path: Path) -> None:
    tall, small = np.zeros((160, 120), np.uint8), np.zeros((160, 120), np.uint8)
    tall[20:140, 20:40], small[60:80, 90:98] = 255, 255
    frames = on_disk([np.full((160, 120, 3), 90, np.uint8)] * 2, tmp_path / "frames")
    mattes = [on_disk([matte] * 2, tmp_path / name) for name, matte in (("tall", tall), ("small", small))]
    tracks = tracks_of([tall] * 2), tracks_of([small] * 2)
    build_plate(frames, (mattes[0], mattes[1]), tracks, Shadow.KEEP, tmp_path / "into", Notes())
    hole = Sequence(tmp_path / "into/hole", 2)[0] > 0
    assert np.flatnonzero(hole[100])[[0, -1]].tolist() == [20 - 3, 39 + 3]
    assert np.flatnonzero(hole[70, 60:])[[0, -1]].tolist() == [30 - 1, 37 + 1]


def test_what_is_invented_is_told_of_all_that_was_filled_and_a_shadow_that_is_not_there_is_told(
    tmp_path: Path,
) -> None:
    """A block is always hidden; in the first frame as much again twice over, which the others show."""
    frames = [np.full((96, 128, 3), 90 + index, np.uint8) for index in range(3)]
    mattes = [np.zeros((96, 128), np.uint8) for _ in range(3)]
    for matte in mattes:
        matte[40:70, 20:40] = 255
    mattes[0][30:60, 70:110] = 255
    result = built(KnownShot(frames, frames, mattes, []), tmp_path, Shadow.REMOVE)
    percent, areas = result.report.invented_percent, [int((hole > 0).sum()) for hole in result.hole.stream()]
    assert percent[0] < 50 and percent[1:] == (100, 100)
    assert result.report.overall_invented_percent == pytest.approx(np.average(percent, weights=areas), abs=0.02)
    assert result.notes.codes == ["shadow_not_found", "plate_invented"]


def test_behind_a_cut_the_set_is_that_of_its_own_side(tmp_path: Path) -> None:
    one, other = known_shot(6, look=still), known_shot(6, look=still)
    frames, truth, mattes = (
        [*first, *(picture[::-1, ::-1].copy() for picture in then)]
        for first, then in ((one.frames, other.frames), (one.truth, other.truth), (one.mattes, other.mattes))
    )
    shot = KnownShot(frames, truth, mattes, [])
    result = built(shot, tmp_path)
    assert result.report.segments == 2
    for index in (5, 6, 11):
        seen = (result.hole[index] > 0) & (result.confidence[index] > 50)
        assert seen.any()
        assert psnr(result.plate[index], shot.truth[index], seen) >= 30


def test_the_cast_shadow_goes_when_asked_and_stays_otherwise(tmp_path: Path) -> None:
    shot = known_shot(FRAMES, look=still, shade=0.55)
    index = 6
    shadow = (shadow_below((40 + 6 * index, 78)) > 0) & (figure((40 + 6 * index, 78)) == 0)
    kept, removed = built(shot, tmp_path / "kept"), built(shot, tmp_path / "removed", Shadow.REMOVE)
    far = shadow & (kept.hole[index] == 0)
    assert np.array_equal(kept.plate[index][far], shot.frames[index][far])
    assert np.mean(removed.hole[index][far] > 0) > 0.9
    assert psnr(removed.plate[index], shot.truth[index], far) > psnr(shot.frames[index], shot.truth[index], far) + 12


def test_a_change_of_exposure_is_no_shadow_and_hides_none(tmp_path: Path) -> None:
    shot = known_shot(10, look=still, walk_px=9, shade=0.55, gain=lambda index: 1 - 0.05 * index)
    removed = built(shot, tmp_path, Shadow.REMOVE)
    for index in (2, 8):
        centre = (40 + 9 * index, 78)
        shadow = (shadow_below(centre) > 0) & (figure(centre) == 0)
        assert np.mean(removed.hole[index][shadow] > 0) > 0.85
        assert np.mean(removed.hole[index][~shadow & (figure(centre) == 0)] > 0) < 0.15


def test_a_shadow_on_a_floor_goes_though_the_camera_follows_the_wall(tmp_path: Path) -> None:
    shot = room_shot(FRAMES, shade=0.55)
    removed = built(shot, tmp_path, Shadow.REMOVE)
    for index in (4, 9, 13):
        centre = (round(55 + 80 * index / (FRAMES - 1)), 84)
        shadow = (shadow_below(centre) > 0) & (figure(centre) == 0)
        assert np.mean(removed.hole[index][shadow] > 0) > 0.85
        assert np.mean(removed.hole[index][~shadow & (figure(centre) == 0)] > 0) < 0.15
        ours = psnr(removed.plate[index], shot.truth[index], shadow)
        assert ours > psnr(shot.frames[index], shot.truth[index], shadow) + 12


def test_the_shadow_of_somebody_who_left_is_not_painted_elsewhere(tmp_path: Path) -> None:
    shot = known_shot(FRAMES, look=still, walk_px=-5, shade=0.55)
    gone = [index for index in range(FRAMES) if not (shot.mattes[index] > 0).any()]
    removed = built(shot, tmp_path, Shadow.REMOVE)
    index = gone[0] - 3
    region = (removed.hole[index] > 0) & (shadow_below((40 - 5 * (gone[0] + 1), 78)) > 0)
    assert region.sum() > 100
    assert psnr(removed.plate[index], shot.truth[index], region) >= 30


def test_one_frame_is_restored_from_a_few_and_rough_mattes(pan: KnownShot, tmp_path: Path) -> None:
    frames = on_disk(pan.frames, tmp_path / "frames")
    quick = plate_frame(frames, 9, lambda index: pan.mattes[index], 86)
    hole = quick.confidence < 255
    assert psnr(quick.plate, pan.truth[9], hole) >= 26
    assert np.array_equal(quick.plate[~hole], pan.frames[9][~hole])


def test_a_report_is_read_as_it_was_written(pan_built: Built) -> None:
    assert PlateReport.load(pan_built.plate.folder.parent / "plate.json") == pan_built.report
