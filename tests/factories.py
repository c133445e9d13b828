"""One factory per model; a law says so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import factory
from factory.django import DjangoModelFactory

from labeling import models
from labeling.domain.hashing import config_hash, content_hash
from labeling.domain.policy import Policy
from labeling.domain.roles import Role
from labeling.domain.run_settings import JudgeSettings


class UserFactory(DjangoModelFactory):
    class Meta:
        model = models.User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user-{n}")
    password = factory.PostGeneration(
        lambda user, create, value: (user.set_password(value or "correct horse"), user.save())
    )


class ProjectFactory(DjangoModelFactory):
    class Meta:
        model = models.Project
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Project {n}")
    policy_values = factory.LazyFunction(lambda: Policy().to_dict())
    created_by = factory.SubFactory(UserFactory)

    @factory.post_generation
    def ownership(project: models.Project, create: bool, value: Any) -> None:  # noqa: N805
        models.Membership.objects.create(user=project.created_by, project=project, role=Role.OWNER)


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = models.Membership

    user = factory.SubFactory(UserFactory)
    project = factory.SubFactory(ProjectFactory)
    role = Role.ANNOTATOR


class GuidelineFactory(DjangoModelFactory):
    class Meta:
        model = models.Guideline

    project = factory.SubFactory(ProjectFactory)
    version = 1
    text = "A step is **wrong** when it is false."
    needs_acknowledgement = False
    created_by = factory.SelfAttribute("project.created_by")


class AcknowledgementFactory(DjangoModelFactory):
    class Meta:
        model = models.Acknowledgement

    guideline = factory.SubFactory(GuidelineFactory)
    user = factory.SubFactory(UserFactory)
    acknowledged_at = datetime(2026, 1, 1, tzinfo=UTC)


class InvitationFactory(DjangoModelFactory):
    class Meta:
        model = models.Invitation

    user = factory.SubFactory(UserFactory)
    token_hash = factory.Sequence(lambda n: f"{n:064x}")
    expires_at = datetime(2100, 1, 1, tzinfo=UTC)
    created_by = factory.SubFactory(UserFactory)


class SignInFailureFactory(DjangoModelFactory):
    class Meta:
        model = models.SignInFailure

    digest = factory.Sequence(lambda n: f"{n:064x}")
    failed_at = datetime(2026, 1, 1, tzinfo=UTC)


class ProblemFactory(DjangoModelFactory):
    class Meta:
        model = models.Problem

    project = factory.SubFactory(ProjectFactory)
    statement = factory.Sequence(lambda n: f"What is {n} + {n}?")
    answer = "4"
    source = "factory"
    content_hash = factory.LazyAttribute(lambda o: content_hash([o.statement, o.answer]))
    split = "train"


class SolutionFactory(DjangoModelFactory):
    class Meta:
        model = models.Solution
        skip_postgeneration_save = True

    problem = factory.SubFactory(ProblemFactory)
    project = factory.SelfAttribute("problem.project")
    steps = factory.Sequence(lambda n: [f"Take {n}.", f"Double {n}.", "Answer: 4"])
    generator = "factory-model"
    final_answer = "4"
    final_answer_correct = True
    content_hash = factory.LazyAttribute(lambda o: content_hash([o.problem.content_hash, *o.steps]))

    @factory.post_generation
    def decided(solution: models.Solution, create: bool, value: Any) -> None:  # noqa: N805
        models.Decision.objects.get_or_create(
            solution=solution, defaults={"project": solution.project, "policy_version": 1}
        )


class LabelerFactory(DjangoModelFactory):
    class Meta:
        model = models.Labeler

    project = factory.SubFactory(ProjectFactory)
    kind = "mc"
    name = factory.Sequence(lambda n: f"labeler-{n}")
    config = factory.Sequence(lambda n: {"number": n})
    config_hash = factory.LazyAttribute(lambda o: config_hash(o.config))


class VerdictFactory(DjangoModelFactory):
    """A stored verdict; decisions do not follow (use services.verdicts.record for that)."""

    class Meta:
        model = models.Verdict

    solution = factory.SubFactory(SolutionFactory)
    labeler = factory.SubFactory(
        LabelerFactory, project=factory.SelfAttribute("..solution.project")
    )
    state = "scored"
    first_error = -1
    step_labels = factory.LazyAttribute(lambda o: [1] * len(o.solution.steps))


class ProjectTallyFactory(DjangoModelFactory):
    """Triggers keep this table; a row by hand stands in a slot that they never use."""

    class Meta:
        model = models.ProjectTally

    project = factory.SubFactory(ProjectFactory)
    slot = 99


class VerdictTallyFactory(DjangoModelFactory):
    """Triggers keep this table; a row by hand stands in a slot that they never use."""

    class Meta:
        model = models.VerdictTally

    labeler = factory.SubFactory(LabelerFactory)
    state = "scored"
    slot = 99


class DayTallyFactory(DjangoModelFactory):
    """Triggers keep this table; a row by hand stands in a slot that they never use."""

    class Meta:
        model = models.DayTally

    project = factory.SubFactory(ProjectFactory)
    day = date(2026, 1, 5)
    slot = 99


class StaleFactory(DjangoModelFactory):
    class Meta:
        model = models.Stale

    solutions = [1]


class CountedFactory(DjangoModelFactory):
    class Meta:
        model = models.Counted

    solution = factory.Sequence(lambda n: 10**9 + n)
    project = factory.SubFactory(ProjectFactory)
    facts = factory.LazyFunction(list)


class BoardCountFactory(DjangoModelFactory):
    class Meta:
        model = models.BoardCount

    project = factory.SubFactory(ProjectFactory)
    board = "flow"
    key = ["consensus", "right", "none"]
    n = 1


class RolloutFactory(DjangoModelFactory):
    class Meta:
        model = models.Rollout

    solution = factory.SubFactory(SolutionFactory)
    labeler = factory.SubFactory(
        LabelerFactory, project=factory.SelfAttribute("..solution.project")
    )
    step = 0
    sample = factory.Sequence(lambda n: n % 30_000)
    text = "Answer: 4"
    answer = "4"
    correct = True
    finish_reason = "stop"


class DecisionFactory(DjangoModelFactory):
    class Meta:
        model = models.Decision
        django_get_or_create = ("solution",)

    solution = factory.SubFactory(SolutionFactory)
    project = factory.SelfAttribute("solution.project")
    policy_version = 1


class EngineFactory(DjangoModelFactory):
    class Meta:
        model = models.Engine

    name = factory.Sequence(lambda n: f"engine-{n}")
    kind = "openai"
    model = "factory/model-7b"
    options = factory.LazyFunction(lambda: {"url": "http://127.0.0.1:9/v1"})


class QueuePresenceFactory(DjangoModelFactory):
    class Meta:
        model = models.QueuePresence
        django_get_or_create = ("queue",)

    queue = "mc"
    workers = 1
    seen_at = factory.LazyFunction(lambda: datetime.now(UTC))


class JudgePromptFactory(DjangoModelFactory):
    class Meta:
        model = models.JudgePrompt

    project = factory.SubFactory(ProjectFactory)
    name = "strict"
    version = 1
    text = "Is this right?\n\n{problem}\n\n{solution}\n\nAnswer in \\boxed{}.\n"
    reply = "boxed"
    created_by = factory.SelfAttribute("project.created_by")


class JudgeTrialFactory(DjangoModelFactory):
    class Meta:
        model = models.JudgeTrial

    project = factory.SubFactory(ProjectFactory)
    engine = factory.SubFactory(EngineFactory)
    config = factory.LazyAttribute(
        lambda o: JudgeSettings(model=o.engine.model, template="check-v1").config()
    )
    created_by = factory.SelfAttribute("project.created_by")


class RunFactory(DjangoModelFactory):
    class Meta:
        model = models.Run

    labeler = factory.SubFactory(LabelerFactory)
    project = factory.SelfAttribute("labeler.project")
    kind = "mc"
    config = factory.Sequence(lambda n: {"number": n})
    config_hash = factory.LazyAttribute(lambda o: config_hash(o.config))
    created_by = factory.SelfAttribute("project.created_by")


class ClaimFactory(DjangoModelFactory):
    class Meta:
        model = models.Claim

    run = factory.SubFactory(RunFactory)
    item = factory.Sequence(lambda n: n)
    token = factory.LazyFunction(uuid4)
    expires_at = factory.LazyFunction(lambda: datetime.now(UTC) + timedelta(minutes=3))


class SamplingFactory(DjangoModelFactory):
    class Meta:
        model = models.Sampling

    problem = factory.SubFactory(ProblemFactory)
    config_hash = factory.Sequence(lambda n: f"{n:032x}")
    drawn = 2
    kept = 2


class AssignmentFactory(DjangoModelFactory):
    class Meta:
        model = models.Assignment

    solution = factory.SubFactory(SolutionFactory)
    project = factory.SelfAttribute("solution.project")
    user = factory.SubFactory(UserFactory)
    expires_at = factory.LazyFunction(lambda: datetime.now(UTC) + timedelta(minutes=20))


class GoldItemFactory(DjangoModelFactory):
    class Meta:
        model = models.GoldItem

    solution = factory.SubFactory(SolutionFactory)
    project = factory.SelfAttribute("solution.project")
    use = "hidden"
    added_by = factory.SelfAttribute("project.created_by")


class ExamGrantFactory(DjangoModelFactory):
    class Meta:
        model = models.ExamGrant

    project = factory.SubFactory(ProjectFactory)
    user = factory.SubFactory(UserFactory)
    reason = "read the guidelines again"
    granted_by = factory.SelfAttribute("project.created_by")


class SnapshotFactory(DjangoModelFactory):
    class Meta:
        model = models.Snapshot

    project = factory.SubFactory(ProjectFactory)
    name = "release"
    rule = factory.LazyFunction(dict)
    rule_hash = factory.LazyAttribute(lambda o: config_hash(o.rule))
    created_by = factory.SelfAttribute("project.created_by")


class TrainingRunFactory(DjangoModelFactory):
    class Meta:
        model = models.TrainingRun

    snapshot = factory.SubFactory(SnapshotFactory)
    project = factory.SelfAttribute("snapshot.project")
    name = "training"
    config = factory.Sequence(lambda n: {"seed": n})
    config_hash = factory.LazyAttribute(lambda o: config_hash(o.config))
    created_by = factory.SelfAttribute("project.created_by")


class PRMFactory(DjangoModelFactory):
    class Meta:
        model = models.PRM

    training_run = factory.SubFactory(TrainingRunFactory)
    project = factory.SelfAttribute("training_run.project")
    folder = "prm"


class ImportFactory(DjangoModelFactory):
    class Meta:
        model = models.Import

    project = factory.SubFactory(ProjectFactory)
    file_name = "rows.jsonl"
    size = 100
    created_by = factory.SelfAttribute("project.created_by")


class EventFactory(DjangoModelFactory):
    class Meta:
        model = models.Event

    project = factory.SubFactory(ProjectFactory)
    actor = factory.SelfAttribute("project.created_by")
    action = "tested"


class ApiTokenFactory(DjangoModelFactory):
    class Meta:
        model = models.ApiToken

    user = factory.SubFactory(UserFactory)
    name = "token"
    prefix = "ann_123456"
    token_hash = factory.Sequence(lambda n: f"{n:064x}")
    scopes = factory.LazyFunction(lambda: ["read"])
    expires_at = factory.LazyFunction(lambda: datetime.now(UTC) + timedelta(days=30))


class IdempotencyKeyFactory(DjangoModelFactory):
    class Meta:
        model = models.IdempotencyKey

    user = factory.SubFactory(UserFactory)
    key = factory.Sequence(lambda n: f"key-{n}")
    digest = "d" * 64
    created_at = factory.LazyFunction(lambda: datetime.now(UTC))


class WebhookFactory(DjangoModelFactory):
    class Meta:
        model = models.Webhook

    project = factory.SubFactory(ProjectFactory)
    url = factory.Sequence(lambda n: f"https://example.org/hook/{n}")
    events = factory.LazyFunction(lambda: ["run.finished", "snapshot.frozen"])
    salt = "salt"
    created_by = factory.SelfAttribute("project.created_by")


class DeliveryFactory(DjangoModelFactory):
    class Meta:
        model = models.Delivery

    webhook = factory.SubFactory(WebhookFactory)
    event = "run.finished"
    body = "{}"
    due_at = factory.LazyFunction(lambda: datetime.now(UTC))


class AdjudicationLeaseFactory(DjangoModelFactory):
    class Meta:
        model = models.AdjudicationLease

    solution = factory.SubFactory(SolutionFactory)
    project = factory.SelfAttribute("solution.project")
    user = factory.SubFactory(UserFactory)
    expires_at = factory.LazyFunction(lambda: datetime.now(UTC) + timedelta(minutes=5))


class AnswerCorrectionFactory(DjangoModelFactory):
    class Meta:
        model = models.AnswerCorrection

    problem = factory.SubFactory(ProblemFactory)
    project = factory.SelfAttribute("problem.project")
    old = factory.SelfAttribute("problem.answer")
    new = "5"
    reason = "the sum is 5"
    created_by = factory.SelfAttribute("project.created_by")
