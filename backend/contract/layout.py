# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the files that extension and worker both touch."""

from __future__ import annotations

JOB = "job.json"
EVENTS = "events.jsonl"
LOG = "worker.log"
JOINTS = "joints.json"
"""Where the joints of all that are cast were tracked, for who wants to move them."""
LOCK = "lock.json"
"""Held by a running worker: its pid and start time."""
NEWEST = "newest.png"
"""How the newest frame comes out, small, while a job runs."""
CANCEL = "cancel"
"""Whoever wants a worker to stop makes this file; the worker takes it away when it starts."""

WORK = ".understudy"
"""Beside the deliveries: the jobs and the stages' results."""
JOBS = "jobs"
QUESTIONS = "questions"
"""Jobs that were only asked about: a preview, who is there. They deliver nothing and can be removed at any time."""
STAGES = "stages"

STOP_LINE = "stop"
"""The request to stop, as a line on the worker's stdin."""

FRAME_LINE = "understudy-frame"
"""How a line begins by which the program that renders a strip tells of a picture that stands: index, path."""
REFUSED_LINE = "understudy-refused"
"""Likewise, of a strip that can't be rendered: the sentence for the artist."""


def version_stem(shot: str, version: int) -> str:
    """Name a version's folder, and begin the names of all files in it: `shot_v003`."""
    return f"{shot}_v{version:03d}"


def pass_file(stem: str, name: str, number: str) -> str:
    """Name a pass's file within the version's folder: `comp/shot_v003_comp.1001.png`."""
    return f"{name}/{stem}_{name}.{number}.png"
