# SPDX-License-Identifier: GPL-3.0-or-later
"""File names with frame numbers in them: which files are one sequence, and which numbers are missing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..contract.errors import UnderstudyError

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})

_NUMBERED = re.compile(r"(?P<head>.*?)(?P<number>\d+)(?P<tail>\D*)", re.ASCII | re.DOTALL)
_PLACE_HOLDER = re.compile(r"#+|%0?\d*d")
_SHOWN_GAPS = 12


class SequenceGapError(UnderstudyError):
    """Numbers are missing between the first and the last picture of a sequence."""

    hint = "Render or copy the missing pictures, then try again."

    def __init__(self, folder: Path, missing: tuple[range, ...]) -> None:
        is_one = sum(map(len, missing)) == 1
        super().__init__(
            f"{'Frame' if is_one else 'Frames'} {_spell(missing)} {'is' if is_one else 'are'} missing in {folder}."
        )
        self.folder, self.missing = folder, missing


class SequenceAmbiguousError(UnderstudyError):
    """A folder holds more than one sequence, or two pictures of one number."""

    hint = "Choose one picture of the sequence that is meant."

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        super().__init__(f"The folder {folder} holds more than one sequence: {', '.join(names)}.")
        self.folder, self.names = folder, names


@dataclass(frozen=True, slots=True, order=True)
class NumberedName:
    """A file name taken apart at its last number."""

    head: str
    tail: str
    number: int

    @classmethod
    def parse_or_none(cls, name: str) -> NumberedName | None:
        """Take `shot_v003.1001.png` apart as head `shot_v003.`, number 1001, tail `.png`."""
        stem, suffix = Path(name).stem, Path(name).suffix
        match = _NUMBERED.fullmatch(stem)
        return cls(match["head"], match["tail"] + suffix, int(match["number"])) if match else None


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """Pictures of one sequence in order, and their numbers; None where a lone picture bears none."""

    paths: tuple[Path, ...]
    numbers: tuple[int, ...] | None


def is_picture(path: Path) -> bool:
    """Say whether the name is that of a picture kind that is read."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def is_pattern(path: Path) -> bool:
    """Say whether the name stands for a sequence: `name_####.png` or `name_%04d.png`."""
    return is_picture(path) and _PLACE_HOLDER.search(path.name) is not None


def find_pictures(source: Path) -> PictureFiles:
    """Find the sequence that a folder, a picture of it, or a pattern means; empty where there is none.

    Raises SequenceGapError and SequenceAmbiguousError, and OSError when the folder can't be listed.
    """
    if source.is_dir():
        return _only_sequence(source, _group(path for path in source.iterdir() if _is_visible_picture(path)))
    if source.is_file():
        return _sequence_round(source)
    head, tail = _PLACE_HOLDER.split(source.name, maxsplit=1)
    files = _group(path for path in source.parent.iterdir() if _is_visible_picture(path))
    return _in_order(source.parent, files.get((head, tail), []))


def gaps_in(numbers: tuple[int, ...]) -> tuple[range, ...]:
    """Find the runs of numbers that are missing between rising ones; as runs, for a date in a name makes millions."""
    return tuple(range(before + 1, after) for before, after in pairwise(numbers) if after > before + 1)


def _spell(runs: tuple[range, ...]) -> str:
    """Write runs as `3, 7 to 9`, cut short after a dozen."""
    shown = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs[:_SHOWN_GAPS]]
    more = len(runs) - _SHOWN_GAPS
    return ", ".join(shown) + (f" and in {more} more gaps" if more > 0 else "")


def _is_visible_picture(path: Path) -> bool:
    return is_picture(path) and not path.name.startswith(".") and path.is_file()


def _group(paths: Iterable[Path]) -> dict[tuple[str, str], list[tuple[int, Path]]]:
    groups: defaultdict[tuple[str, str], list[tuple[int, Path]]] = defaultdict(list)
    for path in paths:
        parts = NumberedName.parse_or_none(path.name)
        if parts is not None:
            groups[parts.head, parts.tail].append((parts.number, path))
    return groups


def _only_sequence(folder: Path, groups: dict[tuple[str, str], list[tuple[int, Path]]]) -> PictureFiles:
    if len(groups) > 1:
        raise SequenceAmbiguousError(folder, tuple(sorted(f"{head}#{tail}" for head, tail in groups)))
    return _in_order(folder, next(iter(groups.values()), []))


def _sequence_round(picture: Path) -> PictureFiles:
    parts = NumberedName.parse_or_none(picture.name)
    if parts is None:
        return PictureFiles((picture,), None)
    siblings = _group(path for path in picture.parent.iterdir() if _is_visible_picture(path))
    return _in_order(picture.parent, siblings.get((parts.head, parts.tail), [(parts.number, picture)]))


def _in_order(folder: Path, files: list[tuple[int, Path]]) -> PictureFiles:
    files = sorted(files)
    numbers = tuple(number for number, _ in files)
    twice = tuple(path.name for (number, path), (after, _) in pairwise(files) if number == after)
    if twice:
        raise SequenceAmbiguousError(folder, twice)
    if missing := gaps_in(numbers):
        raise SequenceGapError(folder, missing)
    return PictureFiles(tuple(path for _, path in files), numbers)
