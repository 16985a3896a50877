# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory the machine has, asked of each system in its own way."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable

from ...contract.errors import UnderstudyError


class MemoryUnknownError(UnderstudyError):
    """The system does not say how much memory it has."""

    hint = "Say how much the Wan engine may use: memory_gb=16, for example."

    def __init__(self) -> None:
        super().__init__("This system does not say how much memory it has.")


class MemoryStatus(ctypes.Structure):
    """What Windows' `GlobalMemoryStatusEx` fills, in bytes; it is told its own length first."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load_percent", ctypes.c_uint32),
        ("total_physical", ctypes.c_uint64),
        ("available_physical", ctypes.c_uint64),
        ("total_page_file", ctypes.c_uint64),
        ("available_page_file", ctypes.c_uint64),
        ("total_virtual", ctypes.c_uint64),
        ("available_virtual", ctypes.c_uint64),
        ("available_extended_virtual", ctypes.c_uint64),
    )


def machine_bytes() -> int:
    """Say how much memory is built in. Raises MemoryUnknownError."""
    if sys.platform == "win32":
        return windows_bytes(lambda status: ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)))
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def windows_bytes(ask: Callable[[MemoryStatus], int]) -> int:
    """Say it as Windows does. ask: fills the status and answers 0 where it can't. Raises MemoryUnknownError."""
    status = MemoryStatus(length=ctypes.sizeof(MemoryStatus))
    if not ask(status):
        raise MemoryUnknownError
    return int(status.total_physical)
