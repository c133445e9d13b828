"""Every rule that a row can break is refused by the database itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from labeling.models import Event
from tests import factories as f

NOW = datetime(2026, 1, 5, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def twice(factory, **fields):
    factory(**fields)
    factory(**fields)


def second_verdict():
    verdict = f.VerdictFactory()
    f.VerdictFactory(solution=verdict.solution, labeler=verdict.labeler)


def second_champion():
    prm = f.PRMFactory(champion=True, promoted_at=NOW, promoted_by=f.UserFactory())
    f.PRMFactory(
        training_run__snapshot__project=prm.project,
        champion=True, promoted_at=NOW, promoted_by=f.UserFactory(),
    )  # fmt: skip


def second_webhook():
    first = f.WebhookFactory()
    f.WebhookFactory(project=first.project, url=first.url)


def second_open_assignment():
    first = f.AssignmentFactory()
    f.AssignmentFactory(solution__problem__project=first.project, user=first.user)


def same_person_twice(factory):
    labeler = factory(kind="human", user=f.UserFactory())
    factory(kind="human", user=labeler.user, project=labeler.project)


def second_dispute():
    first = f.AdjudicationLeaseFactory()
    f.AdjudicationLeaseFactory(solution__problem__project=first.project, user=first.user)


def second_correction():
    first = f.AnswerCorrectionFactory()
    f.AnswerCorrectionFactory(problem=first.problem, new="6")


def second_run():
    run = f.RunFactory()
    f.RunFactory(labeler=run.labeler, config=run.config)


def second_sampling():
    sampling = f.SamplingFactory()
    f.SamplingFactory(problem=sampling.problem, config_hash=sampling.config_hash)


def second_tally():
    tally = f.VerdictTallyFactory()
    f.VerdictTallyFactory(labeler=tally.labeler)


def second_board_count():
    count = f.BoardCountFactory()
    f.BoardCountFactory(project=count.project)


def second_claim():
    claim = f.ClaimFactory()
    f.ClaimFactory(run=claim.run, item=claim.item)


def second_rollout():
    rollout = f.RolloutFactory()
    f.RolloutFactory(solution=rollout.solution, labeler=rollout.labeler, sample=rollout.sample)


def second_training():
    run = f.TrainingRunFactory()
    f.TrainingRunFactory(snapshot=run.snapshot, config=run.config)


def second_snapshot():
    snapshot = f.SnapshotFactory(content_hash="a")
    f.SnapshotFactory(project=snapshot.project, content_hash="a")


def second_judge_prompt():
    prompt = f.JudgePromptFactory()
    f.JudgePromptFactory(project=prompt.project)


def second_membership():
    member = f.MembershipFactory()
    f.MembershipFactory(user=member.user, project=member.project)


def same_key_twice():
    key = uuid4()
    twice(f.VerdictFactory, submission_key=key)


def second_labeler():
    labeler = f.LabelerFactory()
    f.LabelerFactory(project=labeler.project, config=labeler.config)


def second_assignment():
    first = f.AssignmentFactory(submitted_at=NOW)
    f.AssignmentFactory(solution=first.solution, user=first.user)


def same_content(factory):
    row = factory()
    where = {"problem": row.problem} if factory is f.SolutionFactory else {"project": row.project}
    factory(content_hash=row.content_hash, **where)


def change_decision(**fields):
    solution = f.SolutionFactory()
    type(solution.decision).objects.filter(pk=solution.pk).update(**fields)


def second_guideline():
    first = f.GuidelineFactory()
    f.GuidelineFactory(project=first.project, version=first.version)


def second_acknowledgement():
    first = f.AcknowledgementFactory()
    f.AcknowledgementFactory(guideline=first.guideline, user=first.user)


BROKEN = {
    "import_state_known": lambda: f.ImportFactory(state="lost"),
    "import_reason_iff_failed": lambda: f.ImportFactory(state="failed"),
    "import_size_not_negative": lambda: f.ImportFactory(size=-1),
    "decision_first_error_iff_decided": lambda: change_decision(state="consensus"),
    "decision_state_known": lambda: change_decision(state="fine"),
    "membership_one_role_per_project": second_membership,
    "membership_role_known": lambda: f.MembershipFactory(role="king"),
    "project_policy_version_positive": lambda: f.ProjectFactory(policy_version=0),
    "project_name_not_empty": lambda: f.ProjectFactory(name=""),
    "problem_unique_content_per_project": lambda: same_content(f.ProblemFactory),
    "problem_statement_not_empty": lambda: f.ProblemFactory(statement=""),
    "problem_split_known": lambda: f.ProblemFactory(split="middle"),
    "solution_unique_content_per_project": lambda: same_content(f.SolutionFactory),
    "solution_has_a_step": lambda: f.SolutionFactory(steps=[]),
    "labeler_unique_configuration": second_labeler,
    "labeler_one_per_person_and_kind": lambda: same_person_twice(f.LabelerFactory),
    "labeler_kind_known": lambda: f.LabelerFactory(kind="oracle"),
    "labeler_machines_have_no_user": lambda: f.LabelerFactory(user=f.UserFactory()),
    "verdict_one_per_labeler_and_solution": second_verdict,
    "verdict_submission_key_once": same_key_twice,
    "verdict_state_known": lambda: f.VerdictFactory(state="maybe", reason="r", first_error=None),
    "verdict_first_error_iff_scored": lambda: f.VerdictFactory(first_error=None),
    "verdict_unscored_has_reason": lambda: f.VerdictFactory(state="unscored", first_error=None),
    "verdict_refuted_at_iff_refuted": lambda: f.VerdictFactory(refuted_at=1),
    "verdict_first_error_is_a_step": lambda: f.VerdictFactory(first_error=3),
    "verdict_k_and_n_pair_up": lambda: f.VerdictFactory(mc_k=[1], mc_n=[]),
    "verdict_reason_code_known": lambda: f.VerdictFactory(reason_code="bad_steps"),
    "board_count_one_per_key": second_board_count,
    "board_count_not_negative": lambda: f.BoardCountFactory(n=-1),
    "board_count_known": lambda: f.BoardCountFactory(board="chess"),
    "gold_use_known": lambda: f.GoldItemFactory(use="toy"),
    "assignment_purpose_known": lambda: f.AssignmentFactory(purpose="fun"),
    "assignment_skip_code_known": lambda: f.AssignmentFactory(skip_code="tired"),
    "assignment_evidence_after_submission": lambda: f.AssignmentFactory(evidence_seen_at=NOW),
    "verdict_seconds_not_negative": lambda: f.VerdictFactory(seconds=-1),
    "project_tally_one_per_slot": lambda: twice(f.ProjectTallyFactory, project=f.ProjectFactory()),
    "verdict_tally_one_per_slot": second_tally,
    "day_tally_one_per_slot": lambda: twice(f.DayTallyFactory, project=f.ProjectFactory()),
    "verdict_tally_state_known": lambda: f.VerdictTallyFactory(state="maybe"),
    "queue_presence_has_workers": lambda: f.QueuePresenceFactory(workers=0),
    "engine_kind_known": lambda: f.EngineFactory(kind="steam"),
    "engine_has_model": lambda: f.EngineFactory(model=""),
    "engine_prices_not_negative": lambda: f.EngineFactory(hour_price=-1),
    "engine_currency_is_a_code": lambda: f.EngineFactory(currency="usd"),
    "rollout_unique_sample": second_rollout,
    "run_kind_known": lambda: f.RunFactory(kind="dance"),
    "run_state_known": lambda: f.RunFactory(state="dancing"),
    "run_labels_by_a_labeler": lambda: f.RunFactory(kind="generate"),
    "run_failed_has_reason": lambda: f.RunFactory(state="failed"),
    "run_one_alive_per_configuration": second_run,
    "claim_one_worker_per_item": second_claim,
    "sampling_once_per_problem_and_config": second_sampling,
    "sampling_counts_add_up": lambda: f.SamplingFactory(drawn=3),
    "assignment_once_per_solution_and_user": second_assignment,
    "assignment_submitted_or_skipped": lambda: f.AssignmentFactory(
        submitted_at=NOW, skipped_at=NOW, skip_reason="r"
    ),
    "assignment_skip_has_reason": lambda: f.AssignmentFactory(skipped_at=NOW),
    "assignment_one_open_per_person": second_open_assignment,
    "adjudication_one_per_person": second_dispute,
    "decision_cause_known": lambda: change_decision(cause="boredom"),
    "correction_state_known": lambda: f.AnswerCorrectionFactory(state="maybe"),
    "correction_says_what_and_why": lambda: f.AnswerCorrectionFactory(reason=""),
    "correction_changes_something": lambda: f.AnswerCorrectionFactory(new="4"),
    "correction_one_open_per_problem": second_correction,
    "correction_confirmed_by_somebody": lambda: f.AnswerCorrectionFactory(state="confirmed"),
    "correction_applied_iff_done": lambda: f.AnswerCorrectionFactory(applied_at=NOW),
    "exam_grant_has_reason": lambda: f.ExamGrantFactory(reason=""),
    "snapshot_same_rule_same_bytes_once": second_snapshot,
    "snapshot_frozen_has_files": lambda: f.SnapshotFactory(frozen_at=NOW),
    "training_once_per_snapshot_and_config": second_training,
    "training_state_known": lambda: f.TrainingRunFactory(state="resting"),
    "training_failed_has_reason": lambda: f.TrainingRunFactory(state="failed"),
    "prm_one_champion_per_project": second_champion,
    "prm_champion_was_promoted": lambda: f.PRMFactory(champion=True),
    "judge_prompt_version_once": second_judge_prompt,
    "judge_prompt_versions_from_one": lambda: f.JudgePromptFactory(version=0),
    "judge_prompt_reply_known": lambda: f.JudgePromptFactory(reply="shout"),
    "judge_trial_state_known": lambda: f.JudgeTrialFactory(state="dreaming", finished_at=NOW),
    "judge_trial_failed_has_reason": lambda: f.JudgeTrialFactory(state="failed", finished_at=NOW),
    "judge_trial_finished_at_iff_over": lambda: f.JudgeTrialFactory(state="done"),
    "guideline_one_per_version": second_guideline,
    "guideline_version_positive": lambda: f.GuidelineFactory(version=0),
    "guideline_not_empty": lambda: f.GuidelineFactory(text=""),
    "acknowledgement_one_per_person": second_acknowledgement,
    "idempotency_key_once": lambda: twice(
        f.IdempotencyKeyFactory, user=f.UserFactory(username="twice"), key="k"
    ),
    "webhook_one_per_project_and_address": second_webhook,
    "delivery_state_known": lambda: f.DeliveryFactory(state="lost"),
    "delivery_event_known": lambda: f.DeliveryFactory(event="party"),
    "delivery_delivered_at_iff_delivered": lambda: f.DeliveryFactory(state="delivered"),
    "delivery_failed_has_reason": lambda: f.DeliveryFactory(state="failed"),
    "token_expires_after_creation": lambda: f.ApiTokenFactory(expires_at=NOW - timedelta(days=1)),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_the_database_refuses(name):
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        BROKEN[name]()


def test_every_named_constraint_has_a_case():
    from django.apps import apps

    named = {
        constraint.name
        for model in apps.get_app_config("labeling").get_models()
        for constraint in model._meta.constraints
    }
    assert named == set(BROKEN)


@pytest.mark.parametrize(
    ("key", "table"),
    [
        ("solution_of_its_projects_problem", "labeling_solution"),
        ("decision_of_its_projects_solution", "labeling_decision"),
    ],
)
def test_what_belongs_together_is_of_one_project(key, table):
    f.DecisionFactory()
    with connection.cursor() as cursor:
        cursor.execute(f"SET CONSTRAINTS {key} IMMEDIATE")
        with pytest.raises(IntegrityError, match=key):
            cursor.execute(f"UPDATE {table} SET project_id = %s", [f.ProjectFactory().pk])


def test_no_index_serves_the_beginnings_of_opaque_ids():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%varchar_pattern_ops%'"
            " AND tablename IN ('labeling_problem', 'labeling_solution')"
        )
        assert cursor.fetchall() == []


def test_the_audit_trail_cannot_be_changed():
    event = f.EventFactory()
    for change in (
        lambda: Event.objects.filter(pk=event.pk).update(action="other"),
        lambda: Event.objects.filter(pk=event.pk).delete(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()
    with connection.cursor() as cursor:
        cursor.execute("SELECT action FROM labeling_event WHERE id = %s", [event.pk])
        assert cursor.fetchone() == ("tested",)
