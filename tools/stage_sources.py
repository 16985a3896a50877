# SPDX-License-Identifier: GPL-3.0-or-later
"""What code each stage's result depends on, as a hash, so that no one changes pixels and forgets the stage's version.

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
RECORD = ROOT / "tests" / "pipeline" / "stage_sources.json"

_NOT_PIXELS = ("backend/contract/", "backend/pipeline/stage.py", "backend/pipeline/fingerprint.py")
"""Code that every stage imports and none depends on for its bytes."""
_PIXELS_ALL_THE_SAME = ("backend/contract/joints.py",)


def stage_sources() -> dict[str, dict[str, str]]:
    """Tell each stage's version and the hash of its code and of all the code that it imports."""
    tree = ast.parse(STAGES.read_text("utf-8"))
    imported = {name: path for path, names in _imports(STAGES, tree) for name in names}
    return {
        _constant(stage, 0): {"version": _constant(stage, 1), "sha256": _hash(stage, imported)}
        for stage in tree.body
        if isinstance(stage, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Stage" for base in stage.bases)
    }


def _constant(stage: ast.ClassDef, place: int) -> str:
    """Read `name, version = "matte", 3` off a stage."""
    for line in stage.body:
        if (
            isinstance(line, ast.Assign)
            and isinstance(line.targets[0], ast.Tuple)
            and isinstance(line.value, ast.Tuple)
        ):
            value = line.value.elts[place]
            assert isinstance(value, ast.Constant)
            return str(value.value)
    raise ValueError(f"stage {stage.name} does not say its name and version")


def _hash(stage: ast.ClassDef, imported: dict[str, Path]) -> str:
    used = {node.id for node in ast.walk(stage) if isinstance(node, ast.Name)}
    seen: set[Path] = set()
    for path in sorted({imported[name] for name in used & imported.keys()}):
        _follow(path, seen)
    sha = hashlib.sha256(_meaning(stage).encode())
    for path in sorted(seen):
        sha.update(_meaning(ast.parse(path.read_text("utf-8"))).encode())
    return sha.hexdigest()


def _follow(path: Path, seen: set[Path]) -> None:
    name = path.relative_to(ROOT).as_posix()
    if path in seen or (name.startswith(_NOT_PIXELS) and name not in _PIXELS_ALL_THE_SAME):
        return
    seen.add(path)
    for found, _ in _imports(path, ast.parse(path.read_text("utf-8"))):
        _follow(found, seen)


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
