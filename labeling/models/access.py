"""API tokens, keys of repeated requests, invitations, failed sign-ins: hashes only."""

from __future__ import annotations

from django.db import models


class ApiToken(models.Model):
    """A bearer token of one user: hashed, scoped, expiring."""

    user = models.ForeignKey("labeling.User", models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="token_expires_after_creation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class IdempotencyKey(models.Model):
    """What a request with this key of a caller's own was answered, so that it can be repeated.

    `digest`: of what was asked. Written in the transaction of the request's own changes.
    """

    user = models.ForeignKey("labeling.User", models.CASCADE, related_name="idempotency_keys")
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once"),
        ]
        indexes = [
            # idempotency.forget: those that nobody repeats any more
            models.Index(fields=["created_at"], name="idempotency_key_created"),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id}"


class Invitation(models.Model):
    """A link by which a new person sets their password: hashed, expiring, good for one use."""

    user = models.OneToOneField("labeling.User", models.CASCADE, related_name="invitation")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("labeling.User", models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"invitation of {self.user_id}"


class SignInFailure(models.Model):
    """A wrong password, under the hash of who was tried from where: names are not kept."""

    digest = models.CharField(max_length=64)
    failed_at = models.DateTimeField()

    class Meta:
        indexes = [
            # services.sign_ins: how often this name and address, or this address, failed lately
            models.Index(fields=["digest", "-failed_at"], name="sign_in_failure_recent"),
        ]

    def __str__(self) -> str:
        return f"failure at {self.failed_at:%Y-%m-%d %H:%M}"
