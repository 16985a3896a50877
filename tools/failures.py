# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong while a machine is set up, each with the next step in it."""

from __future__ import annotations

from pathlib import Path


class SetUpError(Exception):
    """Base of what stops the set-up: a sentence of what is wrong, and a hint of what to do."""

    hint = ""


class PythonMissingError(SetUpError):
    """No interpreter of the version that an environment needs."""

    def __init__(self, version: str, wanted_by: str) -> None:
        super().__init__(f"Python {version} is needed for {wanted_by} and was not found on this machine.")
        self.version = version
        self.hint = f"Install Python {version} so that `python{version}` starts it, then run the same command again."


class VenvMissingError(SetUpError):
    """The interpreter is there, its `venv` or `ensurepip` is not (some Linux distributions split them off)."""

    def __init__(self, python: Path, log: Path) -> None:
        super().__init__(f"{python} could not make a virtual environment; what it said is in {log}.")
        self.hint = "Install its venv package (on Debian and Ubuntu: python3.11-venv), then run the same command again."


class DiskFullError(SetUpError):
    """Not enough room for an environment."""

    def __init__(self, folder: Path, needed_gb: float, free_gb: float) -> None:
        super().__init__(f"{folder} needs {needed_gb:.1f} GB free and has {free_gb:.1f} GB.")
        self.hint = "Free some room on that disk, then run the same command again: what is in place is kept."


class DownloadError(SetUpError):
    """Pip could not get or install what a lock names."""

    def __init__(self, what: str, log: Path) -> None:
        super().__init__(f"The packages of {what} could not be fetched; what pip said is in {log}.")
        self.log = log
        self.hint = "Check the network (and pip's mirror, if you use one), then run the same command again."


class LockMismatchError(SetUpError):
    """A package came that is not the one the lock was made from."""

    def __init__(self, what: str, log: Path) -> None:
        super().__init__(f"A package of {what} is not the one that was locked; pip's words are in {log}.")
        self.log = log
        self.hint = "Check pip's mirror: it serves another file under the locked name. Nothing of it was installed."


class StepFailedError(SetUpError):
    """A program that the command runs for you ended with an error of its own."""

    def __init__(self, what: str, code: int) -> None:
        super().__init__(f"{what} ended with exit code {code}.")
        self.code = code
        self.hint = "Read the lines above this one: they say what is wrong."


class CharacterMissingError(SetUpError):
    """A clip without the picture of who comes in."""

    hint = "Name both: demo CLIP CHARACTER. Or neither, for the shot that the program makes for itself."

    def __init__(self, clip: Path) -> None:
        super().__init__(f"There is a clip, {clip}, and no picture of a character.")
        self.clip = clip


class WheelNarrowError(SetUpError):
    """A wheel for one Python only cannot ride in a zip that serves every Blender."""

    hint = "Choose a version of the package that has an abi3 or a py3-none wheel, or do without the package."

    def __init__(self, wheel: Path) -> None:
        super().__init__(f"{wheel.name} serves one version of Python only, and each Blender has its own.")
        self.wheel = wheel


class LicenceMissingError(SetUpError):
    """A package cannot be given to artists without its licence."""

    hint = "Find out the package's licence, and name one with the same text in tools/licences.py."

    def __init__(self, wheel: Path) -> None:
        super().__init__(f"{wheel.name} does not say what its licence is, or does not hold its text.")
        self.wheel = wheel


class NoGitError(SetUpError):
    """The zip is made of what is tracked, and there is no git to ask."""

    hint = "Build from a clone, on a machine with git."

    def __init__(self, folder: Path) -> None:
        super().__init__(f"git could not tell what is tracked in {folder}; the zip is made of that and nothing else.")
        self.folder = folder
