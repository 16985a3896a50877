# SPDX-License-Identifier: GPL-3.0-or-later
"""Which number type computes what: the parts that stay in float32 however the weights are stored.

Matrices, convolutions and attention run in the weights' type. Normalisation, modulation, the time embedding, the
residual stream and the head run in float32, as they did when the model was trained.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Float32Linear(nn.Linear):
    """A linear layer that computes and answers in float32, whatever type its weights are kept in."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Map `... in` of any float type to `... out`, float32."""
        bias = None if self.bias is None else self.bias.float()
        return functional.linear(input.float(), self.weight.float(), bias)


class Float32LayerNorm(nn.LayerNorm):
    """Layer normalisation with weight and bias that computes in float32."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Normalise the last axis; the answer is float32."""
        return functional.layer_norm(
            input.float(), self.normalized_shape, self.weight.float(), self.bias.float(), self.eps
        )


class RMSNorm(nn.Module):
    """Division by the root mean square of the last axis, then a weight. Zhang and Sennrich 2019.

    The mean is taken in float32; what is divided is rounded to the input's type before it is weighted.
    """

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `... dim`; shape and type stay."""
        divided = functional.rms_norm(x.float(), x.shape[-1:], eps=self.eps).to(x.dtype)
        return divided * self.weight.to(x.dtype)


def standardised(x: Tensor, eps: float) -> Tensor:
    """Bring the last axis to mean 0 and variance 1, without weights, in float32."""
    return functional.layer_norm(x.float(), x.shape[-1:], eps=eps)
