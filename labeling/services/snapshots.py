"""Freeze snapshots: a rule becomes hashed files that never change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from labeling import dispatch
from labeling.domain.exports import format_named
from labeling.domain.hashing import config_hash
from labeling.domain.phrases import phrase_of
from labeling.domain.refusals import Invalid, Refusal
from labeling.domain.releases import EVALUATION_SET, Rule, RuleError
from labeling.domain.roles import Action
from labeling.models import Labeler, Project, Snapshot, User
from labeling.selectors.access import project_for
from labeling.services import events
from labeling.services.freezing import writing
from labeling.services.freezing.drafts import SPLITS, Draft
from labeling.services.freezing.moments import Watcher, alone_with

__all__ = [
    "SPLITS",
    "BeingFrozen",
    "NothingToFreeze",
    "attend",
    "fail",
    "folder_of",
    "freeze",
    "freeze_now",
    "request",
    "retry",
    "ring",
]

UNHEARD_SECONDS = 60
"""A freeze that says nothing for so long is taken up again."""


class NothingToFreeze(Refusal):
    """The rule picks no solution."""

    code = "nothing_to_freeze"


class BeingFrozen(Refusal):
    """Another worker freezes this snapshot now."""

    code = "being_frozen"


@transaction.atomic
def request(
    *, by: User, project: Project, name: str, rule: dict[str, Any], formats: Sequence[str] = ()
) -> Snapshot:
    """Ask for a snapshot, and for other formats of it by name; a worker freezes it."""
    wanted: dict[str, Any] = {format_named(form).name: {} for form in formats}
    snapshot = _create(by, project, name, _read_rule(by, project, rule), wanted)
    ring(snapshot=snapshot)
    return snapshot


def freeze_now(*, by: User, project: Project, name: str, rule: Rule, now: datetime) -> Snapshot:
    """Freeze within this call; the same rule over the same labels returns the earlier snapshot."""
    snapshot = _create(by, project, name, _read_rule(by, project, rule.to_dict()))
    try:
        return freeze(by=by, snapshot=snapshot, now=now)
    except Refusal:
        snapshot.delete()
        raise


def freeze(*, by: User, snapshot: Snapshot, now: datetime) -> Snapshot:
    """Write the snapshot's files and stamp it; frozen ones are returned as they are.

    Same rule and labels give the same bytes: records are ordered by content hash and carry
    nothing that depends on the time. Another process that freezes it now is `BeingFrozen`. What a
    killed one has written is gone on with if the labels are still the same, and the folder is moved
    into place whole.
    """
    with alone_with(snapshot) as alone:
        if not alone:
            raise BeingFrozen("another worker freezes this snapshot now")
        found = Snapshot.objects.select_related("project").get(pk=snapshot.pk)
        return found if found.frozen_at else _freeze(by, found, now)


def attend(*, now: datetime) -> None:
    """Ring for snapshots that wait or whose worker is gone; remove drafts that belong to none."""
    drafts = list(_root().glob(".draft-*"))  # first: one begun after the query is not among them
    waiting = {row.uid: row for row in Snapshot.objects.filter(frozen_at=None, reason="")}
    for snapshot in waiting.values():
        heard = snapshot.progress.get("at", snapshot.created_at.timestamp())
        if now.timestamp() - heard > UNHEARD_SECONDS:
            ring(snapshot=snapshot)
    for folder in drafts:
        if folder.name.removeprefix(".draft-") not in waiting:
            shutil.rmtree(folder, ignore_errors=True)


def fail(*, snapshot: Snapshot, reason: str) -> None:
    """Note why a snapshot cannot be frozen as things are; nobody tries again unasked."""
    Snapshot.objects.filter(pk=snapshot.pk, frozen_at=None).update(
        reason=reason[:4000] or "no reason given", progress={}
    )


@transaction.atomic
def retry(*, by: User, snapshot: Snapshot) -> None:
    """Let a worker try again to freeze a snapshot that could not be frozen."""
    Snapshot.objects.filter(pk=snapshot.pk, frozen_at=None).update(reason="", progress={})
    events.record(by=by, action="snapshot retried", project=snapshot.project, subject=snapshot.uid)
    ring(snapshot=snapshot)


def ring(*, snapshot: Snapshot) -> None:
    """Wake a worker for the snapshot."""
    dispatch.ring("workers.freeze", snapshot.uid, queue="export")


def folder_of(snapshot: Snapshot) -> Path:
    """Return the folder of the snapshot's files."""
    return _root() / snapshot.folder


def _draft_of(snapshot: Snapshot) -> Path:
    return _root() / f".draft-{snapshot.uid}"


def _root() -> Path:
    return Path(settings.VAR_DIR) / "snapshots"


@transaction.atomic
def _create(
    by: User, project: Project, name: str, rule: Rule, formats: dict[str, Any] | None = None
) -> Snapshot:
    values = rule.to_dict()
    snapshot = Snapshot.objects.create(
        project=project,
        name=name[:120],
        rule=values,
        rule_hash=config_hash(values),
        formats=formats or {},
        created_by=by,
    )
    events.record(
        by=by, action="snapshot requested", project=project, subject=snapshot.uid, rule=values
    )
    return snapshot


def _read_rule(by: User, project: Project, values: dict[str, Any]) -> Rule:
    try:
        rule = Rule.from_dict(values)
    except (RuleError, TypeError) as error:
        raise Invalid(phrase_of(error)) from error
    if rule.labeler and not Labeler.objects.filter(project=project, uid=rule.labeler).exists():
        raise Invalid("labeler: the project has no labeler {labeler}", labeler=rule.labeler)
    for name in rule.without:
        match = EVALUATION_SET.fullmatch(name)
        if match and match[1] == "project":
            project_for(by, match[2], Action.VIEW)
    return rule


def _freeze(by: User, snapshot: Snapshot, now: datetime) -> Snapshot:
    watcher = Watcher(snapshot)
    try:
        draft, counts = writing.write(snapshot, _draft_of(snapshot), watcher)
        if not counts["records"]:
            draft.remove()
            raise NothingToFreeze("no solution fits the rule: label some, or widen the rule")
        digest = writing.seal(snapshot, draft, counts)
        published = _publish(by, snapshot, draft, digest, counts, now)
        draft.remove()
        return published
    finally:
        watcher.close()


@transaction.atomic
def _publish(
    by: User, snapshot: Snapshot, draft: Draft, digest: str, counts: dict[str, Any], now: datetime
) -> Snapshot:
    # Two requests of the same rule may be frozen at once, each by its worker: the project's row
    # decides which is published; the other one is merged into it. Somebody may ask for a format of
    # either meanwhile: their rows' locks decide.
    Project.objects.select_for_update().get(pk=snapshot.project_id)
    rows = Snapshot.objects.select_for_update(of=("self",)).select_related("project")
    snapshot = rows.get(pk=snapshot.pk)
    same = rows.filter(
        project=snapshot.project_id, rule_hash=snapshot.rule_hash, content_hash=digest
    ).first()
    if same is not None:
        return _merge(by, snapshot, same)
    folder = _root() / f"{digest[:12]}-{snapshot.uid}"
    # a process killed between this and the commit has left it, or one of what the labels were then
    for left in set(_root().glob(f"{'?' * 12}-{snapshot.uid}")) - {folder}:
        shutil.rmtree(left)
    if not folder.exists():
        draft.folder.rename(folder)
        _sync(folder.parent)
    snapshot.decisions_at_freeze = counts.pop("decided")
    snapshot.counts, snapshot.content_hash, snapshot.progress = counts, digest, {}
    snapshot.folder, snapshot.frozen_at = folder.name, now
    snapshot.save()
    _tell(by, snapshot)
    return snapshot


def _merge(by: User, snapshot: Snapshot, same: Snapshot) -> Snapshot:
    """Let the earlier snapshot answer for the later request, too."""
    same.formats = {**snapshot.formats, **same.formats}
    same.other_uids = [*same.other_uids, snapshot.uid]
    same.save(update_fields=["formats", "other_uids"])
    snapshot.delete()
    _tell(by, same, requested_as=snapshot.uid)
    return same


def _tell(by: User, snapshot: Snapshot, **more: str) -> None:
    events.record(
        by=by,
        action="snapshot frozen",
        project=snapshot.project,
        subject=snapshot.uid,
        content_hash=snapshot.content_hash,
        **more,
    )


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
