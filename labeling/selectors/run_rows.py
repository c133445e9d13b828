"""One run as pages and the API show it, made of the numbers of its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from labeling.domain.attention import Attention, Facts, Trouble, attention
from labeling.domain.costs import Prices
from labeling.domain.labels import VerdictState
from labeling.models import Engine, Run
from labeling.models.runs import RunKind, RunState
from labeling.selectors.run_figures import Cost, Progress, Speed
from labeling.selectors.run_numbers import ALIVE, WINDOW, Numbers
from labeling.selectors.run_sums import Drawn, Lately, Said, Spent


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run with its numbers."""

    run: Run
    name: str
    progress: Progress
    speed: Speed | None
    cost: Cost
    attention: Attention | None

    @property
    def uid(self) -> str:
        """Return the run's id."""
        return self.run.uid

    @property
    def kind(self) -> RunKind:
        """Return the run's kind."""
        return RunKind(self.run.kind)

    @property
    def state(self) -> RunState:
        """Return the run's state."""
        return RunState(self.run.state)

    @property
    def alive(self) -> bool:
        """Whether the run works or waits to work."""
        return self.state in ALIVE

    @property
    def can_pause(self) -> bool:
        """Whether `pause` would be accepted."""
        return self.state is RunState.RUNNING

    @property
    def can_resume(self) -> bool:
        """Whether `resume` would be accepted."""
        return self.state in (RunState.PAUSED, RunState.FAILED)

    @property
    def can_cancel(self) -> bool:
        """Whether `cancel` would be accepted."""
        return self.state in (RunState.RUNNING, RunState.PAUSED, RunState.FAILED)

    @property
    def can_retry(self) -> bool:
        """Whether there is anything to ask for again."""
        return self.progress.unscored > 0


def row_of(run: Run, numbers: Numbers, now: datetime) -> RunRow:
    """Make the row of a run."""
    progress = _progress(run, numbers)
    trouble = attention(_facts(run, numbers, progress, now))
    unserved = trouble is not None and trouble.trouble is Trouble.UNSERVED
    return RunRow(
        run=run,
        name=run.labeler.name if run.labeler else generation_name(run.config),
        progress=progress,
        speed=None if unserved else _speed(run, numbers, progress, now),
        cost=_cost(run, numbers, progress),
        attention=trouble,
    )


def prices_of(engine: Engine) -> Prices:
    """Return an engine's prices as the domain reads them."""
    return Prices(
        prompt=float(engine.prompt_price),
        completion=float(engine.completion_price),
        hour=float(engine.hour_price),
        currency=engine.currency,
    )


def generation_name(config: Mapping[str, Any]) -> str:
    """Return what a generation run is called: its generator and temperature."""
    name = str(config.get("generator", "")) or gettext("solutions")
    if "temperature" not in config:
        return name
    words = gettext("{name}, temperature {temperature:g}")
    return words.format(name=name, temperature=config["temperature"])


def _progress(run: Run, numbers: Numbers) -> Progress:
    if run.labeler_id:
        said = numbers.said.get(run.labeler_id, Said())
        return Progress(
            done=said.verdicts,
            total=numbers.solutions,
            unscored=said.states[VerdictState.UNSCORED],
            refuted=said.states[VerdictState.REFUTED],
        )
    drawn = numbers.drawn.get(run.config_hash, Drawn())
    left = numbers.problems - drawn.problems
    if run.config.get("unsolved_only"):
        left = numbers.unsolved.get(run.config_hash, 0)
    return Progress(drawn.problems, drawn.problems + left, unusable=drawn.unusable)


def _speed(run: Run, numbers: Numbers, progress: Progress, now: datetime) -> Speed | None:
    """Return the speed of a run under way; None where nothing came within WINDOW."""
    lately = Lately()
    if run.labeler_id:
        lately = numbers.verdicts_lately.get(run.labeler_id, lately)
    else:
        lately = numbers.draws_lately.get(run.config_hash, lately)
    span = min(WINDOW, now - run.created_at).total_seconds()
    left = progress.total - progress.done
    if run.state != RunState.RUNNING or not lately.items or span <= 0 or left <= 0:
        return None
    return Speed(
        items=lately.items / span,
        completions=lately.completions / span,
        tokens=lately.completion_tokens / span,
        eta=left * span / lately.items,
    )


def _cost(run: Run, numbers: Numbers, progress: Progress) -> Cost:
    spent, settled = _spent(run, numbers)
    prices = prices_of(run.engine) if run.engine else Prices()
    money = projected = None
    if not prices.free:
        money = prices.spent(spent.prompt_tokens, spent.completion_tokens, run.seconds)
        left = progress.total - progress.done if run.state in ALIVE else 0
        projected = money + left * money / spent.items if spent.items > 0 else None
    return Cost(
        completions=spent.completions,
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        seconds=run.seconds,
        settled=settled.completions,
        exhaustive=settled.exhaustive,
        money=money,
        projected=projected,
        currency=prices.currency,
    )


def _spent(run: Run, numbers: Numbers) -> tuple[Spent, Spent]:
    """Return what the run has spent, and what its labeler's settled verdicts took."""
    if run.labeler_id:
        said = numbers.said.get(run.labeler_id, Said())
        return numbers.paid.get(run.pk, Spent()), said.settled
    drawn = numbers.drawn.get(run.config_hash, Drawn())
    return Spent(
        items=drawn.problems,
        completions=drawn.samples,
        prompt_tokens=drawn.prompt_tokens,
        completion_tokens=drawn.completion_tokens,
    ), Spent()


def _facts(run: Run, numbers: Numbers, progress: Progress, now: datetime) -> Facts:
    def ago(moment: datetime | None) -> float | None:
        return None if moment is None else (now - moment).total_seconds()

    served = numbers.presence.get(run.kind)
    counted = max((row.seen_at for row in numbers.presence.values()), default=None)
    judge = numbers.judges.get(run.config.get("judge", ""))
    judged = numbers.said.get(judge.pk, Said()).verdicts if judge else numbers.solutions
    return Facts(
        queue=run.kind,
        failed=run.state == RunState.FAILED,
        running=run.state == RunState.RUNNING,
        left=progress.total - progress.done,
        started=(now - run.created_at).total_seconds(),
        progressed=ago(run.last_progress_at),
        leases=numbers.leases.get(run.pk, 0),
        reason=run.reason,
        failures=run.failures,
        retry_in=(run.retry_at - now).total_seconds() if run.retry_at else None,
        served=ago(served.seen_at) if served else None,
        workers=served.workers if served else 0,
        counted=ago(counted),
        unjudged=numbers.solutions - judged,
    )
