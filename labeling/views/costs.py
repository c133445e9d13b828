"""What a project has cost, narrowed by its address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from labeling.domain.roles import Action
from labeling.forms.costs import CostsForm
from labeling.selectors import costs as reads
from labeling.views.frame import frame, page
from labeling.views.live import live
from labeling.views.tables import as_csv, wants_csv

PERIODS = ((7, _("7 days")), (30, _("30 days")), ("", _("all the time")))
HEAD = [
    "day", "run", "kind", "labeler", "engine", "items", "completions", "tokens read",
    "tokens written", "engine seconds", "money", "currency",
]  # fmt: skip


@require_GET
@login_required
@live
def costs(request: HttpRequest, uid: str) -> HttpResponse:
    """Show tokens, time and money by run, labeler and day."""
    within = frame(request, uid, Action.VIEW)
    form = CostsForm(request.GET)
    days, run, labeler = form.days_or_none(), form.uid("run"), form.uid("labeler")
    since = (timezone.now() - timedelta(days=days)).date() if days else None
    found = reads.costs(within.project, reads.Wanted(since, run, labeler))
    if wants_csv(request):
        return as_csv(f"costs {within.project.name}", HEAD, _rows(found))
    narrowed = {"run": run, "labeler": labeler}
    return page(
        request,
        "costs.html",
        within,
        active="runs",
        costs=found,
        narrowed=narrowed,
        everything=not any([days, run, labeler]),
        days=days or "",
        periods=PERIODS,
        query=urlencode({k: v for k, v in {"days": days, **narrowed}.items() if v}),
    )


def _rows(found: reads.Costs) -> Iterator[Sequence[object]]:
    for entry in found.entries:
        run, spent = entry.run, entry.spent
        money = next(iter(spent.money.items()), ("", None))
        yield [
            str(entry.day), run and run.uid, run and run.kind, entry.name,
            run and run.engine and run.engine.name, spent.items, spent.completions,
            spent.prompt_tokens, spent.completion_tokens, round(spent.seconds, 3),
            money[1], money[0],
        ]  # fmt: skip
