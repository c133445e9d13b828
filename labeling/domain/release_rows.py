"""One solution of a release as a line of JSON: an export's inner loop.

The lines are those that trainer.records.to_json would write, byte for byte, and valid as they are:
tests hold them to it. What equal labels make of a line (Frame) is rendered and counted once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from orjson import dumps

from labeling.domain.labels import labels_up_to
from labeling.domain.monte_carlo import McMode
from labeling.domain.releases import Rule, Target, first_wrong, neutral_steps, targets

FRAMES = 4096
"""How many frames are kept at hand: about 2 KB each."""

Counts = list[tuple[int, int] | None]
Numbers = tuple[int | None, ...]
Texts = tuple[
    str, str, str, list[str], str, str | None, str, str, str, str, str, str | None,
]  # fmt: skip
"""A solution's own: its id, its problem's id, statement, steps, reference answer, final answer,
generator, licence, names of problem and solution in their data set, source, critique."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What is said of a solution, as it is stored; see labeling.models. `source`: of the labels.

    Equal to nothing but itself: it is looked up by identity, which costs nothing.
    """

    split: str
    final_answer_correct: bool | None
    first_error: int
    step_labels: Numbers
    mc_k: Numbers
    mc_n: Numbers
    mc_labeler: int | None
    source: str
    labelers: tuple[int, ...]
    policy: int | None
    critic: int | None


@dataclass(slots=True)
class Tally:
    """What the files of one split hold."""

    records: int = 0
    steps: int = 0
    right: int = 0
    wrong: int = 0
    without_loss: int = 0
    flawless: int = 0
    with_counts: int = 0
    with_critique: int = 0
    inexact_mc: int = 0

    def add(self, one: Tally, times: int) -> None:
        """Add so many times what the other holds."""
        self.records += times * one.records
        self.steps += times * one.steps
        self.right += times * one.right
        self.wrong += times * one.wrong
        self.without_loss += times * one.without_loss
        self.flawless += times * one.flawless
        self.with_counts += times * one.with_counts
        self.with_critique += times * one.with_critique
        self.inexact_mc += times * one.inexact_mc

    def to_dict(self) -> dict[str, int]:
        """Return the counts; those that are rare only where there are any."""
        rare = ("with_counts", "with_critique", "inexact_mc")
        return {name: n for name, n in asdict(self).items() if n or name not in rare}


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What equal labels make of each line; or, in a word, why the rule leaves such solutions out.

    The pieces stand behind the texts that they are named for; `one` is what a line adds to the
    tally of its split.
    """

    split: str
    refused: str = ""
    steps: bytes = b""
    critique: bytes = b""
    generator: bytes = b""
    licence: bytes = b""
    problem: bytes = b""
    one: Tally = field(default_factory=Tally)
    source: str = ""
    labelers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Speaker:
    """A labeler as a record names it: what it is, never who. `mode`: of a Monte-Carlo labeler."""

    name: str
    mode: str | None = None


class Writer:
    """Render what a rule picks. `speakers` are the project's labelers by their id."""

    def __init__(self, rule: Rule, speakers: dict[int, Speaker]) -> None:
        self._rule, self._speakers = rule, speakers
        self._frame = lru_cache(maxsize=FRAMES)(self._make_frame)

    def line(self, texts: Texts, said: Said) -> tuple[bytes, Frame]:
        """Return the record's line, which is empty if its frame says why there is none."""
        (
            key, problem_key, statement, steps, answer, final_answer, generator, licence,
            problem_name, name, source, critique,
        ) = texts  # fmt: skip
        frame = self._frame(said, len(steps))
        if frame.refused:
            return b"", frame
        # The keys of `sources` in order: the bytes depend on it.
        pieces = (
            b'{"id":', dumps(key), b',"problem_id":', dumps(problem_key),
            b',"prompt":', dumps(statement), b',"steps":', dumps(steps), frame.steps,
            b',"sources":{"answer":', dumps(answer),
            *((b',"critique":', dumps(critique), frame.critique) if frame.critique else ()),
            b',"final_answer":', dumps(final_answer),
            b',"generator":', dumps(generator), frame.generator,
            b',"licence":', dumps(licence), frame.licence,
            b',"problem":', dumps(problem_name), frame.problem,
            b',"solution":', dumps(name), b',"source":', dumps(source), b"}}\n",
        )  # fmt: skip
        return b"".join(pieces), frame

    def _make_frame(self, said: Said, step_count: int) -> Frame:
        rule = self._rule
        ratings = said.step_labels or labels_up_to(said.first_error, step_count)
        if len(ratings) != step_count:
            return Frame(said.split, "labels_do_not_fit")
        made = targets(ratings, said.first_error, rule.neutral_as, rule.after_error)
        wrong = first_wrong(made, said.first_error)
        counts = _counts(said.mc_k, said.mc_n, step_count)
        mc = self._speakers.get(said.mc_labeler or 0)
        mode = McMode(mc.mode) if mc is not None and mc.mode is not None and said.mc_k else None
        if rule.target is Target.SOFT:
            if not _unbiased(counts, made, mode):
                return Frame(said.split, "without_soft_labels")
            counts = [c if t is not None else None for c, t in zip(counts or (), made, strict=True)]
        neutral = neutral_steps(ratings, wrong)
        names = tuple(sorted(self._speakers[pk].name for pk in said.labelers))
        critic = said.critic is not None and self._speakers[said.critic].name
        return Frame(
            said.split,
            steps=_members(
                labels=made,
                counts=counts,
                first_error=wrong,
                final_answer_correct=said.final_answer_correct,
                split=said.split,
            ),
            critique=_members(critique_by=critic) if critic else b"",
            generator=_members(labelers=names, labels=said.source),
            licence=_members(
                **({} if mode is None else {"mc_exact": mode.exact, "mc_mode": mode}),
                **({"neutral": neutral} if neutral else {}),
                policy=said.policy,
            ),
            problem=_members(ratings=ratings),
            one=Tally(
                records=1,
                steps=step_count,
                right=made.count(1),
                wrong=made.count(0),
                without_loss=made.count(None),
                flawless=int(wrong < 0),
                with_counts=int(counts is not None),
                with_critique=int(bool(critic)),
                inexact_mc=int(mode is not None and not mode.exact),
            ),
            source=said.source,
            labelers=names,
        )


def _members(**values: Any) -> bytes:
    """Return an object's members behind others, in the order given."""
    return b"," + dumps(values)[1:-1]


def _counts(k: Numbers, n: Numbers, step_count: int) -> Counts | None:
    if not k or not n or len(k) != step_count:
        return None
    return [
        None if done is None or drawn is None else (done, drawn)
        for done, drawn in zip(k, n, strict=True)
    ]


def _unbiased(counts: Counts | None, labels: Sequence[int | None], mode: McMode | None) -> bool:
    """Say whether every label has the k of n completions that were all drawn."""
    if counts is None or (mode is not None and mode.stops_at_success):
        return False
    return all(
        count is not None for count, label in zip(counts, labels, strict=True) if label is not None
    )
