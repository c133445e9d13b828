"""Statistics of counts, computed once for the same counts: resampling takes up to half a second.

Their seed is fixed, so equal counts give equal intervals, by whichever process and however often.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

from labeling.domain.statistics.annotators import AnnotatorModel, Votes, dawid_skene
from labeling.domain.statistics.bootstrap import Resampling
from labeling.domain.statistics.confusion import Cell, Confusion, StepConfusion, StepPattern
from labeling.domain.statistics.measures import (
    FirstErrorAgreement,
    GroupAgreement,
    StepAgreement,
    first_error_agreement,
    group_agreement,
    step_agreement,
)
from labeling.domain.statistics.ratings import Ratings
from labeling.domain.statistics.undefined import Undefined

HOW = Resampling(seed=2501_07301)
"""One seed: the same counts give the same intervals on every view."""

KEPT = 64
Profile: TypeAlias = tuple[int, ...]


def first_errors(counted: Confusion, refuted: int) -> FirstErrorAgreement:
    """Measure two labelers on whole solutions."""
    return _first_errors(tuple(counted.cells.items()), refuted)


def steps(counted: StepConfusion) -> StepAgreement:
    """Measure two labelers on steps."""
    return _steps(tuple(sorted(counted.patterns.items())))


def group(counted: Mapping[Profile, int]) -> GroupAgreement:
    """Measure a group of labelers, from counts by sorted ratings."""
    return _group(tuple(sorted(counted.items())))


def annotators(counted: Mapping[Votes, int]) -> AnnotatorModel | Undefined:
    """Fit Dawid and Skene's model."""
    return _annotators(tuple(sorted(counted.items())))


@lru_cache(maxsize=KEPT)
def _first_errors(cells: tuple[tuple[Cell, int], ...], refuted: int) -> FirstErrorAgreement:
    return first_error_agreement(Confusion(dict(cells)), HOW, refuted)


@lru_cache(maxsize=KEPT)
def _steps(patterns: tuple[tuple[StepPattern, int], ...]) -> StepAgreement:
    return step_agreement(StepConfusion(dict(patterns)), HOW)


@lru_cache(maxsize=KEPT)
def _group(profiles: tuple[tuple[Profile, int], ...]) -> GroupAgreement:
    return group_agreement(Ratings(dict(profiles)), HOW)


@lru_cache(maxsize=KEPT)
def _annotators(votes: tuple[tuple[Votes, int], ...]) -> AnnotatorModel | Undefined:
    return dawid_skene(dict(votes))
