# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m benchmarks [ROW ...]`: measure, print one table, keep it beside the files it was made from."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from backend.contract.errors import UnderstudyError

from . import cost, draft, joints, matte, place, plate, tick, tracking
from .bench import SEEDS, Bench
from .race import with_torch
from .table import Row, machine, markdown

ROWS: dict[str, tuple[str, Callable[[Bench], Iterator[Row]]]] = {
    "speed": ("tracking's frames a second, beside bare mediapipe", tracking.speed),
    "joints": ("joint error on the rendered performer, smoothed and raw", joints.truth),
    "sanity": ("head and shoulders agree, on footage", joints.sanity),
    "two": ("the chosen one of two rendered performers is kept", joints.two),
    "matte": ("performer matte against rendered coverage", matte.truth),
    "plate": ("plate against the rendered empty room, beside cv2.inpaint", plate.truth),
    "plate-footage": ("plate on footage, behind a pretended performer", plate.held_out),
    "draft": ("the tracker run on the comp; ground slip; the drawn matte", draft.likeness),
    "time": ("a job's time, whole and by stage", cost.time),
    "wait": ("the worker's first event; a preview", cost.wait),
    "tick": ("Blender's main thread under a flood of events", tick.tick),
    "place": ("Blender's main thread while results are placed", place.place),
    "vae": ("the Wan engine's VAE beside that of diffusers: time on the processor, memory", with_torch("vae")),
    "wan-forward": ("a step of its transformer beside that of diffusers, on the processor", with_torch("wan_forward")),
    "wan-counts": ("what it computes, copies and generates, counted", with_torch("wan_counts")),
    "wan-length": ("its memory and time on long shots", with_torch("wan_length")),
    "wan-opening": ("memory and time of opening its files", with_torch("wan_opening")),
    "memory": ("peaks of a long and a longer job", cost.memory),
}
TABLE = "table.md"


def main(words: list[str] | None = None) -> int:
    """Measure the rows that were named, or all. What can't be measured says why in its place."""
    asked = parser().parse_args(words)
    bench = Bench(asked.output.absolute(), is_quick=asked.quick, seeds=tuple(asked.seeds))
    measured_on, rows = machine(), list[Row]()
    for name in asked.rows or ROWS:
        what, measure = ROWS[name]
        try:
            for row in measure(bench):
                bench.say(markdown([row]).splitlines()[-1])
                rows.append(row)
        except UnderstudyError as error:
            rows.append(Row(what, "", error.advice, "", None))
    table = f"Measured on {measured_on}.\n\n{markdown(rows)}\n"
    asked.output.mkdir(parents=True, exist_ok=True)
    (asked.output / TABLE).write_text(table, "utf-8")
    sys.stdout.write(table)
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    listed = "\n".join(f"  {name:14} {what}" for name, (what, _) in ROWS.items())
    root = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"Measure, and print one table. Nothing is asserted.\n\nrows:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help="all if none is named")
    root.add_argument("--quick", action="store_true", help="few frames and one seed: to try the rows, not to judge by")
    root.add_argument("--seeds", nargs="+", type=int, default=SEEDS, metavar="N", help="rendered shots; default: 0 1")
    root.add_argument("--output", type=Path, default=Path("out/bench"), metavar="FOLDER", help="default: out/bench")
    return root


if __name__ == "__main__":
    sys.exit(main())
