"""The form of a new run and its cost: what the project offers, what it asked for last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.domain.costs import Estimate, total
from labeling.domain.run_settings import GenerateSettings, RunSettings
from labeling.forms.run_kinds import RUN_FORMS
from labeling.forms.runs import Choices, RunForm
from labeling.models import Project, Run
from labeling.selectors import run_choices
from labeling.selectors.estimates import estimates_of
from labeling.selectors.runs import run_for

KINDS = {
    "generate": _("Generate solutions"),
    "mc": _("Monte Carlo"),
    "judge": _("LLM judge"),
    "score": _("PRM scores"),
}
"""The kinds of runs in the order of work, in words."""

_NOT_SETTINGS = {"kind", "like", "csrfmiddlewaretoken"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What the form's runs would cost: each by name, and together."""

    runs: tuple[tuple[str, Estimate], ...]
    together: Estimate


def form_of(project: Project, given: QueryDict) -> RunForm:
    """Return the form of the kind that is asked for: filled in, like an earlier run, or fresh."""
    like = run_for(project, given.get("like", "")) if "like" in given else None
    kind = like.kind if like else given.get("kind", _next_kind(project))
    if kind not in RUN_FORMS:
        raise Http404("no such kind of run")
    form, choices = RUN_FORMS[kind], _choices(project, kind)
    if set(given) - _NOT_SETTINGS:
        return form(given, choices=choices)
    like = like or Run.objects.filter(project=project, kind=kind).order_by("-id").first()
    return form(choices=choices, initial=_initial(form, choices, like))


def estimated(project: Project, form: RunForm) -> Cost | None:
    """Return what the form's runs would cost; None while it has mistakes or nothing to choose."""
    asked = form.asked() if form.is_bound else _filled(form).asked()
    if not asked:
        return None
    found = estimates_of(project, asked)
    names = (_name(settings) for _, settings in asked)
    return Cost(tuple(zip(names, found, strict=True)), total(found))


def _name(settings: RunSettings) -> str:
    if isinstance(settings, GenerateSettings):
        words = gettext("{name}, temperature {temperature:g}")
        return words.format(name=settings.name, temperature=settings.temperature)
    return settings.name


def _next_kind(project: Project) -> str:
    """Return the kind that is likely wanted next: solutions come before labels."""
    return "mc" if project.solutions.exists() else "generate"


def _choices(project: Project, kind: str) -> Choices:
    judges = [(judge.uid, judge.name) for judge in run_choices.judges_of(project)]
    wordings = {wording.name: wording.settings for wording in run_choices.wordings_of(project)}
    prms = [(prm.uid, prm.training_run.name) for prm in run_choices.prms_of(project)]
    return Choices(run_choices.engines_for(kind), judges, wordings, prms)


def _initial(form: type[RunForm], choices: Choices, like: Run | None) -> dict[str, Any]:
    if like is not None:
        return form.like(like.config, like.engine)
    return form.like({}, choices.engines[0]) if choices.engines else {}


def _filled(form: RunForm) -> RunForm:
    """Return the fresh form as if it were sent as it is."""
    shown = {name: form.get_initial_for_field(f, name) for name, f in form.fields.items()}
    return type(form)(shown, choices=form.choices)
