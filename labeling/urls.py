"""Routes of the pages, and the API's under /api/."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from labeling.views import (
    adjudication,
    agreement,
    annotate,
    home,
    imports,
    items,
    judging,
    languages,
    project,
    runs,
    solutions,
    tokens,
)

_PROJECT = [
    path("", project.overview, name="overview"),
    path("annotate/", annotate.annotate, name="annotate"),
    path("annotate/history", annotate.history, name="annotate_history"),
    path("annotate/<str:item>/", annotate.submitted, name="annotate_submitted"),
    path("annotate/<str:item>/edit", annotate.edit, name="annotate_edit"),
    path("annotate/<str:item>/ahead", annotate.ahead, name="annotate_ahead"),
    path("annotate/<str:item>/draft", items.save_draft, name="annotate_draft"),
    path("annotate/<str:item>/submit", items.submit, name="annotate_submit"),
    path("annotate/<str:item>/skip", items.skip, name="annotate_skip"),
    path("annotate/<str:item>/unskip", items.unskip, name="annotate_unskip"),
    path("annotate/<str:item>/reject", items.reject, name="annotate_reject"),
    path("annotate/<str:item>/release", items.release, name="annotate_release"),
    path("solutions/", solutions.solutions, name="solutions"),
    path("solutions/<str:solution>/", solutions.solution, name="solution"),
    path("solutions/<str:solution>/adjudicate", adjudication.adjudicate, name="adjudicate"),
    path("solutions/<str:solution>/reopen", adjudication.reopen, name="reopen"),
    path("solutions/<str:solution>/hold", adjudication.hold, name="hold"),
    path("adjudicate/", adjudication.queue, name="adjudication"),
    path("adjudicate/next", adjudication.following, name="adjudication_next"),
    path("agreement/", agreement.agreement, name="agreement"),
    path("agreement/labels", agreement.diagnostics, name="diagnostics"),
    path("agreement/audit", agreement.audit, name="audit"),
    path("agreement/history", agreement.history, name="history"),
    path("agreement/annotators", agreement.annotators, name="agreement_people"),
    path("agreement/<str:one>/<str:other>/", agreement.pair, name="agreement_pair"),
    path("runs/", runs.runs, name="runs"),
    path("runs/new", runs.new_run, name="new_run"),
    path("runs/start", runs.start_run, name="start_run"),
    path("runs/engines", runs.engines, name="engines"),
    path("runs/<str:run>/", runs.run, name="run"),
    path("runs/<str:run>/<str:move>", runs.move_run, name="move_run"),
    path("judges/", judging.judges, name="judges"),
    path("judges/<str:name>/", judging.judge, name="judge"),
    path("judges/<str:name>/preview", judging.preview, name="preview_judge"),
    path("judges/<str:name>/save", judging.save, name="save_judge"),
    path("judges/<str:name>/try", judging.try_judge, name="try_judge"),
    path("judge-trials/<str:trial>/", judging.trial, name="judge_trial"),
    path("data/", project.data, name="data"),
    path("data/snapshots", project.request_snapshot, name="request_snapshot"),
    path("guidelines/", project.guidelines, name="guidelines"),
    path("imports/", imports.imports, name="imports"),
    path("imports/upload", imports.upload, name="upload_import"),
    path("imports/<str:job>/", imports.one_import, name="import"),
    path("imports/<str:job>/start", imports.start_import, name="start_import"),
    path("imports/<str:job>/end", imports.end_import, name="end_import"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("words/<str:language>/<str:version>.js", languages.words, name="words"),
    path("healthz", home.healthz, name="healthz"),
    path("readyz", home.readyz, name="readyz"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<str:prefix>/revoke", tokens.revoke, name="revoke_token"),
    path("p/<str:uid>/", include(_PROJECT)),
    path("api/", include("labeling.api.urls")),
]
