# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shot's windows do beside their numbers: nothing twice, resumed to the same bits, stopped at once, heard of."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backend.contract.errors import StoppedError
from backend.engines.wan.conditioning import Frames, Plate, WindowFrames
from backend.engines.wan.generate import Drawing, Models, Recipe, describe
from backend.engines.wan.transformer import Faces
from backend.engines.wan.transformer import Window as Conditioned
from backend.engines.wan.vae import Vae, VaeConfig
from backend.engines.wan.windows import Window, WindowPlan, official_plan

from .peer_transformer import TINY, tiny_weights, transformer
from .vectors import weight

WIDTH_PX, HEIGHT_PX, SHOT_FRAMES, WINDOW_FRAMES = 32, 16, 11, 5
FACE_PX = TINY.face.picture_size_px
PLAN = official_plan(SHOT_FRAMES, 1, WINDOW_FRAMES)
RECIPE = Recipe(steps=2, seed=3)


class Diary:
    """Notes what it hears, and says to stop when it was asked so many times."""

    def __init__(self, last_check: int | None = None, log: list[str] | None = None) -> None:
        self.log = [] if log is None else log
        self.last_check = last_check
        self.steps: list[tuple[int, int, int]] = []
        self.previews: list[Tensor] = []

    def check_stop(self) -> None:
        self.log.append("asked")
        if self.log.count("asked") == self.last_check:
            raise StoppedError

    def stepped(self, window: Window, step: int, steps: int, latents: Tensor) -> None:
        self.steps.append((window.index, step, steps))
        self.previews.append(latents.clone())


@pytest.fixture
def models() -> Models:
    vae = Vae(VaeConfig(dim=4))
    vae.load_state_dict({key: weight(1, key, tuple(value.shape)) for key, value in vae.state_dict().items()})
    return Models(transformer=transformer(tiny_weights(1)), vae=vae, device=torch.device("cpu"))


def frames_of(window: Window, plan: WindowPlan = PLAN, *, mode: str = "replace") -> WindowFrames:
    """Noise, of which each frame of the shot has its own."""

    def noise(frame: int, *shape: int) -> np.ndarray:
        return np.random.default_rng(frame).integers(0, 256, shape, np.uint8)

    rows = plan.source_frames(window)
    size = HEIGHT_PX, WIDTH_PX
    plate = Plate(
        frames=np.stack([noise(row + 100, *size, 3) for row in rows]),
        region=np.stack([noise(row + 200, *size) for row in rows]),
    )
    return WindowFrames(
        pose=np.stack([noise(row, *size, 3) for row in rows]),
        faces=np.stack([noise(row + 300, FACE_PX, FACE_PX, 3) for row in rows]),
        plate=plate if mode == "replace" else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterInputs:
    """What a character is described by; `opposite` is the text that guidance leads away from."""

    reference: Frames
    image: Tensor
    text: Tensor
    opposite: Tensor


def character_inputs() -> CharacterInputs:
    generator = torch.Generator().manual_seed(5)
    image, text, opposite = (
        torch.randn(rows, channels, generator=generator)
        for rows, channels in ((257, TINY.image_dim), (9, TINY.text_dim), (12, TINY.text_dim))
    )
    reference = np.random.default_rng(6).integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    return CharacterInputs(reference=reference, image=image, text=text, opposite=opposite)


def drawing(models: Models, recipe: Recipe = RECIPE, listener: Diary | None = None) -> Drawing:
    given = character_inputs()
    opposite = given.opposite if recipe.guidance > 1 else None
    character = describe(models, given.reference, given.image, given.text, opposite, recipe)
    return Drawing(models, character, recipe, listener or Diary())


def all_windows(drawing: Drawing, plan: WindowPlan = PLAN, mode: str = "replace", **kwargs: Any) -> list[Tensor]:
    windows = drawing.windows(plan, lambda window: frames_of(window, plan, mode=mode), **kwargs)
    return [frames for _, frames in windows]


@pytest.mark.parametrize("overlap", [1, 5])
def test_a_shot_gone_on_with_at_any_window_is_the_same_to_the_bit(overlap: int, models: Models) -> None:
    plan = official_plan(19, overlap, 9)
    whole = all_windows(drawing(models), plan)
    assert len(whole) > 2
    for first in range(1, len(whole)):
        carried = whole[first - 1][:, -overlap:].clone()
        rest = all_windows(drawing(models), plan, first=first, before=carried)
        assert all(torch.equal(again, frames) for again, frames in zip(rest, whole[first:], strict=True))


def test_windows_depend_on_the_seed_and_on_the_window_before(models: Models) -> None:
    whole = all_windows(drawing(models))
    other = all_windows(drawing(models, replace(RECIPE, seed=4)))
    assert not torch.equal(whole[0], other[0])
    changed = all_windows(drawing(models), first=1, before=other[0])
    assert not torch.equal(whole[1], changed[0])


def test_a_later_window_is_not_drawn_without_the_one_before(models: Models) -> None:
    with pytest.raises(ValueError, match="window 1 goes on from 1 frames"):
        all_windows(drawing(models), first=1)


def calls(module: nn.Module, into: Counter[str], name: str) -> None:
    module.register_forward_hook(lambda *_: into.update([name]))


def test_nothing_is_computed_twice(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: Counter[str] = Counter()
    ours = models.transformer
    for name in ("text_embedding", "img_emb", "pose_patch_embedding", "motion_encoder", "face_encoder"):
        calls(getattr(ours, name), counted, name)
    for name in ("encode", "decode"):
        real = getattr(models.vae, name)
        monkeypatch.setattr(
            models.vae, name, lambda *args, real=real, name=name: (counted.update([name]), real(*args))[1]
        )
    for block in ours.blocks:
        for name in ("k", "v", "k_img", "v_img", "q"):
            calls(getattr(block.cross_attn, name), counted, f"cross {name}")
    all_windows(drawing(models, replace(RECIPE, guidance=2.0)))
    windows, both = len(PLAN.windows), 2
    evaluations = windows * both * RECIPE.steps * TINY.layers
    assert counted == {
        **dict.fromkeys(("text_embedding", "img_emb"), both),
        **{f"cross {name}": both * TINY.layers for name in ("k", "v", "k_img", "v_img")},
        "cross q": evaluations,
        **dict.fromkeys(("motion_encoder", "face_encoder"), windows + 1),
        "pose_patch_embedding": windows,
        "encode": 1 + 2 * windows,
        "decode": windows,
    }


def test_a_request_to_stop_is_heard_before_the_next_block_and_layer(models: Models) -> None:
    log: list[str] = []
    for layer in (*models.transformer.blocks, *models.vae.modules()):
        layer.register_forward_hook(lambda *_: log.append("done"))

    def draw_one(last_check: int | None = None) -> list[str]:
        shot = drawing(models, listener=Diary(last_check, log))
        log.clear()
        next(shot.windows(PLAN, frames_of))
        return list(log)

    whole = draw_one()
    assert whole.count("done") > RECIPE.steps * TINY.layers
    for last_check in range(1, whole.count("asked") + 1, 97):
        with pytest.raises(StoppedError):
            draw_one(last_check)
        assert log == whole[: len(log)]
        assert (log[-1], log.count("asked")) == ("asked", last_check)
    assert draw_one() == whole  # nothing is left behind that would ask twice, or for another shot


def test_each_step_is_told_with_what_the_frames_are_believed_to_be(models: Models) -> None:
    heard = Diary()
    frames = all_windows(drawing(models, listener=heard))
    assert heard.steps == [(window, step, 2) for window in range(len(PLAN.windows)) for step in (1, 2)]
    last = models.vae.decode(heard.previews[1])
    assert (last - frames[0]).abs().max() <= 1e-5  # the last step ends where it believes to be


def test_animate_mode_knows_no_frame_of_its_first_window(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    real = models.transformer.encode_window

    def encode_window(pose_latents: Tensor, condition: Tensor, faces: Faces) -> Conditioned:
        seen.append(condition)
        return real(pose_latents, condition, faces)

    monkeypatch.setattr(models.transformer, "encode_window", encode_window)
    all_windows(drawing(models), mode="animate")
    masks = [y[:4, 1:] for y in seen]
    assert not masks[0].any()
    assert masks[1][:, 0].eq(1).all()
    assert not masks[1][:, 1:].any()
