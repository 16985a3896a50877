# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of a models folder on this machine's device, in an order that keeps as little in memory as goes.

The text encoder and the image tower are needed once a job and leave before the transformer comes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from ...contract.errors import UnderstudyError
from ...contract.job import Mode
from .attention import attend_by
from .budget import Work, living_bytes, text_living_bytes
from .conditioning import signed
from .eight_bit import require_card
from .eight_bit_weights import in_eight_bits
from .generate import Models
from .keys import DitSizes, ImageSizes, Kind, TextSizes, VaeSizes
from .lora import open_lora, unmatched_keys, with_loras
from .memory import BudgetTooSmallError, Weights
from .models import ModelsFolder, Role, check_models
from .networks import (
    transformer_config,
    unfilled_image_encoder,
    unfilled_text_encoder,
    unfilled_tiny_vae,
    unfilled_transformer,
    unfilled_vae,
)
from .reference import RGB8
from .residence import Needs, Residence, memory_bytes, needs
from .settings import Precision, WanSettings
from .text import NEGATIVE_PROMPT, PROMPT, TextEncoder, Tokenizer
from .tiny_vae import TinyVae
from .transformer import TransformerConfig
from .vae import ClipSize, Vae, VaeConfig, peak_bytes, strips_within
from .weights import Checkpoint, open_checkpoint

_DEVICES = ("cpu", "cuda", "mps")
"""Of these Apple's Metal was never run: it is used only where it is asked for."""
_VAE_SHARE = 4
"""The VAE may take one part in so many of the memory, or as much as a step's activations if that is more."""
_EMBEDDING = "token_embedding.weight"
"""Of the text encoder: it stays in the computer's memory where blocks are streamed."""
_DTYPES = {
    Precision.BF16: torch.bfloat16,
    Precision.FP16: torch.float16,
    Precision.FP32: torch.float32,
    Precision.FP8: torch.bfloat16,
}


class DeviceMissingError(UnderstudyError):
    """A device is asked for that torch does not have here."""

    hint = "Set the device to auto, or install a torch that was built for the card."

    def __init__(self, name: str, said: str) -> None:
        super().__init__(f"The device {name!r} can't be used: {said}")
        self.name = name


def device_of(settings: WanSettings) -> torch.device:
    """Choose the device: a CUDA card, else the processor. Raises DeviceMissingError."""
    if settings.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(settings.device)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise DeviceMissingError(settings.device, str(error).splitlines()[0]) from error
    if device.type not in _DEVICES:
        raise DeviceMissingError(settings.device, "the engine runs on CUDA, on the processor, and perhaps on mps")
    return device


def dtype_of(settings: WanSettings, device: torch.device) -> torch.dtype:
    """Choose the numbers to compute in: the processor is as fast in float32, and older cards lack bfloat16.

    Raises EightBitUnavailableError where the device lacks what was asked for.
    """
    if settings.precision is Precision.FP8:
        require_card(device)
    if settings.precision is not Precision.AUTO:
        return _DTYPES[settings.precision]
    if device.type == "cpu":
        return torch.float32
    has_bfloat16 = device.type == "mps" or torch.cuda.is_bf16_supported()
    return torch.bfloat16 if has_bfloat16 else torch.float16


def numbers_text(settings: WanSettings, dtype: torch.dtype) -> str:
    """Word in which numbers the networks compute."""
    return f"{dtype}, its large products in fp8" if settings.precision is Precision.FP8 else str(dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How a device's memory is shared out while windows are drawn.

    strips: into how many the VAE cuts a picture. other_bytes: of what is no weights of the transformer. left_bytes: of
    what may be used, for these. needs: what they need.
    """

    strips: int
    other_bytes: int
    left_bytes: int
    needs: Needs

    @property
    def peak_bytes(self) -> int:
        """What is used at most, or would be where it does not fit."""
        return self.other_bytes + min(self.needs.whole_bytes, max(self.left_bytes, self.needs.least_bytes))

    def require(self) -> None:
        """Raise BudgetTooSmallError unless the weights' least is left for them."""
        if self.left_bytes < self.needs.least_bytes:
            raise BudgetTooSmallError(self.left_bytes, self.needs.least_bytes)


class Networks:
    """The networks for one job.

    Raises, before anything is loaded, ModelsMissingError, EightBitUnavailableError, and what opening files raises.
    """

    def __init__(self, settings: WanSettings, mode: Mode) -> None:
        self._settings, self._folder = settings, folder_of(settings)
        self._folder.require()
        self.device = device_of(settings)
        self.dtype = dtype_of(settings, self.device)
        self._dit, self._vae = self._open(Role.DIT, Kind.DIT), self._open(Role.VAE, Kind.VAE)
        self.transformer_config, self.vae_config = _config_of(self._dit), _vae_config_of(self._vae)
        self._budget_bytes = memory_bytes(self.device, settings.memory_gb)
        self._attend = attend_by(settings.attention)
        self._loras = [(open_lora(path), strength) for path, strength in _loras(self._folder, settings, mode)]
        carrying = in_eight_bits if settings.precision is Precision.FP8 else with_loras
        self._carrying = carrying(self._dit, self._loras)

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that the result depends on."""
        paths = [self._folder.chosen[role].path for role in (Role.TEXT, Role.TOKENIZER, Role.IMAGE)]
        loras = [lora.path for lora, _ in self._loras]
        return tuple(dict.fromkeys([*paths, *self._dit.files, *self._vae.files, *loras]))

    def texts(self, *, with_negative: bool) -> list[Tensor]:
        """Give the rows of the text encoder, `n dim`, for the prompt, and for what guidance leads away from."""
        checkpoint = self._open(Role.TEXT, Kind.TEXT)
        encoder = unfilled_text_encoder(cast(TextSizes, checkpoint.sizes))
        file = self._folder.chosen[Role.TOKENIZER]
        tokenizer = Tokenizer.load(file.path if checkpoint.tokenizer is None else checkpoint.tokenizer)
        prompts = [PROMPT, NEGATIVE_PROMPT] if with_negative else [PROMPT]
        with self._at_hand(checkpoint, encoder):
            return [encoder(*tokenizer.encode(prompt)).cpu() for prompt in prompts]

    def look(self, letterboxed: RGB8) -> Tensor:
        """Give what the image tower says of the character's letterboxed picture, `257 dim`."""
        checkpoint = self._open(Role.IMAGE, Kind.IMAGE)
        encoder = unfilled_image_encoder(cast(ImageSizes, checkpoint.sizes))
        device = self._load(checkpoint, encoder, self.dtype)
        with torch.inference_mode():
            seen: Tensor = encoder(encoder.preprocess(signed(letterboxed[None])[:, 0]).to(device))
        return seen.float().cpu()

    def shares(self, work: Work) -> Shares:
        """Share the memory out. Raises VideoTooLargeError.

        The VAE, which works while the transformer's weights lie there, is cut into strips that take no more than a
        step's activations or a share of the memory; weights get what is left.
        """
        vae_bytes = _bytes_of(unfilled_vae(cast(VaeSizes, self._vae.sizes)))
        if self._has_tiny_vae:
            vae_bytes += _bytes_of(unfilled_tiny_vae().to(self.dtype))
        living = living_bytes(work, self.transformer_config, self.dtype)
        size = ClipSize(frames=max(work.windows), height_px=work.height_px, width_px=work.width_px)
        most_bytes = max(living, (self._budget_bytes - vae_bytes) // _VAE_SHARE)
        strips = strips_within(most_bytes, size, torch.float32, self.vae_config)
        other_bytes = vae_bytes + max(living, peak_bytes(size, torch.float32, strips, self.vae_config))
        left_bytes, needed = self._budget_bytes - other_bytes, needs(self._carrying, self.dtype)
        return Shares(strips=strips, other_bytes=other_bytes, left_bytes=left_bytes, needs=needed)

    def models(self, work: Work) -> Models:
        """Load transformer and VAE, the LoRAs put into the first. The VAE computes in float32, as it was released.

        Raises BudgetTooSmallError, VideoTooLargeError.
        """
        checkpoint, shares = self._carrying, self.shares(work)
        transformer, vae = unfilled_transformer(cast(DitSizes, checkpoint.sizes)), self._filled_vae()
        transformer.attend = self._attend
        residence = Residence(transformer, checkpoint, self.dtype, self.device, shares.left_bytes)
        transformer.before = residence.before
        return Models(
            transformer=transformer.eval(),
            vae=vae,
            device=self.device,
            strips=shares.strips,
            tiny_vae=self._tiny_vae() if self._has_tiny_vae else None,
        )

    def _filled_vae(self) -> Vae:
        vae = unfilled_vae(cast(VaeSizes, self._vae.sizes))
        self._load(self._vae, vae, torch.float32)
        return vae

    @property
    def _has_tiny_vae(self) -> bool:
        return Role.TINY_VAE in self._folder.chosen

    def _tiny_vae(self) -> TinyVae:
        """Load the tiny VAE. A frame of it takes less than a step does, so nothing is kept free for that."""
        tiny_vae = unfilled_tiny_vae()
        self._load(self._open(Role.TINY_VAE, Kind.TINY_VAE), tiny_vae, self.dtype)
        return tiny_vae

    def remarks(self) -> Iterator[str]:
        """Word what of the LoRAs has no place in this transformer."""
        for lora, _ in self._loras:
            if keys := unmatched_keys(self._dit, lora):
                text = f"The LoRA {lora.path.name} has {len(keys)} tensors without a place in this model"
                yield f"{text}, such as {keys[0]}."

    def _open(self, role: Role, kind: Kind) -> Checkpoint:
        return open_checkpoint(self._folder.chosen[role].path, kind)

    @contextmanager
    def _at_hand(self, checkpoint: Checkpoint, encoder: TextEncoder) -> Iterator[None]:
        """Fill the text encoder while it works, block by block where there is no room for all of it.

        Raises BudgetTooSmallError.
        """
        dtype = torch.float32 if self.dtype is torch.float16 else self.dtype  # float16 overflows in this encoder
        room_bytes = self._budget_bytes - text_living_bytes(encoder.config, dtype)
        if decoded_bytes(checkpoint, dtype) <= room_bytes:
            self._load(checkpoint, encoder, dtype)
            yield
            return
        Weights(encoder).attach({_EMBEDDING: checkpoint.tensor(_EMBEDDING, dtype)})
        with Residence(encoder, checkpoint, dtype, self.device, room_bytes) as residence:
            encoder.before = residence.before
            yield

    def _load(self, checkpoint: Checkpoint, module: nn.Module, dtype: torch.dtype) -> torch.device:
        """Fill a network, on the device, or on the processor where the device has no room for it."""
        fits = decoded_bytes(checkpoint, dtype) <= self._budget_bytes
        device = self.device if fits else torch.device("cpu")
        checkpoint.load_into(module, dtype, device)
        module.eval().requires_grad_(False)
        return device


def folder_of(settings: WanSettings) -> ModelsFolder:
    """Look through the models folder. Raises FileMissingError where it is not there."""
    return check_models(settings.models, eight_bit=settings.precision is Precision.FP8)


def decoded_bytes(checkpoint: Checkpoint, dtype: torch.dtype) -> int:
    """Say what a network takes when all of its weights are decoded."""
    return sum(math.prod(stored.shape) for stored in checkpoint.tensors.values()) * dtype.itemsize


def _config_of(checkpoint: Checkpoint) -> TransformerConfig:
    return transformer_config(cast(DitSizes, checkpoint.sizes))


def _vae_config_of(checkpoint: Checkpoint) -> VaeConfig:
    return unfilled_vae(cast(VaeSizes, checkpoint.sizes)).config


def _bytes_of(module: nn.Module) -> int:
    return sum(parameter.nbytes for parameter in module.parameters())


def _loras(folder: ModelsFolder, settings: WanSettings, mode: Mode) -> list[tuple[Path, float]]:
    """List the LoRAs that act: the relighting one in replace mode, then the artist's."""
    chosen = [(choice.path, choice.strength) for choice in settings.lora]
    relighting = folder.chosen.get(Role.RELIGHTING)
    if mode is Mode.REPLACE and relighting and settings.relight:
        return [(relighting.path, settings.relight), *chosen]
    return chosen
