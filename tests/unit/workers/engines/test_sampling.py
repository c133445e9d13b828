"""The draws follow the model's distribution, and a seed is all that they depend on."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from workers.engines import sampling
from workers.engines.sampling import draw


def uniforms(seeds: NDArray[np.uint64], position: int) -> NDArray[np.float64]:
    return sampling.uniforms(seeds, np.full(len(seeds), position, dtype=np.uint64))


def test_uniforms_fill_the_unit_interval_evenly() -> None:
    drawn = uniforms(np.arange(100_000, dtype=np.uint64), position=3)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    # 10 bins of 10,000 each: standard deviation sqrt(100,000 * .1 * .9) = 95; 5 of them = 475.
    counts, _ = np.histogram(drawn, bins=10, range=(0, 1))
    assert np.abs(counts - 10_000).max() < 475


def test_positions_and_neighboring_seeds_are_uncorrelated() -> None:
    seeds = np.arange(20_000, dtype=np.uint64)
    here, there = uniforms(seeds, 0), uniforms(seeds, 1)
    # Standard error of a correlation of 20,000 pairs: 1 / sqrt(20,000) = .007; 5 of them = .035.
    assert abs(np.corrcoef(here, there)[0, 1]) < 0.035
    assert abs(np.corrcoef(here[1:], here[:-1])[0, 1]) < 0.035


def test_uniforms_are_pinned_because_stored_runs_resume_with_them() -> None:
    drawn = uniforms(np.array([0, 1, 2**63 - 1], dtype=np.uint64), position=0)
    assert [round(value, 12) for value in drawn.tolist()] == [
        0.883310808214,
        0.749748241358,
        0.557249074249,
    ]


def test_each_seed_is_drawn_at_its_own_position() -> None:
    seeds = np.array([5, 5, 9], dtype=np.uint64)
    mixed = sampling.uniforms(seeds, np.array([0, 7, 7], dtype=np.uint64))
    assert mixed.tolist() == [
        uniforms(seeds[:1], 0)[0],
        uniforms(seeds[1:2], 7)[0],
        uniforms(seeds[2:], 7)[0],
    ]


def test_draws_follow_the_distribution_at_each_temperature() -> None:
    shares = torch.tensor([0.5, 0.3, 0.2])
    logits = shares.log().expand(50_000, 3)
    uniform = torch.from_numpy(uniforms(np.arange(50_000, dtype=np.uint64), 0))
    for temperature in (1.0, 0.5, 2.0):
        expected = shares ** (1 / temperature)
        expected /= expected.sum()
        drawn = draw(logits, uniform, torch.full((50_000,), temperature))
        found = torch.bincount(drawn, minlength=3) / 50_000
        # Standard deviation of a share: at most sqrt(.25 / 50,000) = .0022; 5 of them = .011.
        assert (found - expected).abs().max() < 0.011


def test_temperature_zero_takes_the_likeliest_beside_hot_rows() -> None:
    logits = torch.tensor([[0.0, 1.0, 0.5], [0.0, 1.0, 0.5]])
    drawn = draw(logits, torch.tensor([0.999, 0.999]).double(), torch.tensor([0.0, 1.0]))
    assert drawn.tolist() == [1, 2]


def test_a_token_of_no_probability_is_never_drawn() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]])
    for u in (0.0, 0.499999, 0.5, 1 - 2**-53):
        uniform = torch.tensor([u], dtype=torch.float64)
        assert draw(logits, uniform, torch.tensor([1.0])).item() in (1, 3)
