# SPDX-License-Identifier: GPL-3.0-or-later
"""A movie file as a clip, by PyAV: every coded frame once, in order, by number.

The file is surveyed once without decoding it, which gives the time stamp of every frame; a frame is then found by
seeking to the key frame before it and decoding until its stamp is met. What is decoded is held against the survey all
along, so that a frame is never silently another. Only this file and `moviecolour.py` import av.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from .images import Pixels, check_size
from .moviecolour import bits_of, colour_of, has_alpha, is_yuv, rgb_of_frame
from .movierate import STANDARD_RATES, rate_of
from .wholeness import is_cut_off

_AHEAD_FRAMES = 4

_STAMPED_CONTAINERS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "gif"})
"""Those that store when each frame is shown. Of others (AVI, MPEG, raw streams) FFmpeg guesses it, at times wrongly,
and they are surveyed by decoding: test_an_avi_with_b_frames_is_read_in_order."""

_NOT_MOVIES = frozenset({"tty", "image2", "concat", "hls", "dash", "lavfi", "ffmetadata", "webvtt", "srt"})
"""Kinds that FFmpeg would open though they are text, single pictures, or lists that name other files and servers."""

_LOCAL_ONLY = {"protocol_whitelist": "file"}


@dataclass(frozen=True, slots=True)
class Survey:
    """What demuxing tells. stamps: of each frame in order of showing, in ticks; None where the file's aren't sure."""

    count: int
    stamps: NDArray[np.int64] | None


class MovieClip:
    """A movie as a clip; see `Clip`. Open it with `open_movie`."""

    def __init__(self, path: Path, survey: Survey, info: ClipInfo) -> None:
        self.info = info
        self._path = path
        self._survey = survey

    def frames(self, first: int, last: int, depth_bits: int) -> Iterator[Pixels]:
        """Yield frames first..last (inclusive) as RGB of that depth, decoded a few ahead."""
        check_range(self.info, first, last)
        return ahead(self._decode(first, last, depth_bits), _AHEAD_FRAMES)

    def frame(self, index: int, depth_bits: int) -> Pixels:
        """Read one frame as RGB of that depth."""
        check_range(self.info, index, index)
        return next(self._decode(index, index, depth_bits))

    def _decode(self, first: int, last: int, depth_bits: int) -> Iterator[Pixels]:
        is_to_the_end = (
            last == self.info.frame_count - 1
        )  # then the file must end here too: go on, and see that it does
        done = first
        for frame in _decoded_from(self._path, self._survey, first):
            yield _upright(rgb_of_frame(frame, depth_bits), self.info.rotation_deg)
            done += 1
            if done > last and not is_to_the_end:
                return
        if done <= last:
            raise ClipTruncatedError(self._path, done)


def open_movie(path: Path, fps: Fraction | None = None) -> MovieClip:
    """Open a movie file and survey its frames.

    Raises NotAClipError, ClipWithoutPicturesError, ClipEmptyError, ClipTruncatedError, ClipDamagedError,
    PictureTooLargeError, PictureTooSmallError.
    """
    with _opened(path) as (container, stream):
        check_size(path, (stream.codec_context.width, stream.codec_context.height))
        survey = _survey(path, container, stream)
    return MovieClip(path, survey, _describe(path, survey, fps))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open the container at its first real video track."""
    try:
        # An absolute path is never taken for the name of a protocol, as `take:1.mp4` would be.
        container = av.open(str(path.absolute()), options=_LOCAL_ONLY)
    except (av.FFmpegError, UnicodeError) as error:
        if is_cut_off(path):
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
    if container.streams.audio:
        raise ClipWithoutPicturesError(path)
    raise NotAClipError(path)


def _survey(path: Path, container: InputContainer, stream: VideoStream) -> Survey:
    """Read all packets. Raises ClipEmptyError, and ClipTruncatedError with the frames counted by decoding."""
    stamps: list[int | None] = []
    has_all = not is_cut_off(path)
    try:
        for packet in container.demux(stream):
            if packet.size and not packet.is_discard:
                stamps.append(packet.pts)
                has_all = has_all and not packet.is_corrupt
    except av.FFmpegError:
        has_all = False
    if not has_all:
        raise ClipTruncatedError(path, _count_whole(path)[0])
    if not stamps:
        raise ClipEmptyError(path)
    known = np.unique(np.array([stamp for stamp in stamps if stamp is not None], np.int64))
    if container.format.name in _STAMPED_CONTAINERS and len(known) == len(stamps):
        return Survey(len(stamps), known)
    return _survey_by_decoding(path)


def _survey_by_decoding(path: Path) -> Survey:
    count, is_clean = _count_whole(path)
    if not is_clean:
        raise ClipTruncatedError(path, count)
    return Survey(count, None)


def _count_whole(path: Path) -> tuple[int, bool]:
    """Count the frames before the first that can't be decoded, and say whether that was the end of the file."""
    count = 0
    try:
        with _opened(path) as (container, stream):
            stream.thread_type = "AUTO"
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    return count, False
                count += 1
    except av.FFmpegError:
        return count, False
    return count, True


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
    if survey.stamps is None or first == 0:
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
