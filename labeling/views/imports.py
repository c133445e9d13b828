"""Imports: upload a file, look at it, count in a dry run, import it, watch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from labeling.domain.refusals import Invalid, Refusal
from labeling.domain.roles import Action
from labeling.forms.imports import ImportForm, UploadForm, initial_of
from labeling.models import Import
from labeling.selectors import imports as reads
from labeling.services import import_jobs as service
from labeling.services.importing import uploads
from labeling.services.importing.options import Options, Preview, preview
from labeling.views.frame import Frame, frame, page


@require_GET
@login_required
def imports(request: HttpRequest, uid: str) -> HttpResponse:
    """List the imports, with the form of a new one."""
    within = frame(request, uid, Action.VIEW)
    return _list(request, within, UploadForm())


@csrf_exempt  # checked in _take: the check reads the body, which must not be read before
@require_POST
@login_required
def upload(request: HttpRequest, uid: str) -> HttpResponse:
    """Take a file in: straight to disk, and only from who may manage the data."""
    within = frame(request, uid, Action.MANAGE)
    request.upload_handlers = [uploads.ToDisk(request)]
    return _take(request, within)


@csrf_protect
def _take(request: HttpRequest, within: Frame) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _list(request, within, form, status=400)
    job = service.upload(by=within.user, project=within.project, part=form.cleaned_data["file"])
    return redirect("import", within.project.uid, job.uid)


@require_GET
@vary_on_headers("HX-Request")
@login_required
def one_import(request: HttpRequest, uid: str, job: str) -> HttpResponse:
    """Show what the file is, or how far its import is; the moving part for htmx."""
    within = frame(request, uid, Action.VIEW)
    found = reads.import_for(within.project, job)
    fragment = request.headers.get("HX-Request") == "true"
    if found.state in reads.UNDER_WAY:
        template = "import.html#body" if fragment else "import.html"
        return page(request, template, within, active="data", job=found, under_way=True)
    chosen = request.GET if "format" in request.GET else None
    return _startable(request, within, found, chosen, fragment=fragment)


@require_POST
@login_required
def start_import(request: HttpRequest, uid: str, job: str) -> HttpResponse:
    """Count or import with the options of the form."""
    within = frame(request, uid, Action.MANAGE)
    found = reads.import_for(within.project, job)
    form = ImportForm(request.POST, columns=_columns(found))
    try:
        if not form.is_valid():
            raise Invalid("The form has errors.")
        dry_run = request.POST.get("do") != "import"
        service.start(by=within.user, job=found, options=form.options(), dry_run=dry_run)
    except Refusal as error:
        return _startable(request, within, found, request.POST, status=error.status, error=error)
    return redirect("import", uid, job)


@require_POST
@login_required
def end_import(request: HttpRequest, uid: str, job: str) -> HttpResponse:
    """Stop an import under way; discard an upload."""
    within = frame(request, uid, Action.MANAGE)
    found = reads.import_for(within.project, job)
    if found.state in reads.UNDER_WAY:
        service.cancel(by=within.user, job=found, now=timezone.now())
        return redirect("import", uid, job)
    service.discard(by=within.user, job=found)
    return redirect("imports", uid)


def _list(request: HttpRequest, within: Frame, form: UploadForm, status: int = 200) -> HttpResponse:
    rows = reads.imports_of(within.project)
    return page(
        request, "imports.html", within, status=status, active="data", imports=rows, form=form
    )


def _startable(
    request: HttpRequest,
    within: Frame,
    job: Import,
    chosen: Any,
    *,
    status: int = 200,
    error: Refusal | None = None,
    fragment: bool = False,
) -> HttpResponse:
    """Render an import that does not run: its report, and, while its file is there, the form."""
    context: dict[str, Any] = {"active": "data", "job": job, "under_way": False, "error": error}
    if job.state in service.STARTABLE and within.can(Action.MANAGE):
        first = _seen(job, {})
        if isinstance(first, Preview):
            guessed = {"columns": first.mapping or {}} if first.needs else {}
            initial = initial_of({**guessed, **job.options})
            form = ImportForm(chosen, columns=first.columns, initial=initial)
            wanted = job.options if chosen is None else form.options() if form.is_valid() else {}
            context |= {"form": form, "seen": _seen(job, wanted)}
        else:
            context["unreadable"] = first
    template = "import.html#body" if fragment else "import.html"
    return page(request, template, within, status=status, **context)


def _columns(job: Import) -> tuple[str, ...]:
    seen = _seen(job, {})
    return seen.columns if isinstance(seen, Preview) else ()


def _seen(job: Import, options: Mapping[str, Any]) -> Preview | str:
    """Return the preview, or in words why there is none."""
    try:
        return preview(service.file_of(job), Options.from_dict(options))
    except Refusal as error:
        return error.phrase
