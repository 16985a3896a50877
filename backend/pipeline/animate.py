# SPDX-License-Identifier: GPL-3.0-or-later
"""The other job: the character moves before its own picture's background, driven by a performer."""

from __future__ import annotations

from ..media.deliver import Layers
from ..performer.control import draw_control
from .delivery import deliver_layers
from .preflight import clear
from .replace import Part, correct_joints, draw_part, frames_stage, read_characters, track_performers
from .run import Run
from .stages import Background, ShotFacts, plate_of


def animate(run: Run) -> None:
    """Do an animate job and deliver it. Raises what its stages raise."""
    cleared = clear(run.job, run.folder)
    run.expect(cleared)
    [casting] = run.job.cast
    [character] = read_characters(run)
    frames = run.stage(frames_stage(run, cleared))
    [track] = track_performers(run, frames)
    background = run.stage(
        Background(run.job.engine, run.fingerprint(casting.character), casting.fit.mirror, character)
    )
    part = Part(casting=casting, character=character, tracks=correct_joints(run, casting, track), matte=None)
    drawn, tracks = draw_part(run, cleared, frames, background, part)
    layers = Layers(
        plate=plate_of(background, cleared.frame_count),
        characters=(drawn,),
        control=lambda plate, index: draw_control(plate, [tracks], index),
    )
    deliver_layers(run, cleared, ShotFacts.load(frames.folder), layers)
