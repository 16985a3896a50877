# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs and questions of one Blender: what the artist asks for, the worker that does it, the strips that come of it."""

from __future__ import annotations

from . import environment, jobs, pictures, questions, timer

_ROOMS = (pictures, questions, environment, jobs, timer)


def register() -> None:
    """Begin to listen."""
    for room in _ROOMS:
        room.register()


def unregister() -> None:
    """Turn away from all workers."""
    for room in reversed(_ROOMS):
        room.unregister()
