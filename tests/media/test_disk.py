# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.contract.disk import (
    DiskFullError,
    FolderReadOnlyError,
    PathTooLongError,
    as_artist_error_or_none,
    disk_errors,
)
from backend.contract.watch import Unwatched
from backend.media.deliver import deliver
from backend.media.sequence import SequenceWriter

from .test_deliver import job_of, layers_of, making_of


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    (tmp_path / "000000.png").symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match=str(tmp_path)), disk_errors(tmp_path), SequenceWriter(tmp_path) as writer:
        writer.write(0, np.zeros((64, 64, 3), np.uint8))


def test_a_name_too_long_for_the_file_system_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(PathTooLongError):
        deliver(layers_of(tmp_path / "layers", 1), job_of(), tmp_path / ("a" * 300), making_of(1), Unwatched())


def test_other_errors_stay_what_they_are() -> None:
    assert as_artist_error_or_none(FileNotFoundError(2, "No such file")) is None
    assert as_artist_error_or_none(ValueError()) is None
    with pytest.raises(FileNotFoundError), disk_errors(Path()):
        Path("/not/there").read_bytes()


@pytest.mark.skipif(not Path("/sys/kernel").exists(), reason="this system has no /sys, where nobody may write")
def test_a_folder_where_nobody_may_write_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(FolderReadOnlyError, match="/sys"):
        deliver(layers_of(tmp_path / "layers", 1), job_of(), Path("/sys/understudy"), making_of(1), Unwatched())
