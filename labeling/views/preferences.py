"""The signed-in person's ways of working, posted by the annotate page's script."""

from __future__ import annotations

import json

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from labeling.domain.refusals import Invalid
from labeling.services import preferences
from labeling.views.frame import user_of


@require_POST
@login_required
def save_preferences(request: HttpRequest) -> HttpResponse:
    """Keep the keys and switches, and answer with what counts now."""
    try:
        values = json.loads(request.body)
    except ValueError as error:
        raise Invalid("the request is not JSON") from error
    if not isinstance(values, dict):
        raise Invalid("the request lacks preferences")
    return JsonResponse(preferences.save(by=user_of(request), values=values).to_dict())
