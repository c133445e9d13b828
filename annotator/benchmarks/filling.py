"""A project of any size, written through COPY: problems, solutions, machine verdicts, decisions.

The rows are those that imports and labeling would have left, the same for the same seed but for
their ids. One judge and one or more Monte-Carlo labelers agree on about six solutions of seven.
Generation and each labeler have a run on an engine with prices; the work is spread over DAYS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random

from django.db import transaction
from django.db.models import CASCADE, Model

from annotator.benchmarks.texts import Texts
from labeling.domain.consensus import decide
from labeling.domain.hashing import content_hash, split_of
from labeling.domain.labels import NO_ERROR, LabelerKind, VerdictState, VerdictView, labels_up_to
from labeling.domain.ordering import place, places
from labeling.domain.policy import Policy
from labeling.domain.roles import Role
from labeling.models import Engine, Labeler, Project, Run, User
from labeling.models.fields import new_uid
from labeling.models.runs import RunKind, RunState
from labeling.services import labelers, projects, runs
from labeling.services.importing import copying as c

CHUNK = 2000
SOLUTIONS_PER_PROBLEM = 8
SAMPLES = 8
"""Monte-Carlo samples per step."""

DAYS = 90
"""Over which solutions and verdicts came, the newest today."""

_PROBLEM = (
    "id", "uid", "project_id", "statement", "content_hash", "split", "created_at", "answer",
    "external_id", "source", "licence",
)  # fmt: skip
_SOLUTION = (
    "id", "problem_id", "uid", "project_id", "content_hash", "created_at", "steps", "gaps",
    "generator_config", "external_id", "generator", "final_answer", "final_answer_correct",
)  # fmt: skip
_VERDICT = (
    "id", "labeler_id", "solution_id", "state", "first_error", "step_labels", "step_scores",
    "mc_k", "mc_n", "critique", "reason", "seconds", "comments", "completions",
    "exhaustive_completions", "prompt_tokens", "completion_tokens", "created_at", "updated_at",
)  # fmt: skip
_DECISION = (
    "solution_id", "project_id", "state", "first_error", "follows_from", "policy_version",
    "priority", "places", "updated_at",
)  # fmt: skip
_SAMPLING = (
    "problem_id", "config_hash", "drawn", "kept", "duplicates", "unusable", "reason",
    "prompt_tokens", "completion_tokens", "created_at",
)  # fmt: skip
_EMPTY, _NOTHING = c.json("{}"), c.texts([])


@dataclass(frozen=True, slots=True)
class Made:
    """A solution as it was written: its id, number of steps, and each labeler's first error."""

    id: int
    steps: int
    right: bool
    said: tuple[int, ...]


def fill(
    *,
    by: User,
    name: str,
    solutions: int,
    seed: int = 0,
    verdicts: int = 2,
    policy: Policy | None = None,
    say: Callable[[int], object] = int,
) -> Project:
    """Make a project of that many solutions with that many machine verdicts on each (at least 1).

    `say` hears how many solutions are written.
    """
    project = projects.create(by=by, name=name, policy=policy)
    writer = _Writer(project, _labelers(by, project, verdicts), seed, solutions)
    made = _runs(by, project, writer.labelers)
    for start in range(0, solutions, CHUNK):
        with transaction.atomic():
            writer.write(range(start, min(solutions, start + CHUNK)))
        say(min(solutions, start + CHUNK))
    for run in made:
        runs.progressed(run=run, seconds=solutions / 4, now=datetime.now(UTC))
    return project


def people(project: Project, count: int) -> list[User]:
    """Return annotators of the project, `bench-1` and so on, made on first use."""
    found = []
    for number in range(1, count + 1):
        user, made = User.objects.get_or_create(username=f"bench-{number}")
        if made:
            user.set_unusable_password()
            user.save()
        projects.add_member(by=project.created_by, project=project, user=user, role=Role.ANNOTATOR)
        found.append(user)
    return found


def delete(project: Project) -> None:
    """Delete the project with all that hangs on it; its people and the audit trail stay."""
    with transaction.atomic():  # some rows below stand in each other's way until all are gone
        for model, path in _below(Project, ""):
            rows = model._default_manager.filter(**{path or "pk": project.pk})
            rows._raw_delete(rows.db)


def _below(model: type[Model], path: str) -> Iterator[tuple[type[Model], str]]:
    """Yield the models that hang on this one, deepest first, each with its path to the project."""
    for relation in model._meta.related_objects:
        if relation.on_delete is CASCADE and relation.related_model is not model:
            name = relation.field.name
            yield from _below(relation.related_model, f"{name}__{path}" if path else name)
    yield model, path


def _labelers(by: User, project: Project, count: int) -> list[Labeler]:
    kinds = [LabelerKind.MC, LabelerKind.JUDGE, *[LabelerKind.MC] * count][:count]
    return [
        labelers.register(
            by=by, project=project, kind=kind, name=f"{kind} {number}",
            config={"made_up": number, "mode": "exhaustive"},
        )
        for number, kind in enumerate(kinds)
    ]  # fmt: skip


_KINDS = {LabelerKind.MC: RunKind.MC, LabelerKind.JUDGE: RunKind.JUDGE}


def _runs(by: User, project: Project, labelers: list[Labeler]) -> list[Run]:
    """Return the runs of generation and of each labeler; a labeler's verdicts are its run's."""
    engine, _ = Engine.objects.get_or_create(
        name="made-up",
        defaults={
            "kind": "openai", "model": "made-up", "hour_price": Decimal("2.5"),
            "prompt_price": Decimal("0.1"), "completion_price": Decimal("0.4"),
        },
    )  # fmt: skip
    wanted = [(RunKind.GENERATE, None), *((_KINDS[LabelerKind(w.kind)], w) for w in labelers)]
    return [
        Run.objects.create(
            project=project, kind=kind, labeler=labeler, engine=engine, created_by=by,
            config={"generator": "made-up"}, state=RunState.DONE, finished_at=datetime.now(UTC),
            config_hash=labeler.config_hash if labeler else project.uid,
        )
        for kind, labeler in wanted
    ]  # fmt: skip


class _Writer:
    def __init__(
        self, project: Project, labelers: list[Labeler], seed: int, solutions: int
    ) -> None:
        self.labelers = labelers
        self._project, self._policy = project, project.policy
        self._random, self._texts = Random(seed), Texts(seed)  # noqa: S311 - made-up data
        self._id, self._count, self._today = c.int8(project.pk), solutions, datetime.now(UTC)
        self._decided = cache(self._decide)

    def write(self, numbers: range) -> None:
        """Write the solutions of these numbers with all that belongs to them."""
        ago = timedelta(days=DAYS * (self._count - numbers.stop) // self._count)
        self._now = c.moment(self._today - ago)
        made = self._solutions(numbers, self._problems(numbers))
        first = c.next_ids("labeling_verdict", len(made) * len(self.labelers))
        ids = [first[at :: len(self.labelers)] for at in range(len(self.labelers))]
        for position, labeler in enumerate(self.labelers):
            rows = (
                self._verdict(pk, labeler, one, one.said[position])
                for pk, one in zip(ids[position], made, strict=True)
            )
            c.copy("labeling_verdict", _VERDICT, rows)
        rows = (self._decision(one, pks) for one, *pks in zip(made, *ids, strict=True))
        c.copy("labeling_decision", _DECISION, rows)

    def _problems(self, numbers: range) -> dict[int, int]:
        wanted = sorted({number // SOLUTIONS_PER_PROBLEM for number in numbers})
        fresh = [n for n in wanted if n * SOLUTIONS_PER_PROBLEM in numbers]
        ids = dict(zip(fresh, c.next_ids("labeling_problem", len(fresh)), strict=True))
        c.copy("labeling_problem", _PROBLEM, (self._problem(pk, n) for n, pk in ids.items()))
        c.copy("labeling_sampling", _SAMPLING, map(self._sampling, ids.values()))
        return ids

    def _sampling(self, problem: int) -> bytes:
        return b"".join((
            c.int8(problem), c.word(self._project.uid), c.int4(SOLUTIONS_PER_PROBLEM),
            c.int4(SOLUTIONS_PER_PROBLEM), c.int4(0), c.int4(0), c.word(""), c.int8(250),
            c.int8(SOLUTIONS_PER_PROBLEM * 300), self._now,
        ))  # fmt: skip

    def _problem(self, pk: int, number: int) -> bytes:
        digest = content_hash([self._project.uid, "problem", str(number)])
        return b"".join((
            c.int8(pk), c.text(new_uid()), self._id, c.text(self._texts.statement(number)),
            c.text(digest), c.word(split_of(digest, self._policy.test_share)), self._now,
            c.text(str(self._random.randint(1, 999))), c.text(f"made-up-{number}"),
            c.word(f"source {number % 7}"), c.word("made up"),
        ))  # fmt: skip

    def _solutions(self, numbers: range, problems: dict[int, int]) -> list[Made]:
        made, rows = [], []
        for number, pk in zip(numbers, c.next_ids("labeling_solution", len(numbers)), strict=True):
            steps, right = self._texts.solution(), self._random.random() < 0.6
            made.append(Made(pk, len(steps), right, self._said(len(steps), right)))
            rows.append(b"".join((
                c.int8(pk), c.int8(problems[number // SOLUTIONS_PER_PROBLEM]), c.text(new_uid()),
                self._id, c.text(content_hash([self._project.uid, str(number)])), self._now,
                c.texts(steps), _NOTHING, _EMPTY, c.text(f"made-up-{number}"),
                c.word(f"model {number % 5}"), c.text(str(number % 1000)), c.boolean(right),
            )))  # fmt: skip
        c.copy("labeling_solution", _SOLUTION, rows)
        return made

    def _said(self, steps: int, right: bool) -> tuple[int, ...]:
        """Return what each labeler says: the truth in 92 of 100 cases, something else otherwise."""
        draw = self._random
        flawless = draw.random() < (0.85 if right else 0.05)
        truth = NO_ERROR if flawless else draw.randrange(steps)
        return tuple(
            truth if draw.random() < 0.92 else draw.randrange(NO_ERROR, steps)
            for _ in self.labelers
        )

    def _verdict(self, pk: int, labeler: Labeler, one: Made, first_error: int) -> bytes:
        sampled = labeler.kind == LabelerKind.MC
        k = [self._random.randint(0, SAMPLES) for _ in range(one.steps)] if sampled else []
        critique = "" if sampled else self._texts.critique(first_error)
        return b"".join((
            c.int8(pk), c.int8(labeler.pk), c.int8(one.id), c.word(VerdictState.SCORED),
            c.int4(first_error), c.int2s(labels_up_to(first_error, one.steps)),
            c.float8s([n / SAMPLES for n in k]), c.int2s(k), c.int2s([SAMPLES] * len(k)),
            c.text(critique), c.word(""), c.float8(1.5), _EMPTY,
            c.int4(len(k) * SAMPLES), c.int4(len(k) * SAMPLES),
            c.int8(200 * one.steps), c.int8(150 * one.steps), self._now, self._now,
        ))  # fmt: skip

    def _decision(self, one: Made, verdict_ids: list[int]) -> bytes:
        state, first_error, priority, wanted, positions = self._decided(one.said, one.right)
        return b"".join((
            c.int8(one.id), self._id, c.word(state), c.int4(first_error),
            c.int8s([verdict_ids[at] for at in positions]),
            c.int4(self._project.policy_version), c.int2(priority), c.int2(wanted), self._now,
        ))  # fmt: skip

    def _decide(
        self, said: tuple[int, ...], right: bool
    ) -> tuple[str, int | None, int, int, tuple[int, ...]]:
        views = [
            VerdictView(at, LabelerKind(labeler.kind), VerdictState.SCORED, first_error)
            for at, (labeler, first_error) in enumerate(zip(self.labelers, said, strict=True))
        ]
        decision = decide(views, self._policy)
        return (
            decision.state,
            decision.first_error,
            place(decision.state, views, right),
            places(views, self._policy.human_overlap),
            decision.follows_from,
        )
