# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Python without the worker's libraries is told."""

from __future__ import annotations

from ..contract.errors import UnderstudyError


class LibraryMissingError(UnderstudyError):
    """A library that every job needs can't be imported."""

    hint = "Run `python -m backend doctor` with the same Python: it names what is missing."

    def __init__(self, error: ImportError) -> None:
        super().__init__(f"The worker can't start in this Python: {error}.")
        self.library = error.name
