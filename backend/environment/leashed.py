# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of other Pythons (pip, venv), run as processes that can be stopped and never outlive this one."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..contract.errors import StoppedError

_LEASH = """
import os, runpy, sys, threading
def watch():
    os.read(0, 1)
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""What runs round the module: it ends when stdin does, so with whoever started it, however that ends."""
_LOOK_EVERY_S = 0.25
_END_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What became of a module's run. said: all that it wrote."""

    is_well: bool
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs modules. log: what they write is added to it. scratch: where they put temporary files."""

    log: Path
    scratch: Path
    is_stopped: Callable[[], bool]

    def run(
        self, python: Path, module: str, *words: str, look: Callable[[], None] = lambda: None, **variables: str
    ) -> Ran:
        """Run `python -m module WORDS` with these environment variables; call `look` now and then.

        Raises StoppedError when asked to stop.
        """
        self.scratch.mkdir(parents=True, exist_ok=True)
        folders = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.scratch))
        with self.log.open("ab") as log:
            begin = log.tell()
            process = subprocess.Popen(
                [str(python), "-I", "-c", _LEASH, module, *words],
                cwd=self.scratch,
                env=dict(os.environ) | folders | variables,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                self._attend(process, look)
            finally:
                _end(process)
        with self.log.open("rb") as log:
            log.seek(begin)
            said = log.read().decode("utf-8", errors="replace")
        return Ran(is_well=process.returncode == 0, said=said)

    def _attend(self, process: subprocess.Popen[bytes], look: Callable[[], None]) -> None:
        while process.poll() is None:
            if self.is_stopped():
                raise StoppedError
            look()
            time.sleep(_LOOK_EVERY_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let go of the leash, and see that the process is gone."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
