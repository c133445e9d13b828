"""The project that the main job works in, and the models that suit its data."""

from __future__ import annotations

import httpx

from demo.world import GUIDELINES, read
from labeling.domain.policy import Policy
from labeling.models import Problem, Project, User
from labeling.services import projects
from workers.pipeline.context import StageFailed
from workers.pipeline.options import Models, Options, sample_models, served_models

PROBED = 20
"""Statements looked at to find out whether they are the sample world's problems."""


def project_for(*, by: User, options: Options) -> Project:
    """Return the job's project, created on first use."""
    found = Project.objects.filter(name=options.project_name).first()
    if found is not None:
        return found
    if options.data is None:
        return projects.create(by=by, name=options.project_name, guidelines=GUIDELINES)
    return projects.create(by=by, name=options.project_name, policy=Policy(check_imported=True))


def models_for(options: Options, project: Project) -> Models:
    """Return the models that can label the project's problems; raise StageFailed without any."""
    if options.engine_url:
        model = options.engine_model or _first_served(options.engine_url)
        return served_models(options, model)
    if options.data is None or _sample_model_reads(project):
        return sample_models()
    raise StageFailed(
        "no engine speaks the language of these problems: the bundled model knows only the sample "
        "world's arithmetic. Give an OpenAI-compatible server with ENGINE=URL (for example a "
        "`vllm serve` of a mathematics model at http://127.0.0.1:8001/v1)"
    )


def _sample_model_reads(project: Project) -> bool:
    statements = Problem.objects.filter(project=project).values_list("statement", flat=True)
    try:
        return all(read(statement) for statement in statements[:PROBED])
    except ValueError:
        return False


def _first_served(url: str) -> str:
    """Ask the server for the name of its model."""
    address = url.rstrip("/") + "/models"
    try:
        answer = httpx.get(address, timeout=10)
        answer.raise_for_status()
        return str(answer.json()["data"][0]["id"])
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        raise StageFailed(
            f"the engine at {address} does not answer as an OpenAI-compatible server: "
            f"{error or type(error).__name__}. Check ENGINE=URL (it ends in /v1)"
        ) from error
