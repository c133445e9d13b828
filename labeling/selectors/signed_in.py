"""Who is signed in: every request reads its session and its person, by compiled queries.

The rest is Django's: annotator.settings names these as session engine and sign-in backend.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from labeling.models import User
from labeling.models.compiled import Compiled, given


class SessionStore(db.SessionStore):
    """Sessions in the database."""

    def _get_session_from_db(self) -> Session | None:
        found = _session.first(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
        return found


class Backend(ModelBackend):
    """Names and passwords in the database."""

    def get_user(self, user_id: Any) -> User | None:
        """Return the person, or None for nobody and for one who may not sign in any more."""
        found = _person.first(pk=user_id)
        return found if found is not None and self.user_can_authenticate(found) else None


@Compiled
def _session() -> QuerySet[Session]:
    return Session.objects.filter(session_key=given("key"), expire_date__gt=given("now"))


@Compiled
def _person() -> QuerySet[User]:
    return User.objects.filter(pk=given("pk"))
