# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wan engine's own loop over a shot, with small random networks: for what does not hang on their size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.engines.wan.conditioning import WindowFrames
from backend.engines.wan.generate import Character, Drawing, Listener, Models, Recipe, describe
from backend.engines.wan.vae import Vae, VaeConfig
from backend.engines.wan.windows import Window, WindowPlan
from tests.engines.wan.peer_transformer import TINY, tiny_weights, transformer

SIZE_PX = 64
_PROMPTS = 2


class Nobody:
    """Listens and says nothing."""

    def check_stop(self) -> None:
        """Go on."""

    def stepped(self, window: Window, step: int, steps: int, latents: Tensor) -> None:
        """Hear nothing."""


class SmallJob:
    """A job whose character is described once and whose shot is noise."""

    def __init__(self, width_px: int = SIZE_PX, height_px: int = SIZE_PX, vae: Vae | None = None) -> None:
        self.size_px = width_px, height_px
        vae = (vae or Vae(VaeConfig(dim=16))).eval().requires_grad_(False)
        self.models = Models(transformer=transformer(tiny_weights(1)), vae=vae, device=torch.device("cpu"))

    def describe(self, recipe: Recipe) -> Character:
        """Compute what is the same in all windows."""
        texts = [torch.randn(17, TINY.text_dim) for _ in range(_PROMPTS)]
        opposite = texts[1] if recipe.guidance > 1 else None
        return describe(
            self.models, _noise(1, *self.size_px)[0], torch.randn(257, TINY.image_dim), texts[0], opposite, recipe
        )

    def draw(self, plan: WindowPlan, recipe: Recipe, listener: Listener | None = None) -> Iterator[Window]:
        """Draw a shot; frames are thrown away as soon as the next window has what it takes over."""
        drawing = Drawing(self.models, self.describe(recipe), recipe, listener or Nobody())
        for window, _ in drawing.windows(plan, self._frames_of):
            yield window

    def _frames_of(self, window: Window) -> WindowFrames:
        count, face_px = window.length_frames, TINY.face.picture_size_px
        return WindowFrames(pose=_noise(count, *self.size_px), faces=_noise(count, face_px, face_px), plate=None)


def _noise(frames: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
    return np.random.default_rng(frames).integers(0, 256, (frames, height_px, width_px, 3), np.uint8)
