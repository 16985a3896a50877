# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole shots against the official system's frames: both modes and overlaps, guidance, and its rounding."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backend.engines.wan.conditioning import Plate, WindowFrames, signed
from backend.engines.wan.generate import Drawing, Models, Recipe, describe, noises
from backend.engines.wan.image import ImageConfig, ImageEncoder
from backend.engines.wan.reference import letterboxed
from backend.engines.wan.sampler import SolverName
from backend.engines.wan.text import TextConfig, TextEncoder
from backend.engines.wan.vae import Vae, VaeConfig
from backend.engines.wan.windows import Window, WindowPlan, official_plan

from .test_transformer_golden import small_model
from .vectors import cases, faces, load, weights

TOLERANCE = {"float32": 2e-5, "bfloat16": 1e-3}
"""Frames; where pixels are rounded to bfloat16, one that falls to the other side moves more."""


class Nobody:
    """Listens and says nothing."""

    def check_stop(self) -> None:
        pass

    def stepped(self, window: Window, step: int, steps: int, latents: Tensor) -> None:
        pass


class Remembering(nn.Module):
    """Looks at each picture once: all cases share their faces, and the motion encoder is as large as the real one."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.seen: dict[bytes, Tensor] = {}

    def forward(self, pictures: Tensor) -> Tensor:
        for picture in pictures:
            key = picture.numpy().tobytes()
            if key not in self.seen:
                self.seen[key] = self.encoder(picture[None])
        return torch.cat([self.seen[picture.numpy().tobytes()] for picture in pictures])


class Networks:
    """The small models of all cases."""

    def __init__(self) -> None:
        self.vae = Vae(VaeConfig(dim=16))
        self.text = TextEncoder(TextConfig(vocabulary=300, dim=64, dim_attention=64, dim_ffn=128, heads=4, layers=3))
        self.image = ImageEncoder(ImageConfig(layers=3))
        self.vae.load_state_dict(weights("vae_tiny", 1))
        self.text.load_state_dict(weights("t5_tiny", 1))
        self.image.load_state_dict(weights("clip_short", 1))
        transformer = small_model(1)
        transformer.add_module("motion_encoder", Remembering(transformer.motion_encoder))
        self.drawing = Models(transformer=transformer, vae=self.vae, device=torch.device("cpu"))

    def read(self, ids: Tensor) -> Tensor:
        return torch.as_tensor(self.text(ids[0], (ids[0] != 0).long()))


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks()


def frames_of(inputs: dict[str, Tensor], plan: WindowPlan, window: Window, mode: str) -> WindowFrames:
    rows = plan.source_frames(window)
    face = faces(inputs["in.face_small"][rows].movedim(-1, 1)).movedim(1, -1)
    plate = Plate(frames=inputs["in.background"][rows].numpy(), region=inputs["in.mask"][rows].numpy())
    pose = inputs["in.pose"][rows].numpy()
    return WindowFrames(pose=pose, faces=face.numpy(), plate=plate if mode == "replace" else None)


def drawing_of(networks: Networks, inputs: dict[str, Tensor], facts: dict[str, Any]) -> Drawing:
    recipe = Recipe(
        solver=SolverName(facts["solver"]),
        steps=facts["steps"],
        shift=facts["shift"],
        guidance=facts["guide_scale"],
        seed=facts["noise_seed"],
        precision=getattr(torch, facts["interfaces"]),
    )
    reference = letterboxed(inputs["in.reference"].numpy(), facts["width"], facts["height"])
    image = networks.image(networks.image.preprocess(signed(reference[None], recipe.precision)[:, 0]))
    opposite = networks.read(inputs["in.ids_negative"]) if recipe.guidance > 1 else None
    text = networks.read(inputs["in.ids_positive"])
    character = describe(networks.drawing, reference, image, text, opposite, recipe)
    return Drawing(networks.drawing, character, recipe, Nobody())


@pytest.mark.parametrize("case", [case for case in cases("loop/*") if case != "loop/inputs"])
def test_a_shot_is_the_official_one(case: str, networks: Networks) -> None:
    official, facts = load(case)
    inputs = load("loop/inputs")[0]
    plan = official_plan(facts["frames"], facts["overlap"], facts["window"])
    for noise, window in zip(
        noises(plan, facts["width"], facts["height"], facts["noise_seed"]), plan.windows, strict=True
    ):
        assert torch.equal(noise, official[f"in.noise_{window.index}"])
    drawing = drawing_of(networks, inputs, facts)
    shot = torch.empty_like(official["out.frames"])
    for window, drawn in drawing.windows(plan, lambda window: frames_of(inputs, plan, window, facts["mode"])):
        new = plan.delivered(window)
        shot[:, new.start : new.stop] = drawn[:, window.carried_frames :][:, : len(new)]
    assert (shot - official["out.frames"]).abs().max() <= TOLERANCE[facts["interfaces"]]
