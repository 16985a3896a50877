# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot drawn window after window: from drawn figures, faces and the plate to frames.

What depends on the character alone is computed once a job (`describe`), what depends on a window once a window, and the
solver's steps call nothing but the transformer's blocks. Each window but the first takes over the last frames of the
one before, so a shot may be gone on with at any window, given those frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from .conditioning import Frames, WindowFrames, conditions, rounded, signed
from .sampler import SolverName, grid, guided, solver_for
from .tiny_vae import TinyVae
from .transformer import Context, Faces, Transformer
from .transformer import Window as Conditioned
from .vae import GROUP_FRAMES, SCALE_PX, Vae
from .windows import OVERLAPS, Window, WindowPlan

LATENT_CHANNELS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a shot is drawn, beside what it is drawn from.

    guidance: above 1, faces are followed more strongly, at twice the cost. precision: to which pixels, masks and
    conditions are rounded; the official system takes bfloat16, float32 loses nothing from window to window.
    """

    solver: SolverName = SolverName.UNIPC
    steps: int = 20
    shift: float = 5.0
    guidance: float = 1.0
    seed: int = 0
    precision: torch.dtype = torch.float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The networks that every window needs.

    strips: into how many the VAE cuts a picture to fit the memory. tiny_vae: for previews, where there is one.
    """

    transformer: Transformer
    vae: Vae
    device: torch.device
    strips: int = 1
    tiny_vae: TinyVae | None = None

    def encode(self, frames: Tensor) -> Tensor:
        """Encode frames `3 t h w` in -1..1 to latents `16 f h w`."""
        return self.vae.encode(frames, self.strips)

    @contextmanager
    def asking(self, stop: Callable[[], None]) -> Iterator[None]:
        """Have `stop` asked while the networks work."""
        before, self.transformer.stop = self.transformer.stop, stop
        hooks = [layer.register_forward_pre_hook(lambda *_: stop()) for layer in self.vae.modules()]
        try:
            yield
        finally:
            self.transformer.stop = before
            for hook in hooks:
                hook.remove()


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """Who is drawn. latents: `16 1 h w` of the picture. opposite: what guidance leads away from, None without it."""

    latents: Tensor
    context: Context
    opposite: Context | None


class Listener(Protocol):
    """Hears how far a shot is, and says when to stop."""

    def check_stop(self) -> None:
        """Raise StoppedError when the job was asked to stop; called before every block and every layer of the VAE."""

    def stepped(self, window: Window, step: int, steps: int, latents: Tensor) -> None:
        """Hear that `step` of `steps` is done. latents: what the frames are believed to be by now, `16 f h w`."""


@torch.inference_mode()
def describe(
    models: Models, reference: Frames, image: Tensor, text: Tensor, opposite_text: Tensor | None, recipe: Recipe
) -> Character:
    """Compute what is the same in all windows.

    reference: the character's picture, letterboxed to the result's size, `h w 3`. image: what the image tower says of
    it, `257 1280`. text, opposite_text: rows of the text encoder; the second is for guidance.
    """
    transformer, seen = models.transformer, rounded(image, recipe.precision).to(models.device)
    return Character(
        latents=models.encode(signed(reference[None], recipe.precision)),
        context=transformer.encode_context(text.to(models.device), seen),
        opposite=None if opposite_text is None else transformer.encode_context(opposite_text.to(models.device), seen),
    )


def noises(plan: WindowPlan, width_px: int, height_px: int, seed: int) -> Iterator[Tensor]:
    """Draw each window's noise `16 f+1 h w` in turn, on the processor, so that it is the same for any device."""
    generator = torch.Generator("cpu").manual_seed(seed)
    for window in plan.windows:
        latent_frames = (window.length_frames - 1) // GROUP_FRAMES + 2
        size = LATENT_CHANNELS, latent_frames, height_px // SCALE_PX, width_px // SCALE_PX
        yield torch.randn(size, generator=generator)


class Drawing:
    """Draws the windows of one shot."""

    def __init__(self, models: Models, character: Character, recipe: Recipe, listener: Listener) -> None:
        self._models, self._character = models, character
        self._recipe, self._listener = recipe, listener
        self._no_faces: dict[int, Faces] = {}

    @torch.inference_mode()
    def window(self, window: Window, frames: WindowFrames, before: Tensor | None, noise: Tensor) -> Tensor:
        """Draw one window: frames `3 t h w` in -1..1, of which the first show again what was carried.

        before: the window before, or of it the last `window.carried_frames`; None in the first window.
        """
        models, carried = self._models, _carried(window, before)
        with models.asking(self._listener.check_stop):
            latents = self._sampled(window, self._ways(frames, carried), noise.to(models.device))
            return models.vae.decode(latents.cpu(), models.strips)

    def windows(
        self,
        plan: WindowPlan,
        frames_of: Callable[[Window], WindowFrames],
        first: int = 0,
        before: Tensor | None = None,
    ) -> Iterator[tuple[Window, Tensor]]:
        """Draw the windows from number `first` on, each with its frames as `window` gives them.

        before: as for `window`, of the window before `first`; the same to the bit, or the shot won't be.
        """
        height, width = (SCALE_PX * length for length in self._character.latents.shape[2:])
        for window, noise in zip(plan.windows, noises(plan, width, height, self._recipe.seed), strict=True):
            if window.index >= first:
                drawn = self.window(window, frames_of(window), before, noise)
                before = drawn[:, -max(OVERLAPS) :].clone()  # not a view, which would keep all of the window
                yield window, drawn

    def _ways(self, frames: WindowFrames, carried: Tensor | None) -> list[tuple[Context, Conditioned]]:
        """Compute what each step shows the transformer: the window as it is, and what guidance leads away from."""
        models, character, precision = self._models, self._character, self._recipe.precision
        y = conditions(character.latents, frames, carried, models.encode, precision).to(models.device)
        latents = models.encode(signed(frames.pose, precision)).to(models.device)
        faces = models.transformer.encode_faces(signed(frames.faces, precision).to(models.device))
        seen = models.transformer.encode_window(latents, y, faces)
        ways = [(character.context, seen)]
        if character.opposite is not None:
            ways.append((character.opposite, replace(seen, faces=self._faces_of_nobody(len(frames.faces)))))
        return ways

    def _faces_of_nobody(self, count: int) -> Faces:
        """Give what black pictures offer in the faces' place; the same in all windows of a length."""
        if count not in self._no_faces:
            transformer = self._models.transformer
            black = torch.full((3, 1, *[transformer.config.face.picture_size_px] * 2), -1.0, device=self._models.device)
            self._no_faces[count] = transformer.encode_faces(black.expand(-1, count, -1, -1))
        return self._no_faces[count]

    def _sampled(self, window: Window, ways: list[tuple[Context, Conditioned]], x: Tensor) -> Tensor:
        """Go from noise to latents; the first latent frame, the reference's, is dropped."""
        steps = grid(self._recipe.solver, self._recipe.steps, self._recipe.shift)
        solver = solver_for(self._recipe.solver, steps)
        for index, timestep in enumerate(steps.timesteps):
            velocity, *opposite = (self._models.transformer(x, timestep, *way) for way in ways)
            if opposite:
                velocity = guided(velocity, opposite[0], self._recipe.guidance)
            believed = x - steps.sigmas[index] * velocity
            x = solver.step(velocity, x)
            self._listener.stepped(window, index + 1, self._recipe.steps, believed[:, 1:])
        return x[:, 1:]


def _carried(window: Window, before: Tensor | None) -> Tensor | None:
    count = window.carried_frames
    if not count:
        return None
    if before is None or before.shape[1] < count:
        raise ValueError(f"window {window.index} goes on from {count} frames of the one before")
    return before[:, -count:]
