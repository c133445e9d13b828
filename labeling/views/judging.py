"""Judges' wordings: the list, the editor with its preview, and dry runs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from labeling.domain.judge_guides import GUIDES, doubts
from labeling.domain.roles import Action
from labeling.domain.run_settings import JudgeSettings
from labeling.domain.setting_checks import BadSetting
from labeling.forms.judging import NamedWordingForm, TrialForm, WordingForm
from labeling.forms.runs import Choices
from labeling.language import said
from labeling.models import JudgeTrial
from labeling.selectors import judge_trials as trials
from labeling.selectors import judging as reads
from labeling.selectors.run_choices import engines_for, with_weights
from labeling.selectors.trial_solutions import chosen
from labeling.services import judging as service
from labeling.views.frame import Frame, frame, page


@require_GET
@login_required
def judges(request: HttpRequest, uid: str) -> HttpResponse:
    """List the wordings, built-in and own, and the newest dry runs."""
    within = frame(request, uid, Action.VIEW)
    return page(
        request,
        "judges.html",
        within,
        active="judges",
        built_in=reads.built_in(),
        own=reads.own(within.project),
        trials=trials.trials_of(within.project),
    )


@require_GET
@login_required
def judge(request: HttpRequest, uid: str, name: str) -> HttpResponse:
    """Show one wording in the editor, its preview and its dry runs."""
    within = frame(request, uid, Action.VIEW)
    wording = reads.wording_for(within.project, name)
    return _wording_page(request, within, wording, _editor(wording))


@require_POST
@vary_on_headers("HX-Request")
@login_required
def preview(request: HttpRequest, uid: str, name: str) -> HttpResponse:
    """Show what the text in the editor would send; the preview alone for htmx."""
    within = frame(request, uid, Action.VIEW)
    wording = reads.wording_for(within.project, name)
    editor = WordingForm(request.POST)
    if request.headers.get("HX-Request") != "true":
        return _wording_page(request, within, wording, editor)
    shown = _shown(request, within, editor)
    return page(request, "judges_wording.html#preview", within, wording=wording, **shown)


@require_POST
@login_required
def save(request: HttpRequest, uid: str, name: str) -> HttpResponse:
    """Save the text in the editor as a new version."""
    within = frame(request, uid, Action.MANAGE)
    wording = reads.wording_for(within.project, name)
    editor = NamedWordingForm(request.POST)
    if not editor.is_valid():
        return _wording_page(request, within, wording, editor, status=400)
    try:
        prompt, made = service.save_wording(
            by=within.user, project=within.project, **editor.cleaned_data
        )
    except BadSetting as error:
        editor.add_error("name", said(error.words))
        return _wording_page(request, within, wording, editor, status=400)
    words = gettext("{name} is saved.")
    if not made:
        words = gettext("Nothing changed: {name} says the same.")
    messages.success(request, words.format(name=prompt))
    return redirect("judge", uid, prompt)


@require_POST
@login_required
def try_judge(request: HttpRequest, uid: str, name: str) -> HttpResponse:
    """Ask for a dry run of the wording."""
    within = frame(request, uid, Action.MANAGE)
    wording = reads.wording_for(within.project, name)
    form = TrialForm(request.POST, choices=_choices(wording))
    trial = _request_trial(within, form)
    if trial is None:
        return _wording_page(
            request, within, wording, _editor(wording), trial_form=form, status=400
        )
    return redirect("judge_trial", uid, trial.uid)


@require_GET
@vary_on_headers("HX-Request")
@login_required
def trial(request: HttpRequest, uid: str, trial: str) -> HttpResponse:
    """Show what came of a dry run; its changing part for htmx."""
    within = frame(request, uid, Action.VIEW)
    found = trials.trial_for(within.project, trial)
    tried = trials.tried(found, within.user, within.role)
    fragment = request.headers.get("HX-Request") == "true"
    return page(
        request,
        "judges_trial.html#replies" if fragment else "judges_trial.html",
        within,
        active="judges",
        trial=trials.row_of(found),
        tried=tried,
        agreed=trials.agreed(tried),
        wait=trials.wait_of(found, timezone.now()),
        run_query=_run_query(found),
    )


def _run_query(trial: JudgeTrial) -> str:
    """Return the address of a new run with the trial's settings."""
    values = TrialForm.like(trial.config, trial.engine)
    fields = ("engine", "template", "temperature", "max_tokens", "votes")
    return urlencode({"kind": JudgeSettings.kind, **{name: values[name] for name in fields}})


def _request_trial(within: Frame, form: TrialForm) -> JudgeTrial | None:
    """Ask for the trial; None where the form is refused, which then says why."""
    for engine, settings in form.asked():
        try:
            return service.request_trial(
                by=within.user,
                project=within.project,
                engine=engine,
                settings=with_weights(engine, settings),
                solutions=chosen(within.project, within.user, form.cleaned_data["solutions"]),
            )
        except BadSetting as error:
            form.refuse(error)
    return None


def _wording_page(
    request: HttpRequest,
    within: Frame,
    wording: reads.Wording,
    editor: WordingForm,
    *,
    trial_form: TrialForm | None = None,
    status: int = 200,
) -> HttpResponse:
    project = within.project
    return page(
        request,
        "judges_wording.html",
        within,
        status=status,
        active="judges",
        wording=wording,
        versions=reads.versions(project, wording.base) if wording.own else (),
        guides=GUIDES,
        trial_form=trial_form or _trial_form(request, within, wording),
        trials=trials.trials_of(project, wording.name),
        **_shown(request, within, editor),
    )


def _shown(request: HttpRequest, within: Frame, editor: WordingForm) -> dict[str, Any]:
    """Return the preview of what stands in the editor, None where it cannot be filled."""
    template = editor.template()
    if template is None:
        return {"editor": editor, "preview": None}
    solution, move = (request.POST.get(name, "") for name in ("solution", "move"))
    solution = solution or request.GET.get("solution", "")
    found = reads.preview(within.project, template, solution, move)
    return {"editor": editor, "preview": found, "doubts": doubts(template)}


def _editor(wording: reads.Wording) -> WordingForm:
    return WordingForm(initial={"name": wording.base, "reply": wording.reply, "text": wording.text})


def _trial_form(request: HttpRequest, within: Frame, wording: reads.Wording) -> TrialForm:
    """Return the form of a dry run, filled in like the earlier one that the address names."""
    initial: dict[str, Any] = {"template": wording.name}
    if like := request.GET.get("like"):
        earlier = trials.trial_for(within.project, like)
        initial |= TrialForm.like(earlier.config, earlier.engine)
        initial |= {"template": wording.name, "solutions": " ".join(earlier.solutions)}
    return TrialForm(initial=initial, choices=_choices(wording))


def _choices(wording: reads.Wording) -> Choices:
    return Choices(
        engines=engines_for(JudgeSettings.kind), wordings={wording.name: wording.settings}
    )
