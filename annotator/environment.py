"""Read settings from the environment, with errors that name the variable."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def flag(name: str, default: bool = False) -> bool:
    """Read a yes/no variable."""
    value = os.environ.get(name, "").strip().lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if value == "" else value in {"1", "true", "yes", "on"}
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no")


def items(name: str, default: str = "") -> list[str]:
    """Read a comma-separated variable."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def database(url: str) -> dict[str, object]:
    """Return Django's settings for `postgresql://user:password@host:port/name`.

    A UNIX socket's folder stands in the query: `postgresql:///name?host=/folder`. The same code
    path serves the embedded and the production server; anything but Postgres is refused.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must name a Postgres server (postgresql://…)")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or query.pop("user", "")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(query.pop("port", parts.port or "")),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # a connection whose server process died is not handed out
        "TEST": {"NAME": os.environ.get("TEST_DATABASE_NAME")},
        # compiling took half of the time of the queries behind the pages on people (measured)
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": 8, "timeout": 10},
            "options": "-c jit=off",
            **query,
        },
    }


def secret_key(var: Path) -> str:
    """Return SECRET_KEY, or make one for this checkout's embedded use and keep it, mode 600."""
    given = os.environ.get("SECRET_KEY", "")
    if given:
        return given
    if flag("PRODUCTION"):
        raise ImproperlyConfigured("SECRET_KEY must be set when PRODUCTION is on")
    path = var / "secret_key"
    if not path.exists():
        import secrets

        var.mkdir(parents=True, exist_ok=True)
        fresh = var / f"secret_key.{os.getpid()}"
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(fresh, path)  # the first of two racing processes wins
        fresh.unlink()
    return path.read_text()
