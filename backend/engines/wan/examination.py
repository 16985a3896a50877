# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Wan engine would do on this machine with these files: looked through, counted, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from ..base import Finding
from .budget import Work, estimate
from .loading import device_of, dtype_of, sizes_of
from .models import ModelFile, ModelsFolder, check_models
from .residence import memory_bytes
from .settings import WanSettings

_SIZES = ((832, 480), (1280, 720))


def examine(settings: WanSettings) -> Iterator[Finding]:
    """Tell of device, files, and what a window would take. Raises DeviceMissingError, FileMissingError."""
    device = device_of(settings)
    dtype = dtype_of(settings, device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    budget_bytes = memory_bytes(device, settings.memory_gb)
    yield _of(f"Wan: torch {torch.__version__} on {name} in {dtype}, {budget_bytes / 1e9:.1f} GB to use")
    if settings.models == Path():
        yield _of("Wan: no models folder is given (models=FOLDER)", is_well=False)
        return
    folder = check_models(settings.models)
    yield from map(_file, folder.files)
    yield from (_of(f"Wan: the {role} is missing in {folder.folder}", is_well=False) for role in folder.missing)
    if not folder.missing:
        yield from _windows(settings, folder, device, dtype, budget_bytes)


def _windows(
    settings: WanSettings, folder: ModelsFolder, device: torch.device, dtype: torch.dtype, budget_bytes: int
) -> Iterator[Finding]:
    """Tell of one window at each of the usual sizes."""
    transformer, vae = sizes_of(folder, settings.precision)
    names = ", ".join(sorted({file.path.name for file in folder.chosen.values()}))
    yield _of(f"Wan: would use {names}")
    for width, height in _SIZES:
        frames = settings.longest_window
        work = Work(windows=(frames,), width_px=width, height_px=height, steps=settings.steps, ways=1)
        expected = estimate(work, transformer, vae, dtype, device)
        how = "all weights stay" if expected.peak_bytes <= budget_bytes else "weights are streamed"
        least = expected.living_bytes
        yield _of(
            f"Wan at {width} x {height}: {frames} frames in {settings.steps} steps, about {expected.seconds:.0f} s, "
            f"{expected.peak_bytes / 1e9:.1f} GB, of which {least / 1e9:.1f} GB are no weights; {how}",
            is_well=least < budget_bytes,
        )


def _file(file: ModelFile) -> Finding:
    said = file.fault or f"{file.role}, {file.detail}, {file.nbytes / 1e9:.2f} GB, licence: {file.licence}"
    return _of(f"{file.path.name}: {said}", is_well=not file.fault)


def _of(text: str, *, is_well: bool = True) -> Finding:
    what, _, detail = text.partition(": ")
    return Finding(what, detail, is_well, False)
