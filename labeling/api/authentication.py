"""Bearer tokens: hashed, scoped, expiring."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from labeling.models import ApiToken, User
from labeling.services.tokens import Scope, digest


class TokenAuthentication(BaseAuthentication):
    """Read `Authorization: Bearer ann_…`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the token's user, None without a bearer header; refuse one that is not valid."""
        scheme, _, value = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        now = timezone.now()
        token = (
            ApiToken.objects.select_related("user")
            .filter(token_hash=digest(value.strip().decode("latin-1")), user__is_active=True)
            .first()
        )
        if token is None or token.revoked_at or token.expires_at <= now:
            raise AuthenticationFailed("the token is unknown, expired or revoked")
        if token.last_used_at is None or (now - token.last_used_at).total_seconds() > 60:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Make a missing login a 401."""
        return "Bearer"


def caller(request: Request) -> User:
    """Return who calls; HasScope has let nobody pass without a login."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


class HasScope(BasePermission):
    """A token must carry the view's `scope`; a browser session has the user's own rights."""

    message = "the token lacks the scope that this address needs"

    def has_permission(self, request: Request, view: Any) -> bool:
        """Compare the token's scopes with the view's; nobody passes without a login."""
        if not request.user.is_authenticated:
            return False
        if not isinstance(request.auth, ApiToken):
            return True
        return str(getattr(view, "scope", Scope.READ)) in request.auth.scopes


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI schema describes the tokens."""

    target_class = "labeling.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        """Return a bearer scheme."""
        return {"type": "http", "scheme": "bearer"}
