# SPDX-License-Identifier: GPL-3.0-or-later
"""What opening the Wan engine's files takes: memory of every kind of file, and time until the first block is there.

`python -m benchmarks.wan_opening FILE SMALL_FILE` prints the memory that opening and reading a file takes, for a
process of its own: libraries are loaded and warmed with a small file before that.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from safetensors import safe_open

from backend.engines.wan.keys import DitSizes, Kind
from backend.engines.wan.memory import step_parts
from backend.engines.wan.weights import open_checkpoint

from .bench import Bench
from .resident import peak_bytes
from .table import Row

_ROOT = Path(__file__).resolve().parents[1]
_SIZES = DitSizes(dim=1024, ffn_dim=2816, layers=10)
_QUICK_SIZES = DitSizes(dim=256, ffn_dim=512, layers=10)
_BLOCK_SIZES = DitSizes(dim=2560, ffn_dim=6912, layers=5)
_WAYS = ("native", "repackaged", "scaled fp8", "GGUF Q8_0", "in parts")
_GOAL_MEMORY, _GOAL_TIME = 0.15, 3.0
_ROUNDS = 5


def rows(bench: Bench) -> Iterator[Row]:
    """Yield rows: anonymous memory while opening and reading each kind of file, and the time to the first block."""
    small = _write(bench.folder("opening_small"), "native", _QUICK_SIZES)
    for way in _WAYS:
        path = _write(bench.folder("opening"), way, _QUICK_SIZES if bench.is_quick else _SIZES)
        size = sum(file.stat().st_size for file in open_checkpoint(path, Kind.DIT).files)
        said = subprocess.run(
            [sys.executable, "-m", "benchmarks.wan_opening", str(path), str(small)],
            check=True,
            capture_output=True,
            text=True,
            cwd=_ROOT,
        )
        share = int(said.stdout) / size
        on = f"{way}, {size / 1e6:.0f} MB, all tensors read as bfloat16"
        yield Row(
            "anonymous memory at its peak, to the file",
            on,
            f"{share:.3f}",
            f"at most {_GOAL_MEMORY}",
            share <= _GOAL_MEMORY,
        )
    yield _first_block(bench)


def _write(folder: Path, way: str, sizes: DitSizes) -> Path:
    from tests.engines.wan import checkpoints  # its libraries would count in the process that is measured

    content = {key: torch.full(shape, 0.5, dtype=torch.bfloat16) for key, shape in sizes.table().items()}
    path = folder / "model.safetensors"
    match way:
        case "in parts":
            return checkpoints.write_shards(folder, content, parts=4)
        case "GGUF Q8_0":
            checkpoints.write_gguf(path.with_suffix(".gguf"), content, "Q8_0")
            return path.with_suffix(".gguf")
        case "scaled fp8":
            content = checkpoints.in_scaled_fp8(content)
        case "repackaged":
            content = checkpoints.prefixed(content)
    return checkpoints.write_safetensors(path, content)


def _first_block(bench: Bench) -> Row:
    """Time opening a cached file until its first block lies in memory, beside reading that block's bytes alone."""
    sizes = _QUICK_SIZES if bench.is_quick else _BLOCK_SIZES
    path = _write(bench.folder("opening"), "native", sizes)
    keys = step_parts(sizes)[0].keys
    buffers = {key: torch.empty(sizes.table()[key], dtype=torch.bfloat16) for key in keys}

    def ours() -> None:
        opened = open_checkpoint(path, Kind.DIT)
        for key in keys:
            buffers[key].copy_(opened.tensor(key, torch.bfloat16))

    def bare() -> None:
        with safe_open(path, "pt") as file:
            for key in keys:
                buffers[key].copy_(file.get_tensor(key))

    times = [(_wall_s(ours), _wall_s(bare)) for _ in range(_ROUNDS + 1)][1:]
    ratio = statistics.median(own / other for own, other in times)
    own_s, other_s = (statistics.median(side) for side in zip(*times, strict=True))
    nbytes = sum(buffer.nbytes for buffer in buffers.values())
    on = f"{path.stat().st_size / 1e9:.1f} GB file in the cache, block of {nbytes / 1e6:.0f} MB, beside safetensors"
    measured = f"{ratio:.2f}: {own_s * 1e3:.0f} ms to {other_s * 1e3:.0f} ms"
    return Row(
        "open a file until its first block is there", on, measured, f"at most {_GOAL_TIME:g}", ratio <= _GOAL_TIME
    )


def _wall_s(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _read(path: Path) -> float:
    opened = open_checkpoint(path, Kind.DIT)
    return sum(float(opened.tensor(key, torch.bfloat16).sum()) for key in opened.tensors)


if __name__ == "__main__":
    large, warm = map(Path, sys.argv[1:])
    _read(warm)
    sys.stdout.write(f"{peak_bytes(lambda: _read(large))}\n")
