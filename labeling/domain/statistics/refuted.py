"""Agreement where some disagreements are known only as such: judge-first Monte-Carlo estimation.

It says of most solutions on which it differs from the judge only that it does (refuted), and
samples a share of them in full, fixed by a hash beforehand (docs/adr/0009). Tables of whole
verdicts alone would show that share of the disagreements and every agreement.
"""

from __future__ import annotations

import numpy as np

from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.tables import Floats, TableStatistic, Units, quotient


def units_with_refuted(first_errors: Confusion, refuted: int) -> Units:
    """Return the solutions as units; the refuted ones fill one cell of an additional category."""
    seen = first_errors.units()
    size = seen.size + 1
    rows, columns = np.divmod(seen.cells, max(1, seen.size))
    return Units(
        size=size,
        counts=np.append(seen.counts, refuted),
        cells=np.append(rows * size + columns, size * size - 1),
    )


def standing_for_refuted(statistic: TableStatistic) -> TableStatistic:
    """Return a statistic of tables as `units_with_refuted` makes them.

    Each disagreement that was sampled in full stands for (d + r) / d, with d of these and r
    refuted ones: they are a fair sample of all. No value where r > 0 = d.
    """

    def estimated(tables: Floats) -> Floats:
        whole, refuted = tables[..., :-1, :-1], tables[..., -1, -1]
        agreed = np.trace(whole, axis1=-2, axis2=-1)
        disagreed = whole.sum(axis=(-2, -1)) - agreed
        factor = np.where(refuted > 0, quotient(disagreed + refuted, disagreed), 1.0)
        diagonal = np.eye(whole.shape[-1], dtype=bool)
        return statistic(np.where(diagonal, whole, whole * factor[..., None, None]))

    return estimated
