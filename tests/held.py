# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.held KIND STAGE NTH UNTIL WORDS`: the worker, standing still after an event until a file is there.

So what a test does to it then strikes it at that moment, however fast or busy the machine is. It tells of every frame,
that the nth can be meant.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from backend.__main__ import main
from backend.command.say import SayJson
from backend.contract.events import Event
from backend.pipeline import progress
from tests.patience import comes_true

_STARTER = os.getppid()


def hold(kind: str, stage: str, nth: int, until: Path) -> None:
    """Let whoever tells the nth event of that kind and stage (none: "") go on only when the file is there."""
    tell, to_come = SayJson.event, nth

    def tell_and_stand(self: SayJson, event: Event) -> None:
        nonlocal to_come
        tell(self, event)
        if (event.kind, getattr(event, "stage", "")) == (kind, stage):
            to_come -= 1
            if to_come == 0:
                stand(until)

    SayJson.event = tell_and_stand  # type: ignore[method-assign]
    progress._TELL_EVERY_S = 0.0


def stand(until: Path) -> None:
    """Wait for the file, and end where nobody is left who would lay it down: on Windows only when patience ends."""
    comes_true(lambda: until.exists() or os.getppid() != _STARTER)
    if not until.exists():
        os._exit(1)


if __name__ == "__main__":
    _, kind, stage, nth, until, *words = sys.argv
    hold(kind, stage, int(nth), Path(until))
    os._exit(main(words))
