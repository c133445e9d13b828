"""Signing in, invitations and passwords: what a stranger can try, and what a person can do."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user
from django.urls import reverse
from django.utils import timezone

from labeling.domain.refusals import Invalid, NotAllowed
from labeling.domain.roles import Role
from labeling.models import Event, Invitation, Membership, SignInFailure, User
from labeling.services import accounts, sign_ins
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()
PASSWORD = "correct horse"


def sign_in(client, name, password="wrong", **more):
    return client.post(reverse("login"), {"username": name, "password": password}, **more)


def test_five_wrong_passwords_make_a_name_wait(owner, client):
    for _ in range(sign_ins.TRIES):
        assert sign_in(client, owner.username).status_code == 200
    answer = sign_in(client, owner.username, PASSWORD)
    assert answer.status_code == 429
    assert "Too many wrong passwords. Try again in 15 minutes." in answer.content.decode()
    assert not get_user(client).is_authenticated


def test_a_name_that_nobody_has_is_answered_alike(owner, client):
    known = [sign_in(client, owner.username) for _ in range(6)]
    unknown = [sign_in(client, "nobody-at-all") for _ in range(6)]
    assert [a.status_code for a in known] == [a.status_code for a in unknown]
    texts = [
        [line for line in a.content.decode().splitlines() if "notice" in line]
        for a in (known[0], unknown[0], known[-1], unknown[-1])
    ]
    assert texts[0] == texts[1]
    assert texts[2] == texts[3]


def test_others_are_not_locked_out_by_it(owner, client):
    for _ in range(6):
        sign_in(client, owner.username)
    assert sign_in(client, owner.username, PASSWORD, REMOTE_ADDR="10.0.0.9").status_code == 302


def test_the_wait_ends_and_success_forgets(owner, client):
    for _ in range(4):
        sign_in(client, owner.username)
    assert sign_in(client, owner.username, PASSWORD).status_code == 302
    who = {"name": owner.username, "address": "127.0.0.1"}
    for _ in range(sign_ins.TRIES):
        sign_ins.fail(**who, now=NOW)
    assert sign_ins.must_wait(**who, now=NOW) == sign_ins.WINDOW
    assert sign_ins.must_wait(**who, now=NOW + sign_ins.WINDOW) is None


def test_one_address_cannot_try_many_names(client):
    for number in range(sign_ins.TRIES_OF_ADDRESS):
        sign_ins.fail(name=f"name-{number}", address="10.1.1.1", now=NOW)
    assert sign_ins.must_wait(name="fresh", address="10.1.1.1", now=NOW) is not None
    assert sign_ins.must_wait(name="fresh", address="10.1.1.2", now=NOW) is None


def test_failures_keep_no_names_and_do_not_pile_up(owner, client):
    sign_in(client, owner.username)
    assert all(len(row.digest) == 64 for row in SignInFailure.objects.all())
    SignInFailure.objects.update(failed_at=NOW - timedelta(hours=1))
    sign_in(client, owner.username)
    assert SignInFailure.objects.count() == 2  # of the name there, and of the address


def test_wrong_passwords_of_an_account_stand_in_the_audit_trail(owner, client):
    for _ in range(sign_ins.TRIES + 3):  # beyond that no password is looked at
        sign_in(client, owner.username, "hunter2")
    sign_in(client, "hunter2", "hunter2")  # a password where the name belongs
    events = Event.objects.filter(action="sign-in failed")
    assert (
        list(events.values_list("subject", "actor__username"))
        == [(owner.username, "machine")] * sign_ins.TRIES
    )
    assert {len(event.details.pop("address")) for event in events} == {12}
    said = str([(e.subject, e.details, e.action) for e in Event.objects.all()])
    assert "hunter2" not in said
    assert "127.0.0.1" not in said


def test_behind_a_proxy_the_address_is_the_one_that_it_added(owner, client, settings):
    settings.PRODUCTION = True
    for number in range(5):
        # the first part is whatever the client claims
        forwarded = f"1.2.3.{number}, 9.9.9.9"
        client.post(
            reverse("login"),
            {"username": owner.username, "password": "wrong"},
            headers={"X-Forwarded-For": forwarded},
        )
    assert sign_ins.must_wait(name=owner.username, address="9.9.9.9", now=timezone.now())


def test_the_admin_has_no_door_of_its_own(client):
    answer = client.post("/admin/login/?next=/admin/", {"username": "x", "password": "y"})
    assert answer.headers["Location"] == reverse("login") + "?next=/admin/"


def invite(client, project, name="nina-new", role="annotator"):
    values = {"username": name, "role": role, "invite": "1"}
    return client.post(reverse("add_member", args=[project.uid]), values)


def test_an_invited_person_sets_a_password_once_and_is_in(project, owner, client):
    client.force_login(owner)
    link = invite(client, project).context["link"]
    assert link not in client.get(reverse("settings", args=[project.uid])).content.decode()
    client.logout()
    weak = {"new_password1": "12345678", "new_password2": "12345678"}
    assert client.post(link, weak).status_code == 200
    strong = {"new_password1": "blue kettle 77", "new_password2": "blue kettle 77"}
    assert client.post(link, strong).headers["Location"] == reverse("home")
    assert get_user(client).username == "nina-new"
    assert Membership.objects.get(user__username="nina-new").role == "annotator"
    assert client.get(link).status_code == 404
    client.logout()
    assert sign_in(client, "nina-new", "blue kettle 77").status_code == 302


def test_only_the_hash_of_a_link_is_kept_and_no_event_tells_it(project, owner):
    plain = accounts.invite(by=owner, project=project, username="nina", role=Role.VIEWER, now=NOW)
    assert plain not in Invitation.objects.get().token_hash
    assert not any(plain in str(event.details) for event in Event.objects.all())


def test_a_link_expires_and_a_newer_one_replaces_it(project, owner, client):
    common = {"by": owner, "project": project, "username": "nina", "role": Role.VIEWER}
    old = accounts.invite(**common, now=NOW)
    new = accounts.invite(**common, now=NOW)
    assert client.get(reverse("welcome", args=[old])).status_code == 404
    assert client.get(reverse("welcome", args=[new])).status_code == 200
    Invitation.objects.update(expires_at=NOW - timedelta(seconds=1))
    assert client.get(reverse("welcome", args=[new])).status_code == 404
    with pytest.raises(NotAllowed):
        accounts.accept(by=User.objects.get(username="nina"), password="x", now=timezone.now())


def test_nobody_is_invited_into_an_account_that_exists(project, owner, outsider):
    with pytest.raises(Invalid, match="is taken"):
        accounts.invite(
            by=owner, project=project, username=outsider.username, role=Role.OWNER, now=NOW
        )
    assert not Membership.objects.filter(user=outsider).exists()


def test_another_owner_gets_no_link_to_an_account_that_waits(project, owner, outsider):
    accounts.invite(by=owner, project=project, username="nina", role=Role.VIEWER, now=NOW)
    theirs = factories.ProjectFactory(created_by=outsider)
    with pytest.raises(Invalid, match="is taken"):
        accounts.invite(by=outsider, project=theirs, username="nina", role=Role.OWNER, now=NOW)


@pytest.mark.parametrize("name", ["<script>", "a b", "x\n"])
def test_a_malformed_name_is_refused(project, owner, client, name):
    client.force_login(owner)
    answer = invite(client, project, name)
    if answer.status_code == 200:  # the form itself strips what surrounds a name
        assert User.objects.filter(username=name.strip()).exists()
    else:
        assert answer.status_code == 400
        assert not User.objects.filter(username=name).exists()


def test_a_password_is_changed_with_the_old_one_only(owner, client):
    client.force_login(owner)
    new = {"new_password1": "blue kettle 77", "new_password2": "blue kettle 77"}
    assert client.post(reverse("password"), {"old_password": "guess", **new}).status_code == 200
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)
    assert client.post(reverse("password"), {"old_password": PASSWORD, **new}).status_code == 302
    owner.refresh_from_db()
    assert owner.check_password("blue kettle 77")
    assert get_user(client).is_authenticated
    assert Event.objects.filter(action="password changed").exists()


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("http://testserver/p/x/solutions/y/?why=people", "/p/x/solutions/y/?why=people"),
        ("http://testserver/p/x/solutions/y/adjudicate", "/p/x/solutions/y/"),  # a refused form
        ("http://evil.example/p/x/", "/p/x/solutions/y/"),
        ("", "/p/x/solutions/y/"),
    ],
)
def test_who_was_signed_out_over_a_form_comes_back_to_its_page(client, db, referer, page):
    """The form's own address answers to nothing but POST."""
    answer = client.post(
        "/p/x/solutions/y/adjudicate", {"reason": "r"}, headers={"referer": referer}
    )
    assert (answer.status_code, answer.headers["Location"]) == (
        302, f"{reverse('login')}?{urlencode({'next': page}, safe='/')}",
    )  # fmt: skip


def test_who_opens_a_page_signed_out_comes_back_to_it(client, db):
    answer = client.get(
        "/p/x/solutions/y/?why=people", headers={"referer": "http://testserver/p/z/"}
    )
    assert answer.headers["Location"].endswith("next=/p/x/solutions/y/%3Fwhy%3Dpeople")
