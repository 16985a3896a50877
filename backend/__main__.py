# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m backend`: the same jobs as in Blender, from a command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from .command import environment, looks, work
from .command.exits import Exit
from .command.missing import LibraryMissingError
from .command.parser import parser
from .command.say import Say, SayJson, SayPeople, own_streams
from .contract.errors import StoppedError, UnderstudyError
from .contract.events import JobStopped

_COMMANDS: dict[str, Callable[[argparse.Namespace, Say], Exit]] = {
    "replace": work.replace,
    "animate": work.animate,
    "preview": work.preview,
    "run": work.run,
    "resume": work.run,
    "replay": work.replay,
    "find": looks.find,
    "check": looks.check,
    "inspect": looks.inspect,
    "doctor": looks.doctor,
    "schema": looks.schema,
    "create-environment": environment.create_environment,
    "check-environment": environment.check_environment,
}


def main(words: list[str] | None = None) -> Exit:
    """Do one command. Returns its exit code; argparse ends the process itself on a wrong command line."""
    arguments = parser().parse_args(words)
    out, errors = own_streams()
    say: Say = SayJson(out) if arguments.json else SayPeople(out, errors)
    try:
        return _COMMANDS[arguments.command](arguments, say)
    except StoppedError:  # of a look: a job tells its own ending
        say.event(JobStopped())
        return Exit.STOPPED
    except UnderstudyError as error:
        say.error(error)
        return Exit.REFUSED
    except ImportError as error:
        say.error(LibraryMissingError(error))
        return Exit.REFUSED
    except KeyboardInterrupt:  # of a command that is no job: a job turns Ctrl-C into its own ending
        return Exit.STOPPED


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Native libraries' threads can hang or crash in the interpreter's teardown; all files are closed by now.
    os._exit(code)
