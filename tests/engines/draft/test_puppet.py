# SPDX-License-Identifier: GPL-3.0-or-later
"""The puppet in one frame: the picture itself is the truth where the performer stands like the character."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from backend.contract.job import Fit
from backend.engines.draft import character, face
from backend.engines.draft.character import Character, find_character
from backend.engines.draft.motion import at_ease, perform
from backend.engines.draft.mouth import Mouth
from backend.engines.draft.puppet import Puppet
from backend.engines.draft.raster import Frame
from backend.performer.still import Still
from backend.performer.tracks import Presence, Tracks

from .conftest import GREEN, HEIGHT, WIDTH, painted_figure, tracks_of


def drawn(character: Character, tracks: Tracks, fit: Fit, index: int, size: tuple[int, int]) -> np.ndarray:
    """Premultiplied RGBA of one frame."""
    return Puppet(character).draw(perform(tracks, character.points, fit), index, *size)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(1 / max(float(((a - b) ** 2).mean()), 1e-12)))


def centre(alpha: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: alpha.shape[0], : alpha.shape[1]]
    return np.array(((x * alpha).sum(), (y * alpha).sum())) / alpha.sum()


def test_the_characters_own_pose_redraws_the_picture(figure: Character, standing: Still) -> None:
    rgb, matte = painted_figure()
    canvas = drawn(figure, tracks_of(standing, 3), Fit(), 1, (WIDTH, HEIGHT))
    solid = cv2.erode(matte, np.ones((5, 5))) > 0.99
    assert psnr(canvas[solid, :3], rgb[solid] / 255) > 28
    assert ((canvas[..., 3] > 0.5) & (matte > 0.5)).sum() / ((canvas[..., 3] > 0.5) | (matte > 0.5)).sum() > 0.95


@pytest.mark.parametrize(("rows", "columns"), [((57, 71), (76, 84)), ((100, 110), (114, 119))], ids=["neck", "elbow"])
def test_half_covered_parts_are_no_more_covered_where_pieces_overlap(
    standing: Still, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    rgb, matte = painted_figure()
    room = 4
    matte[rows[0] - room : rows[1] + room, columns[0] - room : columns[1] + room] *= 0.6
    ghost = character.build_character(rgb, matte, standing, has_background=True)
    canvas = drawn(ghost, tracks_of(standing, 3), Fit(), 1, (WIDTH, HEIGHT))
    part = np.s_[slice(*rows), slice(*columns)]
    assert np.abs(canvas[part][..., 3] - matte[part]).mean() < 0.04


def test_a_real_face_is_redrawn(astronaut: Character, astronaut_still: Still, astronaut_picture: np.ndarray) -> None:
    canvas = drawn(astronaut, tracks_of(astronaut_still, 3), Fit(), 1, (512, 512))
    x, y = astronaut_still.face[:, :2].mean(0).astype(int)
    head = np.s_[y - 45 : y + 45, x - 35 : x + 35]
    assert psnr(canvas[head][..., :3], astronaut_picture[head] / 255) > 26


def test_offsets_are_parts_of_the_performers_height(figure: Character, standing: Still) -> None:
    tracks = tracks_of(standing, 3)
    height = perform(tracks, figure.points, Fit()).height[1]
    assert height == pytest.approx(223 - 18, rel=0.1)
    still = drawn(figure, tracks, Fit(), 1, (WIDTH + 60, HEIGHT + 60))
    fit = Fit(offset_x=20 / height, offset_y=12 / height, ground_offset=8 / height)
    aside = drawn(figure, tracks, fit, 1, (WIDTH + 60, HEIGHT + 60))
    assert np.allclose(centre(aside[..., 3]) - centre(still[..., 3]), (20, 20), atol=0.3)


def test_scale_grows_the_figure_from_the_ground(figure: Character, standing: Still) -> None:
    tracks = tracks_of(standing, 3)
    size = (WIDTH * 2, HEIGHT)
    small = drawn(figure, tracks, Fit(scale=0.7), 1, size)[..., 3]
    whole = drawn(figure, tracks, Fit(), 1, size)[..., 3]
    assert small.sum() / whole.sum() == pytest.approx(0.49, abs=0.03)
    lowest = [np.flatnonzero((alpha > 0.5).any(1)).max() for alpha in (small, whole)]
    assert abs(lowest[0] - lowest[1]) <= 3


def test_head_size_grows_the_head_alone(figure: Character, standing: Still) -> None:
    tracks = tracks_of(standing, 3)
    plain, large = (drawn(figure, tracks, Fit(head_size=size), 1, (WIDTH, HEIGHT))[..., 3] for size in (1.0, 1.4))
    assert large[:60].sum() > 1.2 * plain[:60].sum()
    assert np.abs(large[100:] - plain[100:]).max() < 0.02


def test_mirror_flips_the_picture(astronaut: Character, astronaut_picture: np.ndarray) -> None:
    flipped = find_character(astronaut_picture, mirror=True).points
    assert flipped.face[4, 0] == pytest.approx(511 - astronaut.points.face[4, 0], abs=6)


def test_the_sole_stands_where_the_performers_stands(figure: Character, standing: Still) -> None:
    tracks = tracks_of(standing, 3)
    body = tracks.body.copy()
    body[:, [25, 27, 29, 31], 0] += np.array((8, 16, 16, 16))
    canvas = drawn(figure, replace(tracks, body=body), Fit(), 1, (WIDTH, HEIGHT))
    shoes = (canvas[..., :3].min(2) > 0.7).astype(np.float32)
    shoes[:, : WIDTH // 2] = 0
    before = painted_figure()[0].min(2) > 178
    before[:, : WIDTH // 2] = False
    assert np.allclose(centre(shoes) - centre(before.astype(np.float32)), (16, 0), atol=1.5)


@pytest.mark.parametrize("turn_deg", [-150, -90, -45, 45, 90, 150])
def test_a_bent_arm_stays_whole(figure: Character, standing: Still, turn_deg: float) -> None:
    tracks = tracks_of(standing, 3)
    body = tracks.body.copy()
    elbow, angle = body[:, 13, :2], np.radians(turn_deg)
    turn = np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))
    for joint in (15, 17, 19):
        body[:, joint, :2] = elbow + (body[:, joint, :2] - elbow) @ turn.T
    canvas = drawn(figure, replace(tracks, body=body), Fit(), 1, (WIDTH + 40, HEIGHT))
    steps = np.linspace(0, 1, 20)[:, None]
    x, y = np.round(elbow[1] + steps * (body[1, 15, :2] - elbow[1])).astype(int).T
    assert canvas[y, x, 3].min() > 0.9


def test_a_hand_follows_its_points(figure: Character, standing: Still) -> None:
    tracks = tracks_of(standing, 5)
    hand = tracks.left_hand.copy()
    fan = np.radians(np.repeat(np.linspace(-40, 60, 5), 4))
    reach = np.tile((9.0, 14.0, 18.0, 22.0), 5)
    hand[:, 1:, 0] += reach * np.sin(fan)
    hand[:, 1:, 1] += reach * np.cos(fan)
    canvas = drawn(
        figure, replace(tracks, left_hand=hand, left_hand_score=np.ones(5, np.float32)), Fit(), 2, (200, 260)
    )
    x, y = hand[2, [8, 12, 16, 20], :2].round().astype(int).T
    assert canvas[y, x, 3].min() > 0.5


def test_an_opening_mouth_shows_its_dark_inside(astronaut: Character, astronaut_still: Still) -> None:
    tracks = tracks_of(astronaut_still, 20)
    faces = tracks.face.copy()
    jaw = np.flatnonzero(faces[0, :, 1] >= faces[0, list(face.INNER_LOWER[3:8]), 1].min() - 1)
    faces[10:, jaw, 1] += 0.16 * face.face_height(astronaut_still.face)
    canvases = [drawn(astronaut, replace(tracks, face=faces), Fit(), index, (512, 512)) for index in (5, 16)]
    x, y = faces[16, [13, 14], :2].mean(0).round().astype(int)
    before, after = (canvas[y : y + 5, x - 3 : x + 4, :3].mean() for canvas in canvases)
    assert after < 0.5 * before


@pytest.mark.parametrize(("height_px", "times"), [(200, 1.3), (60, 1.6), (30, 1.9), (15, 1.9)])
def test_a_mouth_opens_the_wider_the_smaller_it_is_seen(astronaut: Character, height_px: float, times: float) -> None:
    reference = astronaut.points.face
    lower = list(face.INNER_LOWER[1:-1])
    faces = np.repeat(reference[None], 20, 0)
    faces[10:, lower, 1] += 0.04 * face.face_height(reference)
    faces *= height_px / face.face_height(reference)
    poses = face.face_poses(reference, faces)
    opened = face.expressions(reference, faces, poses, np.ones(20, np.float32))[15, lower, 1]
    still = face.expressions(reference, faces, poses, np.ones(20, np.float32))[5]
    assert opened == pytest.approx(times * 0.04 * face.face_height(reference), rel=0.02)
    assert np.abs(still).max() < 0.01 * face.face_height(reference)


@pytest.mark.parametrize("eye", face.EYES, ids=["right", "left"])
def test_a_closed_eye_shows_nothing_but_skin_and_a_line(
    astronaut: Character, astronaut_still: Still, eye: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    tracks = tracks_of(astronaut_still, 20)
    faces = tracks.face.copy()
    for upper, lower in face.EYES:
        faces[10:, list(upper)] = faces[10:, list(lower)]
    cheek = astronaut.points.face[[50, 280], :2].round().astype(int)
    inside = np.zeros((512, 512), np.uint8)
    rims = np.concatenate([astronaut.points.face[list(rim), :2] for rim in (eye[0], eye[1][::-1])])
    cv2.fillPoly(inside, [rims.round().astype(np.int32)], 1)

    def alien(index: int) -> float:
        """Which part of the open eye's place is far from skin of any shade."""
        canvas = drawn(astronaut, replace(tracks, face=faces), Fit(), index, (512, 512))[..., :3]
        skin = np.median([canvas[y, x] / canvas[y, x].sum() for x, y in cheek], axis=0)
        own = canvas[inside > 0]
        hue = np.abs(own / own.sum(1, keepdims=True) - skin).max(1)
        return float(((hue > 0.06) | (own.sum(1) < 0.9)).mean())

    assert alien(4) > 0.35
    assert alien(16) < 0.03


def test_an_eye_that_closes_half_is_half_covered(astronaut: Character, astronaut_still: Still) -> None:
    faces = tracks_of(astronaut_still, 21).face.copy()
    for upper, lower in face.EYES:
        for index, share in ((19, 0.0), (20, 0.6)):
            low, high = faces[index, list(lower)], faces[index, list(upper)]
            faces[index, list(upper)] = low + share * (high - low)
    poses = face.face_poses(astronaut.points.face, faces)
    found = face.eyes_open(faces, poses, np.ones(21, np.float32))
    assert np.allclose(found[:19], 1) and np.allclose(found[19], 0)
    assert np.allclose(found[20], 0.5, atol=0.05)
    unseen = face.eyes_open(faces, poses, np.zeros(21, np.float32))
    assert np.allclose(unseen, 1)
    for height_px, shut in ((30, 0.0), (60, 1.0)):
        small = faces * np.float32(height_px / face.face_height(faces[0]))
        of_small = face.eyes_open(small, face.face_poses(astronaut.points.face, small), np.ones(21, np.float32))
        assert np.allclose(of_small[19], 1 - shut, atol=0.05)


def test_teeth_lie_in_shade_at_the_corners_of_the_mouth(astronaut: Character) -> None:
    points = astronaut.points.face[:, :2].copy()
    points[list(face.INNER_LOWER[1:-1]), 1] += 0.15 * face.face_height(points)
    patch = Mouth(astronaut).draw(points, Frame(512, 512))
    left, right = (points[face.INNER_UPPER[end], 0] - patch.x for end in (0, -1))

    def brightest(part: float) -> float:
        column = patch.rgba[:, round(left + part * (right - left))]
        return float((column[:, :3].sum(1) / np.maximum(column[:, 3], 1e-3))[column[:, 3] > 0.9].max())

    assert brightest(0.15) < 0.75 * brightest(0.5) > 0.75 * brightest(0.85)


def test_a_heads_clear_corner_hides_no_shoulder(figure: Character, standing: Still) -> None:
    motion = perform(tracks_of(standing, 3), figure.points, Fit())
    lowered = replace(motion, pivot=motion.pivot + np.array((0, 34), np.float32))
    alpha = Puppet(figure).draw(lowered, 1, WIDTH, HEIGHT)[..., 3]
    shoulders = painted_figure()[1][70:84, 60:100] > 0.99
    assert alpha[70:84, 60:100][shoulders].min() > 0.8


def test_pads_on_the_shoulders_stay_whole(standing: Still) -> None:
    rgb, matte = painted_figure()
    pads = np.zeros_like(matte)
    for centre in ((106, 70), (54, 70)):
        cv2.ellipse(pads, centre, (15, 9), 0, 0, 360, 1.0, -1)
    rgb[pads > 0] = (250, 250, 250)
    padded = character.build_character(rgb, np.maximum(matte, pads), standing, has_background=True)
    canvas = drawn(padded, tracks_of(standing, 3), Fit(), 1, (WIDTH, HEIGHT))
    inside = cv2.erode(pads, np.ones((3, 3))) > 0
    white = canvas[..., :3].min(-1)[inside]
    assert (white < 0.8).mean() < 0.04


@pytest.mark.parametrize("raised_deg", [25, 90, 130])
def test_an_arm_that_nobody_sees_hangs(figure: Character, standing: Still, raised_deg: float) -> None:
    own, turn = figure.points.joints.copy(), np.radians(raised_deg)
    arm = [13, 15, 17, 19]
    own[13] = own[11] + 40 * np.array((np.sin(turn), np.cos(turn)))
    own[15] = own[13] + 30 * np.array((np.sin(turn), np.cos(turn)))
    own[17] = own[19] = own[15] + (5, 5)
    tracks = tracks_of(standing, 9)
    score = tracks.body_score.copy()
    score[:, arm] = 0
    points = replace(figure.points, joints=own)
    joints = perform(replace(tracks, body_score=score), points, Fit(), rest=at_ease(own)).joints[4]
    aside, down = joints[13] - joints[11]
    assert np.degrees(np.arctan2(aside, down)) == pytest.approx(min(raised_deg, 40), abs=1)
    for a, b in pairwise((11, 13, 15, 17)):
        assert np.linalg.norm(joints[a] - joints[b]) == pytest.approx(np.linalg.norm(own[a] - own[b]), rel=0.01)


def test_a_turned_head_moves_the_nose_more_than_the_ears(astronaut: Character, astronaut_still: Still) -> None:
    tracks = tracks_of(astronaut_still, 3)
    angle = np.radians(25)
    turn = np.array(((np.cos(angle), 0, np.sin(angle)), (0, 1, 0), (-np.sin(angle), 0, np.cos(angle))))
    middle = tracks.face[0, list(face.EARS)].mean(0)
    turned = replace(tracks, face=((tracks.face - middle) @ turn.T + middle).astype(np.float32))
    motion = perform(turned, astronaut.points, Fit())
    plain = perform(tracks, astronaut.points, Fit())
    relative = motion.tilt[1] @ plain.tilt[1].T
    assert np.degrees(np.arcsin(relative[0, 2])) == pytest.approx(25, abs=5)
    assert np.allclose(motion.pivot, plain.pivot, atol=2)


def test_an_absent_performer_leaves_the_frame_empty(figure: Character, standing: Still) -> None:
    tracks = tracks_of(standing, 3)
    tracks.presence[1] = Presence.ABSENT
    assert not drawn(figure, tracks, Fit(), 1, (WIDTH, HEIGHT)).any()


def test_a_small_figure_is_the_large_one_reduced(figure: Character, standing: Still) -> None:
    tracks = tracks_of(standing, 3)
    larger = {name: (getattr(tracks, name) + 0.5) * 4 - 0.5 for name in ("body", "face", "left_hand", "right_hand")}
    small = drawn(figure, tracks, Fit(), 1, (WIDTH, HEIGHT))
    large = drawn(figure, replace(tracks, **larger), Fit(), 1, (4 * WIDTH, 4 * HEIGHT))
    assert np.abs(cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) - small).mean() < 0.004
    assert np.allclose(centre(large[..., 3]) / 4 - 0.375, centre(small[..., 3]), atol=0.1)


def test_feet_not_found_before_the_background_are_looked_for_before_grey(
    standing: Still, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb, matte = painted_figure()
    feetless = replace(standing, body_score=np.where(np.arange(33) > 24, 0, standing.body_score).astype(np.float32))
    monkeypatch.setattr(character, "cut_out", lambda *_: matte)
    monkeypatch.setattr(
        character, "find_in_picture", lambda seen: feetless if (seen[0, 0] == GREEN).all() else standing
    )
    assert np.array_equal(find_character(rgb, mirror=False).points.joints[27:33], standing.body[27:33, :2])
