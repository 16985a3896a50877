# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that lie on disk from earlier: read on a thread of its own, for there can be many on a slow drive."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from ..backend.contract.errors import UnderstudyError
from .view import JobView, view_of

log = logging.getLogger(__name__)


class Search:
    """Reads every job of some folders; what can't be read is logged and left out."""

    def __init__(self, places: tuple[Path, ...]) -> None:
        self._places = places
        self._found: list[JobView] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def views_or_none(self) -> list[JobView] | None:
        """Give what was found, the oldest first; None while the search goes on."""
        return None if self._thread.is_alive() else self._found

    def _read(self) -> None:
        for folder in (folder for place in self._places for folder in _folders(place)):
            try:
                self._found.append(view_of(folder))
            except (UnderstudyError, OSError, ValueError) as error:
                log.warning("The job in %s can't be shown: %s", folder, error)


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if path.is_dir())
    except OSError:
        return []  # no job was ever written there
