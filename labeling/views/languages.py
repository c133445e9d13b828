"""The reader's language: the choice of another one, and what the scripts say in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import JavaScriptCatalog, set_language

from labeling.models import User
from labeling.services import preferences

_FOREVER = 365 * 24 * 3600
_catalog = JavaScriptCatalog.as_view(packages=["labeling"])


def languages(request: HttpRequest) -> dict[str, Any]:
    """Add the languages beside the page's, and the address of the scripts' words.

    English needs no catalog: its messages say themselves.
    """
    code = translation.get_language() or settings.LANGUAGE_CODE
    english = code == settings.LANGUAGE_CODE
    return {
        "other_languages": [entry for entry in settings.LANGUAGES if entry[0] != code],
        "here": request.get_full_path() if request.method == "GET" else reverse("home"),
        "words_url": "" if english else reverse("words", args=[code, _version(code)]),
    }


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Speak another language from now on: in this browser, and wherever the person signs in."""
    language = request.POST.get("language")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        preferences.speak(by=request.user, language=language)
    return set_language(request)


class LanguageOfPerson:
    """Middleware: in a browser where none was chosen, speak the signed-in person's language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and isinstance(request.user, User):
            language = request.user.preferences.get("language")
            if language in dict(settings.LANGUAGES):
                translation.activate(language)
        return self.get_response(request)


@require_safe
def words(request: HttpRequest, language: str, version: str) -> HttpResponseBase:
    """Serve the scripts' catalog; its address changes with its content, so browsers keep it."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        answer = _catalog(request)
    if version == _version(language):
        patch_cache_control(answer, public=True, max_age=_FOREVER, immutable=True)
    return answer


@cache
def _version(language: str) -> str:
    locale = translation.to_locale(language)
    files = [Path(root) / locale / "LC_MESSAGES" / "djangojs.mo" for root in settings.LOCALE_PATHS]
    content = b"".join(file.read_bytes() for file in files if file.exists())
    return hashlib.sha256(content).hexdigest()[:12]
