# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that a stage has freed, given back to the system before the next stage begins."""

from __future__ import annotations

import ctypes
import sys


def give_back_freed() -> None:
    """Let glibc hand over what nothing uses.

    It keeps freed pictures and networks for what is asked for next, in a heap for each thread. The next stage works on
    other threads and in other sizes, so that without this the process would hold several times what is in use. Other
    systems' allocators return memory by themselves.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
