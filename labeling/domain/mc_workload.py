"""How many completions and tokens Monte-Carlo estimation may take, by mode."""

from __future__ import annotations

from dataclasses import dataclass

from labeling.domain.costs import Range, Workload
from labeling.domain.draws import COMPLETERS, TYPICAL, Completer, expected
from labeling.domain.monte_carlo import McMode, exhaustive_completions
from labeling.domain.phrases import Phrase, marked
from labeling.domain.run_settings import McSettings
from labeling.domain.workloads import (
    LENGTH_SHARE,
    Characters,
    Measured,
    Sample,
    Shape,
    template_characters,
    waiting,
)


def mc(
    sample: Sample, settings: McSettings, measured: Measured | None, characters: Characters
) -> Workload:
    """Return what the estimation takes: by measurement where there is one, else by simulation."""
    exhaustive = sample.scale * sum(
        exhaustive_completions(len(shape.steps), settings.n) for shape in sample.shapes
    )
    completions, prompts, texts = _simulated(sample, settings)
    said = [waiting(sample, marked("solutions"))]
    if measured and measured.exhaustive:
        ratio = measured.completions / measured.exhaustive
        completions = Range.about(exhaustive * ratio, measured.share)
        said.append(Phrase("Completions: {words}.", words=measured.words))
    else:
        said.append(_words_of(settings))
    if measured and measured.same_model and measured.completions:
        prompt_tokens = completions * (measured.prompt_tokens / measured.completions)
        completion_tokens = completions * (measured.completion_tokens / measured.completions)
        said.append(Phrase("Tokens of a completion: measured on the same verdicts."))
    else:
        prompt_tokens = completions * prompts / characters.per_token
        completion_tokens = completions * texts * Range.about(1, LENGTH_SHARE)
        completion_tokens = completion_tokens / characters.per_token
        said.append(
            Phrase(
                "A completion is taken to be as long as the rest of its solution, "
                "± {percent:.0f} %. {characters}",
                percent=100 * LENGTH_SHARE,
                characters=characters.words,
            )
        )
    longest = completions.high * settings.max_tokens
    return Workload(
        items=sample.items,
        completions=completions,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens.at_most(longest),
        exhaustive=exhaustive,
        assumptions=tuple(said),
    )


def _simulated(sample: Sample, settings: McSettings) -> tuple[Range, float, float]:
    """Return completions over the simulated completers, and characters of the typical one's
    prompt and text."""
    sums = {completer: _sums(sample, settings, completer) for completer in COMPLETERS}
    typical = sums[TYPICAL]
    each = 1 / typical.completions if typical.completions else 0.0
    completions = Range.over(found.completions * sample.scale for found in sums.values())
    return completions, typical.prompt * each, typical.text * each


@dataclass(frozen=True, slots=True)
class _Sums:
    """Mean completions of the sampled solutions, and characters of their prompts and texts."""

    completions: float
    prompt: float
    text: float


def _sums(sample: Sample, settings: McSettings, completer: Completer) -> _Sums:
    overhead = template_characters(settings.template)
    completions = prompt = text = 0.0
    for shape in sample.shapes:
        before = overhead + shape.statement
        rest = shape.text
        for step, drawn in enumerate(_drawn(shape, settings, completer)):
            before += shape.steps[step]
            rest -= shape.steps[step]
            completions += drawn
            prompt += drawn * before
            text += drawn * rest
    return _Sums(completions, prompt, text)


def _drawn(shape: Shape, settings: McSettings, completer: Completer) -> list[float]:
    """Return the mean completions after each step but the last, the audit's included."""
    found = expected(settings.mode, len(shape.steps), settings.n, completer)
    audited = (settings.audit_share or 0.0) * found.refuted
    return [mean + audited * max(settings.n - mean, 0.0) for mean in found.per_step]


def _words_of(settings: McSettings) -> Phrase:
    if settings.mode is McMode.EXHAUSTIVE:
        words = marked("All {count} completions are drawn after every step but the last.")
        return Phrase(words, count=settings.n)
    return Phrase(
        "Completions: simulated for mode {mode} and six kinds of completers "
        "(docs/runs.md), as fewer than 50 verdicts of such a labeler are known.",
        mode=settings.mode,
    )
