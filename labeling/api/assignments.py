"""A person's own items over the API: take one, label it, pass it back.

What an annotator may not know (the solution's uid, why the item was given, what others say) is
not in these answers before it may be: they go through the reads of the annotate page.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api import lists
from labeling.api.assignment_rows import (
    AssignmentOut,
    AssignmentQuery,
    DraftIn,
    EvidenceOut,
    ItemOut,
    RejectIn,
    SavedOut,
    SkipIn,
    SubmitIn,
)
from labeling.api.authentication import caller
from labeling.api.base import Endpoint
from labeling.api.once import repeatable
from labeling.domain.assignments import RejectReason, SkipReason
from labeling.domain.refusals import Refusal
from labeling.domain.roles import Action, Role
from labeling.models import Membership
from labeling.selectors import annotate as reads
from labeling.selectors import catalog, exam_results
from labeling.selectors.access import membership_for
from labeling.selectors.guidelines import while_labeling
from labeling.services import assignments as service
from labeling.services.tokens import Scope

_STATES: dict[str, dict[str, Any]] = {
    "open": {"submitted_at": None, "skipped_at": None},
    "submitted": {"submitted_at__isnull": False},
    "skipped": {"skipped_at__isnull": False},
}


class ReadFirst(Refusal):
    """The guidelines have to be acknowledged, or the exam passed, on the pages first."""

    code = "read_first"


class Assignments(Endpoint):
    """Items of the caller, or of everybody for those who manage."""

    scopes = {"POST": Scope.LABEL}

    @extend_schema(parameters=[AssignmentQuery], responses=lists.part_of(AssignmentOut))
    def get(self, request: Request, uid: str) -> Response:
        """List one's own items, newest first; with `person`, for who manages, another's."""
        query = lists.asked(request, AssignmentQuery)
        equal = dict(query.filters)
        person = equal.pop("person", None)
        member = membership_for(request.user, uid, Action.MANAGE if person else Action.ANNOTATE)
        equal |= _STATES.get(equal.pop("state", ""), {})
        whose = {"user__username": person} if person else {"user": caller(request)}
        part = catalog.assignments(member.project, query.place, **whose, **equal)
        return lists.answer(request, part, AssignmentOut, whole=person is not None)

    @extend_schema(request=None, responses={200: ItemOut, 204: None})
    @repeatable
    def post(self, request: Request, uid: str) -> Response:
        """Take the next item; the open one comes again until it is concluded. 204: none is left."""
        member = membership_for(request.user, uid, Action.ANNOTATE)
        _check_ready(member)
        leased = service.lease_next(by=member.user, project=member.project, now=timezone.now())
        if leased is None:
            return Response(status=204)
        return Response(ItemOut(_item(member, leased.uid)).data)


class OneAssignment(Endpoint):
    """One item of the caller's own."""

    scopes = {"PUT": Scope.LABEL}

    @extend_schema(responses=ItemOut)
    def get(self, request: Request, uid: str, item: str) -> Response:
        """Return the item to label, with the draft that is kept of it."""
        member = membership_for(request.user, uid, Action.ANNOTATE)
        return Response(ItemOut(_item(member, item)).data)

    @extend_schema(request=DraftIn, responses=SavedOut)
    def put(self, request: Request, uid: str, item: str) -> Response:
        """Keep a draft, and the lease with it. A version that is not the newest is refused."""
        member = membership_for(request.user, uid, Action.ANNOTATE)
        given = _given(DraftIn, request)
        saved = service.save_draft(
            by=member.user, within=member.project, uid=item, now=timezone.now(), **given
        )
        return Response({"version": saved.draft_version})


class Evidence(Endpoint):
    """What others say of an item that the caller has submitted."""

    @extend_schema(responses=EvidenceOut)
    def get(self, request: Request, uid: str, item: str) -> Response:
        """Return the evidence that the policy shows; a later correction then counts as informed."""
        member = membership_for(request.user, uid, Action.ANNOTATE)
        found = reads.own_assignment(member.user, member.project, item)
        shown = reads.submitted(found, Role(member.role))
        if reads.evidence_kinds(found, Role(member.role)):
            service.see_evidence(
                by=member.user, within=member.project, uid=item, now=timezone.now()
            )
        return Response(EvidenceOut(shown).data)


class SubmitAssignment(Endpoint):
    """Concluding an item."""

    scopes = {"POST": Scope.LABEL}

    @extend_schema(request=SubmitIn, responses=AssignmentOut)
    @repeatable
    def post(self, request: Request, uid: str, item: str) -> Response:
        """Turn the labels into one's verdict; the same `key` again returns the same.

        With `version`, that of the draft which `GET` showed, a submitted item is corrected.
        """
        member = membership_for(request.user, uid, Action.ANNOTATE)
        given = _given(SubmitIn, request)
        common: dict[str, Any] = {"by": member.user, "within": member.project, "uid": item}
        if given.get("version") is None:
            given.pop("version", None)
            service.submit(now=timezone.now(), **common, **given)
        else:
            service.correct(**common, **given)
        return _concluded(member, item)


class SkipAssignment(Endpoint):
    """Passing an item back."""

    scopes = {"POST": Scope.LABEL}

    @extend_schema(request=SkipIn, responses=AssignmentOut)
    @repeatable
    def post(self, request: Request, uid: str, item: str) -> Response:
        """Return the item to the others, with a reason."""
        member = membership_for(request.user, uid, Action.ANNOTATE)
        given = _given(SkipIn, request)
        service.skip(
            by=member.user, within=member.project, uid=item, now=timezone.now(),
            code=SkipReason(given["code"]), words=given["words"],
        )  # fmt: skip
        return _concluded(member, item)


class RejectAssignment(Endpoint):
    """Reporting an item."""

    scopes = {"POST": Scope.LABEL}

    @extend_schema(request=RejectIn, responses=AssignmentOut)
    @repeatable
    def post(self, request: Request, uid: str, item: str) -> Response:
        """Say that the item cannot be labeled by anybody, and why."""
        member = membership_for(request.user, uid, Action.ANNOTATE)
        given = _given(RejectIn, request)
        service.reject(
            by=member.user, within=member.project, uid=item, now=timezone.now(),
            code=RejectReason(given["code"]), words=given["words"],
        )  # fmt: skip
        return _concluded(member, item)


def _check_ready(member: Membership) -> None:
    _, must_read = while_labeling(member.user, member.project)
    role = Role(member.role)
    if must_read:
        raise ReadFirst("read the guidelines on the page first: they have changed")
    if exam_results.comes_first(member.user, member.project, role, begun=False):
        raise ReadFirst("go to the exam's page first")


def _item(member: Membership, uid: str) -> reads.Item:
    found = reads.own_assignment(member.user, member.project, uid)
    return reads.item(found, Role(member.role))


def _given(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    asked = form(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _concluded(member: Membership, item: str) -> Response:
    found = reads.own_assignment(member.user, member.project, item)
    return Response(AssignmentOut(found, context={"whole": False}).data)
