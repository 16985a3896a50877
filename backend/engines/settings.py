# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine's settings: from a job's words to the engine's own frozen record, strictly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from ..contract.errors import UnderstudyError
from ..contract.job import Setting

_Record = TypeVar("_Record")
_WORDS_OF_BOOL = {"yes": True, "no": False}


class SettingInvalidError(UnderstudyError):
    """A setting is unknown to the engine or has no value that it could have."""

    hint = "Change that setting and start again; docs/command-line.md lists them."

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"The setting {name} {problem}.")
        self.name, self.problem = name, problem


def read_settings(kind: type[_Record], settings: tuple[Setting, ...]) -> _Record:
    """Read a record of text, numbers, `yes` or `no`, enums, and tuples of these for what may be given several times.

    A kind with a class method `parse` reads itself. Raises SettingInvalidError.
    """
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # a dataclass, as the caller gives
    values: dict[str, Any] = {}
    for setting in settings:
        if setting.name not in known:
            raise SettingInvalidError(setting.name, f"is none of {', '.join(sorted(known))}")
        hint = hints[setting.name]
        if get_origin(hint) is tuple:
            values[setting.name] = (*values.get(setting.name, ()), _value(get_args(hint)[0], setting))
        elif setting.name in values:
            raise SettingInvalidError(setting.name, "is given twice")
        else:
            values[setting.name] = _value(hint, setting)
    return kind(**values)


def _value(hint: Any, setting: Setting) -> Any:
    read: Callable[[str], Any] = getattr(hint, "parse", hint)
    try:
        return _WORDS_OF_BOOL[setting.value] if hint is bool else read(setting.value)
    except (ValueError, KeyError) as error:
        raise SettingInvalidError(setting.name, f"is {setting.value!r}; it can be {_choices(hint)}") from error


def _choices(hint: Any) -> str:
    if hint is bool:
        return " or ".join(_WORDS_OF_BOOL)
    if issubclass(hint, Enum):
        return ", ".join(str(member.value) for member in hint)
    return {int: "a whole number", float: "a number"}.get(hint, str(getattr(hint, "form", "text")))
