"""Register labelers: one row per kind and frozen configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from labeling.domain.hashing import config_hash
from labeling.domain.labels import LabelerKind
from labeling.models import Labeler, Project, User
from labeling.models.compiled import Compiled, given
from labeling.services import events


@transaction.atomic
def register(
    *, by: User, project: Project, kind: LabelerKind, name: str, config: Mapping[str, Any]
) -> Labeler:
    """Return the labeler with this configuration, made if new."""
    labeler, made = Labeler.objects.get_or_create(
        project=project,
        kind=kind,
        config_hash=config_hash(config),
        defaults={"name": name, "config": dict(config)},
    )
    if made:
        events.record(
            by=by, action="labeler registered", project=project, subject=labeler.uid, kind=kind
        )
    return labeler


def person(*, by: User, project: Project, kind: LabelerKind = LabelerKind.HUMAN) -> Labeler:
    """Return the labeler through which `by` labels."""
    known = _person.first(project=project.pk, kind=kind, user=by.pk)
    return known or _new_person(by, project, kind)


@Compiled
def _person() -> QuerySet[Labeler]:
    return Labeler.objects.filter(project=given("project"), kind=given("kind"), user=given("user"))


def _new_person(by: User, project: Project, kind: LabelerKind) -> Labeler:
    labeler, made = Labeler.objects.get_or_create(
        project=project,
        kind=kind,
        user=by,
        defaults={"name": by.username, "config_hash": config_hash({"user": by.pk})},
    )
    if made:
        events.record(
            by=by, action="labeler registered", project=project, subject=labeler.uid, kind=kind
        )
    return labeler
