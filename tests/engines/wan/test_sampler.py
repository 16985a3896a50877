# SPDX-License-Identifier: GPL-3.0-or-later
"""The solvers against the official ones' trajectories, the published tables, and diffusers' solvers on our grid."""

from typing import Any

import pytest
import torch
from torch import Tensor

from backend.engines.wan.sampler import Grid, SolverName, grid, guided, solver_for

from .vectors import cases, load

OFFICIAL_TIMESTEPS = {
    SolverName.DPMPP: "1000 989 978 965 952 937 921 902 882 859 833 803 769 729 681 625 555 468 357 208",
    SolverName.UNIPC: "999 989 978 965 952 937 920 902 882 859 833 803 768 728 681 624 555 468 356 208",
}
"""Twenty steps at a shift of 5."""


def velocity(x: Tensor, timestep: int) -> Tensor:
    return torch.sin(x) * (timestep / 1000) - 0.3 * x


def trajectory(name: SolverName, steps: Grid, x: Tensor) -> Tensor:
    solver, states = solver_for(name, steps), [x]
    for timestep in steps.timesteps:
        states.append(solver.step(velocity(states[-1], timestep), states[-1]))
    return torch.stack(states)


@pytest.mark.parametrize("case", cases("solver/*"))
def test_grids_and_trajectories_are_the_official_ones(case: str) -> None:
    tensors, facts = load(case)
    name = SolverName(facts["solver"])
    ours = grid(name, facts["steps"], facts["shift"])
    assert torch.equal(torch.tensor(ours.sigmas), tensors["sigmas"])
    assert list(ours.timesteps) == tensors["timesteps"].tolist()
    assert (trajectory(name, ours, tensors["trajectory"][0]) - tensors["trajectory"]).abs().max() <= 1e-6


@pytest.mark.parametrize("name", list(SolverName))
def test_the_published_table_of_twenty_steps(name: SolverName) -> None:
    steps = grid(name, 20, 5.0)
    assert " ".join(map(str, steps.timesteps)) == OFFICIAL_TIMESTEPS[name]
    if name is SolverName.UNIPC:
        assert steps.sigmas[0] == pytest.approx(0.99979985, abs=1e-8)
        assert steps.sigmas[19] == pytest.approx(0.20815970, abs=1e-8)


def diffusers_solver(name: SolverName) -> Any:
    from diffusers import DPMSolverMultistepScheduler, UniPCMultistepScheduler

    flow = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 1.0}
    if name is SolverName.UNIPC:
        return UniPCMultistepScheduler(**flow)
    return DPMSolverMultistepScheduler(**flow, algorithm_type="dpmsolver++", final_sigmas_type="zero")


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 6, 20])
@pytest.mark.parametrize("name", list(SolverName))
def test_a_whole_way_is_diffusers_given_our_noise_levels(name: SolverName, steps: int) -> None:
    ours, theirs = grid(name, steps, 5.0), diffusers_solver(name)
    theirs.set_timesteps(steps)
    theirs.sigmas = torch.tensor(ours.sigmas)
    x = torch.randn(4, 3, 6, 8, generator=torch.Generator().manual_seed(7))
    states = trajectory(name, ours, x)
    for step, timestep in enumerate(ours.timesteps):
        x = theirs.step(velocity(x, timestep), theirs.timesteps[step], x, return_dict=False)[0]
        assert (states[step + 1] - x).abs().max() <= 1e-6, step


def test_guidance_goes_beyond_the_conditional_velocity_and_a_scale_of_one_is_none() -> None:
    towards, away = torch.tensor([3.0]), torch.tensor([1.0])
    assert guided(towards, away, 1.0) == 3.0
    assert guided(towards, away, 2.5) == 6.0
