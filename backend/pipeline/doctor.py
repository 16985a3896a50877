# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on this machine, what does not, and why."""

from __future__ import annotations

import importlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version

from ..contract.errors import UnderstudyError
from ..contract.job import Setting
from ..engines.base import Finding
from ..performer.networks import Network, TrackerLibraryError, mediapipe, network_bytes, networks_folder
from ..version import VERSION
from .engines import engine_named

_LIBRARIES = (
    ("numpy", "numpy", "all stages", True),
    ("cv2", "opencv-python-headless", "all stages", True),
    ("mediapipe", "mediapipe", "finding and tracking performers", True),
    ("safetensors", "safetensors", "tracks between stages", True),
    ("av", "av", "movie files outside Blender, which reads them itself; picture sequences work without", False),
)
_OPENCVS = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")


def examine(settings: tuple[Setting, ...] = ()) -> tuple[Finding, ...]:
    """Look at Python, libraries, networks, engines and processor. settings: of the Wan engine."""
    return (
        Finding("Understudy", f"{VERSION}, Python {platform.python_version()}, {platform.platform()}", True, True),
        *(_library(*row) for row in _LIBRARIES),
        _one_opencv(),
        _networks(),
        *_engine("draft", ()),
        *_engine("wan", settings),
        Finding("processor", f"{os.cpu_count()} cores", True, False),
    )


def _library(module: str, package: str, purpose: str, is_needed: bool) -> Finding:
    try:
        mediapipe() if module == "mediapipe" else importlib.import_module(module)
    except TrackerLibraryError as error:
        return Finding(module, error.advice, False, is_needed)
    except ImportError as error:
        return Finding(module, f"can't be imported ({error}); it is needed for {purpose}", False, is_needed)
    return Finding(module, f"{_version_or_none(package) or 'of unknown version'}, for {purpose}", True, is_needed)


def _one_opencv() -> Finding:
    found = [package for package in _OPENCVS if _version_or_none(package)]
    if len(found) > 1:
        return Finding("OpenCV packages", f"{' and '.join(found)} overwrite each other; keep one", False, True)
    return Finding("OpenCV packages", found[0] if found else "unpacked without package data", True, True)


def _networks() -> Finding:
    try:
        sizes = [len(network_bytes(network)) for network in Network]
    except UnderstudyError as error:
        return Finding("tracker networks", error.advice, False, True)
    return Finding(
        "tracker networks", f"{len(sizes)} files, {sum(sizes) / 1e6:.0f} MB in {networks_folder()}", True, True
    )


def _engine(name: str, settings: tuple[Setting, ...]) -> tuple[Finding, ...]:
    try:
        return engine_named(name, settings).examine()
    except (UnderstudyError, ImportError) as error:
        detail = error.advice if isinstance(error, UnderstudyError) else f"can't start: {error}"
        return (Finding(f"{name} engine", detail, False, name == "draft"),)


def _version_or_none(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
