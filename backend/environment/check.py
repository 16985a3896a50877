# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell whether the Python that runs this has what the Wan engine imports, and on what it would compute."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from .errors import PackagesMissingError, TorchBrokenError

_NEEDED = ("torch", "einops", "sentencepiece", "ftfy", "gguf", "numpy", "cv2", "mediapipe", "safetensors")


def describe() -> str:
    """Word this Python's torch and what it computes on. Raises PackagesMissingError, TorchBrokenError."""
    missing = tuple(name for name in _NEEDED if find_spec(name) is None)
    if missing:
        raise PackagesMissingError(Path(sys.executable), missing)
    try:
        import torch  # the Wan engine's environments alone have it, and it takes seconds
    except (ImportError, OSError) as error:
        raise TorchBrokenError(Path(sys.executable), str(error)) from error
    version = torch.__version__.partition("+")[0]
    if torch.cuda.is_available():
        return f"torch {version}, CUDA {torch.version.cuda}, {torch.cuda.get_device_name()}"
    if torch.version.cuda:
        return f"torch {version}, CUDA {torch.version.cuda}, but no NVIDIA card that it can use: on the processor"
    return f"torch {version}, on the processor"
