# SPDX-License-Identifier: GPL-3.0-or-later
"""What can become of a job, as a table."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    REFUSED = "refused"
    CRASHED = "crashed"
    INTERRUPTED = "interrupted"
    """Its worker is gone without a last word: killed, or the machine went down."""


_ENDED = frozenset({State.DONE, State.STOPPED, State.REFUSED, State.CRASHED, State.INTERRUPTED})
MOVES: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.RUNNING, State.STOPPED, State.REFUSED}),
    State.RUNNING: _ENDED | {State.STOPPING},
    State.STOPPING: _ENDED,
    State.DONE: frozenset(),
    **dict.fromkeys(_ENDED - {State.DONE}, frozenset({State.WAITING})),
}
BUSY = frozenset({State.RUNNING, State.STOPPING})
RESUMABLE = frozenset(state for state, moves in MOVES.items() if State.WAITING in moves)


def moved(state: State, to: State) -> State:
    """Return `to`. Raises ValueError where no job moves so."""
    if to not in MOVES[state]:
        raise ValueError(f"a job does not move from {state} to {to}")
    return to
