# SPDX-License-Identifier: GPL-3.0-or-later
"""A movie file as a clip, by PyAV: every coded frame once, in order, by number.

The file is surveyed once, without decoding it where its container can be trusted, which gives the time stamp of every
frame; a frame is then found by seeking to the key frame before it and decoding until its stamp is met. What is decoded
is held against the survey all along, so that a frame is never silently another. Only this file and `moviecolour.py`
import av.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, dropwhile, islice
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from .ahead import ahead
from .clipinfo import (
    ClipDamagedError,
    ClipEmptyError,
    ClipInfo,
    ClipTruncatedError,
    ClipWithoutPicturesError,
    NotAClipError,
    check_range,
)
from .images import Pixels, check_not_too_large, check_size
from .moviecolour import bits_of, colour_of, has_alpha, is_yuv, rgb_of_frame
from .movierate import STANDARD_RATES, rate_of
from .wholeness import is_cut_off_or_none

_AHEAD_FRAMES = 4

_SOUGHT_APART_FRAMES = 24
"""Frames farther apart than this are sought one by one, each from the key frame before it: what is decoded for one does
not grow with the way to it, and who reads them may turn away between two."""

_STAMPED_CONTAINERS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"})
"""Those that store when each frame is shown, and how long they are. Of others (AVI, MPEG, raw streams) FFmpeg guesses
the one, at times wrongly, and nobody knows the other: they are surveyed by decoding."""

_REORDERED_FRAMES = 16
"""How far before the end a frame can be missing in a stream that was cut: the most that H.264 and H.265 reorder."""

_NOT_MOVIES = frozenset({"tty", "bin", "xbin", "adf", "idf", "image2", "concat", "hls", "dash", "lavfi"})
"""Kinds that FFmpeg would open though they are text, single pictures, or lists that name other files and servers."""

_LOCAL_ONLY = {"protocol_whitelist": "file"}


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of all frames. stamps: when each is shown, in ticks, rising; None where that isn't sure.

    can_seek: whether a frame can be found by its stamp; else by decoding from the start.
    """

    count: int
    stamps: NDArray[np.int64] | None
    can_seek: bool


class MovieClip:
    """A movie as a clip; see `Clip`. Open it with `open_movie`."""

    def __init__(self, path: Path, survey: Survey, info: ClipInfo) -> None:
        self.info = info
        self._path = path
        self._survey = survey

    def frames(self, first: int, last: int, depth_bits: int) -> Iterator[Pixels]:
        """Yield frames first..last (inclusive) as RGB of that depth, decoded a few ahead."""
        check_range(self.info, first, last)
        return ahead(self._decode(range(first, last + 1), depth_bits), _AHEAD_FRAMES)

    def frame(self, index: int, depth_bits: int) -> Pixels:
        """Read one frame as RGB of that depth."""
        check_range(self.info, index, index)
        return next(self._decode((index,), depth_bits))

    def picked(self, indices: tuple[int, ...], depth_bits: int) -> Iterator[Pixels]:
        """Yield some frames as RGB of that depth. What lies between near ones is decoded too; far ones are sought.

        Where a file's frames can't be sought, all are taken for near. No far one is begun before it is asked for.
        """
        check_range(self.info, indices[0], indices[-1])
        near_frames = _SOUGHT_APART_FRAMES if self._survey.can_seek else self._survey.count
        parts = np.split(np.array(indices), np.flatnonzero(np.diff(indices) > near_frames) + 1)
        return chain.from_iterable(ahead(self._decode(part.tolist(), depth_bits), _AHEAD_FRAMES) for part in parts)

    def _decode(self, indices: Sequence[int], depth_bits: int) -> Iterator[Pixels]:
        # At the clip's end the file must end too: go on, and let the survey object to a frame more.
        first, last = indices[0], indices[-1]
        is_to_the_end = last == self.info.frame_count - 1
        done = first
        for frame in _decoded_from(self._path, self._survey, first):
            if done in indices:
                yield self._pixels(frame, done, depth_bits)
            done += 1
            if done > last and not is_to_the_end:
                return
        if done <= last:
            raise ClipTruncatedError(self._path, done)

    def _pixels(self, frame: VideoFrame, index: int, depth_bits: int) -> Pixels:
        """Turn a decoded frame upright, as RGB of that depth. Raises ClipDamagedError."""
        image = _upright(rgb_of_frame(frame, depth_bits), self.info.rotation_deg)
        if image.shape[:2] != (self.info.height_px, self.info.width_px):
            raise ClipDamagedError(self._path, index)
        return image


def open_movie(path: Path, fps: Fraction | None = None) -> MovieClip:
    """Open a movie file and survey its frames.

    Raises NotAClipError, ClipWithoutPicturesError, ClipEmptyError, ClipTruncatedError, ClipDamagedError,
    PictureTooLargeError, PictureTooSmallError.
    """
    is_cut = is_cut_off_or_none(path)
    with _opened(path) as (container, stream):
        if is_cut:
            raise _broken(path, is_cut)
        check_not_too_large(path, (stream.codec_context.width, stream.codec_context.height))
        is_sure = is_cut is False and container.format.name in _STAMPED_CONTAINERS
        survey = _survey_by_demuxing(path, container, stream) if is_sure else None
    survey = survey or _survey_by_decoding(path, is_cut)
    info = _describe(path, survey, fps)
    check_size(path, (info.width_px, info.height_px))
    return MovieClip(path, survey, info)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open the container at its first real video track."""
    try:
        # An absolute path is never taken for the name of a protocol, as `take:1.mp4` would be.
        container = av.open(str(path.absolute()), options=_LOCAL_ONLY)
    except (av.FFmpegError, UnicodeError) as error:
        if is_cut_off_or_none(path):
            raise ClipTruncatedError(path, 0) from error
        raise NotAClipError(path) from error
    with container:
        yield container, _video_track(path, container)


def _video_track(path: Path, container: InputContainer) -> VideoStream:
    name = container.format.name
    if name in _NOT_MOVIES or name.endswith("_pipe"):
        raise NotAClipError(path)
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:  # the picture on a record's sleeve
            return stream
    if is_cut_off_or_none(path):
        raise ClipTruncatedError(path, 0)
    raise ClipWithoutPicturesError(path) if container.streams.audio else NotAClipError(path)


def _survey_by_demuxing(path: Path, container: InputContainer, stream: VideoStream) -> Survey | None:
    """Read all packets but decode none; None where their stamps don't give every frame its place."""
    stamps: list[int | None] = []
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise _broken(path, is_cut=False)
            if packet.size and not packet.is_discard:
                stamps.append(packet.pts)
    except av.FFmpegError as error:
        raise _broken(path, is_cut=False) from error
    known = np.unique(np.array([stamp for stamp in stamps if stamp is not None], np.int64))
    return Survey(len(stamps), known, can_seek=True) if 0 < len(known) == len(stamps) else None


def _survey_by_decoding(path: Path, is_cut: bool | None) -> Survey:
    """Decode everything once. Raises ClipEmptyError, ClipTruncatedError and ClipDamagedError."""
    found, is_clean = _decode_all(path)
    if is_clean and not found:
        raise ClipEmptyError(path)
    stamps = _rising_or_none(found)
    may_be_cut = is_cut is None and stamps is not None and _before_a_late_gap(stamps) < len(stamps)
    if not is_clean or may_be_cut:
        raise _broken(path, is_cut)
    return Survey(len(found), stamps, can_seek=False)


def _broken(path: Path, is_cut: bool | None) -> ClipTruncatedError | ClipDamagedError:
    """Make the error that says how many frames are whole, by decoding what there is. None: it looks like a cut."""
    found, _ = _decode_all(path)
    if is_cut is False:
        return ClipDamagedError(path, len(found))
    stamps = _rising_or_none(found)
    return ClipTruncatedError(path, len(found) if stamps is None else _before_a_late_gap(stamps))


def _rising_or_none(found: list[int | None]) -> NDArray[np.int64] | None:
    """Take stamps that put every frame after the one before; None for any others."""
    stamps = np.array([-1 if stamp is None else stamp for stamp in found], np.int64)
    return stamps if None not in found and bool((np.diff(stamps) > 0).all()) else None


def _before_a_late_gap(stamps: NDArray[np.int64]) -> int:
    """Count the frames before the only step in time that is longer than the rest, if it is near the end; else all.

    A stream that is cut ends in coding order: of its last frames some are missing between those that are there.
    Where the steps vary earlier too, a long one says nothing.
    """
    steps = np.diff(stamps)
    gaps = np.flatnonzero(steps > 1.5 * np.median(steps)) if len(steps) else steps
    is_late = len(gaps) > 0 and gaps[0] >= len(steps) - min(_REORDERED_FRAMES, len(steps) // 2)
    return int(gaps[0]) + 1 if is_late else len(stamps)


def _decode_all(path: Path) -> tuple[list[int | None], bool]:
    """List the stamps of the frames before the first that can't be decoded, and say whether that was the end."""
    stamps: list[int | None] = []
    try:
        with _opened(path) as (container, stream):
            stream.thread_type = "AUTO"
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    return stamps, False
                stamps.append(frame.pts)
    except av.FFmpegError:
        return stamps, False
    return stamps, True


def _decoded_from(path: Path, survey: Survey, first: int) -> Iterator[VideoFrame]:
    """Yield decoded frames `first` and up to the end, each held against the survey. Raises ClipDamagedError."""
    with _opened(path) as (container, stream):
        stream.thread_type = "AUTO"
        index = first
        try:
            for frame in _started_at(container, stream, survey, first):
                if frame.is_corrupt or not _is_promised(survey, index, frame):
                    raise ClipDamagedError(path, index)
                yield frame
                index += 1
        except av.FFmpegError as error:
            raise ClipDamagedError(path, index) from error


def _is_promised(survey: Survey, index: int, frame: VideoFrame) -> bool:
    return index < survey.count and (survey.stamps is None or frame.pts == survey.stamps[index])


def _started_at(container: InputContainer, stream: VideoStream, survey: Survey, first: int) -> Iterator[VideoFrame]:
    """Yield decoded frames, `first` at the beginning."""
    if survey.stamps is None or not survey.can_seek or first == 0:
        return islice(container.decode(stream), first, None)
    wanted = int(survey.stamps[first])
    container.seek(wanted, stream=stream)
    decoded = container.decode(stream)
    head = next(decoded, None)
    if head is None or head.pts is None or head.pts > wanted:  # the file's own index led past the frame
        container.seek(int(survey.stamps[0]), stream=stream)
        return dropwhile(lambda frame: frame.pts != wanted, container.decode(stream))
    return dropwhile(lambda frame: frame.pts != wanted, chain([head], decoded))


def _upright(image: Pixels, rotation_deg: int) -> Pixels:
    """Turn counter-clockwise by a multiple of 90 degrees."""
    return image if rotation_deg == 0 else cast(Pixels, np.ascontiguousarray(np.rot90(image, rotation_deg // 90)))


def _describe(path: Path, survey: Survey, fps: Fraction | None) -> ClipInfo:
    """Gather what the track and its first decoded frame declare."""
    with _opened(path) as (_, stream):
        rate, is_even = _rate_of(stream, survey)
        frame = next(_decoded_from(path, survey, 0))
        rotation_deg = round(frame.rotation / 90) * 90 % 360
        sides_px = (frame.width, frame.height) if rotation_deg % 180 == 0 else (frame.height, frame.width)
        return ClipInfo(
            width_px=sides_px[0],
            height_px=sides_px[1],
            fps=fps or rate,
            frame_count=survey.count,
            bits=bits_of(frame.format),
            has_alpha=has_alpha(frame.format),
            rotation_deg=rotation_deg,
            colour=colour_of(frame),
            is_yuv=is_yuv(frame.format),
            is_variable_rate=not is_even,
            is_interlaced=frame.interlaced_frame,
            pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
        )


def _rate_of(stream: VideoStream, survey: Survey) -> tuple[Fraction, bool]:
    if survey.stamps is None or stream.time_base is None:
        return stream.guessed_rate or stream.average_rate or STANDARD_RATES[0], True
    return rate_of(survey.stamps, stream.time_base, (stream.average_rate, stream.guessed_rate, stream.base_rate))
