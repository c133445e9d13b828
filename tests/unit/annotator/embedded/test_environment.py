"""Which commands get embedded servers."""

from __future__ import annotations

import pytest

from annotator.embedded import environment, servers


@pytest.mark.parametrize(
    "words", ["migrate", "shell", "demo --port 1", "-v 2 serve", "makemigrations --check", "test"]
)
def test_a_command_that_touches_rows_needs_a_database(words: str) -> None:
    assert environment.needs_database(["manage.py", *words.split()])


@pytest.mark.parametrize(
    "words", ["", "help", "--help", "migrate --help", "check", "collectstatic"]
)
def test_a_command_that_touches_none_does_not(words: str) -> None:
    assert not environment.needs_database(["manage.py", *words.split()])


@pytest.fixture
def refuse_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise AssertionError("embedded servers were started")

    monkeypatch.setattr(servers, "ensure", refuse)


@pytest.mark.usefixtures("refuse_servers")
def test_named_servers_are_used_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/annotator")
    monkeypatch.setenv("REDIS_URL", "redis://queue/0")
    environment.prepare(["manage.py", "migrate"])


@pytest.mark.usefixtures("refuse_servers")
def test_production_refuses_to_fall_back_to_embedded_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("PRODUCTION", "1")
    with pytest.raises(SystemExit, match="set DATABASE_URL and REDIS_URL"):
        environment.prepare(["manage.py", "migrate"])


def test_only_what_is_missing_comes_from_the_embedded_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    urls = servers.Urls("postgresql://embedded", "redis://embedded")
    monkeypatch.setattr(servers, "ensure", lambda *_args, **_options: urls)
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/annotator")
    monkeypatch.delenv("REDIS_URL")
    environment.prepare(["manage.py", "migrate"])
    assert environment.os.environ["DATABASE_URL"] == "postgresql://db/annotator"
    assert environment.os.environ["REDIS_URL"] == "redis://embedded"
