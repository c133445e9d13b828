"""Call the API as somebody, with a token of theirs."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.utils import timezone

from labeling.models import Project, User
from labeling.services import tokens

ALL = tuple(str(scope) for scope in tokens.Scope)


class Api:
    """A client of one project; paths are relative to its address, or begin with a slash."""

    def __init__(self, project: Project) -> None:
        self.project, self._tokens = project, {}

    def __call__(
        self,
        user: User,
        method: str,
        path: str,
        body: Any = None,
        *,
        scopes: tuple[str, ...] = ALL,
        **headers: str,
    ):
        if not path.startswith("/"):
            path = f"/api/projects/{self.project.uid}/{path}".rstrip("/")
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(Client(), method)(
            path,
            headers={"Authorization": f"Bearer {self.token(user, scopes)}", **sent},
            **({} if body is None else data),
        )

    def token(self, user: User, scopes: tuple[str, ...] = ALL) -> str:
        if (user.pk, scopes) not in self._tokens:
            _, plain = tokens.issue(by=user, name="t", scopes=scopes, days=1, now=timezone.now())
            self._tokens[user.pk, scopes] = plain
        return self._tokens[user.pk, scopes]
