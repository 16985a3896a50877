# SPDX-License-Identifier: GPL-3.0-or-later
"""The last step of a job: its layers handed to delivery, with all that the sidecar tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..contract.events import Delivered
from ..contract.wire import Json, to_json
from ..media.clipinfo import ClipInfo
from ..media.deliver import DeliveredVersion, Layers, Making, deliver
from ..media.images import Pixels, read_picture, write_picture
from ..media.sheet import SheetRow, contact_sheet
from ..version import VERSION
from .preflight import Cleared
from .run import Run
from .stages import ShotFacts

_SHEET_FRAMES = 4
_SHEET_PASSES = (
    "performer_matte",
    "plate",
    "plate_confidence",
    "control",
    "character",
    "matte",
    "change_matte",
    "comp",
)


def deliver_layers(
    run: Run, cleared: Cleared, shot: ShotFacts, layers: Layers, plate: dict[str, Json] | None = None
) -> None:
    """Deliver the next version and its contact sheet, and tell where they are. plate: what is known of it."""
    folder = run.folder / run.job.delivery.folder
    making = Making(
        source_numbers=shot.numbers,
        fps=shot.fps,
        program=VERSION,
        clip=_clip_facts(cleared.clip.info),
        plate=plate or {},
        remarks=(*cleared.reductions, *cleared.assumptions),
        notices=tuple(run.notices),
        weights={weights.path.as_posix(): weights.digest for weights in run.weights},
    )
    version = deliver(layers, run.job, folder.resolve(), making, run.begin("deliver"))
    run.tell(
        Delivered(
            folder=str(version.folder),
            version=version.version,
            first_number=version.first_number,
            frame_count=version.frame_count,
            passes=version.passes,
            sheet=str(_write_sheet(version, layers)),
        )
    )


def _clip_facts(info: ClipInfo) -> dict[str, Json]:
    return {
        "width_px": info.width_px,
        "height_px": info.height_px,
        "bits": info.bits,
        "rotation_deg": info.rotation_deg,
        "colour": to_json(info.colour),
    }


def _write_sheet(version: DeliveredVersion, layers: Layers) -> Path:
    """Draw some frames of every delivered pass, beside the pass folders."""
    passes = [name for name in _SHEET_PASSES if name in version.passes]
    indices = sorted(set(np.linspace(0, version.frame_count - 1, _SHEET_FRAMES + 2).astype(int)[1:-1].tolist()))
    files = {name: version.files(name) for name in passes}

    def row(index: int) -> SheetRow:
        pictures: list[Pixels] = [] if layers.source is None else [layers.source[index]]
        pictures += [read_picture(files[name][index]) for name in passes]
        return SheetRow(f"frame {version.first_number + index}", tuple(pictures))

    columns = ([] if layers.source is None else ["source"]) + [name.replace("_", " ") for name in passes]
    path = version.folder / f"{version.folder.name}_sheet.png"
    write_picture(path, contact_sheet(version.folder.name, columns, [row(index) for index in indices]))
    return path
