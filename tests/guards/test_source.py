# SPDX-License-Identifier: GPL-3.0-or-later
"""What no file of this repository may hold, and how long things may be."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"
BEARS_SPDX = {".py", ".sh", ".toml", ".txt"}
"""Kinds of files whose first lines name the licence. Documents fall under LICENSE."""

LONGEST_FUNCTION_LINES = 60
LONGEST_FILE_LINES = 400
LARGEST_FILE_BYTES = 1_500_000

BANNED_CALLS = {
    "cv2.imread": "fails in silence on names that are not ASCII on Windows; use backend/media/images.py",
    "cv2.imwrite": "fails in silence on names that are not ASCII on Windows; use backend/media/images.py",
    "cv2.VideoCapture": "has no exact frame access; use backend/media/clip.py",
    "eval": "runs what it reads",
    "exec": "runs what it reads",
    "os.system": "hands a string to a shell",
    "pickle.load": "runs what it reads",
    "pickle.loads": "runs what it reads",
    "print": "one writer a program; see backend/command/say.py and tools/say.py",
}
BANNED_IMPORTS = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
"""Readers that run what they read."""

REGISTRY_HOSTS = ("pypi" + ".org", "python" + "hosted.org", "hugging" + "face.co", "download." + "pytorch.org")
"""Addresses are pip's setting on each machine, never this repository's."""
ADDRESSES = "backend/contract/addresses.py"
"""But for those that the product itself must reach, which stand here."""


def called_name(call: ast.Call) -> str:
    """Name what is called as far as it is written out: `cv2.imread`, `print`."""
    parts: list[str] = []
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""


def banned_calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called_name(node)
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name in BANNED_CALLS:
                yield f"line {node.lineno}: {name} {BANNED_CALLS[name]}"
            if keywords.get("shell") == "True":
                yield f"line {node.lineno}: {name} hands a string to a shell"
            if name == "torch.load" and keywords.get("weights_only") != "True":
                yield f"line {node.lineno}: torch.load without weights_only=True runs what it reads"
            if keywords.get("allow_pickle") == "True":
                yield f"line {node.lineno}: {name} with allow_pickle runs what it reads"


def banned_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (f"line {node.lineno}: {name} runs what it reads" for name in names if name in BANNED_IMPORTS)


def long_functions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION_LINES:
                yield f"line {node.lineno}: {node.name} has {lines} lines"


def long_file(tree: ast.Module) -> Iterator[str]:
    last = max((node.end_lineno or 0 for node in tree.body), default=0)
    if last > LONGEST_FILE_LINES:
        yield f"{last} lines"


@pytest.mark.parametrize("rule", [banned_calls, banned_imports, long_functions, long_file])
def test_no_source_file_breaks(
    rule: Callable[[ast.Module], Iterator[str]], sources: tuple[Path, ...], root: Path
) -> None:
    found = [
        f"{path.relative_to(root)}, {fault}"
        for path in sources
        for fault in rule(ast.parse(path.read_bytes()))
        if not (path.is_relative_to(root / "tests") and "cv2." in fault)  # there OpenCV is the independent truth
    ]
    assert found == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (banned_calls, "import cv2\ncv2.imread('a.png')"),
        (banned_calls, "import subprocess\nsubprocess.run('ls', shell=True)"),
        (banned_calls, "import torch\ntorch.load('a.pt')"),
        (banned_calls, "print('done')"),
        (banned_imports, "from pickle import loads"),
        (long_functions, "def f():\n" + "    x = 1\n" * 60),
        (long_file, "x = 1\n" * 401),
    ],
)
def test_each_rule_finds_its_fault(rule: Callable[[ast.Module], Iterator[str]], text: str) -> None:
    assert list(rule(ast.parse(text)))


def wide_excepts(path: Path) -> list[int]:
    """Lines that catch everything: `except Exception`, `except BaseException` or a bare `except`."""
    handlers = [node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ExceptHandler)]
    wide = (None, "Exception", "BaseException")
    return [node.lineno for node in handlers if (ast.unparse(node.type) if node.type else None) in wide]


@pytest.mark.parametrize("program", ["backend", "operators", "panels", "sequencer", "worker_client", "tools", "demo"])
def test_each_program_catches_everything_in_one_place_at_most(
    program: str, sources: tuple[Path, ...], root: Path
) -> None:
    found = [
        f"{path.relative_to(root)}:{line}"
        for path in sources
        if path.is_relative_to(root / program)
        for line in wide_excepts(path)
    ]
    assert len(found) <= 1, found


def test_every_file_of_code_names_its_licence(files: tuple[Path, ...], root: Path) -> None:
    bears = [path for path in files if path.suffix in BEARS_SPDX or path.name in ("Makefile", "run")]
    without = [path.relative_to(root) for path in bears if SPDX not in "".join(head(path))]
    assert without == []


def head(path: Path) -> list[str]:
    """Read the first three lines: a script's first is its interpreter."""
    return path.read_text(encoding="utf-8").splitlines()[:3]


def test_no_tracked_file_is_large(files: tuple[Path, ...], root: Path) -> None:
    large = {str(path.relative_to(root)): path.stat().st_size for path in files}
    assert {name: size for name, size in large.items() if size > LARGEST_FILE_BYTES} == {}


def test_no_file_names_a_folder_of_somebodys_machine(files: tuple[Path, ...], root: Path) -> None:
    private = re.compile(rb"(?<![\w.~/-])/(?:home|root|tmp|Users|work)/\w")
    found = [str(path.relative_to(root)) for path in files if private.search(path.read_bytes())]
    assert found == []


def test_no_file_names_the_address_of_a_registry(files: tuple[Path, ...], root: Path) -> None:
    text = {path: path.read_bytes().decode("utf-8", errors="ignore").lower() for path in files}
    found = {str(path.relative_to(root)) for path in files if any(host in text[path] for host in REGISTRY_HOSTS)}
    assert found == {ADDRESSES}
