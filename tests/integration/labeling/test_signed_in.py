"""Sessions and people as Django's own engine and backend treat them, read by compiled queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from labeling.models import User
from labeling.selectors.signed_in import Backend, SessionStore
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client: Client) -> User:
    user = UserFactory()
    client.force_login(user)
    return user


def whoever(client: Client) -> object:
    return client.get("/").wsgi_request.user


def test_a_request_is_of_the_person_of_its_session(client: Client, signed_in: User) -> None:
    assert whoever(client) == signed_in


def test_a_session_that_ran_out_is_nobodys(client: Client, signed_in: User) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not whoever(client).is_authenticated


def test_a_session_that_was_ended_is_nobodys(client: Client, signed_in: User) -> None:
    Session.objects.all().delete()
    assert not whoever(client).is_authenticated


def test_who_may_not_sign_in_any_more_is_nobody(client: Client, signed_in: User) -> None:
    User.objects.filter(pk=signed_in.pk).update(is_active=False)
    assert not whoever(client).is_authenticated


def test_another_password_ends_the_session(client: Client, signed_in: User) -> None:
    signed_in.set_password("another one")
    signed_in.save()
    assert not whoever(client).is_authenticated


def test_a_person_who_is_gone_is_nobody() -> None:
    assert Backend().get_user(0) is None


def test_an_unknown_key_makes_a_new_session() -> None:
    store = SessionStore("k" * 32)
    assert SESSION_KEY not in store
    assert store.session_key is None  # a key that a stranger chose is not taken over


def test_session_and_person_are_one_query_each(
    client: Client, signed_in: User, django_assert_num_queries
) -> None:
    with django_assert_num_queries(2) as asked:
        client.get("/healthz")
    assert "django_session" in asked[0]["sql"]
    assert "labeling_user" in asked[1]["sql"]
    assert SessionStore.__module__ == settings.SESSION_ENGINE
