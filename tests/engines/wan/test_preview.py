# SPDX-License-Identifier: GPL-3.0-or-later
"""The map from latents to colours is found from pairs that a known map has made."""

from __future__ import annotations

import torch
from torch import Tensor

from backend.engines.wan.preview import LinearPreview, fit_preview
from backend.engines.wan.vae import Vae, VaeConfig

from .peer_encoders import draw


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def blown_up(colours: Tensor) -> Tensor:
    """Frames `3 t H W` whose averages are those colours `3 f h w`, with detail within."""
    later = colours[:, 1:].repeat_interleave(4, dim=1)
    big = torch.cat([colours[:, :1], later], dim=1).repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)
    detail = torch.where(torch.arange(big.shape[-1]) % 2 == 0, 0.1, -0.1)
    return big + detail


def test_a_linear_relation_is_recovered() -> None:
    weight, offset = 0.1 * normal(3, 16, seed=0), 0.1 * normal(3, seed=1)

    def pair(frames: int, seed: int) -> tuple[Tensor, Tensor]:
        latents = normal(16, frames, 5, 7, seed=seed)
        return latents, blown_up(torch.einsum("rc,cfhw->rfhw", weight, latents) + offset[:, None, None, None])

    preview = fit_preview([pair(1, seed=2), pair(3, seed=3)])
    torch.testing.assert_close(preview.weight, weight, atol=1e-6, rtol=0)
    torch.testing.assert_close(preview.offset, offset, atol=1e-6, rtol=0)


def test_no_other_map_is_nearer_to_the_job_s_own_frames() -> None:
    """By numpy-free arithmetic: at the least squares, the error is at right angles to every latent channel."""
    vae = Vae(VaeConfig(dim=8))
    draw(vae, seed=0)
    frames = 0.5 * torch.tanh(normal(3, 5, 64, 96, seed=4))
    latents = vae.encode(frames)
    preview = fit_preview([(latents, frames)])
    meant = torch.stack([frames[:, 0], frames[:, 1:].mean(dim=1)], dim=1)
    meant = meant.unfold(2, 8, 8).unfold(3, 8, 8).mean(dim=(-1, -2))
    error = (preview.draw(latents) - meant).double()
    against = torch.cat([latents, torch.ones_like(latents[:1])]).double()
    assert torch.einsum("rfhw,cfhw->rc", error, against).abs().max() < 1e-4
    assert error.square().mean() < meant.double().square().mean()


def test_plain_colours_do_not_break_it() -> None:
    """A black plate settles nothing but the offset; the picture is black all the same."""
    latents = torch.ones(16, 1, 4, 4)
    drawn = fit_preview([(latents, torch.full((3, 1, 32, 32), -1.0))]).draw(latents)
    torch.testing.assert_close(drawn, torch.full((3, 1, 4, 4), -1.0))


def test_the_last_latent_frame_is_shown_three_times_as_large() -> None:
    latents = (torch.arange(3.0) / 10)[None, :, None, None].expand(16, 3, 4, 6)
    shown = LinearPreview(torch.full((3, 16), 1 / 16), torch.tensor([0.0, 0.1, -0.1])).last_frame(latents)
    assert shown.shape == (3, 12, 18)
    assert torch.allclose(shown, torch.tensor([0.2, 0.3, 0.1])[:, None, None].expand_as(shown))
