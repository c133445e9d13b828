"""Every answer forbids what no page needs, and no template asks for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from annotator.security import POLICY

TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))
INLINE = re.compile(
    r"<script(?![^>]*\ssrc=)|<style|javascript:|\|safe\b|autoescape off"
    r"|\son(?:click|load|error|change|submit|input|focus|blur|toggle|key\w+|mouse\w+|pointer\w+)\s*="
)
STYLE = re.compile(r'\sstyle="([^"]*)"')
LENGTH = re.compile(r"inline-size:\{\{ [^{}]+ \}\}%")


def test_the_policy_is_strict():
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe-eval" not in POLICY
    assert {name for name, value in rules.items() if "unsafe" in value} == {"style-src-attr"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_has_scripts_or_styles_of_its_own(path: Path):
    source = re.sub(r"\{%.*?%\}", "", path.read_text(encoding="utf-8"))
    assert INLINE.findall(source) == []
    # a bar's length in per cent is the only style that a page writes
    assert [style for style in STYLE.findall(source) if not LENGTH.fullmatch(style)] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/login/", "/nowhere", "/healthz", "/api/schema", "/api/docs", "/admin/"]
)
def test_every_answer_enforces_the_policy(address: str, client):
    answer = client.get(address)
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "Content-Security-Policy-Report-Only" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_refusals_enforce_it_too(project, annotator, client):
    client.force_login(annotator)
    answer = client.get(reverse("settings", args=[project.uid]))
    assert answer.status_code == 403
    assert answer.headers["Content-Security-Policy"] == POLICY


def test_production_hides_its_cookies(tmp_path):
    import json
    import os
    import subprocess
    import sys

    code = (
        "import json; from annotator import settings as s; print(json.dumps([s.DEBUG, "
        "s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, "
        "s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS > 0]))"
    )
    environment = {
        **os.environ, "PRODUCTION": "1", "SECRET_KEY": "k" * 50, "VAR_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://localhost/x", "REDIS_URL": "redis://localhost",
        "ALLOWED_HOSTS": "example.org",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert json.loads(done.stdout) == [False, True, True, True, True, True]
