"""The OpenAPI schema says what the API does: schemathesis finds no 5xx and nothing undocumented."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from annotator.wsgi import application
from labeling.domain.roles import Role
from tests import factories as f
from tests.api import Api

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXAMPLES = 8
"""Per operation: some 60 operations take a minute."""

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def document():
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator().get_schema(request=None, public=True)


schema = schemathesis.openapi.from_dict(document())
schema.app = application


@pytest.fixture
def one_connection():
    """A request through WSGI ends by closing the connection that the test's transaction is on."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.fixture
def world(one_connection, project, owner, settings, tmp_path):
    """One of everything, so that addresses lead somewhere."""
    settings.VAR_DIR = tmp_path
    logging.getLogger("django.request").setLevel(logging.ERROR)
    owner.is_staff = True
    owner.save()
    solution = f.SolutionFactory(problem__project=project)
    f.SolutionFactory(problem=solution.problem)
    f.VerdictFactory(solution=solution)
    engine = f.EngineFactory(name="gpu")
    run = f.RunFactory(labeler__project=project, engine=engine)
    item = f.AssignmentFactory(solution=solution, user=owner)
    prm = f.PRMFactory(training_run__snapshot__project=project)
    f.MembershipFactory(project=project, role=Role.VIEWER)
    return {
        "uid": project.uid,
        "problem": solution.problem.uid,
        "solution": solution.uid,
        "run": run.uid,
        "move": "pause",
        "item": item.uid,
        "job": f.ImportFactory(project=project).uid,
        "model": prm.uid,
        "training": prm.training_run.uid,
        "snapshot": prm.training_run.snapshot.uid,
        "user": f.MembershipFactory(project=project, role=Role.ANNOTATOR).user.username,
        "version": f.GuidelineFactory(project=project).version,
        "name": "paper-v1",
        "hook": f.DeliveryFactory(webhook__project=project).webhook.uid,
        "one": run.labeler.uid,
        "other": run.labeler.uid,
    }


OPERATIONS = [found.ok() for found in schema.get_all_operations()]
# pytest's own parameters: schemathesis gives all operations one node id, of which xdist runs one


@pytest.mark.django_db
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_operation_answers_as_documented(operation, world, project, owner):
    headers = {"Authorization": f"Bearer {Api(project).token(owner)}"}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def answers(case):
        made = case.path_parameters or {}
        for place, name in enumerate(made):
            if name in world and (place == 0 or len(str(made[name])) % 4):
                made[name] = world[name]
        if isinstance(case.body, dict) and "solution" in case.body:
            case.body["solution"] = world["solution"]
        case.call_and_validate(headers=headers, checks=CHECKS)

    answers()


def test_every_operation_is_described():
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert len(operation["description"]) > 20, where
            assert {"400", "429"} <= set(operation["responses"]), where
            for parameter in operation.get("parameters", []):
                assert parameter["schema"], where


READING = {"/api/projects/{uid}/runs/estimate", "/api/projects/{uid}/imports/{job}/preview"}
"""Addresses whose POST writes nothing."""


def test_every_post_that_writes_may_be_repeated():
    paths = document()["paths"].items()
    keyed = {
        path: any(one["name"] == "Idempotency-Key" for one in found["post"]["parameters"])
        for path, found in paths
        if "post" in found
    }
    assert {path for path, takes in keyed.items() if not takes} == READING


def test_the_schema_has_no_warnings(capsys):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")
