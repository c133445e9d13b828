"""Put DATABASE_URL and REDIS_URL into the environment, from embedded servers where unset.

manage.py and the test run call `prepare` before Django reads its settings, which therefore know
one way only: the environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from annotator.embedded import servers
from annotator.embedded.errors import EmbeddedServerError

_ROOT = Path(__file__).resolve().parents[2]
_WITHOUT_DATABASE = frozenset(
    {
        *("", "help", "version", "check", "diffsettings", "collectstatic", "findstatic"),
        *("spectacular", "makemessages", "compilemessages", "startapp", "startproject"),
    }
)


def var_dir() -> Path:
    """Return the folder for everything that the application writes: VAR_DIR, else var/."""
    return Path(os.environ.get("VAR_DIR", _ROOT / "var")).resolve()


def prepare(argv: Sequence[str] | None = None, *, durable: bool = True) -> None:
    """Start or attach to the embedded servers if the command needs a database and none is named.

    `argv` is manage.py's command line. The servers run until this process, and every other one
    that shares them, has ended.
    """
    if {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        return
    if not needs_database(sys.argv if argv is None else argv):
        return
    if os.environ.get("PRODUCTION", "").lower() in {"1", "true", "yes", "on"}:
        raise SystemExit("PRODUCTION is on: set DATABASE_URL and REDIS_URL")
    try:
        urls = servers.ensure(var_dir(), durable=durable)
    except EmbeddedServerError as error:
        raise SystemExit(f"embedded servers: {error}") from error
    os.environ.setdefault("DATABASE_URL", urls.database_url)
    os.environ.setdefault("REDIS_URL", urls.redis_url)


def needs_database(argv: Sequence[str]) -> bool:
    """Tell whether manage.py with this command line talks to a database."""
    command = next((word for word in argv[1:] if not word.startswith("-")), "")
    return command not in _WITHOUT_DATABASE and not {"-h", "--help"} & set(argv)
