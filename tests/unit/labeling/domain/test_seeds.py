"""Seeds and audits depend on what is drawn, and on nothing else."""

from __future__ import annotations

import pytest

from labeling.domain.seeds import completer_hash, is_audited, sample_seed


def test_a_seed_depends_on_each_of_its_parts_and_on_their_borders() -> None:
    seeds = [
        sample_seed("l", "p", "text", 0),
        sample_seed("l", "p", "text", 1),
        sample_seed("l", "p", "text2", 0),
        sample_seed("l", "q", "text", 0),
        sample_seed("m", "p", "text", 0),
        sample_seed("lp", "", "text", 0),
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    # Pinned: stored runs resume with these seeds.
    assert seeds[0] == 3359626409440934344


def test_labelers_with_one_completer_draw_the_same_samples() -> None:
    base = {"model": "m", "template": "plain-v1", "temperature": 1.0, "max_tokens": 72}
    hard = completer_hash({**base, "mode": "hard", "n": 8})
    assert hard == completer_hash({**base, "mode": "soft", "n": 16, "judge": "uid"})
    for name, other in (("model", "o"), ("temperature", 0.5), ("max_tokens", 9), ("weights", "w")):
        assert hard != completer_hash({**base, name: other})


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_the_audited_share_is_what_was_asked_for(share: float) -> None:
    chosen = sum(is_audited(f"solution {k}", "c", share) for k in range(4000))
    # Four standard deviations of a binomial with 4000 draws.
    assert abs(chosen / 4000 - share) <= 4 * (share * (1 - share) / 4000) ** 0.5


def test_audits_are_nested_and_depend_on_the_completer() -> None:
    few, many = ({k for k in range(500) if is_audited(str(k), "c", share)} for share in (0.1, 0.4))
    other = {k for k in range(500) if is_audited(str(k), "d", 0.4)}
    assert few < many
    assert many != other
