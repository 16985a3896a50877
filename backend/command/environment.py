# SPDX-License-Identifier: GPL-3.0-or-later
"""The subcommands about an engine's own Python environment: create it, tell what one holds."""

from __future__ import annotations

import argparse
import time

from ..contract import layout
from ..contract.events import JobDone, Noticed
from .exits import Exit
from .say import Say, libraries_write_to
from .work import leash

READY = "environment_ready"


def create_environment(arguments: argparse.Namespace, say: Say) -> Exit:
    """Make the environment for the Python that runs this; what stands, whole or in part, is kept."""
    from ..contract.jobfolder import make_folder
    from ..environment.create import create
    from ..environment.lists import list_for_this_system, read_list

    began_s = time.monotonic()
    wanted = read_list(arguments.list or list_for_this_system())
    folder = arguments.folder.absolute()
    make_folder(folder)
    with libraries_write_to(folder / layout.LOG):
        create(folder, wanted, say.event, leash(folder, arguments).is_set)
    say.event(JobDone(seconds=time.monotonic() - began_s))
    return Exit.DONE


def check_environment(arguments: argparse.Namespace, say: Say) -> Exit:  # noqa: ARG001
    """Tell what the Python that runs this has for the Wan engine."""
    from ..environment.check import describe

    say.event(Noticed(code=READY, text=describe()))
    return Exit.DONE
