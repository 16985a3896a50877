# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands keep one look through a shot: the picture's own colour, the character's size, and no jumps."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from backend.contract.job import Fit
from backend.engines.draft.character import Character, build_character
from backend.engines.draft.motion import perform
from backend.engines.draft.skin import face_tone, hand_tones
from backend.performer.still import Still
from backend.performer.tracks import Tracks

from .conftest import painted_figure, painted_still, tracks_of

GLOVE = (240, 140, 20)
FAN_RAD = np.radians(np.repeat(np.linspace(-40, 60, 5), 4))
REACH_PX = np.tile((9.0, 14.0, 18.0, 22.0), 5)
COUNT = 40


def spread_hand(wrist: np.ndarray, size: float = 1.0) -> np.ndarray:
    """A flat open hand below its wrist, `21 3`."""
    hand = np.repeat(wrist[None], 21, 0).astype(np.float32)
    hand[1:, 0] += size * REACH_PX * np.sin(FAN_RAD)
    hand[1:, 1] += size * REACH_PX * np.cos(FAN_RAD)
    return hand.astype(np.float32)


@pytest.fixture(scope="module")
def gloved() -> tuple[Character, Still]:
    """The painted figure with one orange glove at its left."""
    rgb, matte = painted_figure()
    still = painted_still(matte)
    hand = spread_hand(still.body[15])
    hull = np.round(cv2.convexHull(np.ascontiguousarray(hand[:, :2]))).astype(np.int32)
    cv2.fillConvexPoly(rgb, hull, GLOVE)
    cv2.fillConvexPoly(matte, hull, 1.0)
    found = replace(still, left_hand=hand, left_hand_score=1.0, coverage=matte)
    return build_character(rgb, matte, found, has_background=True), found


def waving(still: Still, seen: range, size: float = 1.0) -> Tracks:
    """A performer who stretches the left hand out sideways in the frames `seen`."""
    tracks = tracks_of(still, COUNT)
    hand = spread_hand(still.body[15], size)
    across = hand.copy()
    across[:, :2] = hand[0, :2] + (hand[:, :2] - hand[0, :2])[:, ::-1]
    score = np.zeros(COUNT, np.float32)
    score[list(seen)] = 1
    return replace(tracks, left_hand=np.repeat(across[None], COUNT, 0), left_hand_score=score)


def held(tracks: Tracks, character: Character) -> np.ndarray:
    """The left hand's points from its wrist, `f 21 2`."""
    hands = perform(tracks, character.points, Fit()).hands[:, 0, :, :2]
    return np.asarray(hands - hands[:, :1])


def test_a_glove_gives_both_hands_its_own_colour(gloved: tuple[Character, Still]) -> None:
    for tone in hand_tones(gloved[0]):
        assert np.allclose(tone * 255, GLOVE, atol=6)


def test_hands_that_the_picture_does_not_show_take_the_faces_colour(figure: Character) -> None:
    assert all(np.array_equal(tone, face_tone(figure)) for tone in hand_tones(figure))


def test_a_hand_in_the_shade_takes_its_faces_tone(gloved: tuple[Character, Still]) -> None:
    character = gloved[0]
    skin = face_tone(character)
    arms = [
        replace(arm, picture=np.dstack([0 * arm.picture[..., :3] + 0.6 * skin, arm.picture[..., 3]]))
        for arm in character.layers[1:3]
    ]
    shaded = replace(character, layers=(character.layers[0], *arms, *character.layers[3:]))
    assert all(np.allclose(tone, skin, atol=0.01) for tone in hand_tones(shaded))


def test_a_hand_does_not_jump_where_it_comes_into_sight(gloved: tuple[Character, Still]) -> None:
    character, still = gloved
    points = held(waving(still, range(10, 28)), character)
    assert np.abs(np.diff(points, axis=0)).max() < 0.5 * REACH_PX.max()
    assert abs(points[20, 12, 0]) > 0.8 * REACH_PX.max()
    assert points[0, 12, 1] > 0.8 * REACH_PX.max()


def test_a_lone_sighting_of_a_hand_is_not_followed(gloved: tuple[Character, Still]) -> None:
    character, still = gloved
    points = held(waving(still, range(20, 21)), character)
    assert np.abs(points - points[0]).max() < 0.5


def test_a_hand_has_the_characters_size(gloved: tuple[Character, Still]) -> None:
    character, still = gloved
    reaches = [
        np.ptp(held(waving(still, range(COUNT), size), character)[20], axis=0).max() for size in (0.85, 1.0, 1.2)
    ]
    assert np.ptp(reaches) < 0.03 * max(reaches)


def test_a_hand_is_drawn_in_one_way_through_the_shot(gloved: tuple[Character, Still]) -> None:
    character, still = gloved
    assert perform(waving(still, range(10, 28)), character.points, Fit()).hand_modelled.tolist() == [True, False]


def test_an_unseen_hand_does_not_follow_the_bodys_points_of_it_in_jerks(gloved: tuple[Character, Still]) -> None:
    character, still = gloved
    tracks = tracks_of(still, COUNT)
    body = tracks.body.copy()
    body[20:, [17, 19], :2] = 2 * body[20:, 15:16, :2] - body[20:, [17, 19], :2]
    points = held(replace(tracks, body=body, left_hand_score=np.zeros(COUNT, np.float32)), character)
    assert np.abs(np.diff(points, axis=0)).max() < REACH_PX.max()
