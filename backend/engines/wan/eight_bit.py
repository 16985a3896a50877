# SPDX-License-Identifier: GPL-3.0-or-later
"""Matrix products of eight-bit numbers: weights as an fp8 file holds them, tokens rounded on their way in.

Each token has its own scale, a power of two: dividing by it rounds nothing, and neither does multiplying the sums by
it. So the plain product, which every card with eight-bit numbers has on every system, serves for scales of rows too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import ScalingType

from ...contract.errors import UnderstudyError
from .attention import spans

EIGHT_BIT = torch.float8_e4m3fn
"""Four bits of exponent, three of fraction, up to 448."""

MULTIPLE = 16
"""Rows and columns of a matrix come in so many, or cards do not multiply it."""

_LEAST_CAPABILITY = (8, 9)
_EXPONENT_BITS = 0x7F800000
_TOP_POWER = 2.0**7
"""A token's largest number comes to lie between this and twice as much, which is within 448."""
_LEAST_POWER = 2.0**-100
"""Of tokens that are smaller than this, nothing would be left that matters; of zeros, a scale of zero."""
_ROWS = 1024
"""Tokens rounded at once: what is held for a while beside them is small."""


class EightBitUnavailableError(UnderstudyError):
    """Eight-bit matrix products are asked for where the card or the weights have none."""

    hint = (
        "Set the precision to auto. The precision fp8 takes an fp8 file (e4m3) of the transformer, and a GeForce RTX "
        "40, an Ada, Hopper or later card."
    )

    def __init__(self, reason: str) -> None:
        super().__init__(f"Matrix products in fp8 were asked for, but {reason}.")
        self.reason = reason


class Linear(nn.Linear):
    """A linear layer that multiplies as its weight is given: eight-bit numbers by eight-bit numbers, else as usual.

    Beside an eight-bit weight lie `weight_scale`, float32, one number or one a row, and where LoRAs change the layer
    `lora_down` `r in` and `lora_up` `out r`, whose product is computed beside the weight's.
    """

    weight_scale: Tensor
    lora_down: Tensor | None
    lora_up: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        for name in ("weight_scale", "lora_down", "lora_up"):
            self.register_buffer(name, None, persistent=False)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Map `s in` to `s out`."""
        if self.weight.dtype is not EIGHT_BIT:
            return super().forward(input)
        found = product(input, self.weight, self.weight_scale, self.bias)
        if self.lora_down is None:
            return found
        return found.addmm_(functional.linear(input, self.lora_down), self.lora_up.T)


def product(tokens: Tensor, weight: Tensor, weight_scale: Tensor, bias: Tensor) -> Tensor:
    """Multiply tokens `s in`, bfloat16 or float32, by eight-bit numbers `out in`, and add a bias; sums are float32.

    Off from the exact product with the same weight by at most 2^-4 of the sum of all magnitudes (the token's rounding),
    2^-17 of the token's largest number times the weight's magnitudes (its numbers too small for eight bits), and two
    or three roundings to the tokens' type.
    """
    rounded, token_scale = quantised(tokens)
    one = weight_scale.new_ones(1)
    is_whole = weight_scale.numel() == 1
    sums = functional.scaled_mm(
        rounded,
        weight.T,
        one,
        ScalingType.TensorWise,
        weight_scale.reshape(1) if is_whole else one,
        ScalingType.TensorWise,
        output_dtype=tokens.dtype,
    )
    if not is_whole:
        sums.mul_(weight_scale)
    return torch.addcmul(bias, sums, token_scale.to(tokens.dtype), out=sums)


def quantised(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Round tokens `s c`, bfloat16 or float32, to eight bits; give them and the scale of each, `s 1`, float32."""
    largest = torch.linalg.vector_norm(tokens, torch.inf, dim=-1, keepdim=True, dtype=torch.float32)
    bits = largest.clamp(min=_LEAST_POWER).view(torch.int32) & _EXPONENT_BITS
    scale = bits.view(torch.float32) / _TOP_POWER
    factor = scale.reciprocal().to(tokens.dtype)
    rounded = torch.empty(tokens.shape, dtype=EIGHT_BIT, device=tokens.device)
    for span in spans(len(tokens), _ROWS):
        rounded[span] = tokens[span] * factor[span]
    return rounded, scale


def require_card(device: torch.device) -> None:
    """Refuse a device that cannot multiply eight-bit numbers; the processor can, slowly.

    Raises EightBitUnavailableError.
    """
    if device.type == "cpu":
        return
    if device.type != "cuda":
        raise EightBitUnavailableError(f"{device.type} has none")
    capability = torch.cuda.get_device_capability(device)
    if capability < _LEAST_CAPABILITY:
        name, found, least = (
            torch.cuda.get_device_name(device),
            *(".".join(map(str, version)) for version in (capability, _LEAST_CAPABILITY)),
        )
        raise EightBitUnavailableError(f"{name} is of compute capability {found}, and they begin at {least}")
