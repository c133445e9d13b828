"""Read what a /pooling endpoint answers, checked by trainer.pooling_rows, in engines' words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainer import pooling_rows
from trainer.encoding import Encoded
from trainer.scorers import Unscored
from workers.engines.protocol import EngineRefused, EngineUnavailable
from workers.engines.scorers import Values


def read_answer(answer: Any, asked: Sequence[Encoded], flags: str) -> list[Values]:
    """Return the probability of right at each step token of each input, in the order asked.

    An input whose numbers overflowed is refused. Raise EngineUnavailable, which names the `flags`
    that the server lacks, where the answer is not what a PRM answers.
    """
    try:
        scored = pooling_rows.read_answer(answer, asked, flags)
    except pooling_rows.BadAnswer as error:
        raise EngineUnavailable(str(error), retry=not error.hopeless) from error
    return [EngineRefused(s.reason) if isinstance(s, Unscored) else s for s in scored]
