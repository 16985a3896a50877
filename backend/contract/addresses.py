# SPDX-License-Identifier: GPL-3.0-or-later
"""Every public address that Understudy itself may reach, and only on somebody's click or command."""

from __future__ import annotations

TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""PyTorch's own index of builds without CUDA: the general index has those with it, several gigabytes large."""
