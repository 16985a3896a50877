# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet: pictures in labelled rows and columns on one page, to judge a version at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from .colour import decode_srgb, encode_srgb, to_depth
from .images import Pixels, rgb_of

_PAPER, _INK, _FAINT = (24, 24, 26), (232, 232, 232), (150, 150, 155)
_CHECKER_SQUARE_PX = 12
_CHECKER_CODES = (88, 136)
_GAP_PX, _MARGIN_PX, _TITLE_PX, _LABEL_PX = 8, 24, 52, 26
_FONT = cv2.FONT_HERSHEY_DUPLEX
_LETTERS_TIMES = 4
"""Letters are drawn this much larger and averaged down, for OpenCV's own are rough when small."""

Page = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row's label and its pictures: any size and depth, grey or RGB, or straight RGBA laid over a checkerboard."""

    label: str
    pictures: tuple[Pixels, ...]


def contact_sheet(title: str, columns: list[str], rows: list[SheetRow], cell_width_px: int = 320) -> Page:
    """Draw rows of pictures under column names, RGB `h w 3` uint8. Each row is as high as its tallest picture.

    Letters outside ASCII are written as `?`: the only fonts at hand have no others.
    """
    cells = [[_cell(picture, cell_width_px) for picture in row.pictures] for row in rows]
    heights = [max((cell.shape[0] for cell in line), default=0) for line in cells]
    width = 2 * _MARGIN_PX + len(columns) * (cell_width_px + _GAP_PX) - _GAP_PX
    height = 2 * _MARGIN_PX + _TITLE_PX + _LABEL_PX + sum(h + _LABEL_PX + _GAP_PX for h in heights)
    page = np.full((height, width, 3), _PAPER, np.uint8)
    _write(page, title, (_MARGIN_PX, _MARGIN_PX), 24, _INK)
    top = _MARGIN_PX + _TITLE_PX
    for place, name in enumerate(columns):
        _write(page, name, (_MARGIN_PX + place * (cell_width_px + _GAP_PX), top), 14, _INK)
    top += _LABEL_PX
    for row, line, row_height in zip(rows, cells, heights, strict=True):
        for place, cell in enumerate(line):
            left = _MARGIN_PX + place * (cell_width_px + _GAP_PX)
            page[top : top + cell.shape[0], left : left + cell_width_px] = cell
        _write(page, row.label, (_MARGIN_PX, top + row_height + 5), 12, _FAINT)
        top += row_height + _LABEL_PX + _GAP_PX
    return page


def over_checker(character: Pixels) -> Pixels:
    """Lay a straight RGBA picture over a grey checkerboard in linear light, so that soft edges are seen as such."""
    height, width = character.shape[:2]
    rows, columns = np.ogrid[:height, :width]
    squares = (rows // _CHECKER_SQUARE_PX + columns // _CHECKER_SQUARE_PX) % 2
    board = decode_srgb(np.array(_CHECKER_CODES, np.uint8)[squares])[..., None]
    character = to_depth(character, 8)
    matte = character[..., 3:] / 255
    return encode_srgb(decode_srgb(character[..., :3]) * matte + board * (1 - matte), 255)


def _cell(picture: Pixels, width_px: int) -> Page:
    """Bring a picture to RGB uint8 of the cell's width."""
    height_px = max(1, round(picture.shape[0] * width_px / picture.shape[1]))
    shrinks = width_px < picture.shape[1]
    sized = cv2.resize(picture, (width_px, height_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    image = to_depth(cast(Pixels, sized), 8)
    return cast(Page, over_checker(image) if image.shape[2:] == (4,) else rgb_of(image))


def _write(page: Page, text: str, corner: tuple[int, int], height_px: int, colour: tuple[int, int, int]) -> None:
    """Write a line of text, its top left at `corner`, capitals `height_px` high; what does not fit is cut."""
    letters = text.encode("ascii", "replace").decode("ascii")
    scale = cv2.getFontScaleFromHeight(_FONT, height_px * _LETTERS_TIMES, 1)
    weight = max(1, round(height_px * _LETTERS_TIMES / 9))
    (width, height), below = cv2.getTextSize(letters, _FONT, scale, weight)
    large = np.zeros((height + below + weight, width + weight), np.uint8)
    cv2.putText(large, letters, (0, height), _FONT, scale, 255, weight, cv2.LINE_AA)
    small = cv2.resize(large, None, fx=1 / _LETTERS_TIMES, fy=1 / _LETTERS_TIMES, interpolation=cv2.INTER_AREA)
    left, top = corner
    room = page[top : top + small.shape[0], left : left + small.shape[1]]
    cover = small[: room.shape[0], : room.shape[1], None] / np.float32(255)
    room[:] = np.round(room + (np.array(colour, np.float32) - room) * cover)
