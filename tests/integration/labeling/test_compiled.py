"""Compiled querysets say what the queryset itself would say, whatever the values."""

from __future__ import annotations

import pytest
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from labeling.models import Membership, Project, Solution, User
from labeling.models.compiled import Compiled, CompiledUpdate, among, given
from tests.factories import MembershipFactory, ProjectFactory, SolutionFactory

pytestmark = pytest.mark.django_db


@Compiled
def members() -> QuerySet[Membership]:
    """Find a project's members by their names."""
    rows = Membership.objects.select_related("project", "user").order_by("user__username")
    return rows.filter(project__uid=given("project"), user__username=given("name"))


@Compiled
def chosen() -> QuerySet[Solution, tuple[int, int]]:
    rows = Solution.objects.filter(among("pk", "ids")).order_by("pk")
    return rows.values_list("pk", "problem_id")


@Compiled
def locked() -> QuerySet[Project]:
    return Project.objects.select_for_update().filter(pk=given("pk"))


def test_each_call_brings_its_own_values() -> None:
    one, other = MembershipFactory(), MembershipFactory()
    for member in (one, other, one):
        found = members(project=member.project.uid, name=member.user.username)
        assert found == [member]
    assert members(project=one.project.uid, name=other.user.username) == []
    assert members.first(project=one.project.uid, name=other.user.username) is None


def test_rows_come_with_what_the_queryset_selects(django_assert_num_queries) -> None:
    member = MembershipFactory()
    with django_assert_num_queries(1):
        found = members.first(project=member.project.uid, name=member.user.username)
        assert found is not None
        assert found.project.policy == member.project.policy  # JSON is read
        assert found.user.username == member.user.username
        assert not found._state.adding


def test_annotations_are_read() -> None:
    @Compiled
    def projects() -> QuerySet[Project]:
        mine = Membership.objects.filter(project=OuterRef("pk"), user=given("user"))
        return Project.objects.annotate(mine=Exists(mine), copy=F("name")).order_by("pk")

    member, other = MembershipFactory(), ProjectFactory()
    found = projects(user=member.user_id)
    assert [(p.pk, p.mine, p.copy) for p in found] == [
        (member.project_id, True, member.project.name),
        (other.pk, False, other.name),
    ]


def test_values_come_as_tuples_and_lists_may_be_given() -> None:
    first, _, last = (SolutionFactory() for _ in range(3))
    assert chosen(ids=[last.pk, first.pk]) == [
        (first.pk, first.problem_id),
        (last.pk, last.problem_id),
    ]
    assert chosen(ids=[]) == []


def test_a_value_is_never_read_as_sql() -> None:
    member = MembershipFactory()
    for hostile in ("' OR 1=1 --", "%s", "\\'; DROP TABLE x; --", "%(name)s"):
        assert members(project=member.project.uid, name=hostile) == []
    named = User.objects.create(username="o'%s\"")
    MembershipFactory(project=member.project, user=named)
    assert len(members(project=member.project.uid, name="o'%s\"")) == 1


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match="name"):
        members(project="x")


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_inside_of_a_transaction_only() -> None:
    project = ProjectFactory()
    with pytest.raises(TransactionManagementError):
        locked(pk=project.pk)


def test_rows_that_are_to_be_locked_are(django_assert_num_queries) -> None:
    project = ProjectFactory()
    with django_assert_num_queries(2) as asked:
        assert locked(pk=project.pk) == [project] == locked(pk=project.pk)
    assert isinstance(asked, CaptureQueriesContext)
    assert all("FOR UPDATE" in query["sql"] for query in asked)


@CompiledUpdate
def renamed() -> tuple[QuerySet[Project], list[str]]:
    rows = Project.objects.filter(pk=given("pk"), policy_version=given("known"))
    return rows, ["name", "policy_values"]


def test_rows_are_changed_and_counted() -> None:
    project, other = ProjectFactory(), ProjectFactory()
    values = {"blind": False, "said": ["'%s'"]}
    changed = {"name": "o'%s\"", "policy_values": values}
    assert renamed(pk=project.pk, known=2, **changed) == 0
    assert renamed(pk=project.pk, known=1, **changed) == 1
    assert renamed(pk=other.pk, known=1, name="another", policy_values={}) == 1
    project.refresh_from_db()
    assert (project.name, project.policy_values) == ("o'%s\"", values)


def test_a_change_that_lacks_a_value_changes_nothing() -> None:
    project = ProjectFactory()
    with pytest.raises(KeyError, match="policy_values"):
        renamed(pk=project.pk, known=1, name="half")


def test_what_a_row_cannot_hold_is_refused() -> None:
    @Compiled
    def names() -> QuerySet[Project, tuple[str]]:
        return Project.objects.order_by("pk").values_list("name").distinct()

    with pytest.raises(NotImplementedError, match="sorted"):
        names()
