# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's memory, as this system and as Windows' interface tell it."""

from __future__ import annotations

import ctypes
import struct
from pathlib import Path

import pytest

from backend.engines.wan.machine import MemoryStatus, MemoryUnknownError, machine_bytes, windows_bytes

PHYSICAL_BYTES = 34_271_817_728


def test_windows_fills_what_it_is_given_by_its_documented_layout() -> None:
    told = struct.pack("<IIQQQQQQQ", 64, 41, PHYSICAL_BYTES, 20 << 30, 40 << 30, 25 << 30, 1 << 47, 1 << 46, 0)

    def ask(status: MemoryStatus) -> int:
        assert status.length == len(told)  # else Windows refuses it
        ctypes.memmove(ctypes.byref(status), told, len(told))
        return 1

    assert windows_bytes(ask) == PHYSICAL_BYTES


def test_a_system_that_does_not_say_is_told_how_to_help() -> None:
    with pytest.raises(MemoryUnknownError) as caught:
        windows_bytes(lambda _: 0)
    assert "memory_gb" in caught.value.advice


@pytest.mark.skipif(not Path("/proc/meminfo").is_file(), reason="only Linux tells it there")
def test_this_system_tells_what_the_kernel_tells() -> None:
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    assert machine_bytes() == pytest.approx(int(line.split()[1]) * 1024, rel=0.01)
