# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Wan engine would do on this machine with these files: looked through, counted, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from ...contract.job import Mode
from ..base import Finding
from .budget import Work, seconds_of
from .loading import Networks, device_of, dtype_of, folder_of, numbers_text
from .models import ModelFile
from .residence import memory_bytes
from .settings import WanSettings
from .vae import VideoTooLargeError

_SIZES = ((832, 480), (1280, 720))


def examine(settings: WanSettings) -> Iterator[Finding]:
    """Tell of device, files, and what a window would take. Raises DeviceMissingError, FileMissingError."""
    device = device_of(settings)
    dtype = dtype_of(settings, device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    budget_bytes = memory_bytes(device, settings.memory_gb)
    numbers = numbers_text(settings, dtype)
    yield _of(f"Wan: torch {torch.__version__} on {name} in {numbers}, {budget_bytes / 1e9:.1f} GB to use")
    if settings.models == Path():
        yield _of("Wan: no models folder is given (models=FOLDER)", is_well=False)
        return
    folder = folder_of(settings)
    yield from map(_file, folder.files)
    yield from (_of(f"Wan: the {role} is missing in {folder.folder}", is_well=False) for role in folder.missing)
    if not folder.missing:
        names = ", ".join(sorted({file.path.name for file in folder.chosen.values()}))
        yield _of(f"Wan: would use {names}")
        networks = Networks(settings, Mode.REPLACE)
        yield from (_window(settings, networks, width, height) for width, height in _SIZES)


def _window(settings: WanSettings, networks: Networks, width_px: int, height_px: int) -> Finding:
    """Tell of one window at a size."""
    frames, what = settings.longest_window, f"Wan at {width_px} x {height_px}"
    work = Work(windows=(frames,), width_px=width_px, height_px=height_px, steps=settings.steps, ways=1)
    try:
        shares = networks.shares(work)
    except VideoTooLargeError as error:
        return _of(f"{what}: {error.advice}", is_well=False)
    configs = networks.transformer_config, networks.vae_config
    seconds, needs = seconds_of(work, *configs, networks.dtype, networks.device), shares.needs
    how = "all weights stay" if needs.whole_bytes <= shares.left_bytes else "weights are streamed"
    is_well = needs.least_bytes <= shares.left_bytes
    memory = f"{shares.peak_bytes / 1e9:.1f} GB, of which {shares.other_bytes / 1e9:.1f} GB are no weights"
    return _of(
        f"{what}: {frames} frames in {settings.steps} steps, about {seconds:.0f} s, {memory}; "
        f"{how if is_well else 'it does not fit'}",
        is_well=is_well,
    )


def _file(file: ModelFile) -> Finding:
    said = file.fault or f"{file.role}, {file.detail}, {file.nbytes / 1e9:.2f} GB, licence: {file.licence}"
    return _of(f"{file.path.name}: {said}", is_well=not file.fault)


def _of(text: str, *, is_well: bool = True) -> Finding:
    what, _, detail = text.partition(": ")
    return Finding(what, detail, is_well, False)
