# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker lets the artist know beside its results, as panels keep it."""

from __future__ import annotations

_MOST_NOTICES = 50
"""More are not read by anybody; the log has them."""


def with_new(notices: tuple[str, ...], *texts: str) -> tuple[str, ...]:
    """Add those texts that are not among the notices yet, as long as there are not too many."""
    return tuple(dict.fromkeys((*notices, *texts)))[:_MOST_NOTICES]
