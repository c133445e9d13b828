"""The dashboards of label quality: agreement, one pair, what labels are worth, the audit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from labeling.domain.roles import Action
from labeling.domain.statistics.intervals import MaybeInterval
from labeling.domain.statistics.undefined import Undefined, known
from labeling.forms import AuditForm
from labeling.language import said
from labeling.selectors import agreement as reads
from labeling.selectors import boards
from labeling.selectors import diagnostics as worth
from labeling.selectors import history as courses
from labeling.views.frame import frame, page
from labeling.views.live import live
from labeling.views.tables import as_csv, wants_csv


@require_GET
@login_required
@live
def agreement(request: HttpRequest, uid: str) -> HttpResponse:
    """Show how each pair of labelers agrees."""
    within = frame(request, uid, Action.VIEW)
    found = reads.matrix(within.project, gold=within.can(Action.MANAGE))
    if wants_csv(request):
        head = ["labeler", "other labeler", "compared", "same first error", "share", "kappa"]
        return as_csv(f"agreement {within.project.name}", head, _matrix_rows(found))
    return page(
        request,
        "agreement/matrix.html",
        within,
        active="agreement",
        tab="agreement",
        matrix=found,
        waiting=boards.waiting(within.project),
    )


@require_GET
@login_required
@live
def pair(request: HttpRequest, uid: str, one: str, other: str) -> HttpResponse:
    """Show one pair of labelers in full."""
    within = frame(request, uid, Action.VIEW)
    found = reads.detail(within.project, one, other, gold=within.can(Action.MANAGE))
    if found is None:
        raise Http404("these labelers have no solution in common")
    if wants_csv(request):
        return _pair_file(request.GET.get("table", ""), f"{one} {other}", found)
    return page(
        request, "agreement/pair.html", within, active="agreement", tab="agreement", detail=found
    )


@require_GET
@login_required
@live
def annotators(request: HttpRequest, uid: str) -> HttpResponse:
    """Show how annotators agree, and what a model of their errors makes of them."""
    within = frame(request, uid, Action.MANAGE)
    found = reads.people(within.project)
    undefined = isinstance(found.model, Undefined)
    model = () if isinstance(found.model, Undefined) else found.model
    if wants_csv(request):
        name = f"annotators {within.project.name}"
        if request.GET.get("table") == "agreement":
            return as_csv(name, _GROUP_HEAD, _group_rows(found))
        return as_csv(name, _MODEL_HEAD, _model_rows(model))
    return page(
        request,
        "agreement/annotators.html",
        within,
        active="agreement",
        tab="agreement_people",
        people=found,
        model=model,
        reason=said(found.model) if undefined else "",
    )


@require_GET
@login_required
@live
def diagnostics(request: HttpRequest, uid: str) -> HttpResponse:
    """Show what the machines' labels are worth."""
    within = frame(request, uid, Action.VIEW)
    found = worth.diagnostics(within.project)
    if wants_csv(request):
        head = ["labeler", "by", "group", "wrong", "checked", "share", "low", "high"]
        return as_csv(f"label noise {within.project.name}", head, _noise_rows(found))
    return page(
        request,
        "agreement/diagnostics.html",
        within,
        active="agreement",
        tab="diagnostics",
        found=found,
    )


@require_GET
@login_required
@live
def audit(request: HttpRequest, uid: str) -> HttpResponse:
    """Show what an export would contain, and how sure that is."""
    within = frame(request, uid, Action.VIEW)
    form = AuditForm(request.GET or None)
    found = worth.audit(within.project, form.width())
    if wants_csv(request):
        head = ["label", "source", "waiting", "audited", "right"]
        rows = ([s.label, s.source, s.waiting, s.audited, s.right] for s in found.strata)
        return as_csv(f"audit {within.project.name}", head, rows)
    return page(
        request,
        "agreement/audit.html",
        within,
        active="agreement",
        tab="audit",
        form=form,
        audit=found,
        share=within.project.policy.audit_share,
    )


@require_GET
@login_required
@live
def history(request: HttpRequest, uid: str) -> HttpResponse:
    """Show how labels and their quality went over time."""
    within = frame(request, uid, Action.VIEW)
    found = courses.history(within.project)
    if wants_csv(request):
        head = ["labeler", "from", "verdicts", "decided by people", "right"]
        rows = (
            [c.side.name or c.side.uid, p.begins, p.verdicts, p.right.whole, p.right.part]
            for c in found.courses
            for p in c.periods
        )
        return as_csv(f"over time {within.project.name}", head, rows)
    return page(
        request, "agreement/history.html", within, active="agreement", tab="history", found=found
    )


def _pair_file(table: str, ends: str, found: reads.Detail) -> HttpResponse:
    if table == "distances":
        signed = found.first_errors.distances.signed
        return as_csv(f"distances {ends}", ["steps later", "solutions"], signed.items())
    if table == "steps":
        by_step = ([a, *(n for _, n in cells)] for a, cells in found.steps)
        return as_csv(f"steps {ends}", ["step", *map(str, found.step_heads)], by_step)
    head = ["first error", *found.heads]
    rows = ([name, *(cell.n for cell in cells)] for name, cells in found.table)
    return as_csv(f"first errors {ends}", head, rows)


def _matrix_rows(found: reads.Matrix) -> Iterator[Sequence[object]]:
    for _, cells in found.rows:
        for cell in filter(None, cells):
            ends = [side.name or side.uid for side in (cell.pair.one, cell.pair.other)]
            yield [*ends, cell.compared, cell.exact.part, known(cell.exact.value),
                   known(cell.agreement.cohen_kappa)]  # fmt: skip


def _noise_rows(found: worth.Diagnostics) -> Iterator[Sequence[object]]:
    for checked in found.checked:
        for kind, share in checked.kinds.items():
            yield [checked.side.name, "kind", str(kind), share.part, share.whole,
                   known(share.value), *_ends(share.interval)]  # fmt: skip
        for dimension, groups in checked.noise.items():
            for group in groups:
                wrong = group.wrong
                yield [checked.side.name, dimension, group.group, wrong.part, wrong.whole,
                       known(wrong.value), *_ends(wrong.interval)]  # fmt: skip


_GROUP_HEAD = ["of", "statistic", "value", "low", "high"]
_MODEL_HEAD = [
    "annotator", "labels", "expected right", "like the majority", "compared with it",
    "says error of an error", "says no error of an error", "says error of none",
    "says no error of none",
]  # fmt: skip


def _group_rows(found: reads.People) -> Iterator[Sequence[object]]:
    for name, group in (("first error", found.first_errors), ("has an error", found.errors)):
        for statistic in ("pairs", "fleiss", "alpha_nominal", "alpha_ordinal"):
            measured = getattr(group, statistic)
            yield [name, statistic, known(measured.value), *_ends(measured.interval)]


def _model_rows(model: Sequence[reads.Modeled]) -> Iterator[Sequence[object]]:
    for row in model:
        yield [row.name, row.votes, row.accuracy, row.with_majority.part, row.with_majority.whole,
               *map(known, row.confusion)]  # fmt: skip


def _ends(interval: MaybeInterval) -> tuple[float | None, float | None]:
    if isinstance(interval, Undefined):
        return None, None
    return interval.low, interval.high
