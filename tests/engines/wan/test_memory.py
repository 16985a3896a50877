# SPDX-License-Identifier: GPL-3.0-or-later
"""Streamed weights on a device that only simulates: its clock, its bus, its memory. Nothing here depends on a watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from backend.contract.errors import StoppedError
from backend.engines.wan.footprint import Footprint
from backend.engines.wan.keys import DitSizes, Kind
from backend.engines.wan.lora import open_lora, with_loras
from backend.engines.wan.memory import (
    BudgetTooSmallError,
    Part,
    Weights,
    WeightStream,
    cargo,
    context_parts,
    face_parts,
    lasting_keys,
    least_bytes,
    step_parts,
)
from backend.engines.wan.networks import unfilled_transformer
from backend.engines.wan.stored import Stored
from backend.engines.wan.transformer import Context, Transformer, Window
from backend.engines.wan.transport import HostTransport, aligned
from backend.engines.wan.weights import Checkpoint, open_checkpoint

from . import checkpoints as small
from .simulated import SimulatedDevice

# How long it takes, at the real sizes.

FORMS = ("bfloat16", "fp8, scaled", "Q4_K")


def described(shape: tuple[int, ...], form: str) -> Stored:
    """Describe a tensor of a real size that takes no memory, neither as it lies nor decoded."""
    count = torch.Size(shape).numel()
    nbytes = {"bfloat16": count * 2, "fp8, scaled": count, "Q4_K": count * 144 // 256}[form]
    raw = torch.empty(nbytes // 2, dtype=torch.bfloat16, device="meta")
    decoded = torch.empty(shape, dtype=torch.bfloat16, device="meta")
    return Stored(
        shape=shape,
        nbytes=nbytes,
        form=form,
        dtype=torch.bfloat16 if form == "bfloat16" else None,
        reads=(lambda: raw,),
        decode=lambda parts, dtype: decoded,
    )


@pytest.fixture(scope="module")
def described_models() -> Mapping[str, dict[str, Stored]]:
    table = {key: shape for key, shape in DitSizes().table().items() if key.startswith(("blocks.", "face_adapter."))}
    return {form: {key: described(shape, form) for key, shape in table.items()} for form in FORMS}


def ignore(_: object) -> None:
    pass


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("share", [0.0, 0.03, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.9, 1.0, 1.1, 1.5, 3.0, 10.0])
def test_either_the_computing_or_the_bus_is_never_idle(
    ratio: float, share: float, form: str, described_models: Mapping[str, dict[str, Stored]]
) -> None:
    tensors, steps, block_s, face_s = described_models[form], 4, 0.1, 0.008
    parts = step_parts(DitSizes())
    sizes_bytes = [sum(aligned(tensors[key].nbytes) for key in part.keys) for part in parts]
    whole = sum(sizes_bytes)
    computes_s = [block_s if part.name.startswith("blocks.") else face_s for part in parts]
    compute_s = sum(computes_s)
    least = least_bytes([cargo(part, tensors, torch.bfloat16) for part in parts])
    budget_bytes = least + int(share * (whole - least))
    device = SimulatedDevice(whole / (compute_s * ratio), budget_bytes, empty=True)
    stream = WeightStream(device, ignore, ignore, torch.bfloat16)
    placement = stream.expect(parts, tensors, budget_bytes)
    start_s = device.computed_s
    for part, block_takes_s in list(zip(parts, computes_s, strict=True)) * steps:
        stream.before(part.name)
        device.computed_s += block_takes_s
    took_s = device.computed_s - start_s
    travelled_s = [
        0 if index in placement.resident else nbytes / device.bytes_per_s for index, nbytes in enumerate(sizes_bytes)
    ]
    one_block_s = max(block_s, *travelled_s)
    assert took_s <= 1.02 * max(steps * compute_s, steps * sum(travelled_s)) + one_block_s
    assert device.peak_bytes <= budget_bytes


def test_the_folded_weights_are_all_that_a_step_carries() -> None:
    sizes = DitSizes()
    table = sizes.table()

    def count(keys: Sequence[str]) -> int:
        return sum(torch.Size(table[key]).numel() for key in keys)

    step = [key for part in step_parts(sizes) for key in part.keys]
    once = [key for part in context_parts(sizes) + face_parts(sizes) for key in part.keys]
    assert sorted([*step, *once, *lasting_keys(sizes)]) == sorted(table)
    dim, text_dim, image_dim = 5120, 4096, 1280
    folded = 40 * (4 * (dim * dim + dim) + 2 * dim)  # keys, values and the keys' norms, of text and of picture
    folded += dim * (text_dim + 1 + dim + 1) + 2 * image_dim + image_dim * (image_dim + 1) + dim * (image_dim + 3)
    assert count([key for part in context_parts(sizes) for key in part.keys]) == folded
    assert (count(step) + count(lasting_keys(sizes))) / count(list(table)) <= 0.73


# What is computed with it.

TINY = small.TINY[Kind.DIT]
assert isinstance(TINY, DitSizes)
SIZES: DitSizes = TINY


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    return open_checkpoint(small.write_safetensors(path, small.in_scaled_fp8(small.tensors(Kind.DIT))), Kind.DIT)


@dataclass
class Run:
    """A transformer fed by a stream, from the text to the velocity. times: each budget over the least."""

    checkpoint: Checkpoint
    device: SimulatedDevice | HostTransport
    times: float = 1.0
    model: Transformer = field(default_factory=partial(unfilled_transformer, SIZES))

    def __post_init__(self) -> None:
        weights = Weights(self.model)
        self.stream = WeightStream(self.device, weights.attach, weights.detach, torch.float32)
        weights.attach({key: self.checkpoint.tensor(key, torch.float32) for key in lasting_keys(SIZES)})
        self.model.before = self.stream.before

    def expect(self, order: Sequence[Part]) -> None:
        cargoes = [cargo(part, self.checkpoint.tensors, torch.float32) for part in order]
        budget_bytes = int(least_bytes(cargoes) * self.times)
        if isinstance(self.device, SimulatedDevice):
            self.device.budget_bytes = budget_bytes
        self.placement = self.stream.expect(order, self.checkpoint.tensors, budget_bytes)

    def begin(self) -> None:
        """Do all that comes before the first step."""
        self.expect(context_parts(SIZES))
        conditions = Conditions.drawn()
        context = conditions.context(self.model)
        self.expect(face_parts(SIZES))
        self.inputs = conditions.inputs(self.model, context)
        self.expect(step_parts(SIZES))

    def step(self, timestep: int) -> Tensor:
        return self.inputs.velocity(self.model, timestep)


@dataclass
class Inputs:
    """What a step takes."""

    x: Tensor
    context: Context
    window: Window

    @torch.inference_mode()
    def velocity(self, model: Transformer, timestep: int) -> Tensor:
        computed: Tensor = model(self.x, timestep, self.context, self.window)
        return computed


@dataclass
class Conditions:
    """Random text, pictures and latents."""

    text: Tensor
    image: Tensor
    faces: Tensor
    pose: Tensor
    known: Tensor
    x: Tensor

    @classmethod
    def drawn(cls) -> Conditions:
        shapes = ((5, 64), (257, 160), (3, 5, 512, 512), (16, 2, 8, 8), (20, 3, 8, 8), (16, 3, 8, 8))
        draw = torch.Generator().manual_seed(3)
        return cls(*(torch.randn(shape, generator=draw) for shape in shapes))

    @torch.inference_mode()
    def context(self, model: Transformer) -> Context:
        return model.encode_context(self.text, self.image)

    @torch.inference_mode()
    def inputs(self, model: Transformer, context: Context) -> Inputs:
        window = model.encode_window(self.pose, self.known, model.encode_faces(self.faces.clamp(-1, 1)))
        return Inputs(self.x, context, window)


TIMESTEPS = (999, 500)


@pytest.fixture(scope="module")
def resident(checkpoint: Checkpoint) -> list[Tensor]:
    return velocities(checkpoint)


def velocities(checkpoint: Checkpoint) -> list[Tensor]:
    """Compute with all weights in place, loaded whole."""
    model = unfilled_transformer(SIZES)
    checkpoint.load_into(model, torch.float32)
    conditions = Conditions.drawn()
    inputs = conditions.inputs(model, conditions.context(model))
    return [inputs.velocity(model, timestep) for timestep in TIMESTEPS]


def begun(checkpoint: Checkpoint, times: float = 1.0) -> tuple[Run, SimulatedDevice]:
    device = SimulatedDevice(1e9, 0)
    run = Run(checkpoint, device, times)
    run.begin()
    return run, device


@pytest.mark.parametrize(("times", "streams"), [(1.0, True), (1.3, True), (1.8, True), (20.0, False)])
def test_streamed_weights_give_the_same_bits(
    times: float, streams: bool, checkpoint: Checkpoint, resident: list[Tensor]
) -> None:
    run, device = begun(checkpoint, times)
    assert (run.placement.slots > 0) is streams
    with run.stream:
        for timestep, expected in zip(TIMESTEPS, resident, strict=True):
            assert torch.equal(run.step(timestep), expected)
    assert device.closed
    assert device.live_bytes == 0


def test_once_the_context_is_known_its_weights_are_let_go(checkpoint: Checkpoint) -> None:
    run, _ = begun(checkpoint, 20.0)
    run.step(TIMESTEPS[0])
    assert all(run.model.get_parameter(key).is_meta for part in context_parts(SIZES) for key in part.keys)


def test_on_the_cpu_itself_the_bits_are_the_same(checkpoint: Checkpoint, resident: list[Tensor]) -> None:
    run = Run(checkpoint, HostTransport(torch.device("cpu")))
    with torch.inference_mode():
        run.begin()
    run.stream.before("blocks.0")  # another thread, that carries weights, is not in that mode
    assert torch.equal(run.step(TIMESTEPS[0]), resident[0])


def test_loras_travel_with_the_weights_that_they_change(
    checkpoint: Checkpoint, resident: list[Tensor], tmp_path: Path
) -> None:
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", small.relighting()))
    changed = with_loras(checkpoint, [(lora, 1.0)])
    whole = velocities(changed)
    run, _ = begun(changed)
    assert run.placement.slots > 0
    assert torch.equal(run.step(TIMESTEPS[0]), whole[0])
    assert not torch.allclose(whole[0], resident[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("is_plain", [False, True])
def test_decoding_a_weight_with_its_lora_takes_no_more_than_is_said(
    is_plain: bool, dtype: torch.dtype, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    if is_plain:
        numbers = {key: value.bfloat16() for key, value in small.tensors(Kind.DIT).items()}
        checkpoint = open_checkpoint(small.write_safetensors(tmp_path / "plain.safetensors", numbers), Kind.DIT)
    lora = open_lora(small.write_safetensors(tmp_path / "lora.safetensors", small.relighting()))
    changed = with_loras(checkpoint, [(lora, 1.0)])
    carrying = [key for key, stored in changed.tensors.items() if stored is not checkpoint.tensors[key]]
    assert carrying
    for stored in (changed.tensors[key] for key in carrying):
        parts = stored.parts()
        with Footprint() as footprint:
            decoded = stored.decode(parts, dtype)
        assert 0 < footprint.peak_bytes <= decoded.nbytes + stored.transient_bytes
        assert stored.numbers_and_scale is None  # these would be the weight without it


@pytest.mark.parametrize("asked", [1, 3, 4, 9])
def test_a_step_that_was_stopped_anywhere_begins_anew_with_the_same_bits(
    asked: int, checkpoint: Checkpoint, resident: list[Tensor]
) -> None:
    run, _ = begun(checkpoint)
    left = iter(range(asked))

    def stop() -> None:
        if next(left, None) is None:
            raise StoppedError

    run.model.stop = stop
    with pytest.raises(StoppedError):
        run.step(TIMESTEPS[0])
    run.model.stop = lambda: None
    for timestep, expected in zip(TIMESTEPS, resident, strict=True):
        assert torch.equal(run.step(timestep), expected)


def test_a_file_that_fails_while_it_is_read_is_said_and_tried_again(
    checkpoint: Checkpoint, resident: list[Tensor]
) -> None:
    run, device = begun(checkpoint)
    for _ in range(3):
        number, _, into = device.waiting[0]
        device.waiting[0] = (number, unreadable, into)
        with pytest.raises(OSError, match="unplugged"):
            run.step(TIMESTEPS[0])
    assert torch.equal(run.step(TIMESTEPS[0]), resident[0])


def unreadable() -> Sequence[Tensor]:
    raise OSError("The disk was unplugged")


def test_a_budget_below_the_least_is_refused_with_what_is_needed(checkpoint: Checkpoint) -> None:
    run, device = begun(checkpoint)
    with pytest.raises(BudgetTooSmallError, match=r"0\.00 GB of memory are left") as caught:
        run.stream.expect(step_parts(SIZES), checkpoint.tensors, 1000)
    assert device.live_bytes == 0
    run.stream.expect(step_parts(SIZES), checkpoint.tensors, caught.value.needed_bytes)


def test_a_step_copies_what_does_not_stay_and_nothing_back(checkpoint: Checkpoint) -> None:
    run, _ = begun(checkpoint)
    parts = [cargo(part, checkpoint.tensors, torch.float32) for part in step_parts(SIZES)]
    travels = sum(part.nbytes for index, part in enumerate(parts) if index not in run.placement.resident)
    run.step(TIMESTEPS[0])
    before = run.stream.copied_bytes
    run.step(TIMESTEPS[1])
    assert run.stream.copied_bytes - before == travels


# Any order, any sizes.


def numbered(index: int, count: int) -> Stored:
    values = torch.arange(index * 1000, index * 1000 + count, dtype=torch.float32)
    return Stored(
        shape=(count,),
        nbytes=values.nbytes,
        form="float32",
        dtype=torch.float32,
        reads=(lambda: values,),
        decode=lambda parts, dtype: parts[0].to(dtype),
    )


def test_a_part_takes_what_its_numbers_take_decoded_and_what_the_largest_decoding_takes_meanwhile() -> None:
    kept, plain, packed, larger = (numbered(index, 100 * (index + 1)) for index in range(4))
    tensors = {
        "kept": replace(kept, dtype=None, is_kept=True),
        "plain": replace(plain, dtype=torch.bfloat16),
        "packed": replace(packed, dtype=None, transient_bytes=5000),
        "larger": replace(larger, dtype=None, transient_bytes=70),
    }
    counted = cargo(Part(name="p", keys=tuple(tensors)), tensors, torch.bfloat16)
    assert counted.decoded_bytes == 2 * (300 + 400) + 5000
    assert counted.nbytes == sum(aligned(4 * count) for count in (100, 200, 300, 400))


@settings(deadline=None, max_examples=200)
@given(
    counts=st.lists(st.integers(1, 400), min_size=1, max_size=9),
    share=st.floats(0, 1.2),
    asked=st.lists(st.integers(0, 8), max_size=40),
)
def test_whatever_is_asked_for_is_there_and_the_budget_is_never_passed(
    counts: list[int], share: float, asked: list[int]
) -> None:
    tensors = {str(index): numbered(index, count) for index, count in enumerate(counts)}
    parts = [Part(name=key, keys=(key,)) for key in tensors]
    sizes = [aligned(stored.nbytes) for stored in tensors.values()]
    budget_bytes = max(least_bytes([cargo(part, tensors, torch.float32) for part in parts]), int(share * sum(sizes)))
    device, there = SimulatedDevice(1e3, budget_bytes), dict[str, Tensor]()

    def detach(keys: Sequence[str]) -> None:
        for key in keys:
            del there[key]

    stream = WeightStream(device, there.update, detach, torch.float32)
    stream.expect(parts, tensors, budget_bytes)
    for index in [*islice(cycle(range(len(counts))), 2 * len(counts)), *(number % len(counts) for number in asked)]:
        stream.before(str(index))
        assert list(there) == [str(index)]
        assert torch.equal(there[str(index)], tensors[str(index)].parts()[0])
    assert device.peak_bytes <= budget_bytes
