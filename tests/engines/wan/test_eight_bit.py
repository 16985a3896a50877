# SPDX-License-Identifier: GPL-3.0-or-later
"""Eight-bit matrix products: the real kernel against float64, what of a file goes into it, and who is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from backend.contract.job import Mode
from backend.engines.wan import residence
from backend.engines.wan.attention import KeysValues, Rotation, attend
from backend.engines.wan.budget import Work
from backend.engines.wan.eight_bit import EightBitUnavailableError, Linear, product, quantised
from backend.engines.wan.eight_bit_weights import in_eight_bits, with_beside
from backend.engines.wan.examination import examine
from backend.engines.wan.footprint import Footprint
from backend.engines.wan.keys import DitSizes, Kind
from backend.engines.wan.loading import Networks, dtype_of
from backend.engines.wan.lora import Lora, open_lora, with_loras
from backend.engines.wan.memory import cargo, context_parts, face_parts, lasting_keys, least_bytes, step_parts
from backend.engines.wan.networks import unfilled_transformer
from backend.engines.wan.residence import Residence
from backend.engines.wan.settings import Precision, WanSettings
from backend.engines.wan.transformer import CHUNK_TOKENS, Block, BlockContext, Step, Transformer, TransformerConfig
from backend.engines.wan.weights import Checkpoint, open_checkpoint

from . import checkpoints as small
from .peer_transformer import relative_error
from .simulated import SimulatedDevice
from .test_memory import Conditions

FRACTION, BELOW = 2.0**-4, 2.0**-17
"""Of a number, half a unit in its last place at most; and of the largest beside it, where it is too small for that."""
UNIT = {torch.float32: 2.0**-24, torch.bfloat16: 2.0**-8}
DTYPES = [torch.float32, torch.bfloat16]


def tokens_of(dtype: torch.dtype, count: int = 37, channels: int = 208) -> Tensor:
    """Draw tokens that are a thousand times larger and smaller than each other, and have outliers."""
    draw = torch.Generator().manual_seed(2)
    drawn = torch.randn(count, channels, generator=draw) * 10 ** torch.linspace(-3, 3, count)[:, None]
    drawn[:, 5] *= 60
    return drawn.to(dtype)


def weight_of(rows: int = 48, columns: int = 208) -> Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(3)).to(torch.float8_e4m3fn)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_token_is_rounded_once_by_a_scale_that_rounds_nothing(dtype: torch.dtype) -> None:
    tokens = tokens_of(dtype)
    rounded, scale = quantised(tokens)
    assert {math.frexp(each)[0] for each in scale.flatten().tolist()} == {0.5}  # powers of two
    exact, largest = tokens.double(), tokens.double().abs().amax(1, keepdim=True)
    assert ((rounded.double() * scale.double() - exact).abs() <= FRACTION * exact.abs() + BELOW * largest).all()
    assert torch.equal(rounded, (exact / scale.double()).to(torch.float8_e4m3fn))


def test_a_token_far_below_one_is_rounded_as_exactly_as_any() -> None:
    tokens = torch.randn(5, 64, generator=torch.Generator().manual_seed(2))
    (numbers, scale), (small, small_scale) = quantised(tokens), quantised(tokens * 2.0**-60)
    assert torch.equal(small.view(torch.uint8), numbers.view(torch.uint8))
    assert torch.equal(small_scale, scale * 2.0**-60)


def test_a_token_of_zeros_stays_zero_and_one_that_is_no_number_stays_none() -> None:
    tokens = torch.zeros(3, 16)
    tokens[1, 3] = math.nan
    rounded, scale = quantised(tokens)
    assert not rounded[[0, 2]].float().any()
    assert torch.isnan(rounded[1, 3].float() * scale[1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scales", [1, 48])
def test_a_product_is_as_near_as_its_roundings_allow(scales: int, dtype: torch.dtype) -> None:
    tokens, numbers = tokens_of(dtype), weight_of()
    scale = torch.rand(scales, generator=torch.Generator().manual_seed(4)) + 0.01
    bias = torch.linspace(-3, 3, 48).to(dtype)
    x, w = tokens.double(), numbers.double() * scale.double()[:, None]
    exact = x @ w.T + bias.double()
    magnitudes = x.abs() @ w.abs().T
    error = FRACTION * magnitudes + BELOW * x.abs().amax(1, keepdim=True) * w.abs().sum(1)
    error += 1.1 * len(x[0]) * UNIT[torch.float32] * magnitudes
    error += 3.1 * UNIT[dtype] * (exact.abs() + error + bias.double().abs())
    found = product(tokens, numbers, scale, bias)
    assert found.dtype is dtype
    assert ((found.double() - exact).abs() <= error).all()
    relative = (found.double() - exact).norm(dim=1) / exact.norm(dim=1)
    assert relative.max() < 0.05  # roundings are independent: a wrong scale of a row would be far off


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scales", [1, 48])
def test_what_eight_bits_hold_is_multiplied_exactly(scales: int, dtype: torch.dtype) -> None:
    draw = torch.Generator().manual_seed(5)
    whole = torch.randint(-15, 16, (37, 208), generator=draw) * 2.0 ** torch.arange(-18, 19)[:, None]
    scale = torch.rand(scales, generator=draw) + 0.01
    numbers = weight_of()
    exact = whole.double() @ (numbers.double() * scale.double()[:, None]).T
    magnitudes = whole.double().abs() @ (numbers.double() * scale.double()[:, None]).abs().T
    found = product(whole.to(dtype), numbers, scale, torch.zeros(48, dtype=dtype))
    assert ((found.double() - exact).abs() <= 3 * UNIT[dtype] * exact.abs() + 208 * 2.0**-24 * magnitudes).all()


# What of a file goes into it.

TINY = small.TINY[Kind.DIT]
assert isinstance(TINY, DitSizes)
SIZES: DitSizes = TINY
MULTIPLIED = [
    f"blocks.{index}.{name}"
    for index in range(SIZES.layers)
    for name in (*(f"self_attn.{x}" for x in "qkvo"), "cross_attn.q", "cross_attn.o", "ffn.0", "ffn.2")
]
FORMS: dict[str, Callable[[small.Tensors], small.Tensors]] = {
    "without scales": small.in_fp8,
    "a scale a matrix": small.in_scaled_fp8,
    "a scale a row": partial(small.in_scaled_fp8, suffix=".weight_scale", rows=True),
}
LORAS = {"relighting": 1.5, "another": -0.5}


@pytest.fixture(scope="module", params=FORMS)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    return open_checkpoint(small.write_safetensors(path, FORMS[request.param](small.tensors(Kind.DIT))), Kind.DIT)


@pytest.fixture(scope="module")
def lora_files(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, float]:
    folder = tmp_path_factory.mktemp("loras")
    return {
        small.write_safetensors(folder / f"{name}.safetensors", small.relighting(seed)): strength
        for seed, (name, strength) in enumerate(LORAS.items())
    }


def loras_of(files: Mapping[Path, float], count: int) -> list[tuple[Lora, float]]:
    return [(open_lora(path), strength) for path, strength in list(files.items())[:count]]


@torch.inference_mode()
def velocity(model: Transformer) -> Tensor:
    conditions = Conditions.drawn()
    return conditions.inputs(model, conditions.context(model)).velocity(model, 500)


def fed(checkpoint: Checkpoint, budget_bytes: int = 1 << 40) -> Transformer:
    model = unfilled_transformer(SIZES)
    model.before = Residence(model, checkpoint, torch.float32, torch.device("cpu"), budget_bytes).before
    return model


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_step_multiplies_the_files_numbers_and_adds_loras_beside_them(
    count: int, opened: Checkpoint, lora_files: Mapping[Path, float]
) -> None:
    files = [(load_file(path), strength) for path, strength in list(lora_files.items())[:count]]
    seen: set[str] = set()

    def check(name: str, layer: nn.Module, given: tuple[Tensor], found: Tensor) -> None:
        (tokens,) = (each.double() for each in given)
        scale = 2.0 ** torch.floor(torch.log2(tokens.abs().amax(1, keepdim=True)) - 7)
        rounded = (tokens / scale).to(torch.float8_e4m3fn).double() * scale
        expected = rounded @ opened.tensor(f"{name}.weight", torch.float64).T
        expected += opened.tensor(f"{name}.bias", torch.float64)
        for factors, strength in files:
            low, high = (factors[f"base_model.model.{name}.lora_{x}.weight"].double() for x in "AB")
            expected += strength * (tokens @ low.T @ high.T)
        assert relative_error(found.double(), expected) <= 1e-6
        seen.add(name)

    model = fed(in_eight_bits(opened, loras_of(lora_files, count)))
    for name in MULTIPLIED:
        model.get_submodule(name).register_forward_hook(partial(check, name))
    velocity(model)
    assert seen == set(MULTIPLIED)


def test_what_is_not_multiplied_so_is_decoded_as_ever(opened: Checkpoint, lora_files: Mapping[Path, float]) -> None:
    loras = loras_of(lora_files, 1)
    carried, merged = in_eight_bits(opened, loras), with_loras(opened, loras)
    others = set(opened.tensors) - {f"{name}.weight" for name in MULTIPLIED}
    assert all(torch.equal(carried.tensor(key, torch.float32), merged.tensor(key, torch.float32)) for key in others)


def test_a_weight_that_a_lora_changes_as_a_whole_is_decoded(opened: Checkpoint, tmp_path: Path) -> None:
    key = "blocks.3.ffn.2.weight"
    change = {"diffusion_model.blocks.3.ffn.2.diff": torch.full(SIZES.table()[key], 0.5)}
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", change))
    carried = in_eight_bits(opened, [(lora, 1.0)])
    assert torch.equal(carried.tensor(key, torch.float32), opened.tensor(key, torch.float32) + 0.5)
    assert carried.tensor("blocks.4.ffn.2.weight", torch.float32).dtype is torch.float8_e4m3fn
    assert velocity(fed(carried)).isfinite().all()


def test_a_step_is_near_one_that_rounds_nothing(opened: Checkpoint, lora_files: Mapping[Path, float]) -> None:
    loras = loras_of(lora_files, 1)
    exact = velocity(fed(with_loras(opened, loras)))
    assert 1e-3 < relative_error(velocity(fed(in_eight_bits(opened, loras))), exact) < 0.1


@pytest.mark.parametrize("times", [1.0, 1.5])
def test_streamed_it_is_the_same_to_the_bit_and_nothing_is_decoded(
    times: float, opened: Checkpoint, lora_files: Mapping[Path, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    carried = in_eight_bits(opened, loras_of(lora_files, 1))
    resident = velocity(fed(carried))
    orders = [
        [cargo(with_beside(part, carried.tensors), carried.tensors, torch.float32) for part in order(SIZES)]
        for order in (context_parts, face_parts, step_parts)
    ]
    budget_bytes = int(times * max(least_bytes(order) for order in orders))
    device = SimulatedDevice(1e9, budget_bytes)
    monkeypatch.setattr(residence, "transport_to", lambda _: device)
    kept = 4 * sum(math.prod(SIZES.table()[key]) for key in lasting_keys(SIZES))
    assert torch.equal(velocity(fed(carried, budget_bytes + kept)), resident)
    assert 0 < device.peak_bytes <= budget_bytes
    block = next(each for each in orders[-1] if each.part.name == "blocks.1")
    decoded = [key for key in block.part.keys if not carried.tensors[key].is_kept]
    assert not any(key.removesuffix(".weight") in MULTIPLIED for key in decoded)


def test_at_the_real_size_a_step_holds_no_more_than_with_decoded_weights() -> None:
    def peak_bytes(*, is_eight_bit: bool) -> int:
        with torch.device("meta"):
            block = Block(TransformerConfig()).bfloat16()
            tokens = torch.empty(20 * 30 * 52, 5120)
            angles = Rotation(*(torch.empty(len(tokens), 64) for _ in range(2)))
            heard = (
                KeysValues(*(torch.empty(1, 40, n, 128, dtype=torch.bfloat16) for _ in range(2))) for n in (512, 257)
            )
            context, time = BlockContext(*heard), torch.empty(6, 5120)
            for layer in (each for each in block.modules() if is_eight_bit and isinstance(each, Linear)):
                layer.weight = nn.Parameter(layer.weight.to(torch.float8_e4m3fn), requires_grad=False)
                layer.weight_scale = torch.empty(1)
        with torch.inference_mode(), Footprint() as footprint:
            block(tokens, context, Step(time, angles, torch.bfloat16, CHUNK_TOKENS, attend))
        return footprint.peak_bytes

    assert 0 < peak_bytes(is_eight_bit=True) <= peak_bytes(is_eight_bit=False)


# Who is refused.


@pytest.mark.parametrize(("capability", "is_refused"), [((8, 6), True), ((8, 9), False), ((9, 0), False)])
def test_a_card_without_eight_bit_products_is_refused_in_words(
    capability: tuple[int, int], is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "GeForce RTX 3090")
    settings, card = WanSettings(precision=Precision.FP8), torch.device("cuda")
    if is_refused:
        with pytest.raises(EightBitUnavailableError, match=r"RTX 3090 is of compute capability 8\.6, .* begin at 8\.9"):
            dtype_of(settings, card)
    else:
        assert dtype_of(settings, card) is torch.bfloat16


def test_a_file_of_other_numbers_is_refused_by_engine_and_doctor(tmp_path: Path) -> None:
    models = small.write_models_folder(tmp_path)
    settings = WanSettings(models=models, precision=Precision.FP8)
    with pytest.raises(EightBitUnavailableError, match="the transformer's file holds bfloat16"):
        Networks(settings, Mode.REPLACE)
    with pytest.raises(EightBitUnavailableError, match="the transformer's file holds bfloat16"):
        list(examine(settings))


def test_with_an_fp8_file_the_engine_takes_it(tmp_path: Path) -> None:
    models = small.write_models_folder(tmp_path)
    for shard in models.glob("diffusion_pytorch_model*"):
        shard.unlink()
    (models / "config.json").unlink()
    small.write_safetensors(models / "animate_fp8.safetensors", small.in_scaled_fp8(small.tensors(Kind.DIT)))
    networks = Networks(WanSettings(models=models, precision=Precision.FP8, memory_gb=4.0), Mode.REPLACE)
    work = Work(windows=(5,), width_px=64, height_px=64, steps=1, ways=1)
    transformer = networks.models(work).transformer
    layer = transformer.get_submodule("blocks.0.ffn.0")
    transformer.before("blocks.0")
    assert isinstance(layer, Linear)
    assert (layer.weight.dtype, networks.dtype) == (torch.float8_e4m3fn, torch.bfloat16)
    assert layer.lora_down is not None
