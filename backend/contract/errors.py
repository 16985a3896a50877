# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that an artist can do something about. Everything else is a bug and crosses as `JobCrashed`."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class UnderstudyError(Exception):
    """Base of all errors shown to the artist: a sentence of what is wrong, and a hint of what to do."""

    hint: ClassVar[str] = ""

    @property
    def advice(self) -> str:
        """The message and the hint as one line of text."""
        return f"{self} {self.hint}".strip()


class StoppedError(UnderstudyError):
    """The job was asked to stop; what is in place stays and the job resumes."""

    hint = "Resume the job to go on from what is in place."

    def __init__(self) -> None:
        super().__init__("The job was stopped before it was done.")


class FileMissingError(UnderstudyError):
    """A file or folder that the job names is not there."""

    hint = "Check the path, or choose the file again."

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"The {what} {path} does not exist.")
        self.path, self.what = path, what
