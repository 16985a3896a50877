# SPDX-License-Identifier: GPL-3.0-or-later
"""From the performer's tracks, mattes and plate to what drives the model: figures, faces, and what stays.

Everything is brought to the size that is generated; frames are never resampled in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...contract.errors import UnderstudyError
from ...contract.job import Fit, Mode
from ...media.clip import open_clip
from ...performer.prepare import as_rgb8
from ...performer.tracks import Presence, Tracks
from ..base import Inputs
from .body import FACE, Figure, draw_figure
from .character import picture_of, pose_of
from .conditioning import Plate, WindowFrames
from .faces import face_box, face_crop
from .mask import Mask, blocky, grown
from .points import whole_body
from .reference import RGB8, letterboxed, target_size
from .retarget import Posed, Retarget
from .settings import WanSettings

_COVERED = 13
"""Coverage of 255 from which a pixel belongs to the performer: a twentieth, so that soft edges are drawn anew too."""
_FACE_SEEN = 0.2

Points = NDArray[np.float64]
"""`133 3`: x, y in pixels, score."""


class OverrideCountError(UnderstudyError):
    """A clip that stands in for what is made here has another number of frames than the shot."""

    hint = "Give a clip with a frame for each frame of the shot."

    def __init__(self, name: str, path: Path, found: int, wanted: int) -> None:
        super().__init__(f"The {name} clip {path} has {found} frames; the shot has {wanted}.")
        self.name, self.path, self.found, self.wanted = name, path, found, wanted


@dataclass(frozen=True, slots=True)
class Size:
    """Of the generated picture, pixels."""

    width_px: int
    height_px: int

    def scaled(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Bring a picture to this size, averaged where it shrinks; the whole picture stays, registered."""
        if picture.shape[:2] == (self.height_px, self.width_px):
            return picture
        is_smaller = picture.shape[0] > self.height_px
        how = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(picture, (self.width_px, self.height_px), interpolation=how), np.uint8)


def generated_size(inputs: Inputs, area_px: int) -> Size:
    """Say what size is generated: the shot's aspect, or in animate mode that of the character's picture.

    Raises SizeError.
    """
    whole = inputs.frames[0] if inputs.mode is Mode.REPLACE else picture_of(inputs.character)
    return Size(*target_size(whole.shape[1], whole.shape[0], area_px))


class Driving:
    """What drives each frame of a shot, made when it is asked for."""

    def __init__(self, inputs: Inputs, size: Size, settings: WanSettings, face_px: int) -> None:
        self._inputs, self._size, self._settings = inputs, size, settings
        self._face_size = Size(face_px, face_px)
        self._points = whole_body(inputs.tracks)
        self._frame_size = Size(inputs.frames[0].shape[1], inputs.frames[0].shape[0])
        self._figure = self._figures()

    def window(self, indices: list[int]) -> WindowFrames:
        """Give the frames of a window; indices of the shot's frames, in the window's order."""
        plate = None
        if self._inputs.mode is Mode.REPLACE:
            plate = Plate(frames=self._given("background", indices, self._plate), region=self.regions(indices))
            plate.frames[plate.region > 0] = 0
        return WindowFrames(
            pose=self._given("pose", indices, self._pose), faces=self._given("face", indices, self._face), plate=plate
        )

    def regions(self, indices: list[int]) -> NDArray[np.uint8]:
        """Give where the model draws, `n h w`, not 0 there, at the generated size."""
        given = self._given("mask", indices, self._region)
        return given[..., 0] if given.ndim == 4 else given

    def _region(self, index: int) -> Mask:
        """Grow the performer's matte and make it blocky, `h w` of 0 and 255."""
        matte = self._inputs.performer_matte
        assert matte is not None, "only replace mode has a region"
        covered = np.where(self._size.scaled(np.asarray(matte[index], np.uint8)) >= _COVERED, 255, 0).astype(np.uint8)
        if self._inputs.fit != Fit():
            covered |= np.where(self._pose(index).any(2), 255, 0).astype(np.uint8)
        return blocky(grown(covered), self._settings.cells, self._settings.cells)

    def _given(self, name: str, indices: list[int], make: Callable[[int], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """Read frames of a clip that stands in, or make them. Raises OverrideCountError and what opening it raises."""
        named: str = getattr(self._settings, name)
        if not named:
            return self._stacked(make, indices)
        clip, count = open_clip(Path(named)), len(self._inputs.frames)
        if clip.info.frame_count != count:
            raise OverrideCountError(name, Path(named), clip.info.frame_count, count)
        size = self._face_size if name == "face" else self._size
        wanted = tuple(sorted(set(indices)))
        frames = {
            index: size.scaled(as_rgb8(frame)) for index, frame in zip(wanted, clip.picked(wanted, 8), strict=True)
        }
        return np.stack([frames[index] for index in indices])

    def _stacked(self, make: Callable[[int], NDArray[np.uint8]], indices: list[int]) -> NDArray[np.uint8]:
        made = {index: make(index) for index in set(indices)}
        return np.stack([made[index] for index in indices])

    def _plate(self, index: int) -> RGB8:
        return self._size.scaled(as_rgb8(self._inputs.plate[index]))

    def _pose(self, index: int) -> RGB8:
        if self._inputs.tracks.presence[index] == Presence.ABSENT:
            return np.zeros((self._size.height_px, self._size.width_px, 3), np.uint8)
        return self._figure(index)

    def _face(self, index: int) -> RGB8:
        """Cut the face out of the shot's own frame, which is as sharp as the shot is."""
        landmarks = self._points[index, FACE]
        if landmarks[:, 2].max() < _FACE_SEEN:
            return np.zeros((self._face_size.height_px, self._face_size.width_px, 3), np.uint8)
        box = face_box(landmarks[:, :2], self._frame_size.width_px, self._frame_size.height_px)
        return self._face_size.scaled(face_crop(as_rgb8(self._inputs.frames[index]), box))

    def _figures(self) -> Callable[[int], RGB8]:
        """Choose how figures are drawn: where the performer is, or fitted to the character in its own picture."""
        if self._inputs.mode is Mode.REPLACE:
            points = scaled_points(fitted_points(self._points, self._inputs), self._frame_size, self._size)
            return lambda index: draw_figure(Figure.of(points[index]), self._size.width_px, self._size.height_px)
        reference = pose_of(self._inputs.character)
        if reference is None:
            return self._unfitted
        return self._retargeted(reference)

    def _unfitted(self, index: int) -> RGB8:
        wide, high = self._frame_size.width_px, self._frame_size.height_px
        drawn = draw_figure(Figure.of(self._points[index]), wide, high)
        return letterboxed(drawn, self._size.width_px, self._size.height_px, area_filter=True)

    def _retargeted(self, reference: Tracks) -> Callable[[int], RGB8]:
        """Fit the performer's limbs to the character's, as measured in the first frame that shows the performer."""
        picture = picture_of(self._inputs.character)
        own = scaled_points(whole_body(reference), Size(picture.shape[1], picture.shape[0]), self._size)[0]
        posed = Posed(own, self._size.width_px, self._size.height_px)
        frames = [self._posed(index) for index in range(len(self._points))]
        retarget = Retarget.measured(frames[first_tracked(self._inputs.tracks)], posed)
        return lambda index: draw_figure(retarget.figure(frames[index]), self._size.width_px, self._size.height_px)

    def _posed(self, index: int) -> Posed:
        return Posed(self._points[index], self._frame_size.width_px, self._frame_size.height_px)


def first_tracked(tracks: Tracks) -> int:
    """Give the first frame in which the performer was seen, 0 where there is none."""
    return int(np.argmax(tracks.presence == Presence.TRACKED))


def scaled_points(points: Points, source: Size, size: Size) -> Points:
    """Bring points from one size to another; whole numbers are pixel centres in both."""
    scale = np.array([size.width_px / source.width_px, size.height_px / source.height_px])
    scaled = points.copy()
    scaled[..., :2] = (points[..., :2] + 0.5) * scale - 0.5
    return scaled


def fitted_points(points: Points, inputs: Inputs) -> Points:
    """Set the performer's points as the artist fits the character: scaled on the ground, moved by parts of a height."""
    fit, boxes = inputs.fit, inputs.tracks.box.astype(np.float64)
    ground = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)[:, None]
    height = (boxes[:, 3] - boxes[:, 1])[:, None, None]
    fitted = points.copy()
    moved = np.array([fit.offset_x, fit.offset_y + fit.ground_offset])
    fitted[..., :2] = ground + (points[..., :2] - ground) * fit.scale + height * moved
    return fitted
