"""Score runs against the real database: a PRM of the project, and one behind HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from labeling.domain.labels import LabelerKind
from labeling.models import PRM, Claim, Engine, Run, Solution, Verdict
from labeling.models.runs import RunKind
from labeling.services import labelers, runs
from tests import factories
from tests.pooling_server import MODEL, Fault, PoolingServer, pooling_server, right
from tests.prms import close_scorers, make_untrained
from tests.tiny_models import make_tiny_qwen
from trainer.formats import open_encoder
from trainer.scoring import Scorer
from workers import tasks
from workers.chunks import score

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_qwen(tmp_path_factory.mktemp("backbone"), context=400)


@pytest.fixture(scope="module")
def checkpoint(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("var") / "prms" / "one" / "model"
    folder.parent.mkdir(parents=True)
    return make_untrained(backbone, folder)


@pytest.fixture
def server(checkpoint: Path) -> Iterator[PoolingServer]:
    with pooling_server(open_encoder("checkpoint", checkpoint).step_id) as server:
        yield server
        close_scorers()


@pytest.fixture(autouse=True)
def world(checkpoint: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.VAR_DIR = checkpoint.parents[2]
    monkeypatch.setattr("labeling.dispatch.ring", lambda *args, **kwargs: None)


@pytest.fixture
def solutions(project: Any) -> list[Solution]:
    """Ten that fit, and one that is too long for the model."""
    made = []
    for number in range(11):
        steps = [f"{number} + {k} is {number + k}." for k in range(1 + number % 3)]
        made.append(
            factories.SolutionFactory(
                problem__project=project,
                problem__statement=f"What is {number} + 2?",
                steps=["w" * 500] if number == 10 else steps,
            )
        )
    return made


def start(project: Any, config: dict[str, Any], engine: Engine | None = None) -> Run:
    labeler = labelers.register(
        by=project.created_by, project=project, kind=LabelerKind.PRM, name="prm", config=config
    )
    return runs.start(
        by=project.created_by, project=project, kind=RunKind.SCORE, config=config,
        labeler=labeler, engine=engine,
    )  # fmt: skip


@pytest.fixture
def trained(project: Any) -> Callable[..., Run]:
    def start_run(threshold: float = 0.5) -> Run:
        prm = PRM.objects.filter(folder="one").first() or factories.PRMFactory(
            training_run__snapshot__project=project, folder="one"
        )
        return start(project, {"prm": str(prm.uid), "threshold": threshold})

    return start_run


@pytest.fixture
def served(project: Any, checkpoint: Path, server: PoolingServer) -> Callable[..., Run]:
    def start_run(**options: Any) -> Run:
        options = {"url": server.url, "tokenizer": str(checkpoint), **options}
        engine = factories.EngineFactory(kind="pooling", model=MODEL, options=options)
        config = {"model": MODEL, "format": "checkpoint", "threshold": 0.5}
        return start(project, config, engine)

    return start_run


def finish(run: Run) -> Run:
    """Ring until nothing moves any more."""
    for _ in range(2):
        tasks.work(run.uid)
    run.refresh_from_db()
    return run


def verdicts(run: Run) -> dict[int, Verdict]:
    return {verdict.solution_id: verdict for verdict in Verdict.objects.filter(labeler=run.labeler)}


def first_below(values: list[float], threshold: float) -> int:
    return next((index for index, value in enumerate(values) if value < threshold), -1)


def test_a_prm_of_the_project_scores_every_step(solutions, trained, checkpoint) -> None:
    scorer = Scorer(checkpoint, device="cpu")
    items = [(solution.problem.statement, tuple(solution.steps)) for solution in solutions[:-1]]
    scores = scorer.score_many(items)
    middle = median(value for values in scores for value in values)
    run = finish(trained(threshold=middle))
    assert run.state == "done"
    found = verdicts(run)
    for solution, item, values in zip(solutions, items, scores, strict=False):
        verdict = found[solution.pk]
        assert verdict.state == "scored"
        assert verdict.step_scores == pytest.approx(values, abs=1e-6)
        assert verdict.first_error == first_below(values, middle)
        assert verdict.prompt_tokens == len(scorer.encoder.encode(*item).ids)
    assert len({verdict.first_error for verdict in found.values()}) > 2
    assert not Claim.objects.exists()


def test_one_that_does_not_fit_is_unscored_with_the_reason(solutions, trained) -> None:
    verdict = verdicts(finish(trained()))[solutions[-1].pk]
    assert (verdict.state, verdict.first_error, verdict.step_scores) == ("unscored", None, [])
    assert verdict.reason == "1 of 1 steps lie behind the model's 400 tokens"


def test_the_first_step_below_the_threshold_is_the_first_error(solutions, trained) -> None:
    never = verdicts(finish(trained(threshold=0.0))).values()
    always = verdicts(finish(trained(threshold=1.0))).values()
    assert {verdict.first_error for verdict in never} == {-1, None}
    assert {verdict.first_error for verdict in always} == {0, None}


def test_a_served_prm_scores_every_step(solutions, served, server, checkpoint) -> None:
    run = finish(served())
    assert run.state == "done"
    found, encoder = verdicts(run), open_encoder("checkpoint", checkpoint)
    for solution in solutions[:-1]:
        (encoded,) = encoder.encode_many([(solution.problem.statement, solution.steps)])
        scores = [right(encoded.ids, place) for place in encoded.positions]
        assert found[solution.pk].step_scores == pytest.approx(scores)
        assert found[solution.pk].first_error == first_below(scores, 0.5)
    assert found[solutions[-1].pk].state == "unscored"


def test_leases_follow_each_other_until_all_is_scored(
    solutions, served, server, monkeypatch
) -> None:
    monkeypatch.setattr(score, "TOGETHER", 2)
    run = finish(served())
    assert run.state == "done"
    assert len(verdicts(run)) == 11
    # Each solution was sent once, but the one that is too long.
    assert sum(len(request["input"]) for request in server.requests) == 10
    assert not Claim.objects.exists()


def test_what_was_leased_first_is_stored_first(solutions, served, server) -> None:
    run, ids = served(), [solution.pk for solution in solutions]
    leases = [ids[:3], ids[3:6], ids[6:9], ids[9:], []]
    stored = list(score.label(run, lambda size: leases.pop(0), run.created_by))
    assert stored == [(ids[:3], 3), (ids[3:6], 3), (ids[6:9], 3), (ids[9:], 2)]
    assert leases == []


def test_no_model_is_loaded_for_nothing(trained, settings, tmp_path) -> None:
    settings.VAR_DIR = tmp_path
    run = trained()
    assert list(score.label(run, lambda size: [], run.created_by)) == []


def test_a_server_that_is_set_up_wrongly_stops_the_run_and_labels_nothing(
    solutions, served, server
) -> None:
    server.rows = lambda ids: []
    run = finish(served())
    assert run.state in ("paused", "failed")
    assert "no row for a solution" in run.reason
    assert '"step_tag_id"' in run.reason
    assert not verdicts(run)
    assert not Claim.objects.exists()


def test_what_was_scored_before_a_server_died_stands(
    solutions, served, server, monkeypatch
) -> None:
    monkeypatch.setattr(score, "TOGETHER", 2)
    monkeypatch.setattr(score, "AHEAD", 1)
    run = served(timeout=0.5)

    def dies(ids: list[int]) -> Any:
        if len(server.requests) > 2:
            server.always = Fault(401, "no")
        places = [place for place, token in enumerate(ids) if token == server.step_id]
        return [[1 - right(ids, place), right(ids, place)] for place in places]

    server.rows = dies
    finish(run)
    assert 2 <= len(verdicts(run)) < 11
    server.rows = server.always = None
    runs.resume(by=run.created_by, run=run)
    assert finish(run).state == "done"
    assert len(verdicts(run)) == 11


def test_an_engine_that_serves_another_model_by_now_is_not_asked(solutions, served, server) -> None:
    run = served()
    Engine.objects.update(model="another")
    assert "serves another by now" in finish(run).reason
    assert server.requests == []


def test_an_engine_that_writes_texts_scores_nothing(solutions, served, server) -> None:
    run = served()
    Engine.objects.update(kind="openai")
    assert "serves no PRM: openai" in finish(run).reason


def test_a_prm_that_is_gone_is_missed_in_plain_words(
    solutions, trained, settings, tmp_path
) -> None:
    settings.VAR_DIR = tmp_path
    assert "cannot load" in finish(trained()).reason


def test_a_format_that_nobody_knows_is_said(solutions, served, server) -> None:
    run = served()
    run.config["format"] = "poem"
    run.save()
    assert "format 'poem' is none of checkpoint" in finish(run).reason
