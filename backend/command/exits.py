# SPDX-License-Identifier: GPL-3.0-or-later
"""What the worker's exit code tells a pipeline."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes; they do not change between versions."""

    DONE = 0
    """What was asked is there."""
    CRASHED = 1
    """A bug; the log in the job folder has the traceback."""
    USAGE = 2
    """The command line is wrong; nothing was touched."""
    REFUSED = 3
    """The job can't be done as it stands; the message says what to do."""
    STOPPED = 4
    """Stopped on request; `resume` goes on."""
