# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines by name. Adding one is a folder in `engines/` and a line here."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from ..contract.errors import UnderstudyError
from ..contract.job import Setting
from ..engines.base import Engine
from ..engines.settings import SettingInvalidError, read_settings


def _draft(settings: tuple[Setting, ...]) -> Engine:
    from ..engines.draft.engine import DraftEngine

    for setting in settings:
        raise SettingInvalidError(setting.name, "means nothing to the draft engine, which has no settings")
    return DraftEngine()


def _wan(settings: tuple[Setting, ...]) -> Engine:
    try:
        from ..engines.wan.engine import WanEngine
        from ..engines.wan.settings import WanSettings
    except ImportError as error:
        raise EngineNotInstalledError("wan", str(error)) from error
    return WanEngine(read_settings(WanSettings, settings))


ENGINES: dict[str, Callable[[tuple[Setting, ...]], Engine]] = {"draft": _draft, "wan": _wan}
"""Each imported only when it is asked for: an engine's libraries may be missing on this machine."""


class EngineUnknownError(UnderstudyError):
    """A job names an engine that this Understudy does not have."""

    hint = "Choose one of the engines named, or update Understudy."

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no engine {name!r}; there are: {', '.join(ENGINES)}.")
        self.name = name


class EngineNotInstalledError(UnderstudyError):
    """An engine's libraries are not in the Python that runs the worker."""

    hint = "Create the engine's environment in Preferences > Understudy, or choose the draft engine."

    def __init__(self, name: str, said: str) -> None:
        super().__init__(f"The {name} engine can't run in this Python: {said}.")
        self.name = name


@lru_cache(maxsize=2)
def engine_named(name: str, settings: tuple[Setting, ...] = ()) -> Engine:
    """Make an engine ready; the last two are kept with what they have loaded: a job's, and the same without settings.

    Raises EngineUnknownError, SettingInvalidError.
    """
    if name not in ENGINES:
        raise EngineUnknownError(name)
    return ENGINES[name](settings)
