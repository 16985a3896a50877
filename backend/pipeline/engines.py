# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines by name. Adding one is a folder in `engines/` and a line here."""

from __future__ import annotations

from collections.abc import Callable

from ..contract.errors import UnderstudyError
from ..engines.base import Engine


def _draft() -> Engine:
    from ..engines.draft.engine import DraftEngine

    return DraftEngine()


ENGINES: dict[str, Callable[[], Engine]] = {"draft": _draft}
"""Each imported only when it is asked for: an engine's libraries may be missing on this machine."""


class EngineUnknownError(UnderstudyError):
    """A job names an engine that this Understudy does not have."""

    hint = "Choose one of the engines named, or update Understudy."

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no engine {name!r}; there are: {', '.join(ENGINES)}.")
        self.name = name


def engine_named(name: str) -> Engine:
    """Make an engine ready. Raises EngineUnknownError."""
    if name not in ENGINES:
        raise EngineUnknownError(name)
    return ENGINES[name]()
