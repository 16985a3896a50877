# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the command line. Reading them imports nothing heavy, so that a mistake is told at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..contract.job import Combine, Pass, PerformerChoice, Pick, Setting, Shadow
from ..contract.joints import REACH_FRAMES, Joint, JointFix

_PERFORMER_HELP = "largest, id:N, point:X,Y@FRAME or box:X,Y,X1,Y1@FRAME, in pixels of that frame of the clip"

_JOINT_HELP = (
    "JOINT:X,Y@FRAME or JOINT:X,Y@FRAME:FIRST-LAST, in pixels and frames of the clip; joints are " + ", ".join(Joint)
)


def parser() -> argparse.ArgumentParser:
    """Describe all subcommands."""
    root = argparse.ArgumentParser(
        prog="python -m backend", description="Understudy: an understudy takes the actor's part."
    )
    root.add_argument("--json", action="store_true", help="write events and answers as JSON, one object a line")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_work(commands)
    _add_looks(commands)
    _add_environment(commands)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return root


def performer(text: str) -> PerformerChoice:
    """Read a performer: see `_PERFORMER_HELP`. Raises ArgumentTypeError."""
    kind, _, rest = text.partition(":")
    place, _, frame = rest.partition("@")
    try:
        pick, numbers = Pick(kind), [float(number) for number in place.split(",") if number]
        match pick, numbers:
            case Pick.LARGEST, []:
                return PerformerChoice()
            case Pick.ID, [number]:
                return PerformerChoice(pick=pick, id=int(number))
            case Pick.POINT, [x, y]:
                return PerformerChoice(pick=pick, frame=int(frame or 0), x=x, y=y)
            case Pick.BOX, [x, y, x1, y1]:
                return PerformerChoice(pick=pick, frame=int(frame or 0), x=x, y=y, x1=x1, y1=y1)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} names no performer; it can be {_PERFORMER_HELP}")


def joint(text: str) -> JointFix:
    """Read a joint that is put right: see `_JOINT_HELP`. Raises ArgumentTypeError."""
    name, _, rest = text.partition(":")
    place, _, when = rest.partition("@")
    frame, _, reach = when.partition(":")
    first, _, last = reach.partition("-")
    try:
        x, y = map(float, place.split(","))
        key = int(frame)
        return JointFix(
            joint=Joint(name),
            frame=key,
            x=x,
            y=y,
            first=int(first) if reach else max(0, key - REACH_FRAMES),
            last=int(last) if reach else key + REACH_FRAMES,
        )
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} moves no joint; it can be {_JOINT_HELP}") from error


def _passes(text: str) -> tuple[Pass, ...]:
    try:
        return tuple(Pass(word) for word in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; there are: {', '.join(Pass)}") from error


def _setting(text: str) -> Setting:
    name, is_given, value = text.partition("=")
    if not is_given:
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE")
    return Setting(name=name, value=value)


def _add_work(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    replace = commands.add_parser("replace", help="replace a clip's performer by a character")
    replace.add_argument("clip", type=Path, metavar="CLIP")
    replace.add_argument("character", type=Path, metavar="CHARACTER")
    _add_shot(replace)
    animate = commands.add_parser("animate", help="let a character move before its own background, driven by a clip")
    animate.add_argument("character", type=Path, metavar="CHARACTER")
    animate.add_argument("clip", type=Path, metavar="DRIVING_CLIP")
    _add_shot(animate)
    preview = commands.add_parser("preview", help="see one frame replaced, quickly: quick matte, quick plate")
    preview.add_argument("clip", type=Path, metavar="CLIP", help="or the folder of a job, which names all the rest")
    preview.add_argument("character", type=Path, nargs="?", metavar="CHARACTER")
    preview.add_argument(
        "--frame", type=int, metavar="N", help="frame of the clip, from 0; the first of the range if not given"
    )
    _add_shot(preview)
    for name, text in (("run", "do the job of a folder"), ("resume", "go on with a job that was stopped or killed")):
        run = commands.add_parser(name, help=text)
        run.add_argument("folder", type=Path, metavar="JOB_FOLDER")
        _add_detached(run)
    replay = commands.add_parser("replay", help="make a delivered version again, from its sidecar")
    replay.add_argument("sidecar", type=Path, metavar="SIDECAR")
    _add_detached(replay)


def _add_looks(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    find = commands.add_parser("find", help="tell who is in a clip: ids and boxes")
    find.add_argument("clip", type=Path, metavar="CLIP", help="or the folder of a job")
    find.set_defaults(detached=False)
    _add_range(find)
    _add_output(find)
    check = commands.add_parser("check", help="tell what a job would take, or why it can't be done; no frame is read")
    check.add_argument("folder", type=Path, metavar="JOB_FOLDER")
    inspect = commands.add_parser("inspect", help="tell what a clip, a job folder, a version or a sidecar holds")
    inspect.add_argument("path", type=Path, metavar="PATH")
    doctor = commands.add_parser("doctor", help="tell what runs on this machine, what does not, and why")
    _add_settings(doctor, "a setting of the Wan engine, such as models=FOLDER")
    schema = commands.add_parser("schema", help="print the JSON schema of a job or of the events")
    schema.add_argument("what", choices=("job", "events"), default="job", nargs="?")


def _add_environment(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    create = commands.add_parser(
        "create-environment", help="make the Wan engine's environment for this Python, or go on with it; pip fetches"
    )
    create.add_argument("folder", type=Path, metavar="FOLDER", help="where it is made")
    create.add_argument("--list", type=Path, metavar="LIST", help="a locked list of your own, not the one that ships")
    create.set_defaults(detached=False)
    commands.add_parser("check-environment", help="tell what this Python has for the Wan engine")


def _add_shot(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--also",
        nargs=2,
        action="append",
        default=[],
        metavar=("PERFORMER", "CHARACTER"),
        help="cast a further performer; name the first one by --performer",
    )
    _add_range(command)
    _add_choice(command)
    _add_output(command)
    command.add_argument("--name", default="", help="of the shot; the clip's name if not given")
    command.add_argument("--passes", type=_passes, default=tuple(Pass), metavar="A,B", help=f"of: {', '.join(Pass)}")
    command.add_argument("--depth", type=int, choices=(8, 16), default=8, help="bits of the delivered files")
    command.add_argument("--first-number", type=int, default=1001, metavar="N", help="number of the first file")
    command.add_argument(
        "--matte", default="", metavar="PATH", help="your own performer matte: a folder or one picture"
    )
    command.add_argument(
        "--matte-combine",
        type=Combine,
        choices=tuple(Combine),
        default=Combine.REPLACE,
        help="whether your matte replaces the computed one, is added to it, or taken out of it",
    )
    command.add_argument("--garbage-matte", default="", metavar="PATH", help="black in it is never performer")
    command.add_argument(
        "--joint", type=joint, action="append", default=[], metavar="KEY", help=f"move a tracked joint: {_JOINT_HELP}"
    )
    command.add_argument("--shadow", type=Shadow, choices=tuple(Shadow), default=Shadow.KEEP, help="of the performer")
    command.add_argument("--seed", type=int, default=0)
    _add_detached(command)


def _add_range(command: argparse.ArgumentParser) -> None:
    command.add_argument("--first", type=int, default=0, metavar="N", help="first frame of the clip, from 0")
    command.add_argument("--last", type=int, default=-1, metavar="N", help="last frame, inclusive; -1 is the end")
    command.add_argument("--fps", default="", metavar="RATE", help="24 or 24000/1001; the clip's own if not given")


def _add_choice(command: argparse.ArgumentParser) -> None:
    command.add_argument("--performer", type=performer, default=PerformerChoice(), metavar="WHO", help=_PERFORMER_HELP)
    command.add_argument("--engine", default="draft", help="draft, or wan where its environment and weights are")
    _add_settings(command, "a setting of the engine")
    command.add_argument("--scale", type=float, default=1.0, help="times the size that fits the performer")
    command.add_argument("--offset", type=float, nargs=2, default=(0.0, 0.0), metavar=("X", "Y"), help="in heights")
    command.add_argument("--ground-offset", type=float, default=0.0, metavar="Y", help="in heights, down")
    command.add_argument("--head-size", type=float, default=1.0, help="times the character's own")
    command.add_argument("--mirror", action="store_true", help="flip the character's picture")


def _add_settings(command: argparse.ArgumentParser, text: str) -> None:
    command.add_argument("--set", type=_setting, action="append", default=[], metavar="NAME=VALUE", help=text)


def _add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output", type=Path, default=Path("understudy_out"), metavar="FOLDER", help="where all results go"
    )


def _add_detached(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--detached", action="store_true", help="go on when whoever started it is gone; stop it by the cancel file"
    )
