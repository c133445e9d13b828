"""Agreement on real annotations equals what others computed of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from labeling.domain.statistics.bootstrap import Resampling
from labeling.domain.statistics.distances import distances
from labeling.domain.statistics.intervals import Interval
from labeling.domain.statistics.kappa import fleiss
from labeling.domain.statistics.krippendorff import alpha
from labeling.domain.statistics.measures import group_agreement
from labeling.domain.statistics.ratings import Ratings


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def reference(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "reference_metrics.json").read_text())


@pytest.fixture
def step_verify(shared_data: Path) -> Ratings:
    """First errors of 1-8 teachers per solution."""
    found = rows(shared_data / "processbench_like" / "stepverify_mathdial.jsonl")
    return Ratings.of([said["label"] for said in row["annotators"]] for row in found)


def test_step_verifys_first_errors_agree_as_published(step_verify, reference):
    expected = reference["stepverify_dev"]
    pairs = step_verify.pairs()
    within = distances(pairs).within
    assert sum(step_verify.paired.values()) == expected["solutions>=2"]
    assert pairs.total == expected["pairs"]
    assert within(0).value == pytest.approx(expected["exact_pair_agreement"])
    assert within(1).value == pytest.approx(expected["within1"])
    nominal = expected["krippendorff_alpha_nominal(step index)"]
    assert alpha(step_verify) == pytest.approx(nominal)


def test_step_verifys_alpha_is_uncertain_by_a_tenth_either_way(step_verify):
    found = group_agreement(step_verify, Resampling(seed=1)).alpha_nominal.interval
    assert isinstance(found, Interval)
    # 80 solutions: the standard error is about 0.055
    assert found.low == pytest.approx(0.42, abs=0.02)
    assert found.high == pytest.approx(0.63, abs=0.02)


def test_three_annotators_barely_agree_on_preferences(shared_data, reference):
    found = rows(shared_data / "annotators" / "strictprmbench_nopref_200x3.jsonl")
    codes = {"gm": 0, "no_preference": 1, "product": 2}
    said = [[codes[vote] for vote in row["annotators"].values()] for row in found]
    kappa, agreement, votes = reference["fleiss_kappa nopref_200x3 (published 0.071)"]
    assert Counter(vote for item in said for vote in item) == {
        codes[name]: n for name, n in votes.items()
    }
    ratings = Ratings.of(said)
    assert fleiss(ratings) == pytest.approx(kappa)
    assert ratings.pairs().same / ratings.pairs().total == pytest.approx(agreement)
