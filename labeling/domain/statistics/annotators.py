"""Dawid and Skene's model: the labelers' own errors, and what the items then most likely are.

An item has a hidden class; a labeler who looks at class j says l with a chance of its own, the
same for every item and whatever the others say (A. P. Dawid, A. M. Skene 1979, doi
10.2307/2346806). Labelers that share weaknesses, such as two prompts of one model, break the
latter: the model then takes their common errors for the truth, as a majority does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from labeling.domain.statistics.tables import Counts, Floats
from labeling.domain.statistics.undefined import Statistic, Undefined

Votes: TypeAlias = tuple[tuple[str, int], ...]
"""One item's votes: (annotator, what it said), sorted."""

MAX_ROUNDS = 1000
TOLERANCE = 1e-9
"""Converged when a round gains less log-likelihood per item."""

FEWEST_ANNOTATORS = 3
"""Of two who differ, each may be the one who errs: the likelihood is the same."""


@dataclass(frozen=True, slots=True)
class Annotator:
    """`confusion`: by (true class, said) the estimated chance of saying it.

    `accuracy`: the expected share of its votes that name the item's class.
    """

    name: str
    votes: int
    accuracy: float
    confusion: Mapping[tuple[int, int], Statistic]


@dataclass(frozen=True, slots=True)
class Item:
    """Items with the same votes: what the majority says (None: a tie) and what the model does."""

    votes: Votes
    items: int
    majority: int | None
    label: int
    chance: float


@dataclass(frozen=True, slots=True)
class AnnotatorModel:
    """A maximum of the likelihood; where not `converged`, an approach to it."""

    shares: Mapping[int, float]
    annotators: tuple[Annotator, ...]
    items: tuple[Item, ...]
    rounds: int
    converged: bool
    log_likelihood: float


def majority(votes: Votes) -> int | None:
    """Return what most said; None where no single class leads."""
    ranked = Counter(said for _, said in votes).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def dawid_skene(
    counted: Mapping[Votes, int], max_rounds: int = MAX_ROUNDS, tolerance: float = TOLERANCE
) -> AnnotatorModel | Undefined:
    """Fit the model by expectation maximization from the shares of votes (no chance in it).

    Undefined where fewer than three annotators voted on items that others voted on too. With many
    classes and few votes the confusions mean little: prefer "has an error" to first errors.
    """
    kept = {votes: items for votes, items in sorted(counted.items()) if votes and items > 0}
    shared = {name for votes in kept for name, _ in votes if len({who for who, _ in votes}) > 1}
    if len(shared) < FEWEST_ANNOTATORS:
        return Undefined.TWO_ANNOTATORS if kept else Undefined.NOTHING_COMPARED
    data = _Data.of(kept)
    beliefs = data.shares_of_votes()
    likelihood, converged, rounds = -np.inf, False, 0
    while not converged and rounds < max_rounds:
        shares, chances, _ = data.maximized(beliefs)
        beliefs, reached = data.expected(shares, chances)
        converged = reached - likelihood < tolerance * data.items.sum()
        likelihood, rounds = reached, rounds + 1
    return _model(kept, data, beliefs, rounds, converged)


@dataclass(frozen=True, slots=True)
class _Data:
    """Votes as parallel arrays: vote v is of item kind `kind[v]`, by `who[v]`, for `said[v]`."""

    names: tuple[str, ...]
    classes: tuple[int, ...]
    items: Floats  # kinds of items: how many
    kind: Counts
    who: Counts
    said: Counts

    @classmethod
    def of(cls, counted: Mapping[Votes, int]) -> _Data:
        names = tuple(sorted({name for votes in counted for name, _ in votes}))
        classes = tuple(sorted({said for votes in counted for _, said in votes}))
        places = {name: place for place, name in enumerate(names)}
        codes = {said: code for code, said in enumerate(classes)}
        rows = [
            (kind, places[name], codes[said])
            for kind, votes in enumerate(counted)
            for name, said in votes
        ]
        kind, who, said = np.array(rows, dtype=np.int64).T
        return cls(names, classes, np.array(list(counted.values()), float), kind, who, said)

    def shares_of_votes(self) -> Floats:
        """Return beliefs (kinds, classes): each item's shares of votes (their equation 3.1)."""
        flat = self.kind * len(self.classes) + self.said
        votes = np.bincount(flat, minlength=len(self.items) * len(self.classes))
        table = votes.reshape(len(self.items), -1).astype(float)
        return table / table.sum(axis=1, keepdims=True)

    def maximized(self, beliefs: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the classes' shares, the chances (who, true, said), the votes (who, true).

        Their equations 2.3 and 2.4. The chances of a class that an annotator never met are 0.
        """
        shares = self.items @ beliefs / self.items.sum()
        size = len(self.classes)
        weights = self.items[self.kind, None] * beliefs[self.kind]
        met = np.zeros((len(self.names), size, size))
        for true in range(size):
            flat = np.bincount(
                self.who * size + self.said, weights[:, true], minlength=len(self.names) * size
            )
            met[:, true] = flat.reshape(-1, size)
        totals = met.sum(axis=2)
        return shares, met / np.where(totals > 0, totals, 1.0)[..., None], totals

    def expected(self, shares: Floats, chances: Floats) -> tuple[Floats, float]:
        """Return the beliefs given the parameters (equation 2.5) and the log-likelihood."""
        with np.errstate(divide="ignore"):  # a chance of 0 rules the class out: exp(-inf) = 0
            start, terms = np.log(shares), np.log(chances)
        logs = np.empty((len(self.items), len(self.classes)))
        for true, prior in enumerate(start):
            said = terms[self.who, true, self.said]
            logs[:, true] = prior + np.bincount(self.kind, said, minlength=len(self.items))
        top = logs.max(axis=1, keepdims=True)
        scaled = np.exp(logs - top)
        sums = scaled.sum(axis=1, keepdims=True)
        return scaled / sums, float(self.items @ (top + np.log(sums))[:, 0])


def _model(
    counted: Mapping[Votes, int], data: _Data, beliefs: Floats, rounds: int, converged: bool
) -> AnnotatorModel:
    shares, chances, totals = data.maximized(beliefs)
    beliefs, likelihood = data.expected(shares, chances)
    best = beliefs.argmax(axis=1)
    return AnnotatorModel(
        shares=dict(zip(data.classes, map(float, shares), strict=True)),
        annotators=tuple(
            _annotator(data, place, chances[place], totals[place])
            for place in range(len(data.names))
        ),
        items=tuple(
            Item(votes, items, majority(votes), data.classes[code], float(beliefs[kind, code]))
            for kind, ((votes, items), code) in enumerate(zip(counted.items(), best, strict=True))
        ),
        rounds=rounds,
        converged=converged,
        log_likelihood=likelihood,
    )


def _annotator(data: _Data, place: int, chances: Floats, totals: Floats) -> Annotator:
    confusion: dict[tuple[int, int], Statistic] = {
        (true, said): float(chances[t, s]) if totals[t] > 0 else Undefined.NEVER_SEEN
        for t, true in enumerate(data.classes)
        for s, said in enumerate(data.classes)
    }
    return Annotator(
        name=data.names[place],
        votes=round(float(totals.sum())),
        accuracy=float(np.diag(chances) @ totals / totals.sum()),
        confusion=confusion,
    )
