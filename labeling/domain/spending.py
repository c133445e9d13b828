"""What was spent, in tokens and seconds, and in money by currency; what one label then cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from labeling.domain.costs import Prices
from labeling.domain.statistics.undefined import Statistic, Undefined

Money = Mapping[str, float]
"""Amounts by currency: those of several are not added."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What some work took. `items`: verdicts or sampled problems; `seconds`: of workers.

    `unpriced`: tokens of engines without any price, which `money` says nothing of.
    """

    items: int = 0
    completions: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    money: Money = field(default_factory=dict)
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """All tokens, read and written."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Spending) -> Spending:
        money = Counter(self.money)
        money.update(other.money)
        return Spending(
            self.items + other.items,
            self.completions + other.completions,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.seconds + other.seconds,
            dict(sorted(money.items())),
            self.unpriced + other.unpriced,
        )

    def priced(self, prices: Prices) -> Spending:
        """Return the same with its money by an engine's prices."""
        amount = prices.spent(self.prompt_tokens, self.completion_tokens, self.seconds)
        return Spending(
            self.items, self.completions, self.prompt_tokens, self.completion_tokens, self.seconds,
            {} if prices.free else {prices.currency: amount},
            self.tokens if prices.free else 0,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Each:
    """What one label cost, of `count`: all that was spent, divided by them."""

    count: int
    money: Money
    tokens: Statistic
    seconds: Statistic


def each(spent: Spending, count: int) -> Each:
    """Divide what was spent by so many labels; undefined where there is none."""
    if not count:
        return Each(0, {}, Undefined.NO_LABELS, Undefined.NO_LABELS)
    money = {currency: amount / count for currency, amount in spent.money.items()}
    return Each(count, money, spent.tokens / count, spent.seconds / count)


def total(spendings: Iterable[Spending]) -> Spending:
    """Return all together."""
    return sum(spendings, Spending())
