# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m demo.render`, inside an environment with bpy: draw a shot with its truth, one line of progress a frame."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .acting import perform
from .anatomy import skeleton
from .body import body_parts
from .character import character, portrait, standing
from .dress import PERFORMERS
from .face import face_parts
from .figure import Figure, assemble
from .room import room
from .script import FPS, VARIANTS, Role, shot
from .stage import Stage
from .truth import TRUTH_FILE
from .witness import witness_frame


def main() -> None:
    """Read the arguments and render."""
    parser = argparse.ArgumentParser(prog="demo.render")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variant", choices=[*VARIANTS, "character"], default="solo")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", default="640x360", help="WIDTHxHEIGHT")
    parser.add_argument("--frames", help="FIRST-LAST within the shot, both rendered; all if left out")
    asked = parser.parse_args()
    width, height = (int(n) for n in asked.size.split("x"))
    frames = asked.frames and tuple(int(n) for n in asked.frames.split("-"))
    if asked.variant == "character":
        return render_character(asked.out, asked.seed, (width, height))
    return render_shot(asked.out, asked.variant, asked.seed, (width, height), frames)


def render_shot(out: Path, variant: str, seed: int, size: tuple[int, int], frames: tuple[int, int] | None) -> None:
    """Write the frames `first..last` of a shot, numbered from 0, and their truth."""
    taken = shot(variant, seed)
    first, last = frames or (0, taken.frames - 1)
    figures = [figure_of(role) for role in taken.roles]
    stage = Stage(room(seed), figures, *size)
    truth = []
    for index, number in enumerate(range(first, last + 1)):
        performances = [
            perform(figure.skeleton, role.act, number) for figure, role in zip(figures, taken.roles, strict=True)
        ]
        camera = taken.camera(number)
        posed = stage.act(performances, camera)
        stage.render(out, index)
        truth.append({"number": number, **witness_frame(figures, performances, posed, camera, size)})
        sys.stdout.write(f"frame {index + 1} of {last - first + 1}\n")
        sys.stdout.flush()
    write_truth(out, size, truth)


def render_character(out: Path, seed: int, size: tuple[int, int]) -> None:
    """Write a character alone, straight RGBA, and in a room that is not its performer's."""
    figure = character(seed)
    performance = perform(figure.skeleton, standing(), 0)
    stage = Stage(room(seed + 1), [figure], *size)
    camera = portrait(figure.posed(performance), *size)
    stage.act([performance], camera)
    out.mkdir(parents=True, exist_ok=True)
    stage.portrait(out / "character_in_place.png", alone=False)
    stage.portrait(out / "character.png", alone=True)


def figure_of(role: Role) -> Figure:
    """Build and dress the performer of a role."""
    bones = skeleton(role.build)
    wardrobe = PERFORMERS[role.wardrobe % len(PERFORMERS)]
    return assemble(bones, [*body_parts(bones, wardrobe), *face_parts(bones, wardrobe)])


def write_truth(out: Path, size: tuple[int, int], frames: list[dict[str, Any]]) -> None:
    """Write the record that `truth.load_truth` reads."""
    record = {"width": size[0], "height": size[1], "fps": FPS, "frames": frames}
    (out / TRUTH_FILE).write_text(json.dumps(record), "utf-8")


if __name__ == "__main__":
    main()
