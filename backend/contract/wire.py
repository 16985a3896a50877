# SPDX-License-Identifier: GPL-3.0-or-later
"""Records to JSON and back, strictly: an unknown, missing or mistyped field is refused in words, never dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from .errors import UnderstudyError

CONTRACT_VERSION = 1
"""Raised when a reader of the old version would misunderstand the new."""

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
_Record = TypeVar("_Record")

_PLAIN: dict[type, tuple[type, ...]] = {str: (str,), bool: (bool,), int: (int,), float: (int, float)}
_SCHEMA_NAMES: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}


class MessageInvalidError(UnderstudyError):
    """A job or event does not have the form of the contract."""

    hint = "Undo the change made by hand, or write the job anew."

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where} {problem}.")
        self.where, self.problem = where, problem


class MessageTooNewError(UnderstudyError):
    """A job or event was written by a newer Understudy."""

    hint = "Update Understudy on this machine, or write the job anew with this version."

    def __init__(self, version: int) -> None:
        super().__init__(f"The job is of contract version {version}; this Understudy reads up to {CONTRACT_VERSION}.")
        self.version = version


def to_json(record: object) -> dict[str, Json]:
    """Turn a record into a JSON object. Enums become their values, tuples lists."""
    if not is_dataclass(record):
        raise TypeError(f"{record!r} is no record")
    return {field.name: _value_to_json(getattr(record, field.name)) for field in fields(record)}


def from_json(kind: type[_Record], data: Json, where: str) -> _Record:
    """Read a record of `kind`; `where` names it in errors. Raises MessageInvalidError."""
    if not isinstance(data, dict):
        raise MessageInvalidError(where, "is no JSON object")
    known = _fields(kind)
    for name in data:
        if name not in known:
            raise MessageInvalidError(f"{where}.{name}", "is not a known field")
    hints = get_type_hints(kind)
    values = {}
    for name, field in known.items():
        if name in data:
            values[name] = _value_from_json(hints[name], data[name], f"{where}.{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise MessageInvalidError(f"{where}.{name}", "is missing")
    return kind(**values)


def check_version(data: Json, where: str) -> dict[str, Json]:
    """Take the version mark `v` off an object. Raises MessageTooNewError or MessageInvalidError."""
    if not isinstance(data, dict) or not isinstance(version := data.get("v"), int):
        raise MessageInvalidError(where, "has no contract version `v`")
    if version > CONTRACT_VERSION:
        raise MessageTooNewError(version)
    return {name: value for name, value in data.items() if name != "v"}


def schema_of(kind: type) -> dict[str, Json]:
    """JSON schema (2020-12) of a record, closed to unknown fields."""
    hints = get_type_hints(kind)
    properties: dict[str, Json] = {name: _schema_of_value(hints[name]) for name in _fields(kind)}
    required: list[Json] = [
        name for name, field in _fields(kind).items() if field.default is MISSING and field.default_factory is MISSING
    ]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _fields(kind: type) -> Mapping[str, Field[Any]]:
    return {field.name: field for field in fields(kind)}


def _value_to_json(value: object) -> Json:
    if isinstance(value, Enum):
        return cast(str, value.value)
    if isinstance(value, tuple):
        return [_value_to_json(item) for item in value]
    if is_dataclass(value):
        return to_json(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{value!r} has no JSON form in the contract")


def _value_from_json(hint: Any, value: Json, where: str) -> object:
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise MessageInvalidError(where, "is no list")
        return tuple(_value_from_json(get_args(hint)[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if is_dataclass(hint):
        return from_json(cast(type, hint), value, where)
    if issubclass(hint, Enum):
        choices = [member.value for member in hint]
        if value not in choices:
            raise MessageInvalidError(where, f"is {value!r}; it can be {', '.join(choices)}")
        return hint(value)
    return _plain(hint, value, where)


def _plain(hint: type, value: Json, where: str) -> object:
    if not isinstance(value, _PLAIN[hint]) or (isinstance(value, bool) and hint is not bool):
        raise MessageInvalidError(where, f"is {value!r}; it has to be a {_SCHEMA_NAMES[hint]}")
    return float(value) if hint is float else value  # type: ignore[arg-type]


def _schema_of_value(hint: Any) -> Json:
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _schema_of_value(get_args(hint)[0])}
    if is_dataclass(hint):
        return schema_of(cast(type, hint))
    if issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    return {"type": _SCHEMA_NAMES[hint]}
