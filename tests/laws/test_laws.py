"""Laws of the house, read off the code itself."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

import pytest
from celery import Task
from django.apps import apps
from django.conf import settings
from factory.django import DjangoModelFactory
from kombu.utils.scheduling import cycle_by_name

from labeling import dispatch, services
from labeling.services import assignments
from tests import factories

# Called by workers on behalf of a run or a lease that names its owner already, or pure reads.
WITHOUT_ACTOR = {
    "claims.claim", "claims.renew", "claims.release", "claims.sweep", "claims.pending",
    "claims.is_anything_left", "runs.others_wait", "decisions.attend",
    "announcements.announce", "announcements.deliver",
    "decisions.count_places", "decisions.lock", "decisions.refresh", "decisions.ring",
    "answer_corrections.attend", "answer_corrections.ring",
    "answer_corrections.ungraded", "regrading.carry_out", "regrading.stated",
    "idempotency.forget", "import_jobs.claim", "import_jobs.file_of", "import_jobs.ring",
    "judging.progressed", "links.opened", "judging.ring", "judging.taken",
    "presence.record", "projects.machine", "retraining.is_due", "runs.progressed", "runs.ring",
    "rollups.differences", "rollups.fold", "rollups.fold_all", "rollups.forget", "rollups.recount",
    "sign_ins.fail", "sign_ins.must_wait",
    "sign_ins.succeed", "snapshot_formats.attend", "snapshots.attend", "snapshots.fail",
    "snapshots.folder_of", "snapshots.ring", "tokens.digest", "training.claim",
    "training.f1_of", "training.progressed", "training.ring", "training.unattended",
    "verdicts.full_labels", "webhooks.attend", "webhooks.claim", "webhooks.conclude",
    "webhooks.secret_of",
}  # fmt: skip


def service_functions():
    for name, function in inspect.getmembers(assignments, inspect.isfunction):
        yield f"assignments.{name}", function
    for module in pkgutil.iter_modules(services.__path__):
        found = import_module(f"labeling.services.{module.name}")
        for name, function in inspect.getmembers(found, inspect.isfunction):
            if function.__module__ == found.__name__ and not name.startswith("_"):
                yield f"{module.name}.{name}", function


@pytest.mark.parametrize(
    ("name", "function"), [pytest.param(n, f, id=n) for n, f in service_functions()]
)
def test_every_service_takes_its_actor_as_by(name, function):
    parameters = inspect.signature(function).parameters
    if name in WITHOUT_ACTOR:
        assert "by" not in parameters, f"{name} takes an actor now: take it off the list"
        return
    assert parameters["by"].kind is inspect.Parameter.KEYWORD_ONLY


def test_every_model_has_a_factory():
    made = {
        factory._meta.model
        for factory in vars(factories).values()
        if inspect.isclass(factory) and issubclass(factory, DjangoModelFactory)
    }
    assert set(apps.get_app_config("labeling").get_models()) <= made


@pytest.mark.django_db
@pytest.mark.parametrize(
    "factory",
    [
        pytest.param(f, id=n)
        for n, f in vars(factories).items()
        if inspect.isclass(f) and issubclass(f, DjangoModelFactory) and f._meta.model
    ],
)
def test_every_factory_makes_a_row(factory):
    assert factory().pk


def test_who_and_when_come_in_pairs():
    """A column `x_by` has its `x_at`. (An `_at` without `_by` is an observation, not an act.)"""
    for model in apps.get_app_config("labeling").get_models():
        columns = {field.name for field in model._meta.get_fields()}
        for name in columns:
            if name.endswith("_by"):
                assert f"{name[:-3]}_at" in columns, f"{model.__name__}.{name}"


def test_every_task_is_scheduled_or_rung_by_its_name():
    from workers import tasks

    names = {task.name for task in vars(tasks).values() if isinstance(task, Task)}
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= names
    assert {"workers.work", "workers.freeze", "workers.train"} <= names


def test_the_queues_of_celery_are_those_of_the_door():
    assert tuple(queue.name for queue in settings.CELERY_TASK_QUEUES) == dispatch.QUEUES


def test_the_queues_of_one_worker_take_turns():
    cycle = cycle_by_name(settings.CELERY_BROKER_TRANSPORT_OPTIONS["queue_order_strategy"])
    queues = cycle(["mc", "judge"])
    queues.rotate("mc")  # a bell of this queue was heard
    assert queues.consume(2) == ["judge", "mc"]


def test_the_web_process_never_imports_models_runtimes(tmp_path):
    """torch and friends must not come with the WSGI application."""
    import subprocess
    import sys

    code = (
        "import sys; from annotator.wsgi import application; "
        "from django.urls import get_resolver; get_resolver().url_patterns; "
        "print(sorted({'torch', 'transformers', 'vllm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
