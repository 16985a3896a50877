# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operating system says when a disk will not take or give a file, in words for the artist."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import UnderstudyError


class DiskFullError(UnderstudyError):
    """There was no more room while results were written."""

    hint = "Free some space on that disk, then resume the job: what is in place stays."

    def __init__(self, path: Path) -> None:
        super().__init__(f"The disk of {path} is full.")
        self.path = path


class FolderReadOnlyError(UnderstudyError):
    """A folder or file may not be written or read."""

    hint = "Choose another folder, or ask for the right to write to it."

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} can't be written to or opened: it is not permitted.")
        self.path = path


class PathTooLongError(UnderstudyError):
    """A path is longer than the file system allows."""

    hint = "Choose a folder nearer the root of the disk, or a shorter name."

    def __init__(self, path: Path) -> None:
        super().__init__(f"The path {path} is too long for this file system.")
        self.path = path


_KINDS: dict[int, type[DiskFullError] | type[FolderReadOnlyError] | type[PathTooLongError]] = {
    errno.ENOSPC: DiskFullError,
    errno.EDQUOT: DiskFullError,
    errno.EFBIG: DiskFullError,
    errno.EROFS: FolderReadOnlyError,
    errno.EACCES: FolderReadOnlyError,
    errno.EPERM: FolderReadOnlyError,
    errno.ENAMETOOLONG: PathTooLongError,
}


def as_artist_error_or_none(error: BaseException, folder: Path | None = None) -> UnderstudyError | None:
    """Word an operating system's error for the artist; None for one that is not about a disk.

    folder: is named where the error itself names no file.
    """
    if not isinstance(error, OSError) or error.errno not in _KINDS:
        return None
    return _KINDS[error.errno](Path(error.filename) if error.filename else folder or Path())


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Raise DiskFullError, FolderReadOnlyError or PathTooLongError in place of the OSError that means it."""
    try:
        yield
    except OSError as error:
        known = as_artist_error_or_none(error, folder)
        if known is None:
            raise
        raise known from error
