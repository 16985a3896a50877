# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Blenders for tests, each a process: this environment holds none, and one process holds one."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.environments import BLENDERS, Environment

ENVIRONMENTS: dict[str, Environment] = {".".join(blender.name.removeprefix("bpy")): blender for blender in BLENDERS}
"""Version -> environment."""
EVERY = tuple(ENVIRONMENTS)
"""For what is cheap, or may differ anywhere between the oldest and the newest: install, place, one render."""
THOROUGH = ("4.5", "5.0")
"""For what takes long: the versions on both sides of the largest change to the sequencer and the compositor."""

_PATIENCE_S = 1800.0
"""Many times what the longest script takes: what has not ended by then hangs."""
_OWN_PATIENCE_S = 1500.0
"""So long a script waits for things, all its waits together: before it is killed it can say which one hangs."""
_NO_NETWORK = "nowhere://"
"""A proxy that can't exist: what would fetch something in a test fails at once."""

CLOSE = """
import os, sys, threading
waited_for = {thread.name for thread in threading.enumerate() if not thread.daemon} - {threading.main_thread().name}
if waited_for:
    print("Blender would not close before the end of:", *waited_for, file=sys.stderr, flush=True)
os._exit(bool(waited_for))
"""
"""The end of a script: Blender's own end now and then never comes, so what it would wait for is looked at instead."""

_INSTALL = f"""
import sys, bpy, addon_utils
bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default", enable_on_install=True)
assert addon_utils.check(sys.argv[2]) == (True, True), "not installed and switched on"
{CLOSE}"""
"""The operator reports success on failure, too: what counts is that the add-on is there."""


@dataclass(frozen=True, slots=True)
class Blender:
    """A Blender as its Python: version, interpreter, and a user folder that is this test's alone."""

    version: str
    interpreter: Path
    user_folder: Path

    def run(self, *words: str | Path, variables: Mapping[str, str] | None = None) -> str:
        """Run its Python with words and nothing of this process's environment; return what it wrote to stdout.

        It runs in the user folder: from the checkout's root, `-m` would find the checkout before what is installed.
        """
        self.user_folder.mkdir(parents=True, exist_ok=True)
        environment = {
            "BLENDER_USER_RESOURCES": str(self.user_folder),
            "PATH": "/usr/bin:/bin",
            "http_proxy": _NO_NETWORK,
            "https_proxy": _NO_NETWORK,
            "UNDERSTUDY_PATIENCE_S": str(_OWN_PATIENCE_S),
            **(variables or {}),
        }
        command = [str(self.interpreter), *map(str, words)]
        ran = subprocess.run(
            command,
            cwd=self.user_folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        assert ran.returncode == 0, f"Blender {self.version}, exit code {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def install(self, package: Path, name: str) -> None:
        """Install an extension from its zip and see that it can be switched on."""
        self.run("-c", _INSTALL, package, f"bl_ext.user_default.{name}")

    @property
    def extension_tool(self) -> Path:
        """The program by which this Blender builds and validates extensions."""
        return next(self.interpreter.parents[1].rglob("bl_pkg/cli/blender_ext.py"))
