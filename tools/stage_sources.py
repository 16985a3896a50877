# SPDX-License-Identifier: GPL-3.0-or-later
"""What code a stage's or engine's result depends on, as a hash: no one changes pixels and forgets the version.

`python3.11 -m tools.stage_sources` records the present state, after a version was raised or after a change that
gives the same bytes. A test compares. Comments, docstrings and layout do not count.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAGES = ROOT / "backend" / "pipeline" / "stages.py"
ENGINES = ROOT / "backend" / "engines"
RECORD = ROOT / "tests" / "pipeline" / "stage_sources.json"

_NOT_PIXELS = ("backend/contract/", "backend/pipeline/stage.py", "backend/pipeline/fingerprint.py")
"""Code that every stage imports and none depends on for its bytes."""
_PIXELS_ALL_THE_SAME = ("backend/contract/joints.py",)
_STAGE = ("Stage", "EngineStage")


def stage_sources() -> dict[str, dict[str, str]]:
    """Tell each stage's and engine's version and the hash of its code and of all the code that it imports.

    An engine is no part of the stages that it computes: it has a version of its own.
    """
    tree = ast.parse(STAGES.read_text("utf-8"))
    imported = {name: path for path, names in _imports(STAGES, tree) for name in names}
    engines = {path.parent: path for path in sorted(ENGINES.glob("*/engine.py"))}
    stages = {
        _constant(stage, "name"): {
            "version": _constant(stage, "version"),
            "sha256": _hash(stage, imported, tuple(engines)),
        }
        for stage in tree.body
        if isinstance(stage, ast.ClassDef)
        and stage.name not in _STAGE
        and any(isinstance(base, ast.Name) and base.id in _STAGE for base in stage.bases)
    }
    return stages | {f"engine {folder.name}": _engine(path) for folder, path in engines.items()}


def _engine(path: Path) -> dict[str, str]:
    seen: set[Path] = set()
    _follow(path, seen)
    [engine] = [
        node
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name.endswith("Engine")
    ]
    return {"version": _constant(engine, "version"), "sha256": _digest("", seen)}


def _constant(cls: ast.ClassDef, name: str) -> str:
    """Read `name, version = "matte", 3` or `version: ClassVar[int] = 3` off a class."""
    for line in cls.body:
        match line:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                said = {each.id: value for each, value in zip(names, values, strict=True) if isinstance(each, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=each), value=ast.Constant() as value):
                said = {each: value}
            case _:
                continue
        if isinstance(constant := said.get(name), ast.Constant):
            return str(constant.value)
    raise ValueError(f"{cls.name} does not say its {name}")


def _hash(stage: ast.ClassDef, imported: dict[str, Path], but: tuple[Path, ...]) -> str:
    used = {node.id for node in ast.walk(stage) if isinstance(node, ast.Name)}
    seen: set[Path] = set()
    for path in sorted({imported[name] for name in used & imported.keys()}):
        _follow(path, seen, but)
    return _digest(_meaning(stage), seen)


def _digest(own: str, paths: set[Path]) -> str:
    meanings = (_meaning(ast.parse(path.read_text("utf-8"))) for path in sorted(paths))
    return hashlib.sha256("".join([own, *meanings]).encode()).hexdigest()


def _follow(path: Path, seen: set[Path], but: tuple[Path, ...] = ()) -> None:
    """Add a module and all that it imports, but for those in some folders."""
    if any(folder in path.parents for folder in but):
        return
    name = path.relative_to(ROOT).as_posix()
    if path in seen or (name.startswith(_NOT_PIXELS) and name not in _PIXELS_ALL_THE_SAME):
        return
    seen.add(path)
    for found, _ in _imports(path, ast.parse(path.read_text("utf-8"))):
        _follow(found, seen, but)


def _imports(path: Path, tree: ast.AST) -> Iterator[tuple[Path, list[str]]]:
    """Yield the repository's own modules that a module imports relatively, anywhere in it, with the names it takes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            room = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for alias in node.names:
                candidates = (room.with_suffix(".py"), room / f"{alias.name}.py")
                for found in filter(Path.is_file, candidates):
                    yield found, [alias.asname or alias.name]


def _meaning(tree: ast.AST) -> str:
    """Write code down without docstrings, comments and places."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0].value.value = ""
    return ast.dump(tree)


if __name__ == "__main__":
    RECORD.write_text(json.dumps(stage_sources(), indent=2) + "\n", "utf-8")
