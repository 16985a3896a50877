# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom. The left of an arrow may import the right, never the other way round."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ARROWS = ("__main__", "command", "pipeline", "engines", "plate", "performer", "media", "environment", "contract")
"""Inside the worker, from left to right; a room may import itself and what stands to its right."""

BLENDER_SIDE = ("panels", "operators", "session", "properties", "preferences", "picker", "sequencer", "worker_client")
"""In Blender, likewise; of the worker they may import its contract only."""

WORKER_LIBRARIES = {"numpy", "cv2", "safetensors"}
"""What rides in the extension's zip or lies in Blender already, so that the worker runs from Blender's own Python.

mediapipe does, too, but comes by `performer/networks.py` alone, which keeps it offline before it is loaded.
"""

NETWORK = {
    "aiohttp",
    "ftplib",
    "http",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "ssl",
    "telnetlib",
    "urllib",
    "xmlrpc",
}
"""What could carry an artist's work away; `performer/offline.py` sees to the library that would."""

ALLOWED = {
    "backend/media/movie.py": WORKER_LIBRARIES | {"av"},
    "backend/media/moviecolour.py": WORKER_LIBRARIES | {"av"},
    "backend/contract": set[str](),
    "backend/environment": set[str](),
    "backend/environment/check.py": {"torch"},
    "backend/engines/wan": WORKER_LIBRARIES | {"einops", "ftfy", "gguf", "sentencepiece", "torch"},
    "backend": WORKER_LIBRARIES,
    "worker_client": set[str](),
    "picker": set[str](),
    "sequencer": {"bpy", "numpy"},
    "operators": {"bpy", "blf", "gpu", "gpu_extras"},
    "panels": {"bpy"},
    "session": {"bpy"},
    "properties": {"bpy"},
    "preferences": {"bpy"},
    "demo": {"bpy", "bmesh", "mathutils", "numpy"},
    "tools/interface.py": {"bpy", "addon_utils"},
    "tools/pack_networks.py": {"flatbuffers"},
    "tools": set[str](),
    "__init__.py": {"bpy"},
}
"""Third-party packages by file or folder; the longest prefix counts."""


def imports_of(path: Path, root: Path) -> Iterator[tuple[str, int]]:
    """Yield every imported module by its full dotted name from the root, with its line; relative ones resolved."""
    package = path.relative_to(root).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{module}.{alias.name}" if module else alias.name, node.lineno) for alias in node.names)


def worker_room(dotted: str) -> str:
    """Name the room of the worker that a module is in; the package itself counts as the rightmost."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ARROWS else ARROWS[-1]


def wrong_arrows(sources: tuple[Path, ...], root: Path) -> Iterator[str]:
    for path in sources:
        name = path.relative_to(root)
        for module, line in imports_of(path, root):
            if name.parts[0] == "backend" and module.split(".")[0] == "backend":
                room = name.parts[1].removesuffix(".py")
                if room in ARROWS and ARROWS.index(worker_room(module)) < ARROWS.index(room):
                    yield f"{name}:{line} imports {module}"
            elif name.parts[0] == "backend" and module.split(".")[0] in (*BLENDER_SIDE, "demo", "tools", "tests"):
                yield f"{name}:{line} imports {module}"


def test_the_workers_rooms_import_only_what_stands_to_their_right(sources: tuple[Path, ...], root: Path) -> None:
    assert list(wrong_arrows(sources, root)) == []


def test_an_import_against_the_arrow_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "backend" / "media" / "clip.py"
    wrong.parent.mkdir(parents=True)
    wrong.write_text("def f():\n    from ..engines.base import Engine\n")
    assert list(wrong_arrows((wrong,), tmp_path)) == ["backend/media/clip.py:2 imports backend.engines.base.Engine"]


def test_every_room_of_the_worker_has_its_place_among_the_arrows(root: Path) -> None:
    rooms = {path.name for path in (root / "backend").iterdir() if (path / "__init__.py").exists()}
    assert rooms - set(ARROWS) == set()


def test_blenders_side_knows_the_worker_by_its_contract_only(sources: tuple[Path, ...], root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{line} imports {module}"
        for path in sources
        if path.relative_to(root).parts[0].removesuffix(".py") in BLENDER_SIDE
        for module, line in imports_of(path, root)
        if module.split(".")[0] == "backend" and not module.startswith("backend.contract")
    ]
    assert found == []


def test_the_rooms_of_blenders_side_import_only_what_stands_to_their_right(
    sources: tuple[Path, ...], root: Path
) -> None:
    found = [
        f"{path.relative_to(root)}:{line} imports {module}"
        for path in sources
        if (room := path.relative_to(root).parts[0].removesuffix(".py")) in BLENDER_SIDE
        for module, line in imports_of(path, root)
        if (other := module.split(".")[0]) in BLENDER_SIDE and BLENDER_SIDE.index(other) < BLENDER_SIDE.index(room)
    ]
    assert found == []


def allowed_for(name: str) -> set[str] | None:
    """Find the packages a file may import: those of the longest prefix in the table, None where none is."""
    fitting = [prefix for prefix in ALLOWED if name == prefix or name.startswith(prefix + "/")]
    return ALLOWED[max(fitting, key=len)] if fitting else None


def test_each_room_imports_only_the_libraries_it_may(sources: tuple[Path, ...], root: Path) -> None:
    ours = {path.name.removesuffix(".py") for path in root.iterdir()} | {""}
    found = []
    for path in sources:
        name = path.relative_to(root).as_posix()
        allowed = allowed_for(name)
        for module, line in imports_of(path, root) if allowed is not None else ():
            library = module.split(".")[0]
            if library not in sys.stdlib_module_names and library not in ours | (allowed or set()):
                found.append(f"{name}:{line} imports {library}")
    assert found == []


@pytest.mark.parametrize("name", ["backend/plate/build.py", "backend/media/clip.py", "backend/contract/job.py"])
def test_only_the_movie_reader_may_import_pyav(name: str) -> None:
    assert "av" not in (allowed_for(name) or set())
    assert "av" in (allowed_for("backend/media/movie.py") or set())


def test_the_worker_has_nothing_by_which_it_could_reach_a_network(sources: tuple[Path, ...], root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{line} imports {module}"
        for path in sources
        if path.is_relative_to(root / "backend")
        for module, line in imports_of(path, root)
        if module.split(".")[0] in NETWORK
    ]
    assert found == []
