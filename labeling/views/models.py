"""A trained reward model, and how it is served."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from labeling.domain.roles import Action
from labeling.selectors import serving
from labeling.views.frame import frame, page


@require_GET
@login_required
def model(request: HttpRequest, uid: str, prm: str) -> HttpResponse:
    """Show the command that serves a model, the request that scores steps, and the answer."""
    within = frame(request, uid, Action.VIEW)
    row = serving.prm_for(within.project, prm)
    served = serving.serving_of(row.prm)
    return page(request, "model.html", within, active="data", row=row, served=served)
