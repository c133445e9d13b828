"""How an engine keeps the promises that labels rest on: chats, stops, counts, limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workers.engines.findings import Finding, bad, note, ok, shown
from workers.engines.protocol import (
    Completion,
    Engine,
    EngineRefused,
    EngineUnavailable,
    Message,
    Prompt,
    Sample,
    complete,
)

PROBLEM = "Problem: 9 + 4 * 5 + 7?\n\n"
"""Short, and in the words of the sample world's model too."""

LENGTH = 48
"""Tokens of a sample."""

BEGUN = 12
"""Tokens of an answer that a second request goes on from."""

SAME = 24
"""Letters by which one text is recognized as the rest of another."""


@dataclass(slots=True)
class Patient:
    """The engine that is examined, and what is known of it by now."""

    engine: Engine
    prompt: Prompt = PROBLEM
    """A prompt that it answers."""
    greedy: Completion | None = None
    """The answer to it."""

    def ask(self, prompt: Prompt, **fields: object) -> Completion:
        """Return the greedy answer unless `fields` say otherwise; raise EngineRefused."""
        given = {"seed": 0, "max_tokens": LENGTH, "temperature": 0.0, **fields}
        (answer,) = complete(self.engine, [Sample(prompt, **given)])  # type: ignore[arg-type]
        if isinstance(answer, EngineRefused):
            raise answer
        return answer


def completes(patient: Patient) -> Iterator[Finding]:
    """Find a kind of prompt that is answered at all."""
    errors = []
    for name, prompt in (("text", PROBLEM), ("chat", (Message("user", PROBLEM),))):
        try:
            answer = patient.ask(prompt)
        except EngineRefused as error:
            errors.append(f"{name}: {error}")
            continue
        except EngineUnavailable as error:
            if error.retry:
                raise
            errors.append(f"{name}: {error}")  # it may have no address for these
            continue
        patient.prompt, patient.greedy = prompt, answer
        said = f"{answer.completion_tokens} tokens: {shown(answer.text)}"
        if not answer.text:
            advice = "Judge the model by hand: it ends at once. Is it a chat model without a chat?"
            yield note(f"completes a {name}", "the answer is empty", advice)
        elif name == "chat":
            advice = "It takes no plain text: choose prompts made for chats (boxed-chat-v1)."
            yield note("completes a chat", said, advice)
        else:
            yield ok("completes a text", said)
        return
    yield bad("completes", "; ".join(errors), "Nothing can be labeled with this engine.")


def chats(patient: Patient) -> Iterator[Finding]:
    """Ask a chat, and let its answer be continued from a begun one, as estimation does."""
    asked = Message("user", PROBLEM)
    check = "goes on from a begun answer"
    try:
        whole = patient.ask((asked,))
        begun = patient.ask((asked,), max_tokens=min(BEGUN, max(1, whole.completion_tokens // 2)))
    except EngineRefused as error:
        advice = "Choose prompts of plain text (plain-v1)."
        yield note("answers chats", str(error), advice)
        return
    yield ok("answers chats", shown(whole.text))
    rest = whole.text[len(begun.text) :]
    if not (begun.text and rest and whole.text.startswith(begun.text)):
        yield note(check, "the answers are too short to tell", "Look at a run's first rollouts.")
        return
    advice = (
        "Estimation in chats (boxed-chat-v1) would label steps that the model never went on from: "
        "its labels would be wrong. Judging and generating work. Use a server that honors "
        "continue_final_message, such as vLLM, or prompts of plain text."
    )
    try:
        went_on = patient.ask((asked, Message("assistant", begun.text)))
    except EngineRefused as error:
        yield bad(check, str(error), advice)
        return
    yield _continued(check, advice, whole, begun, went_on)


def _continued(
    check: str, advice: str, whole: Completion, begun: Completion, went_on: Completion
) -> Finding:
    rest = whole.text[len(begun.text) :]
    if not went_on.text.startswith(rest[:SAME]):
        if went_on.text.startswith(whole.text[:SAME]):
            return bad(check, "it starts anew", advice)
        return bad(check, f"it says {shown(went_on.text)} instead of {shown(rest)}", advice)
    # A turn that is closed and opened again adds marks to the prompt.
    marks = went_on.prompt_tokens - whole.prompt_tokens - begun.completion_tokens
    if whole.prompt_tokens and marks > 2:
        return bad(check, f"{marks} tokens stand between the begun answer and the rest", advice)
    return ok(check, f"… {shown(begun.text[-20:])} goes on {shown(went_on.text)}")


def stops(patient: Patient) -> Iterator[Finding]:
    """Ask for an end before a word from the middle of a known answer."""
    full = patient.greedy
    if full is None or len(full.text) < 8:
        return
    mark = full.text[len(full.text) // 2 :][:3]
    before = full.text.partition(mark)[0]
    try:
        cut = patient.ask(patient.prompt, stop=(mark,))
    except EngineRefused as error:
        yield bad("stops", str(error), "Prompts with a stop (plain-v1) cannot be used.")
        return
    if cut.text != before:
        said = f"before {mark!r} it wrote {shown(cut.text)}, not {shown(before)}"
        yield note("stops", said, "Greedy answers differ from one request to the next.")
    elif full.completion_tokens and cut.completion_tokens >= full.completion_tokens:
        advice = "Texts are cut here, so labels are right; but tokens are paid for and thrown away."
        yield note("stops", f"it writes on after the stop {mark!r}", advice)
    else:
        yield ok("stops", f"it ends before {mark!r}")


def counts(patient: Patient) -> Iterator[Finding]:
    """See whether tokens are counted."""
    full = patient.greedy
    if full is None:
        return
    if full.prompt_tokens and full.completion_tokens:
        yield ok("counts tokens", f"{full.prompt_tokens} read, {full.completion_tokens} written")
    else:
        advice = "Costs and speeds of its runs will read 0. Labels are not affected."
        yield note("counts tokens", "the server sends no usage", advice)


def limits(patient: Patient, context: int | None) -> Iterator[Finding]:
    """Ask what cannot fit; `context` is in tokens."""
    check = "too long a prompt"
    if context is None:
        advice = "If it cuts prompts silently, long solutions get labels of their last part only."
        yield note(check, "not tried: it does not say how much it takes", advice)
        return
    words = "1 + " * context
    long = words if isinstance(patient.prompt, str) else (Message("user", words),)
    try:
        patient.ask(long, max_tokens=8)
    except EngineRefused as error:
        yield ok(check, f"it says so: {shown(str(error), 200)}")
    else:
        advice = "It cuts prompts silently: give it a longer context than any solution needs."
        yield bad(check, f"it answered one of more than {context} tokens", advice)
