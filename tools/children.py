# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program that has the terminal for itself, and let it end in its own way when Ctrl-C is pressed."""

from __future__ import annotations

import os
import subprocess

from .layout import ROOT

_MISLEADING = ("PYTHONHOME", "PYTHONPATH")
"""Variables by which another Python's packages would get into the child."""


def run_child(command: list[str], **variables: str) -> int:
    """Run a command in the checkout's root and return its exit code. variables: of its environment, beside this one's.

    Ctrl-C reaches the child from the terminal; here it is waited out. `subprocess.run` would kill the child after a
    quarter of a second, in the middle of what it wanted to put in order.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING} | variables
    with subprocess.Popen(command, cwd=ROOT, env=environment) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue
