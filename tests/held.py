# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.held KIND STAGE UNTIL WORDS`: the worker, standing still after an event until a file is there.

So what a test does to it then strikes it at that moment, however fast or busy the machine is.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from backend.__main__ import main
from backend.command.say import SayJson
from backend.contract.events import Event

_LOOK_EVERY_S = 0.01


def hold(kind: str, stage: str, until: Path) -> None:
    """Let whoever tells an event of that kind and stage (none: "") go on only when the file is there."""
    tell = SayJson.event

    def tell_and_stand(self: SayJson, event: Event) -> None:
        tell(self, event)
        while (event.kind, getattr(event, "stage", "")) == (kind, stage) and not until.exists():
            time.sleep(_LOOK_EVERY_S)

    SayJson.event = tell_and_stand  # type: ignore[method-assign]


if __name__ == "__main__":
    _, kind, stage, until, *words = sys.argv
    hold(kind, stage, Path(until))
    os._exit(main(words))
