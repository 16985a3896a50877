# SPDX-License-Identifier: GPL-3.0-or-later
"""The chosen engine's settings as a job carries them, and back."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..backend.contract.errors import UnderstudyError
from ..backend.contract.job import Setting
from ..properties import UNDERSTUDY_PG_settings, UNDERSTUDY_PG_wan

_NUMBERS = ("area_px", "steps", "solver", "shift", "guidance", "windows", "overlap", "relight", "cells")
_MODELS, _LORA, _CORRECT_DRIFT = "models", "lora", "correct_drift"


class NoModelsFolderError(UnderstudyError):
    """The Wan engine is chosen, and nobody said where its weights lie."""

    hint = "Name the models folder in Preferences > Add-ons > Understudy, or choose the draft engine."

    def __init__(self) -> None:
        super().__init__("The Wan engine has no models folder yet.")


def engine_settings(settings: UNDERSTUDY_PG_settings, models: Path | None) -> tuple[Setting, ...]:
    """Write the settings of the chosen engine. models: the folder of weights that this machine's preferences name.

    Raises NoModelsFolderError.
    """
    if settings.engine == "draft":
        return ()
    if models is None:
        raise NoModelsFolderError
    wan = settings.wan
    words = [(_MODELS, str(models)), *((name, _word(getattr(wan, name))) for name in _NUMBERS)]
    words.append((_CORRECT_DRIFT, "yes" if wan.correct_drift else "no"))
    words += [(_LORA, f"{bpy.path.abspath(lora.path)}:{_word(lora.strength)}") for lora in wan.loras if lora.path]
    return tuple(Setting(name=name, value=value) for name, value in words)


def recall_engine(engine: str, given: tuple[Setting, ...], settings: UNDERSTUDY_PG_settings) -> None:
    """Set the engine to what a job was asked for. The folder of models stays this machine's."""
    settings.engine = engine
    wan: UNDERSTUDY_PG_wan = settings.wan
    wan.loras.clear()
    for setting in given:
        if setting.name == _LORA:
            lora = wan.loras.add()
            lora.path, _, strength = setting.value.rpartition(":")
            lora.strength = float(strength)
        elif setting.name == _CORRECT_DRIFT:
            wan.correct_drift = setting.value == "yes"
        elif setting.name in _NUMBERS:
            _set(wan, setting)


def _set(wan: UNDERSTUDY_PG_wan, setting: Setting) -> None:
    """Set a property in its own type."""
    held = getattr(wan, setting.name)
    setattr(wan, setting.name, type(held)(setting.value))


def _word(value: object) -> str:
    """Write a number as it was typed: Blender's floats are single precision."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
