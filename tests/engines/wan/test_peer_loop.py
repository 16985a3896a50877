# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole shots of three windows against a loop built from diffusers' transformer, VAE and solvers.

The loop's conditions are the official system's, written here a second time, frame by frame.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler, UniPCMultistepScheduler
from torch import Tensor

from backend.engines.wan.generate import Models, Recipe, noises
from backend.engines.wan.sampler import SolverName, grid
from backend.engines.wan.vae import Vae, VaeConfig
from backend.engines.wan.windows import WindowPlan, official_plan

from .peer_encoders import draw, peer_decode, peer_encode, peer_vae
from .peer_transformer import Inputs, peer, peer_velocity, tiny_weights, transformer
from .test_drawing import HEIGHT_PX, WIDTH_PX, CharacterInputs, all_windows, character_inputs, drawing, frames_of

SMALL = VaeConfig(dim=8)
TOLERANCE = 2e-5
"""Frames; diffusers' embedding of time is in float32, and the chain carries that on."""


class PeerLoop:
    """The official loop, of diffusers' parts."""

    def __init__(self, given: CharacterInputs, recipe: Recipe, mode: str) -> None:
        self.transformer = peer(tiny_weights(1))
        self.vae = peer_vae(SMALL, draw(Vae(SMALL), seed=1))
        self.given, self.recipe, self.mode = given, recipe, mode

    def encode(self, frames: Tensor) -> Tensor:
        return peer_encode(self.vae, SMALL, frames)

    def windows(self, plan: WindowPlan) -> Iterator[Tensor]:
        before: Tensor | None = None
        noise = noises(plan, WIDTH_PX, HEIGHT_PX, self.recipe.seed)
        for window, x in zip(plan.windows, noise, strict=True):
            frames = frames_of(window, plan, mode=self.mode)
            video, mask = self.known(frames, before, window.carried_frames)
            shown = self.shown(pixels(frames.pose), pixels(frames.faces), video, mask)
            before = peer_decode(self.vae, SMALL, self.sampled(x, shown)[:, 1:])
            yield before

    def known(self, frames: Any, before: Tensor | None, carried: int) -> tuple[Tensor, Tensor]:
        """What is to be encoded, and 1 for each pixel frame and latent pixel that is known."""
        video = torch.zeros(3, len(frames.pose), HEIGHT_PX, WIDTH_PX)
        mask = torch.zeros(len(frames.pose), HEIGHT_PX // 8, WIDTH_PX // 8)
        if frames.plate is not None:
            video = pixels(frames.plate.frames)
            drawn = torch.from_numpy(frames.plate.region).float()[None] / 255
            mask = 1 - torch.nn.functional.interpolate(drawn, mask.shape[1:], mode="nearest")[0]
        for frame in range(carried):
            assert before is not None
            video[:, frame] = before[:, frame - carried]
            mask[frame] = 1
        return video, mask

    def shown(self, pose: Tensor, faces: Tensor, video: Tensor, mask: Tensor) -> Inputs:
        latents = torch.cat([self.encode(pixels(self.given.reference[None])), self.encode(video)], dim=1)
        packed = torch.ones(4, *latents.shape[1:])
        for frame in range(latents.shape[1] - 1):
            for channel in range(4):
                packed[channel, frame + 1] = mask[max(4 * frame + channel - 3, 0) if frame else 0]
        condition = torch.cat([packed, latents])
        text, image = self.given.text, self.given.image
        return Inputs(x=condition, condition=condition, pose=self.encode(pose), faces=faces, text=text, image=image)

    def sampled(self, x: Tensor, shown: Inputs) -> Tensor:
        steps = grid(self.recipe.solver, self.recipe.steps, self.recipe.shift)
        flow: dict[str, Any] = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 1.0}
        scheduler = (
            UniPCMultistepScheduler(**flow)
            if self.recipe.solver is SolverName.UNIPC
            else DPMSolverMultistepScheduler(**flow, algorithm_type="dpmsolver++", final_sigmas_type="zero")
        )
        scheduler.set_timesteps(self.recipe.steps)
        scheduler.sigmas = torch.tensor(steps.sigmas)
        for timestep, theirs in zip(steps.timesteps, scheduler.timesteps, strict=True):
            velocity = peer_velocity(self.transformer, replace(shown, x=x), timestep)
            if self.recipe.guidance > 1:
                nobody = replace(shown, x=x, text=self.given.opposite, faces=torch.full_like(shown.faces, -1))
                opposite = peer_velocity(self.transformer, nobody, timestep)
                velocity = opposite + self.recipe.guidance * (velocity - opposite)
            x = scheduler.step(velocity, theirs, x, return_dict=False)[0]
        return x


def pixels(frames: np.ndarray) -> Tensor:
    return torch.from_numpy(frames).permute(3, 0, 1, 2) / 127.5 - 1


@pytest.mark.parametrize("solver", list(SolverName))
@pytest.mark.parametrize(
    ("mode", "overlap", "guidance"), [("replace", 1, 1.0), ("replace", 5, 1.0), ("animate", 5, 2.5)]
)
def test_a_shot_is_that_of_diffusers_parts(mode: str, overlap: int, guidance: float, solver: SolverName) -> None:
    recipe = Recipe(solver=solver, steps=3, seed=11, guidance=guidance)
    plan = official_plan(19 if overlap == 1 else 25, overlap, 9 if overlap == 1 else 13)
    assert len(plan.windows) == 3
    vae = Vae(SMALL)
    draw(vae, seed=1)
    models = Models(transformer=transformer(tiny_weights(1)), vae=vae, device=torch.device("cpu"))
    ours = all_windows(drawing(models, recipe), plan, mode=mode)
    for index, theirs in enumerate(PeerLoop(character_inputs(), recipe, mode).windows(plan)):
        assert (ours[index] - theirs).abs().max() <= TOLERANCE, index
