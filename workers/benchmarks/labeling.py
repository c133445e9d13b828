"""What labeling costs, by method: `make bench-labeling`. One model, one set of solutions, one run.

`exhaustive` draws n completions after every step but the last, all submitted at once, as
arXiv 2501.07301 describes; `distilabel_like` draws as many in blocks of 50 prefixes, each block
waiting for the one before, as distilabel 1.5.3 does; `hard` and `consensus` are this project's. A
completion's seed depends on its prefix and number alone, so the methods see the same completions.
Rounds are interleaved; each figure is the median of a method's rounds.

`engine_utilisation` is the throughput of `hard` against the same samples submitted at once. A run
ends with ever fewer rows in a batch; so it is measured on more solutions, where that end weighs as
little as in a real run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TypeVar

from demo.world import problems
from labeling.domain.answers import final_answer
from labeling.domain.judging import Parsed
from labeling.domain.monte_carlo import Estimate, McMode, Wave, estimate, next_wave, observe, start
from labeling.domain.seeds import completer_hash
from labeling.domain.steps import SplitRule
from workers.engines.protocol import Answer, Completion, Engine, Sample, complete
from workers.engines.registry import close_engines, open_engine
from workers.grading import Grader
from workers.labeling import mc
from workers.labeling.flow import Talk, converse
from workers.labeling.generate import GenerateConfig, GenerateTask, generate
from workers.labeling.judge import JudgeConfig, JudgeTask, judge
from workers.labeling.mc import McConfig, McTask, samples_of

R = TypeVar("R")
CHECKPOINT = Path("demo/checkpoint")
BLOCK = 50
"""Prefixes that distilabel sends at once (its input_batch_size)."""

MC = McConfig(
    n=8,
    mode=McMode.HARD,
    template="plain-v1",
    temperature=1.0,
    max_tokens=72,
    completer=completer_hash({"model": str(CHECKPOINT), "template": "plain-v1"}),
)
JUDGE = JudgeConfig("check-v1", temperature=0.0, max_tokens=48, labeler_hash="bench")
GENERATE = GenerateConfig(2, "plain-v1", 1.0, 72, SplitRule(), "bench")


class Counting:
    """An engine, and what was drawn from it."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.name, self.slots = engine, engine.name, engine.slots
        self.samples: list[Sample] = []
        self.tokens = 0

    def submit(self, samples: Sequence[Sample]) -> None:
        """Submit and count."""
        self.samples += samples
        self.engine.submit(samples)

    def finished(self, wait: float) -> list[tuple[Sample, Answer]]:
        """Return what is done and count its tokens."""
        done = self.engine.finished(wait)
        self.tokens += sum(a.completion_tokens for _, a in done if isinstance(a, Completion))
        return done

    def cancel(self) -> None:
        """Cancel."""
        self.engine.cancel()

    def close(self) -> None:
        """Close."""
        self.engine.close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One round of a method: first errors by solution (None: refutes the judge), and its cost."""

    first_errors: tuple[int | None, ...]
    samples: tuple[Sample, ...]
    tokens: int
    seconds: float


Method = Callable[[Sequence[McTask], Engine, Grader], list[int | None]]


def held(talks: Iterable[Talk[R]], engine: Engine) -> list[R]:
    """Return the results of all talks."""
    waiting = list(talks)

    def pull(room: int) -> list[Talk[R]]:
        some = waiting[:room]
        del waiting[:room]
        return some

    return [result for results in converse(engine, pull) for result in results]


def exhaustive(tasks: Sequence[McTask], engine: Engine, grader: Grader) -> list[int | None]:
    """Draw everything at once, for each solution by itself."""
    wanted = [_all_samples(task) for task in tasks]
    answers = iter(complete(engine, [sample for some in wanted for sample in some]))
    return [
        _labeled(t, [next(answers) for _ in w], grader) for t, w in zip(tasks, wanted, strict=True)
    ]


def distilabel_like(tasks: Sequence[McTask], engine: Engine, grader: Grader) -> list[int | None]:
    """Draw everything, BLOCK prefixes at a time."""
    wanted = [_all_samples(task) for task in tasks]
    flat = [sample for some in wanted for sample in some]
    size = BLOCK * MC.n
    answers: list[Answer] = []
    for begin in range(0, len(flat), size):
        answers += complete(engine, flat[begin : begin + size])
    given = iter(answers)
    return [
        _labeled(t, [next(given) for _ in w], grader) for t, w in zip(tasks, wanted, strict=True)
    ]


def hard(tasks: Sequence[McTask], engine: Engine, grader: Grader) -> list[int | None]:
    """Draw in waves up to the first wrong step."""
    return _ours(tasks, engine, grader, McMode.HARD)


def consensus(tasks: Sequence[McTask], engine: Engine, grader: Grader) -> list[int | None]:
    """Draw until the judge is confirmed or refuted."""
    return _ours(tasks, engine, grader, McMode.CONSENSUS)


METHODS: dict[str, Method] = {
    "exhaustive": exhaustive,
    "distilabel_like": distilabel_like,
    "hard": hard,
    "consensus": consensus,
}


def main() -> None:
    """Print one JSON line; progress goes to standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=300, help="two solutions of each")
    parser.add_argument("--long", type=int, default=1500, help="problems of the utilisation")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--dtype", default="float32")
    args = parser.parse_args()
    with Grader() as grader:
        tasks = _tasks(args.problems, args.seed, args.dtype, grader)
        rounds: dict[str, list[Outcome]] = {name: [] for name in METHODS}
        for number in range(args.rounds):
            for name, method in METHODS.items():
                rounds[name].append(_round(method, tasks, args.dtype, grader))
                _say(f"round {number + 1}: {name} {rounds[name][-1].seconds:.1f} s")
        many = _tasks(args.long, args.seed, args.dtype, grader)
        utilisation = [_utilisation(many, args.dtype, grader) for _ in range(args.rounds)]
    report = {
        **_report(tasks, rounds),
        "engine_utilisation": round(median(utilisation), 3),
        "engine_utilisation_solutions": len(many),
    }
    print(json.dumps(report))  # noqa: T201 - the result


def _utilisation(tasks: Sequence[McTask], dtype: str, grader: Grader) -> float:
    ours = _round(hard, tasks, dtype, grader)
    at_once = _at_once(ours.samples, dtype)
    _say(f"{len(ours.samples)} samples: hard {ours.seconds:.1f} s, at once {at_once:.1f} s")
    return at_once / ours.seconds


def _report(tasks: Sequence[McTask], rounds: dict[str, list[Outcome]]) -> dict[str, object]:
    full = rounds["exhaustive"][0].first_errors
    # What a judge that said nothing leaves is decided by nobody: there all labels count.
    decided = tuple(
        label if task.judged in (None, label) else None
        for label, task in zip(full, tasks, strict=True)
    )
    by_judge = {name: [one.first_errors for one in some] for name, some in rounds.items()}
    same = all(
        r == full for name in ("exhaustive", "distilabel_like", "hard") for r in by_judge[name]
    )
    return {
        "solutions": len(tasks),
        "completions": {
            name: median(len(r.samples) for r in some) for name, some in rounds.items()
        },
        "tokens": {name: median(r.tokens for r in some) for name, some in rounds.items()},
        "seconds": {
            name: round(median(r.seconds for r in some), 2) for name, some in rounds.items()
        },
        "labels_identical": same,
        "decisions_identical": all(r == decided for r in by_judge["consensus"]),
    }


def _tasks(count: int, seed: int, dtype: str, grader: Grader) -> list[McTask]:
    """Let the model write solutions and judge them."""
    engine = _engine(dtype)
    world = problems(seed, count)
    asked = [GenerateTask(k, p.statement, p.statement, p.answer) for k, p in enumerate(world)]
    written = held((generate(task, grader, GENERATE) for task in asked), engine)
    distinct = {
        (asked[s.problem_id].statement, s.steps): McTask(
            0, asked[s.problem_id].key, asked[s.problem_id].statement, s.steps, s.gaps,
            asked[s.problem_id].gold, bool(s.correct),
        )
        for some in written for s in some if s.steps
    }  # fmt: skip
    tasks = [replace(task, solution_id=k) for k, (_, task) in enumerate(sorted(distinct.items()))]
    template = JUDGE.judge()
    asks = (judge(JudgeTask(t.solution_id, t.statement, t.steps), template, JUDGE) for t in tasks)
    said = {result.solution_id: result.reading for result in held(asks, engine)}
    _say(f"{len(tasks)} solutions of {count} problems written and judged")
    return [replace(task, judged=_first_error(said[task.solution_id])) for task in tasks]


def _first_error(reading: object) -> int | None:
    return reading.first_error if isinstance(reading, Parsed) else None


def _round(method: Method, tasks: Sequence[McTask], dtype: str, grader: Grader) -> Outcome:
    counting = Counting(_engine(dtype))
    began = time.perf_counter()
    labels = method(tasks, counting, grader)
    seconds = time.perf_counter() - began
    return Outcome(tuple(labels), tuple(counting.samples), counting.tokens, seconds)


def _at_once(samples: Sequence[Sample], dtype: str) -> float:
    engine = _engine(dtype)
    began = time.perf_counter()
    complete(engine, samples)
    return time.perf_counter() - began


def _engine(dtype: str) -> Engine:
    """Open the engine afresh: no method profits from what another one left in its caches."""
    close_engines()
    engine = open_engine("transformers", str(CHECKPOINT), {"dtype": dtype})
    complete(engine, [Sample("Problem: 1 + 1?\n\n", 0, 4, 1.0)])
    return engine


def _ours(
    tasks: Sequence[McTask], engine: Engine, grader: Grader, mode: McMode
) -> list[int | None]:
    config = replace(MC, mode=mode)
    results = held((mc.estimate(task, grader, config) for task in tasks), engine)
    found = {r.solution_id: r.estimate.first_error if r.estimate else None for r in results}
    return [found[task.solution_id] for task in tasks]


def _all_samples(task: McTask) -> list[Sample]:
    """Return n samples after every step but the last, not shared with any other solution."""
    waves = [Wave(step, range(MC.n)) for step in range(len(task.steps) - 1)]
    own = f"{task.problem_id} {task.solution_id}"
    return [replace(s, group=own) for wave in waves for s in samples_of(task, wave, MC)]


def _labeled(task: McTask, answers: Sequence[Answer], grader: Grader) -> int | None:
    state = start(len(task.steps), MC.n, McMode.EXHAUSTIVE, task.own_answer_correct)
    texts = [answer.text if isinstance(answer, Completion) else "" for answer in answers]
    while (wave := next_wave(state)) is not None:
        begin = wave.step * MC.n
        answers_given = map(final_answer, texts[begin : begin + MC.n])
        state = observe(state, [grader.grade(task.gold, a).correct for a in answers_given])
    found: Estimate = estimate(state)
    return found.first_error


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress


if __name__ == "__main__":
    main()
