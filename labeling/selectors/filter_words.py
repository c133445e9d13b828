"""What a list of solutions is narrowed to, in words: names instead of ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext, ngettext

from labeling.domain.cells import ANY_KIND, WRONG_KIND, distance_of, step_labels_of, votes_of
from labeling.domain.phrases import marked
from labeling.language import said
from labeling.models import Project
from labeling.selectors.sides import GROUPS, name_of

_GROUPS = {"annotators": marked("all annotators"), "adjudicators": marked("all adjudicators")}
_WORDS = {
    "judged": marked("any judgment"),
    "scored": marked("any verdict"),
    "verdict": marked("any verdict"),
    "any": marked("anything"),
    "none": marked("no error"),
    "error": marked("an error"),
    "decided": marked("anything"),
    "unscored": marked("unscored"),
    "rejected": marked("rejected"),
    "refuted": marked("refutes the judge"),
    "missing": marked("not labeled"),
    "one": marked("one"),
    "several": marked("several"),
    "last": marked("on the last step"),
    "earlier": marked("on an earlier step"),
    "checked": marked("checked"),
}
_BETWEEN = {
    "judged": marked("both judged it"),
    "scored": marked("both name a first error or none"),
    "same": marked("the same first error"),
    "differ": marked("not the same first error"),
    "refuted": marked("one refuted the judge"),
    "both_none": marked("neither finds an error"),
    "both_errors": marked("both find an error"),
    "only_first": marked("an error by the first alone"),
    "only_second": marked("an error by the second alone"),
}
_STANDS = {ANY_KIND: marked("decided by people"), WRONG_KIND: marked("wrong")}
_STEP = {1: marked("correct"), 0: marked("unsure"), -1: marked("wrong")}


def words(
    project: Project, labels: Mapping[str, str], values: Mapping[str, str], *, gold: bool
) -> Iterator[tuple[str, str]]:
    """Return (label, value in words) of the filters in `labels`."""
    for name, label in labels.items():
        yield label, _word(project, name, values[name], gold)


def _word(project: Project, name: str, value: str, gold: bool) -> str:
    match name:
        case "one" | "other":
            return side_words(project, value, gold=gold)
        case "between":
            return _between(value)
        case "stands":
            return str(said(_STANDS.get(value, value)))
        case "steps":
            given = step_labels_of(value) or ()
            return " × ".join(gettext(_STEP[label]) for label in given)
        case "votes":
            return ", ".join(
                f"{side_words(project, uid, gold=gold)}: {gettext(_WORDS[what])}"
                for uid, what in votes_of(value)
            )
        case "source" | "came" | "like":
            return value
    number = value.removesuffix("+")
    if name.endswith("_says") and number.isdecimal():
        pattern = gettext("step {n} or later") if value.endswith("+") else gettext("step {n}")
        return pattern.format(n=number)
    return gettext(_WORDS.get(value, value))


def side_words(project: Project, side: str, *, gold: bool) -> str:
    """Return what a side is called; an id that nobody has stays as it is."""
    if side in GROUPS:
        return gettext(_GROUPS[side])
    found = name_of(project, side, gold=gold)
    return f"{gettext(found[0].words)} {found[1]}" if found else side


def _between(value: str) -> str:
    distance = distance_of(value)
    if distance is None:
        return gettext(_BETWEEN[value])
    if not distance:
        return gettext("the same step")
    steps = ngettext("{n} step", "{n} steps", abs(distance)).format(n=abs(distance))
    later = gettext("the first's error {steps} later")
    earlier = gettext("the first's error {steps} earlier")
    return (later if distance > 0 else earlier).format(steps=steps)
