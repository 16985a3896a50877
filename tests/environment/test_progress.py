# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a folder is summed up while another process writes and deletes there."""

from __future__ import annotations

import shutil
from pathlib import Path

from backend.environment.progress import sizes_below


def test_files_are_counted_and_links_are_not(tmp_path: Path) -> None:
    (tmp_path / "in" / "side").mkdir(parents=True)
    for place, size in (("one", 1), ("in/two", 2), ("in/side/four", 4)):
        (tmp_path / place).write_bytes(bytes(size))
    (tmp_path / "link").symlink_to("in/two")
    (tmp_path / "folder_link").symlink_to("in")
    assert sorted(sizes_below(tmp_path)) == [1, 2, 4]


def test_folders_that_go_while_they_are_walked_count_for_nothing(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
        (folder / "file").write_bytes(bytes(4))
    sizes = sizes_below(tmp_path)
    assert next(sizes) == 4  # of whichever comes first: both are known by now, and one was not looked into yet
    for folder in folders:
        shutil.rmtree(folder)
    assert list(sizes) == []


def test_a_file_that_goes_before_it_is_measured_counts_for_nothing(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one", "other")]
    for file in files:
        file.write_bytes(bytes(4))
    sizes = sizes_below(tmp_path)
    assert next(sizes) == 4
    for file in files:
        file.unlink()
    assert list(sizes) == []
