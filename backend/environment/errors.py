# SPDX-License-Identifier: GPL-3.0-or-later
"""What can stand in the way of an environment, each with what to do."""

from __future__ import annotations

from pathlib import Path

from ..contract.errors import UnderstudyError


class NoListError(UnderstudyError):
    """There is no list of packages for this operating system."""

    hint = "Make an environment with PyTorch by hand, and choose its Python in Understudy's preferences."

    def __init__(self, system: str) -> None:
        super().__init__(f"Understudy can't create the environment on {system}: it has no list of packages for it.")
        self.system = system


class PythonNotListedError(UnderstudyError):
    """The list of packages is for other Pythons."""

    hint = "Use blender.org's own Blender, or choose the Python of an environment that exists in the preferences."

    def __init__(self, listed: Path, python: str) -> None:
        super().__init__(f"The packages of {listed.name} are not for Python {python}.")
        self.listed, self.python = listed, python


class RoomMissingError(UnderstudyError):
    """The disk has not the room that the environment takes while it is made."""

    hint = "Free some space on that disk, then press Create Environment again: what was fetched is kept."

    def __init__(self, folder: Path, needed_bytes: float, free_bytes: float) -> None:
        super().__init__(f"{folder} needs {needed_bytes / 1e9:.1f} GB of free space and has {free_bytes / 1e9:.1f} GB.")
        self.folder, self.needed_bytes, self.free_bytes = folder, needed_bytes, free_bytes


class NoVenvError(UnderstudyError):
    """The Python that runs this can't make environments: some systems split that off."""

    hint = "Install your system's package for Python's venv, or choose the Python of an environment that exists."

    def __init__(self, python: Path, log: Path) -> None:
        super().__init__(f"{python} could not make an environment; its words are in {log}.")
        self.python, self.log = python, log


class FetchFailedError(UnderstudyError):
    """A package could not be fetched."""

    hint = "Check the connection (and pip's own settings, if you use a mirror), then press Create Environment again."

    def __init__(self, package: str, log: Path) -> None:
        super().__init__(f"{package} could not be fetched; pip's words are in {log}. What was fetched before is kept.")
        self.package, self.log = package, log


class OtherPackageError(UnderstudyError):
    """Under a locked name came other bytes than those that were locked.

    It is another file, or the first part of the right one: pips before 25 take a lost connection for a file's end.
    """

    hint = (
        "Press Create Environment again. If the same happens, check pip's own settings: a mirror or a further index "
        "serves another file. Nothing of it was installed."
    )

    def __init__(self, package: str, log: Path) -> None:
        super().__init__(f"What came as {package} was cut short or is another file; pip's words are in {log}.")
        self.package, self.log = package, log


class UnpackFailedError(UnderstudyError):
    """The packages are there and could not be unpacked."""

    hint = "Press Create Environment again. If that does not help, delete the folder first."

    def __init__(self, environment: Path, log: Path) -> None:
        super().__init__(f"The packages could not be unpacked to {environment}; pip's words are in {log}.")
        self.environment, self.log = environment, log


class TorchBrokenError(UnderstudyError):
    """PyTorch is there and does not start."""

    hint = "Mend it there, choose another Python in the preferences, or press Create Environment."

    def __init__(self, python: Path, said: str) -> None:
        super().__init__(f"The PyTorch of {python} does not start: {said}.")
        self.python = python


class PackagesMissingError(UnderstudyError):
    """A Python lacks what the Wan engine imports."""

    hint = "Install them there, choose another Python in the preferences, or press Create Environment."

    def __init__(self, python: Path, names: tuple[str, ...]) -> None:
        super().__init__(f"{python} lacks {', '.join(names)}.")
        self.python, self.names = python, names
