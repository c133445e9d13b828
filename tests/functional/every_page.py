"""A project with something on every page, and the address of each page as its owner opens it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils import timezone

from labeling.domain.assignments import GoldUse
from labeling.domain.roles import Role
from labeling.models import Project, User
from labeling.services import accounts, assignments, decisions, gold, labelers, projects, rollups
from tests import factories

NO_PAGES = {
    "annotate_history", "healthz", "readyz", "words", "set_language", "logout", "revoke_token",
    "preferences",
}  # fmt: skip
"""Routes that answer with no page of their own."""

_RULES = "# Rules\n\nA step is **wrong** when it is false: $2 + 2 = 5$."

IMPORTED = {
    "rows": 9, "refused": 1, "problems": 1, "solutions": 2, "human_verdicts": 3,
    "machine_verdicts": 4, "filled": 5, "relabeled": 6, "errors": [[3, "not valid JSON"]],
    "notes": {"something odd": {"count": 2, "line": 4}},
}  # fmt: skip


def addresses(project: Project, owner: User, dispute: Any) -> dict[str, str]:
    """Fill the project; return the pages' addresses by the names of their routes."""
    User.objects.filter(pk=owner.pk).update(is_staff=True)  # may make projects
    projects.add_member(by=owner, project=project, user=factories.UserFactory(), role="viewer")
    shown = dispute(project, ["Take $x = 2$.", "So $x^2 = 5$.", "Answer: 5"], judged=1)
    for number in range(3):
        dispute(project, ["Another $\\frac{1}{2}$.", f"Its end: <<1+{number}=2>>2."])
    _disagree(project, dispute(project, ["People differ: $1 + 1 = 2$.", "On this: $2$."]))
    names = {"solution": shown.uid, **_work(project, owner, shown), **_texts(project, owner)}
    rollups.fold_all()
    uid = project.uid
    found = {
        name: reverse(name, kwargs={"uid": uid, **{key: names[key] for key in keys}})
        for name, keys in _KEYS.items()
    }
    mc = project.labelers.filter(kind="mc").first().uid
    for name in ("completions", "annotate_completions"):
        found[name] += f"?labeler={mc}&step=0"
    plain = ("home", "login", "password", "new_project", "tokens")
    return {
        **found,
        **{name: reverse(name) for name in plain},
        "welcome": reverse("welcome", args=[names["token"]]),
        "nowhere": reverse("solutions", args=["nowhere"]),
    }


_KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "overview", "annotate", "solutions", "adjudication", "adjudication_next", "agreement",
            "agreement_people", "diagnostics", "history", "audit", "quality", "quality_mine",
            "gold", "exam_people", "exam", "runs", "new_run", "engines", "costs", "judges", "data",
            "guidelines", "edit_guidelines", "guidelines_questions", "imports", "settings",
            "webhooks", "new_snapshot",
        ),
        (),
    ),
    "annotate_submitted": ("item",),
    "annotate_edit": ("item",),
    "annotate_completions": ("item",),
    "solution": ("solution",),
    "completions": ("solution",),
    "correction": ("correction",),
    "agreement_pair": ("one", "other"),
    "quality_person": ("labeler",),
    "run": ("run",),
    "judge": ("name",),
    "judge_trial": ("trial",),
    "guidelines_version": ("number",),
    "import": ("job",),
    "webhook": ("hook",),
    "snapshot": ("snapshot",),
    "model": ("prm",),
}  # fmt: skip
"""Routes by what stands in their address beside the project."""


def _work(project: Project, owner: User, shown: Any) -> dict[str, str]:
    """Everything that labels: machines, people, runs, a correction, a snapshot, a model."""
    mc, judge = (project.labelers.get(kind=kind) for kind in ("mc", "judge"))
    factories.RolloutFactory(solution=shown, labeler=mc, step=0, text="So $\\frac{4}{2}$ it is.")
    factories.LabelerFactory(project=project, kind="gold", name="key")
    run = factories.RunFactory(labeler=mc, project=project)
    factories.RunFactory(labeler=mc, project=project, state="failed", reason="no engine")
    snapshot = factories.SnapshotFactory(project=project)
    training = factories.TrainingRunFactory(snapshot=snapshot)
    metrics = {"f1": 0.71, "splits": {"test": {"erroneous": 3, "correct": 0}}}
    prm = factories.PRMFactory(training_run=training, metrics=metrics)
    item = assignments.lease_next(by=owner, project=project, now=timezone.now())
    labels = [0, -1, None, None][: len(item.solution.steps)]
    assignments.submit(
        by=owner, uid=item.uid, key=uuid4(), draft={"labels": labels}, active_seconds=9,
        now=timezone.now() - timedelta(days=2),
    )  # fmt: skip
    key = factories.SolutionFactory(problem__project=project)
    gold.add(by=owner, solution=key, use=GoldUse.HIDDEN, first_error=0, explanation="$2 = 3$.")
    trial = factories.JudgeTrialFactory(project=project)
    return {
        "item": item.uid,
        "snapshot": snapshot.uid,
        "prm": prm.uid,
        "run": run.uid,
        "one": mc.uid,
        "other": judge.uid,
        "trial": trial.uid,
        "labeler": labelers.person(by=owner, project=project).uid,
        "correction": factories.AnswerCorrectionFactory(problem=shown.problem).uid,
    }


def _disagree(project: Project, solution: Any) -> None:
    """Have two people say otherwise: it waits for an adjudicator."""
    for first_error in (0, 1):
        user = factories.MembershipFactory(project=project).user
        factories.VerdictFactory(
            solution=solution,
            labeler=labelers.person(by=user, project=project),
            first_error=first_error,
        )
    decisions.refresh(project=project, solutions=[solution])


def _texts(project: Project, owner: User) -> dict[str, Any]:
    """Guidelines, an import, a token, an invitation."""
    token = accounts.invite(
        by=owner, project=project, username="nina", role=Role.ANNOTATOR, now=timezone.now()
    )
    factories.ApiTokenFactory(user=owner)
    hook = factories.DeliveryFactory(webhook__project=project).webhook.uid
    factories.GuidelineFactory(project=project, text=_RULES)
    newer = _RULES.replace("is false", "is false as it stands")
    factories.GuidelineFactory(project=project, version=2, text=newer, change="Clearer.")
    upload = factories.ImportFactory(project=project, state="counted", report=IMPORTED)
    return {"number": 2, "name": "paper-v1", "job": upload.uid, "token": token, "hook": hook}
