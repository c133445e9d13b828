"""Routes of the REST API; the page routes include them under /api/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from labeling.api import exports, imports, people, projects, runs

urlpatterns = [
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("me", projects.Me.as_view(), name="api-me"),
    path("projects", projects.Projects.as_view(), name="api-projects"),
    path("projects/<str:uid>/people", people.People.as_view(), name="api-people"),
    path("projects/<str:uid>/gold", people.Gold.as_view(), name="api-gold"),
    path("projects/<str:uid>/engines", runs.Engines.as_view(), name="api-engines"),
    path("projects/<str:uid>/runs", runs.Runs.as_view(), name="api-runs"),
    path("projects/<str:uid>/runs/estimate", runs.RunEstimate.as_view(), name="api-run-estimate"),
    path("projects/<str:uid>/runs/<str:run>", runs.OneRun.as_view(), name="api-run"),
    path("projects/<str:uid>/runs/<str:run>/retry", runs.RetryRun.as_view(), name="api-run-retry"),
    path(
        "projects/<str:uid>/runs/<str:run>/<str:move>", runs.MoveRun.as_view(), name="api-run-move"
    ),
    path("projects/<str:uid>/labels.jsonl", exports.Labels.as_view(), name="api-labels"),
    path("projects/<str:uid>/snapshots", projects.Snapshots.as_view(), name="api-snapshots"),
    path(
        "projects/<str:uid>/snapshots/<str:snapshot_uid>/download",
        exports.SnapshotFile.as_view(),
        name="api-snapshot-file",
    ),
    path("projects/<str:uid>/imports", imports.Imports.as_view(), name="api-imports"),
    path("projects/<str:uid>/imports/<str:job>", imports.OneImport.as_view(), name="api-import"),
    path(
        "projects/<str:uid>/imports/<str:job>/start",
        imports.StartImport.as_view(),
        name="api-import-start",
    ),
    path(
        "projects/<str:uid>/imports/<str:job>/preview",
        imports.PreviewImport.as_view(),
        name="api-import-preview",
    ),
]
