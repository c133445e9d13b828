"""Two labelers with their sides exchanged: what is symmetric must not notice."""

from labeling.domain.statistics.confusion import Confusion


def mirrored(table: Confusion) -> Confusion:
    return Confusion({(b, a): n for (a, b), n in table.cells.items()})
