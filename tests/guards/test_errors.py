# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error that reaches an artist says what to do."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import backend
from backend.contract.errors import UnderstudyError
from tests.guards.test_arrows import BLENDER_SIDE
from tools.failures import SetUpError

NEEDS_TORCH = "backend.engines.wan"
"""The worker's own environment cannot import it, so its errors are read from the text, as Blender's side is."""


def below(base: type[Exception]) -> Iterator[type[Exception]]:
    """Yield every class under a base that nothing else derives from: those are the ones that are raised."""
    for child in base.__subclasses__():
        yield from below(child) if child.__subclasses__() else (child,)


def worker_errors() -> set[type[Exception]]:
    for found in pkgutil.walk_packages(backend.__path__, "backend."):
        if not found.name.endswith("__main__") and not found.name.startswith(f"{NEEDS_TORCH}."):
            importlib.import_module(found.name)
    return set(below(UnderstudyError))


def test_every_error_of_the_worker_says_what_it_means_and_what_to_do() -> None:
    errors = worker_errors()
    hints = {error.__name__: getattr(error, "hint", "") for error in errors}
    assert len(errors) > 1
    assert [error.__name__ for error in errors if not error.__doc__] == []
    assert {name: hint for name, hint in hints.items() if not (hint[:1].isupper() and hint.endswith("."))} == {}


def hints_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each error class of a file that derives from UnderstudyError, and its hint; "" where it has none."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "UnderstudyError" for base in node.bases):
            assigned = [
                part for part in node.body if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "hint"
            ]
            yield node.name, str(ast.literal_eval(assigned[0].value)) if assigned and ast.get_docstring(node) else ""


def is_only_read(path: Path, root: Path) -> bool:
    rooms = path.relative_to(root).with_suffix("").parts
    return rooms[0] in BLENDER_SIDE or ".".join(rooms).startswith(f"{NEEDS_TORCH}.")


def test_every_error_of_blenders_side_and_of_wan_says_what_it_means_and_what_to_do(
    sources: tuple[Path, ...], root: Path
) -> None:
    files = [path for path in sources if is_only_read(path, root)]
    hints = dict(pair for path in files for pair in hints_of(path))
    assert len(hints) > 1
    assert {name: hint for name, hint in hints.items() if not (hint[:1].isupper() and hint.endswith("."))} == {}


def test_every_error_of_the_set_up_says_what_it_means() -> None:
    assert [error.__name__ for error in below(SetUpError) if not error.__doc__] == []
