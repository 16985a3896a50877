# SPDX-License-Identifier: GPL-3.0-or-later
"""Single pictures on disk: OpenCV's codecs, Python's own file access (OpenCV's fails on non-ASCII paths on Windows).

Arrays are RGB or RGBA or grey, `h w 3`, `h w 4` or `h w`, uint8 or uint16, display code values.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..contract.errors import UnderstudyError
from .headers import size_or_none

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

_PNG_SETTINGS = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
)
"""Runs only, no search for matches: film has noise in which a search finds nothing, and mattes are all runs. One filter
for all rows: choosing one for each takes a third of the time and saves a tenth of the room."""

LEAST_SIDE_PX = 16
"""A figure smaller than this can't be found by anyone."""

MOST_SIDE_PX = 8192
MOST_PIXELS = 8192 * 4608
"""8K in either shape. A 16k picture would need 0.8 GB for one 8-bit copy and several times that to work on."""

_TO_RGB = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
_FROM_RGB = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}


class PictureUnreadableError(UnderstudyError):
    """A picture file is damaged or of a kind that is not read."""

    hint = "Open it in an image editor and save it again as 8 or 16 bit PNG, JPEG or TIFF."

    def __init__(self, path: Path) -> None:
        super().__init__(f"The picture {path} can't be read.")
        self.path = path


class PictureTooLargeError(UnderstudyError):
    """A picture or movie is larger than what can be worked on in a sensible amount of memory."""

    hint = f"Scale it to at most {MOST_SIDE_PX} pixels a side and {MOST_PIXELS // 10**6} million pixels."

    def __init__(self, path: Path, width_px: int, height_px: int) -> None:
        super().__init__(f"{path} is {width_px} x {height_px} pixels, which is too large.")
        self.path, self.width_px, self.height_px = path, width_px, height_px


class PictureTooSmallError(UnderstudyError):
    """A picture or movie is too small to show anybody."""

    hint = f"Choose one of at least {LEAST_SIDE_PX} pixels a side."

    def __init__(self, path: Path, width_px: int, height_px: int) -> None:
        super().__init__(f"{path} is {width_px} x {height_px} pixels, which is too small.")
        self.path, self.width_px, self.height_px = path, width_px, height_px


def read_picture(path: Path) -> Pixels:
    """Read a picture at its own depth and channels: grey `h w`, RGB `h w 3` or RGBA `h w 4`, a photo upright.

    Raises PictureUnreadableError, PictureTooLargeError, and OSError when the file is not there.
    """
    data = path.read_bytes()
    check_not_too_large(path, size_or_none(io.BytesIO(data)) or (0, 0))
    image = _decode_or_none(data)
    if image is None or image.dtype not in (np.uint8, np.uint16) or image.shape[2:] not in ((), (3,), (4,)):
        raise PictureUnreadableError(path)
    return cast(Pixels, image if image.ndim == 2 else cv2.cvtColor(image, _TO_RGB[image.shape[2]]))


def read_size(path: Path) -> tuple[int, int]:
    """Say a picture's width and height in pixels from its head, or by reading it whole where the head does not tell."""
    with path.open("rb") as file:
        size = size_or_none(file)
    if size is None:
        height, width = read_picture(path).shape[:2]
        return width, height
    return size


def write_picture(path: Path, image: Pixels) -> None:
    """Write a PNG of the array's own depth; equal arrays give equal bytes."""
    bgr = image if image.ndim == 2 else cv2.cvtColor(image, _FROM_RGB[image.shape[2]])
    done, data = cv2.imencode(".png", bgr, _PNG_SETTINGS)
    if not done:
        raise ValueError(f"no PNG can hold an array of {image.dtype} {image.shape}")
    path.write_bytes(data.tobytes())


def rgb_of(image: Pixels) -> Pixels:
    """Make RGB `h w 3` of a picture: grey is repeated, alpha is dropped."""
    if image.ndim == 2:
        return cast(Pixels, np.repeat(image[..., None], 3, axis=2))
    return cast(Pixels, np.ascontiguousarray(image[..., :3]))


def check_not_too_large(path: Path, size_px: tuple[int, int]) -> None:
    """Raise PictureTooLargeError for a width and height beyond 8K."""
    if max(size_px) > MOST_SIDE_PX or size_px[0] * size_px[1] > MOST_PIXELS:
        raise PictureTooLargeError(path, *size_px)


def check_size(path: Path, size_px: tuple[int, int]) -> None:
    """Raise PictureTooLargeError or PictureTooSmallError for a width and height that can't be worked on."""
    check_not_too_large(path, size_px)
    if min(size_px) < LEAST_SIDE_PX:
        raise PictureTooSmallError(path, *size_px)


def _decode_or_none(data: bytes) -> NDArray[np.integer | np.floating] | None:
    if not data:
        return None
    # Only a JPEG has its orientation applied by OpenCV, and only when not asked for UNCHANGED, which keeps 16 bits
    # and alpha: a JPEG has neither.
    flags = cv2.IMREAD_ANYCOLOR if data.startswith(b"\xff\xd8") else cv2.IMREAD_UNCHANGED
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # raised, instead of None returned, for sizes beyond OpenCV's own limits
        return None
