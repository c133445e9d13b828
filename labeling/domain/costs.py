"""What a run may cost: ranges, prices, and the assumptions behind them in words.

Numbers of tokens come from labeling.domain.workloads; here they become time and money.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from labeling.domain.phrases import Phrase

MILLION = 1_000_000
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Range:
    """An amount that is known to lie between two values, at best."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"a range from {self.low} to {self.high}")

    @classmethod
    def exactly(cls, value: float) -> Range:
        """Return the range of one value."""
        return cls(value, value)

    @classmethod
    def about(cls, value: float, share: float) -> Range:
        """Return a value give or take this share of it."""
        return cls(value * max(1 - share, 0.0), value * (1 + share))

    @classmethod
    def over(cls, values: Iterable[float]) -> Range:
        """Return the range from the lowest to the highest value."""
        found = list(values)
        return cls(min(found), max(found))

    @property
    def exact(self) -> bool:
        """Whether both ends are one value, as far as pages show."""
        return round(self.low) == round(self.high)

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float | Range) -> Range:
        by = factor if isinstance(factor, Range) else Range.exactly(factor)
        return Range(self.low * by.low, self.high * by.high)

    def __truediv__(self, by: Range) -> Range:
        return Range(self.low / by.high, self.high / by.low)

    def at_most(self, limit: float) -> Range:
        """Return the range with both ends cut at a limit."""
        return Range(min(self.low, limit), min(self.high, limit))


NOTHING = Range.exactly(0)


@dataclass(frozen=True, slots=True)
class Prices:
    """What an engine costs: per million tokens, and per hour of its machine; the two add up."""

    prompt: float = 0.0
    completion: float = 0.0
    hour: float = 0.0
    currency: str = "USD"

    @property
    def free(self) -> bool:
        """Whether nothing has a price."""
        return not (self.prompt or self.completion or self.hour)

    def of(self, prompt_tokens: Range, completion_tokens: Range, seconds: Range | None) -> Range:
        """Return the price; without a known time the hours are left out."""
        tokens = prompt_tokens * (self.prompt / MILLION)
        tokens += completion_tokens * (self.completion / MILLION)
        return tokens + (seconds or NOTHING) * (self.hour / HOUR)

    def spent(self, prompt_tokens: float, completion_tokens: float, seconds: float) -> float:
        """Return the price of what was used already."""
        exactly = map(Range.exactly, (prompt_tokens, completion_tokens, seconds))
        return self.of(*exactly).low


@dataclass(frozen=True, slots=True)
class Speed:
    """What one worker was measured to do with an engine, per second."""

    completion_tokens: float
    items: float


@dataclass(frozen=True, slots=True)
class Workload:
    """What a run asks of its engine. `exhaustive`: completions of the published method (MC)."""

    items: int
    completions: Range
    prompt_tokens: Range
    completion_tokens: Range
    exhaustive: float | None = None
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A workload with its time, in seconds of one worker, and its price; None where unknown."""

    work: Workload
    seconds: Range | None
    money: Range | None
    currency: str
    assumptions: tuple[str, ...]

    @property
    def saving(self) -> Range | None:
        """How many times fewer completions than by the published method; None without one."""
        if not self.work.exhaustive or not self.work.completions.low:
            return None
        return Range.exactly(self.work.exhaustive) / self.work.completions


def estimate(work: Workload, prices: Prices, speed: Speed | None) -> Estimate:
    """Add time and money to a workload."""
    seconds = _seconds(work, speed)
    return Estimate(
        work=work,
        seconds=seconds,
        money=prices.of(work.prompt_tokens, work.completion_tokens, seconds),
        currency=prices.currency,
        assumptions=(
            *work.assumptions,
            *_said_of_time(speed, seconds),
            *_said_of_price(prices, seconds),
        ),
    )


def total(estimates: Sequence[Estimate]) -> Estimate:
    """Return the estimate of several runs together, each assumption once.

    A time that is not known for one is not known for all; amounts in several currencies are not
    added.
    """
    works = [one.work for one in estimates]
    times = [one.seconds for one in estimates]
    moneys = [one.money for one in estimates]
    currencies = {one.currency for one in estimates if one.money and one.money.high}
    exhaustive = [work.exhaustive for work in works if work.exhaustive is not None]
    return Estimate(
        work=Workload(
            items=sum(work.items for work in works),
            completions=_sum([work.completions for work in works]),
            prompt_tokens=_sum([work.prompt_tokens for work in works]),
            completion_tokens=_sum([work.completion_tokens for work in works]),
            exhaustive=sum(exhaustive) if exhaustive else None,
        ),
        seconds=None if None in times else _sum([time for time in times if time]),
        money=None if len(currencies) > 1 else _sum([money for money in moneys if money]),
        currency=next(iter(currencies), estimates[0].currency),
        assumptions=tuple(dict.fromkeys(said for one in estimates for said in one.assumptions)),
    )


def _sum(ranges: Iterable[Range]) -> Range:
    return reduce(Range.__add__, ranges, NOTHING)


def _seconds(work: Workload, speed: Speed | None) -> Range | None:
    if not work.items:
        return NOTHING
    if speed is None:
        return None
    if work.completion_tokens.high and speed.completion_tokens:
        return work.completion_tokens * (1 / speed.completion_tokens)
    if speed.items:
        return Range.exactly(work.items / speed.items)
    return None


def _said_of_time(speed: Speed | None, seconds: Range | None) -> Iterable[str]:
    if seconds is None:
        yield Phrase("The time is not known: this engine has not worked on such a run yet.")
    elif speed is not None and seconds.high:
        yield Phrase(
            "Time of one worker, at the speed measured on this engine: "
            "{tokens:,.0f} completion tokens and {items:,.2f} items a "
            "second. Several workers, or a busier engine, change it.",
            tokens=speed.completion_tokens,
            items=speed.items,
        )


def _said_of_price(prices: Prices, seconds: Range | None) -> Iterable[str]:
    if prices.free:
        yield Phrase("This engine has no prices.")
        return
    yield Phrase(
        "{prompt:g} and {completion:g} {currency} per million prompt and "
        "completion tokens, {hour:g} per hour. Discounts for cached prompts are left out.",
        prompt=prices.prompt,
        completion=prices.completion,
        currency=prices.currency,
        hour=prices.hour,
    )
    if prices.hour and seconds is None:
        yield Phrase("The hours are not in the price, as the time is not known.")
