"""Everybody who labels in a project, with the numbers that a lead judges their work by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.http import Http404

from labeling.domain.labels import LabelerKind
from labeling.domain.quality import Accuracy, Against, Pace
from labeling.domain.roles import Action, Role, can
from labeling.domain.statistics.agreement import Agreement, compare
from labeling.domain.statistics.confusion import Confusion
from labeling.domain.statistics.intervals import Proportion
from labeling.domain.statistics.undefined import Undefined
from labeling.models import Labeler, Membership, Project, User
from labeling.selectors import accuracy
from labeling.selectors.remembered import Remembered

PERIODS = {"7": timedelta(days=7), "30": timedelta(days=30), "": None}
"""What the page can look back on, by its value in the address."""


_Numbers: TypeAlias = tuple[
    dict[int, dict[Against, Accuracy]], dict[int, Confusion], dict[int, Pace]
]
_REMEMBERED = Remembered()


@dataclass(frozen=True, slots=True)
class Person:
    """One annotator. `uid` is that of the labeler through which they label; `role` None: left."""

    user_id: int
    name: str
    uid: str
    role: Role | None
    accuracy: dict[Against, Accuracy]
    agreement: Agreement
    pace: Pace

    @property
    def exam(self) -> Accuracy:
        """Against the keys of exam items."""
        return self.accuracy.get(Against.EXAM, Accuracy())

    @property
    def gold(self) -> Accuracy:
        """Against the keys of hidden gold items."""
        return self.accuracy.get(Against.GOLD, Accuracy())

    @property
    def adjudication(self) -> Accuracy:
        """Against later adjudications of what they labeled."""
        return self.accuracy.get(Against.ADJUDICATION, Accuracy())

    @property
    def alike(self) -> Proportion:
        """Pairs with other people's verdicts that have the same first error."""
        same = self.agreement.both_right + self.agreement.same_error
        return Proportion(same, self.agreement.n)


_SORTS: dict[str, Callable[[Person], Any]] = {
    "name": lambda person: person.name.casefold(),
    "submitted": lambda person: person.pace.submitted,
    "gold": lambda person: person.gold.exact.value,
    "near": lambda person: person.gold.within_one.value,
    "adjudication": lambda person: person.adjudication.exact.value,
    "alike": lambda person: person.alike.value,
    "item": lambda person: person.pace.median_item,
    "step": lambda person: person.pace.median_step,
    "fast": lambda person: person.pace.fast.value,
    "skips": lambda person: person.pace.skips.value,
    "reports": lambda person: person.pace.reports.value,
    "notes": lambda person: person.pace.noted,
}
SORTS = tuple(_SORTS)


def people(project: Project, since: datetime | None = None) -> list[Person]:
    """Return everybody who labeled or may label in the project, by name."""
    roles, labelers = _roles(project), _labelers(project)
    by_accuracy, by_agreement, by_pace = _numbers(project, since)
    names = {user: name for user, (name, _) in roles.items()}
    names |= {user: name for user, (name, _) in labelers.items()}
    found = [
        Person(
            user_id=user,
            name=name,
            uid=labelers[user][1] if user in labelers else "",
            role=roles[user][1] if user in roles else None,
            accuracy=by_accuracy.get(user, {}),
            agreement=compare(by_agreement.get(user, Confusion({}))),
            pace=by_pace.get(user, Pace()),
        )
        for user, name in names.items()
        if user in by_pace or can(roles.get(user, ("", None))[1], Action.ANNOTATE)
    ]
    return sorted(found, key=_SORTS["name"])


def person(project: Project, user: User, since: datetime | None = None) -> Person:
    """Return one person's numbers."""
    role = Membership.objects.filter(project=project, user=user).values_list("role", flat=True)
    labeler = Labeler.objects.filter(project=project, user=user, kind=LabelerKind.HUMAN).first()
    by_accuracy, by_agreement, by_pace = _numbers(project, since, user.pk)
    compared = by_accuracy.get(user.pk, {})
    agreed, pace = by_agreement.get(user.pk, Confusion({})), by_pace.get(user.pk, Pace())
    found = role.first()
    return Person(
        user_id=user.pk,
        name=user.username,
        uid=labeler.uid if labeler else "",
        role=Role(found) if found else None,
        accuracy=compared,
        agreement=compare(agreed),
        pace=pace,
    )


def user_for(project: Project, labeler: str) -> User:
    """Return the person who labels through this labeler's uid or raise Http404."""
    found = (
        Labeler.objects.filter(project=project, uid=labeler, kind=LabelerKind.HUMAN)
        .exclude(user=None)
        .select_related("user")
        .first()
    )
    if found is None or found.user is None:
        raise Http404("no such person")
    return found.user


def _numbers(project: Project, since: datetime | None, user: int | None = None) -> _Numbers:
    """Return what the pages are made of, by user id; of many labels up to some minutes old."""
    day = since and since.date()  # the same key from one view to the next
    found: _Numbers = _REMEMBERED.get(
        (project.pk, day, user, project.policy.too_fast_seconds),
        lambda: (
            accuracy.accuracies(project, user=user, since=since),
            accuracy.agreements(project, user=user, since=since),
            accuracy.paces(project, user=user, since=since),
        ),
    )
    return found


def ordered(found: Sequence[Person], sort: str) -> list[Person]:
    """Return people by a name of SORTS, "-" before it for falling; without a value at the end."""
    by = _SORTS.get(sort.removeprefix("-"))
    if by is None:
        return list(found)
    valued = [one for one in found if not isinstance(by(one), Undefined) and by(one) is not None]
    rest = [one for one in found if one not in valued]
    return sorted(valued, key=by, reverse=sort.startswith("-")) + rest


def _roles(project: Project) -> dict[int, tuple[str, Role]]:
    rows = Membership.objects.filter(project=project).values_list(
        "user_id", "user__username", "role"
    )
    return {user: (name, Role(role)) for user, name, role in rows}


def _labelers(project: Project) -> dict[int, tuple[str, str]]:
    rows = Labeler.objects.filter(project=project, kind=LabelerKind.HUMAN).exclude(user=None)
    found = rows.values_list("user_id", "user__username", "uid")
    return {user: (name, uid) for user, name, uid in found if user is not None}
