"""Dashboards that follow the work: a page polls while a run works, and is told "nothing new".

The answer to a poll is 204, without the page, as long as no count behind the page has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from labeling.domain.roles import Action
from labeling.selectors.boards import moving
from labeling.views.frame import frame

Given = ParamSpec("Given")
View = Callable[Concatenate[HttpRequest, str, Given], HttpResponse]

SEEN = "X-Seen"
"""The header with which a page says what it shows already."""


def live(view: View[Given]) -> View[Given]:
    """Let a dashboard follow the counts while anything works on them.

    `request.live`: what the page shows, empty where nothing moves and it need not ask again.
    """

    @wraps(view)
    def seen(
        request: HttpRequest, uid: str, *args: Given.args, **kwargs: Given.kwargs
    ) -> HttpResponse:
        within = frame(request, uid, Action.VIEW)  # whoever may not see it is not told either
        now = moving(within.project)
        answer: Any
        if now and request.headers.get(SEEN) == now:
            answer = HttpResponse(status=204)
        else:
            request.live = now  # type: ignore[attr-defined]
            answer = view(request, uid, *args, **kwargs)
        patch_vary_headers(answer, ["HX-Request", SEEN])
        return answer

    return seen
