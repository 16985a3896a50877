# SPDX-License-Identifier: GPL-3.0-or-later
"""What documents say is so: commands exist, links lead somewhere, every package has its reason."""

import re
from pathlib import Path

import pytest

from tools.commands import parser
from tools.locks import PLANS, wanted

TEST_COMMAND = "python3.11 -m tools test"
DEMO_COMMAND = "python3.11 -m tools demo"


def documents(files: tuple[Path, ...]) -> list[Path]:
    return [path for path in files if path.suffix == ".md"]


def test_ci_runs_the_readmes_test_command(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert TEST_COMMAND in readme and DEMO_COMMAND in readme
    assert f"exec {TEST_COMMAND}" in (root / ".ci" / "run").read_text(encoding="utf-8")


def test_every_command_that_is_named_exists(files: tuple[Path, ...], root: Path) -> None:
    named = [*documents(files), root / "Makefile", root / ".ci" / "run", root / ".pre-commit-config.yaml"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in named)
    words = set(re.findall(r"(?:python3\.11|\$\(PYTHON\)) -m tools ([a-z-]+)", text))
    commands = parser().parse_args  # argparse ends the process on a command that is not there
    assert {commands([word]).command for word in words} == words


def test_links_between_documents_lead_somewhere(files: tuple[Path, ...], root: Path) -> None:
    broken = [
        f"{document.relative_to(root)}: {target}"
        for document in documents(files)
        for target in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("plan", PLANS)
def test_every_package_that_is_asked_for_has_its_reason(plan: str, root: Path) -> None:
    reasons = (root / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert [pin for pin in wanted(PLANS[plan]) if pin.split("==")[0] not in reasons] == []
