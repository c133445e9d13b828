"""Routes of the REST API; the page routes include them under /api/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from labeling.api import (
    assignments,
    decisions,
    docs,
    exports,
    gold,
    guidelines,
    imports,
    members,
    models,
    nowhere,
    people,
    problems,
    projects,
    runs,
    snapshots,
    statistics,
    verdicts,
    webhooks,
    wordings,
)
from labeling.api.throttling import OfAddress

_PROJECT = "projects/<str:uid>"

urlpatterns = [
    path("schema", SpectacularAPIView.as_view(throttle_classes=[OfAddress]), name="api-schema"),
    path("docs", docs.docs, name="api-docs"),
    path("me", projects.Me.as_view(), name="api-me"),
    path("projects", projects.Projects.as_view(), name="api-projects"),
    path(_PROJECT, projects.OneProject.as_view(), name="api-project"),
    path(f"{_PROJECT}/problems", problems.Problems.as_view(), name="api-problems"),
    path(f"{_PROJECT}/problems/<str:problem>", problems.OneProblem.as_view(), name="api-problem"),
    path(f"{_PROJECT}/solutions", problems.Solutions.as_view(), name="api-solutions"),
    path(
        f"{_PROJECT}/solutions/<str:solution>", problems.OneSolution.as_view(), name="api-solution"
    ),
    path(f"{_PROJECT}/labelers", verdicts.Labelers.as_view(), name="api-labelers"),
    path(f"{_PROJECT}/verdicts", verdicts.Verdicts.as_view(), name="api-verdicts"),
    path(f"{_PROJECT}/decisions", decisions.Decisions.as_view(), name="api-decisions"),
    path(f"{_PROJECT}/assignments", assignments.Assignments.as_view(), name="api-assignments"),
    path(
        f"{_PROJECT}/assignments/<str:item>",
        assignments.OneAssignment.as_view(),
        name="api-assignment",
    ),
    path(
        f"{_PROJECT}/assignments/<str:item>/evidence",
        assignments.Evidence.as_view(),
        name="api-assignment-evidence",
    ),
    path(
        f"{_PROJECT}/assignments/<str:item>/submit",
        assignments.SubmitAssignment.as_view(),
        name="api-assignment-submit",
    ),
    path(
        f"{_PROJECT}/assignments/<str:item>/skip",
        assignments.SkipAssignment.as_view(),
        name="api-assignment-skip",
    ),
    path(
        f"{_PROJECT}/assignments/<str:item>/reject",
        assignments.RejectAssignment.as_view(),
        name="api-assignment-reject",
    ),
    path(f"{_PROJECT}/people", people.People.as_view(), name="api-people"),
    path(f"{_PROJECT}/members", members.Members.as_view(), name="api-members"),
    path(f"{_PROJECT}/members/<str:user>", members.OneMember.as_view(), name="api-member"),
    path(f"{_PROJECT}/invitations", members.Invitations.as_view(), name="api-invitations"),
    path(f"{_PROJECT}/guidelines", guidelines.Guidelines.as_view(), name="api-guidelines"),
    path(
        f"{_PROJECT}/guidelines/<int:version>",
        guidelines.OneGuideline.as_view(),
        name="api-guideline",
    ),
    path(f"{_PROJECT}/gold", gold.Gold.as_view(), name="api-gold"),
    path(f"{_PROJECT}/gold/sample", gold.SampleGold.as_view(), name="api-gold-sample"),
    path(f"{_PROJECT}/gold/<str:solution>", gold.OneGold.as_view(), name="api-gold-item"),
    path(f"{_PROJECT}/exam", gold.Examinees.as_view(), name="api-exam"),
    path(f"{_PROJECT}/exam/<str:user>/grant", gold.GrantExam.as_view(), name="api-exam-grant"),
    path(f"{_PROJECT}/wordings", wordings.Wordings.as_view(), name="api-wordings"),
    path(f"{_PROJECT}/wordings/<str:name>", wordings.OneWording.as_view(), name="api-wording"),
    path(f"{_PROJECT}/engines", runs.Engines.as_view(), name="api-engines"),
    path(f"{_PROJECT}/runs", runs.Runs.as_view(), name="api-runs"),
    path(f"{_PROJECT}/runs/estimate", runs.RunEstimate.as_view(), name="api-run-estimate"),
    path(f"{_PROJECT}/runs/<str:run>", runs.OneRun.as_view(), name="api-run"),
    path(f"{_PROJECT}/runs/<str:run>/retry", runs.RetryRun.as_view(), name="api-run-retry"),
    path(f"{_PROJECT}/runs/<str:run>/<str:move>", runs.MoveRun.as_view(), name="api-run-move"),
    path(f"{_PROJECT}/labels.jsonl", exports.Labels.as_view(), name="api-labels"),
    path(f"{_PROJECT}/snapshots", snapshots.Snapshots.as_view(), name="api-snapshots"),
    path(
        f"{_PROJECT}/snapshots/<str:snapshot>", snapshots.OneSnapshot.as_view(), name="api-snapshot"
    ),
    path(
        f"{_PROJECT}/snapshots/<str:snapshot_uid>/download",
        exports.SnapshotFile.as_view(),
        name="api-snapshot-file",
    ),
    path(
        f"{_PROJECT}/snapshots/<str:snapshot>/formats",
        snapshots.SnapshotFormats.as_view(),
        name="api-snapshot-formats",
    ),
    path(
        f"{_PROJECT}/snapshots/<str:snapshot>/files",
        exports.SnapshotFiles.as_view(),
        name="api-snapshot-files",
    ),
    path(
        f"{_PROJECT}/snapshots/<str:snapshot>/files/<path:name>",
        exports.OneSnapshotFile.as_view(),
        name="api-one-snapshot-file",
    ),
    path(
        f"{_PROJECT}/snapshots/<str:snapshot>/links",
        exports.Links.as_view(),
        name="api-snapshot-links",
    ),
    path("links/<str:signed>", exports.OpenLink.as_view(), name="api-link"),
    path(f"{_PROJECT}/models", models.Models.as_view(), name="api-models"),
    path(f"{_PROJECT}/models/<str:model>", models.OneModel.as_view(), name="api-model"),
    path(
        f"{_PROJECT}/models/<str:model>/promote",
        models.PromoteModel.as_view(),
        name="api-model-promote",
    ),
    path(f"{_PROJECT}/trainings", models.Trainings.as_view(), name="api-trainings"),
    path(f"{_PROJECT}/trainings/<str:training>", models.OneTraining.as_view(), name="api-training"),
    path(f"{_PROJECT}/statistics", statistics.Counts.as_view(), name="api-statistics"),
    path(f"{_PROJECT}/statistics/agreement", statistics.Agreement.as_view(), name="api-agreement"),
    path(
        f"{_PROJECT}/statistics/agreement/<str:one>/<str:other>",
        statistics.PairAgreement.as_view(),
        name="api-agreement-pair",
    ),
    path(
        f"{_PROJECT}/statistics/diagnostics",
        statistics.Diagnostics.as_view(),
        name="api-diagnostics",
    ),
    path(f"{_PROJECT}/statistics/audit", statistics.Audit.as_view(), name="api-audit"),
    path(f"{_PROJECT}/statistics/history", statistics.History.as_view(), name="api-history"),
    path(f"{_PROJECT}/webhooks", webhooks.Webhooks.as_view(), name="api-webhooks"),
    path(f"{_PROJECT}/webhooks/<str:hook>", webhooks.OneWebhook.as_view(), name="api-webhook"),
    path(
        f"{_PROJECT}/webhooks/<str:hook>/deliveries",
        webhooks.Deliveries.as_view(),
        name="api-webhook-deliveries",
    ),
    path(
        f"{_PROJECT}/webhooks/<str:hook>/test",
        webhooks.TestWebhook.as_view(),
        name="api-webhook-test",
    ),
    path(f"{_PROJECT}/imports", imports.Imports.as_view(), name="api-imports"),
    path(f"{_PROJECT}/imports/<str:job>", imports.OneImport.as_view(), name="api-import"),
    path(
        f"{_PROJECT}/imports/<str:job>/start",
        imports.StartImport.as_view(),
        name="api-import-start",
    ),
    path(
        f"{_PROJECT}/imports/<str:job>/preview",
        imports.PreviewImport.as_view(),
        name="api-import-preview",
    ),
    path("<path:rest>", nowhere.Nowhere.as_view(), name="api-nowhere"),
]
