"""From audited consensus labels to the precision of what an export would contain.

An audit shows a person a solution that consensus has decided, and compares. Which solutions are
audited follows from labeling.domain.statistics.sampling; others (disputed ones, ones that a person
picked) must not be counted here, because they are not a fair sample.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

from labeling.domain.statistics.intervals import (
    CONFIDENCE,
    Interval,
    MaybeInterval,
    quantile,
    wilson,
)
from labeling.domain.statistics.undefined import Statistic, Undefined


@dataclass(frozen=True, slots=True)
class Stratum:
    """Consensus solutions of one class (an error, or none) and, for example, one source.

    `waiting`: unaudited ones that an export would contain. `audited`, `right`: audited ones, and
    those whose label the audit confirmed. Whole numbers, but for what is expected of future audits.
    """

    label: str
    source: str
    waiting: float
    audited: float = 0
    right: float = 0


@dataclass(frozen=True, slots=True)
class Precision:
    """The share of right labels among `labels` exported ones.

    `settled` of them a person has decided: these count as right. `covered`: the share of the
    others whose stratum has been audited; the value speaks of the settled and covered ones only.
    """

    labels: int
    settled: int
    audited: int
    covered: float
    value: Statistic
    interval: MaybeInterval


def precision(
    strata: Sequence[Stratum], settled: int = 0, confidence: float = CONFIDENCE
) -> Precision:
    """Estimate the precision of an export: its `settled` labels and all the strata's waiting ones.

    Within a class the stratified share p = Σ W_h p_h gets Wilson's interval with the effective
    number of audits 1 / Σ W_h² (1/n_h + 1/N_h): W_h is the share of stratum h of the waiting
    ones, n_h its audits, N_h its waiting ones, whose own share of right labels is random too
    (equal to the finite-population correction). Classes are combined by
    p − √Σ (W_c (p_c − l_c))² and p + √Σ (W_c (u_c − p_c))² (G. Zou, W. Huang, X. Zhang 2009, doi
    10.1016/j.csda.2008.09.033), which keeps a width where every audit confirmed. Settled labels
    are right with no doubt and pull both ends towards 1. Labels corrected by the audit are settled.
    In simulations 95 % intervals held the truth in 94-95 % from 100 audits a class on (also over 12
    strata), in 90 % with 15 a class, and in 83 % where half of 60 labels were audited.
    """
    heard = [stratum for stratum in strata if stratum.audited and stratum.waiting]
    waiting, covered = _waiting(strata), _waiting(heard)
    value: Statistic
    interval: MaybeInterval
    if not waiting and settled:
        value, interval = 1.0, Interval(1.0, 1.0)
    elif not heard:
        value = interval = Undefined.NOT_AUDITED
    else:
        center, ends = _combined(heard, covered, confidence)
        value = _with_settled(center, covered, settled)
        interval = Interval(
            _with_settled(ends.low, covered, settled), _with_settled(ends.high, covered, settled)
        )
    return Precision(
        labels=round(waiting + settled),
        settled=settled,
        audited=round(sum(stratum.audited for stratum in strata)),
        covered=covered / waiting if waiting else 1.0,
        value=value,
        interval=interval,
    )


def precision_by_class(
    strata: Sequence[Stratum],
    settled: Mapping[str, int] | None = None,
    confidence: float = CONFIDENCE,
) -> dict[str, Precision]:
    """Estimate each class by itself; `settled`: its settled labels."""
    known = settled or {}
    labels = sorted({stratum.label for stratum in strata} | set(known))
    return {
        label: precision([s for s in strata if s.label == label], known.get(label, 0), confidence)
        for label in labels
    }


def further_audits(
    strata: Sequence[Stratum], settled: int, width: float, confidence: float = CONFIDENCE
) -> int | Undefined:
    """Return how many more audits bring the export's interval to a width, if the rates stay.

    They are spread over the strata by their waiting labels. Each class is expected to go on at
    (right + z²/2) / (audited + z²), so that a spotless start does not promise too much. Auditing
    everything always does. Undefined where nothing waits.
    """
    waiting = int(_waiting(strata))
    if not waiting:
        return Undefined.NOTHING_COMPARED

    def is_enough(audits: int) -> bool:
        expected = precision(_after(strata, audits, confidence), settled + audits, confidence)
        ends = expected.interval
        return expected.covered == 1 and isinstance(ends, Interval) and ends.width <= width

    too_few, enough = -1, waiting
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        too_few, enough = (too_few, middle) if is_enough(middle) else (middle, enough)
    return enough


def _waiting(strata: Iterable[Stratum]) -> float:
    return sum(stratum.waiting for stratum in strata)


def _with_settled(share: float, waiting: float, settled: int) -> float:
    return (share * waiting + settled) / (waiting + settled)


def _combined(
    heard: Sequence[Stratum], covered: float, confidence: float
) -> tuple[float, Interval]:
    center = below = above = 0.0
    for label in sorted({stratum.label for stratum in heard}):
        of_class = [stratum for stratum in heard if stratum.label == label]
        weight = _waiting(of_class) / covered
        p, ends = _class_share(of_class, confidence)
        center += weight * p
        below += (weight * (p - ends.low)) ** 2
        above += (weight * (ends.high - p)) ** 2
    return center, Interval(max(0.0, center - sqrt(below)), min(1.0, center + sqrt(above)))


def _class_share(of_class: Sequence[Stratum], confidence: float) -> tuple[float, Interval]:
    waiting = _waiting(of_class)
    p = doubt = 0.0
    for stratum in of_class:
        weight = stratum.waiting / waiting
        p += weight * stratum.right / stratum.audited
        doubt += weight**2 * (1 / stratum.audited + 1 / stratum.waiting)
    ends = wilson(p / doubt, 1 / doubt, confidence)
    if isinstance(ends, Undefined):
        raise AssertionError(f"strata without audits: {of_class}")
    return p, ends


def _after(strata: Sequence[Stratum], audits: int, confidence: float) -> list[Stratum]:
    """Return the strata as expected after so many more audits."""
    waiting, z2 = _waiting(strata), quantile(confidence) ** 2
    right: defaultdict[str, float] = defaultdict(float)
    audited: defaultdict[str, float] = defaultdict(float)
    for stratum in strata:
        right[stratum.label] += stratum.right
        audited[stratum.label] += stratum.audited
    found = []
    for stratum in strata:
        taken = audits * stratum.waiting / waiting
        rate = (right[stratum.label] + z2 / 2) / (audited[stratum.label] + z2)
        found.append(
            replace(
                stratum,
                waiting=stratum.waiting - taken,
                audited=stratum.audited + taken,
                right=stratum.right + taken * rate,
            )
        )
    return found
