# SPDX-License-Identifier: GPL-3.0-or-later
"""The subcommands that only look: find, inspect, doctor, schema."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..contract import layout
from ..contract.errors import FileMissingError
from ..contract.events import KINDS, Delivered
from ..contract.job import Delivery, Job, Mode
from ..contract.wire import CONTRACT_VERSION, Json, schema_of, to_json
from .exits import Exit
from .say import Say, libraries_write_to
from .work import leash, path_from, shot_of

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def find(arguments: argparse.Namespace, say: Say) -> Exit:
    """Tell who is in a clip. The frames that it reads stay in place for a later `replace` into the same folder."""
    from ..contract.jobfolder import is_job_folder, job_folder, make_folder, new_job_id, read_job
    from ..pipeline.look import find_in_clip

    if is_job_folder(arguments.clip):
        folder, job = arguments.clip, read_job(arguments.clip)
    else:
        job_id = new_job_id()
        folder = job_folder(arguments.output, job_id)
        make_folder(folder)
        job = Job(
            id=job_id,
            mode=Mode.REPLACE,
            shot=shot_of(arguments, folder),
            cast=(),
            delivery=Delivery(folder=path_from(folder, arguments.output), name=arguments.clip.stem),
        )
    with libraries_write_to(folder / layout.LOG):
        say.event(find_in_clip(folder, job, say.event, leash(folder, arguments).is_set))
    return Exit.DONE


def check(arguments: argparse.Namespace, say: Say) -> Exit:
    """Look a job over: what it would take, what its characters' pictures show, or why it can't be done."""
    from ..contract.jobfolder import read_job
    from ..pipeline.look import check_job

    folder: Path = arguments.folder
    job = read_job(folder)
    with libraries_write_to(folder / layout.LOG):
        check_job(folder, job, say.event)
    return Exit.DONE


def inspect(arguments: argparse.Namespace, say: Say) -> Exit:
    """Tell what a clip, a job folder, a delivered version or its sidecar holds."""
    from ..contract.jobfolder import is_job_folder

    path: Path = arguments.path
    if not path.exists():
        raise FileMissingError(path, "file or folder")
    sidecar = path / f"{path.name}.json"
    path = sidecar if sidecar.is_file() else path
    data: dict[str, Json]
    if is_job_folder(path):
        data = _job_facts(path)
    elif path.suffix == ".json":
        data = {"sidecar": json.loads(path.read_text("utf-8"))}
    else:
        data = _clip_facts(path)
    say.answer(data, json.dumps(data, indent=2, ensure_ascii=False))
    return Exit.DONE


def doctor(arguments: argparse.Namespace, say: Say) -> Exit:
    """Tell what runs on this machine. DONE if the draft engine does."""
    from ..pipeline.doctor import examine

    findings = examine(tuple(arguments.set))
    lines = (f"{'ok ' if finding.is_well else '-- '} {finding.what}: {finding.detail}" for finding in findings)
    say.answer({"findings": [to_json(finding) for finding in findings]}, "\n".join(lines))
    return Exit.DONE if all(finding.is_well for finding in findings if finding.is_needed) else Exit.REFUSED


def schema(arguments: argparse.Namespace, say: Say) -> Exit:
    """Print the JSON schema of what is read and written."""
    version: dict[str, Json] = {"v": {"const": CONTRACT_VERSION}}
    events: list[Json] = [_marked(schema_of(kind), version | {"kind": {"const": name}}) for name, kind in KINDS.items()]
    schemas: dict[str, dict[str, Json]] = {"job": _marked(schema_of(Job), version), "events": {"oneOf": events}}
    data: dict[str, Json] = {"$schema": _DIALECT, **schemas[arguments.what]}
    say.answer(data, json.dumps(data, indent=2))
    return Exit.DONE


def _marked(schema: dict[str, Json], marks: dict[str, Json]) -> dict[str, Json]:
    """Add the marks that every line carries."""
    properties, required = schema["properties"], schema["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    return {**schema, "properties": {**marks, **properties}, "required": [*marks, *required]}


def _clip_facts(path: Path) -> dict[str, Json]:
    from ..media.clip import open_clip
    from ..media.clipinfo import assumptions, reductions

    info = open_clip(path).info
    return {
        "clip": str(path),
        "width_px": info.width_px,
        "height_px": info.height_px,
        "fps": str(info.fps),
        "frame_count": info.frame_count,
        "bits": info.bits,
        "has_alpha": info.has_alpha,
        "rotation_deg": info.rotation_deg,
        "colour": to_json(info.colour),
        "notes": [*reductions(info, 8), *assumptions(info)],
    }


def _job_facts(folder: Path) -> dict[str, Json]:
    from ..contract.jobfolder import is_running, read_events, read_job

    events = list(read_events(folder))
    last = events[-1].kind if events else "not_started"
    return {
        "job": to_json(read_job(folder)),
        "running": is_running(folder),
        "last_event": last,
        "deliveries": [event.folder for event in events if isinstance(event, Delivered)],
    }
