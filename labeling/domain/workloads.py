"""How many completions and tokens a run of each kind may take, from lengths or from measurements.

Lengths are characters of a sample of the project's own solutions; measurements are sums over what
like labelers have done. Which rows these are is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from labeling.domain.costs import NOTHING, Range, Workload
from labeling.domain.judging import judge_template
from labeling.domain.phrases import Phrase, marked
from labeling.domain.prompts import render
from labeling.domain.run_settings import GenerateSettings, JudgeSettings

MEASURED_FROM = 50
"""Verdicts of a like labeler that count as a measurement."""

USUAL_CHARACTERS = Range(3.0, 4.0)
"""Characters per token where none were measured: 3.5 give or take (mathematics in English)."""

LENGTH_SHARE = 0.25
"""A completer's texts are taken to be as long as the solution's own, give or take this share."""

TAG_CHARACTERS = 36
"""What a judge's template writes around a step."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Lengths, in characters, of one solution: its problem's statement and its steps."""

    statement: int
    steps: tuple[int, ...] = ()

    @property
    def text(self) -> int:
        """Characters of the whole solution."""
        return sum(self.steps)


@dataclass(frozen=True, slots=True)
class Sample:
    """`items` that wait for the run, and the shapes of some that stand for them."""

    items: int
    shapes: Sequence[Shape]

    @property
    def scale(self) -> float:
        """How many items one shape stands for."""
        return self.items / len(self.shapes) if self.shapes else 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Sums over what a like labeler has done, `what` in words; `same_model`: by the same model and
    template."""

    what: Phrase
    verdicts: int
    completions: int
    exhaustive: int
    prompt_tokens: int
    completion_tokens: int
    same_model: bool

    @property
    def share(self) -> float:
        """Twice the relative error of a mean over the verdicts, a twentieth to a half.

        A single solution's cost is taken to vary by as much as its mean; and however many verdicts
        there are, the solutions to come may differ from them.
        """
        return min(max(2 / sqrt(self.verdicts), 0.05), 0.5)

    @property
    def words(self) -> Phrase:
        """Return where the numbers come from."""
        return Phrase(
            "measured on {count:,} {what}, ± {percent:.0f} %",
            count=self.verdicts,
            what=self.what,
            percent=100 * self.share,
        )


@dataclass(frozen=True, slots=True)
class Characters:
    """Characters per token, and from how many texts of the model; none = taken as usual."""

    per_token: Range = USUAL_CHARACTERS
    texts: int = 0

    @property
    def words(self) -> Phrase:
        """Return where the number comes from."""
        source = Phrase("assumed")
        if self.texts:
            source = Phrase("measured on {count:,} texts of this model", count=self.texts)
        return Phrase(
            "{low:.1f} to {high:.1f} characters make a token ({source}).",
            low=self.per_token.low,
            high=self.per_token.high,
            source=source,
        )


def judge(
    sample: Sample, settings: JudgeSettings, measured: Measured | None, characters: Characters
) -> Workload:
    """Return what a judge's verdicts on the sample take."""
    completions = Range.exactly(sample.items * settings.votes)
    said = [waiting(sample, marked("solutions"))]
    if measured and measured.same_model and measured.completions:
        said.append(Phrase("Tokens: {words}.", words=measured.words))
        return _as_measured(sample.items, completions, measured, tuple(said))
    text = settings.text or judge_template(settings.template).text
    written = sum(
        len(text) + shape.statement + shape.text + TAG_CHARACTERS * len(shape.steps)
        for shape in sample.shapes
    )
    prompts = Range.exactly(sample.scale * written * settings.votes) / characters.per_token
    shortest = sum(shape.text for shape in sample.shapes) * sample.scale / characters.per_token.high
    most = float(settings.max_tokens * sample.items)
    replies = Range(min(shortest, most), most) * settings.votes
    said.append(
        Phrase(
            "A reply is taken to be at least as long as the solution and at most "
            "{count:,} tokens. {characters}",
            count=settings.max_tokens,
            characters=characters.words,
        )
    )
    return Workload(sample.items, completions, prompts, replies, assumptions=tuple(said))


def generate(
    sample: Sample,
    settings: GenerateSettings,
    written: Sequence[int],
    measured: Measured | None,
    characters: Characters,
) -> Workload:
    """Return what sampling solutions takes; `written`: characters of solutions known already."""
    completions = Range.exactly(sample.items * settings.samples)
    said = [waiting(sample, marked("problems"))]
    if measured and measured.same_model and measured.completions:
        said.append(Phrase("Tokens: {words}.", words=measured.words))
        return _as_measured(sample.items, completions, measured, tuple(said))
    overhead = template_characters(settings.template)
    prompts = sum(overhead + shape.statement for shape in sample.shapes) * sample.scale
    most = float(settings.max_tokens)
    if written:
        mean = sum(written) / len(written)
        each = (Range.about(mean, LENGTH_SHARE) / characters.per_token).at_most(most)
        said.append(
            Phrase(
                "A solution is taken to be as long as those of the project, "
                "± {percent:.0f} %. {characters}",
                percent=100 * LENGTH_SHARE,
                characters=characters.words,
            )
        )
    else:
        each = Range(most / 10, most)
        words = marked("A solution is taken to have {low:,.0f} to {high:,.0f} tokens.")
        said.append(Phrase(words, low=most / 10, high=most))
    return Workload(
        sample.items,
        completions,
        Range.exactly(prompts * settings.samples) / characters.per_token,
        completions * each,
        assumptions=tuple(said),
    )


def score(sample: Sample, characters: Characters) -> Workload:
    """Return what scoring the sample by a PRM takes: each solution is read once."""
    read = sum(shape.statement + shape.text for shape in sample.shapes) * sample.scale
    said = (
        waiting(sample, marked("solutions")),
        Phrase("Each is read once. {characters}", characters=characters.words),
    )
    tokens = Range.exactly(read) / characters.per_token
    return Workload(sample.items, NOTHING, tokens, NOTHING, assumptions=said)


def waiting(sample: Sample, what: str) -> Phrase:
    """Return how many items wait, and how many stand for them."""
    known = len(sample.shapes)
    return Phrase(
        "{count:,} {what} wait; lengths are those of {known:,} of the project's.",
        count=sample.items,
        what=Phrase(what),
        known=known,
    )


def template_characters(template: str) -> int:
    """Return the characters that a completion template adds to a statement."""
    prompt = render(template, "", ())
    return len(prompt) if isinstance(prompt, str) else sum(len(m.content) for m in prompt)


def _as_measured(
    items: int, completions: Range, measured: Measured, said: tuple[str, ...]
) -> Workload:
    each = completions * Range.about(1 / measured.completions, measured.share)
    return Workload(
        items=items,
        completions=completions,
        prompt_tokens=each * measured.prompt_tokens,
        completion_tokens=each * measured.completion_tokens,
        assumptions=said,
    )
