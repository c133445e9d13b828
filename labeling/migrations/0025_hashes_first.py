"""The indexes that hold contents unique find them by their hashes, whatever the project."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0024_merged_snapshots"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="problem",
            name="problem_unique_content_per_project",
        ),
        migrations.RemoveConstraint(
            model_name="solution",
            name="solution_unique_content_per_project",
        ),
        migrations.AddConstraint(
            model_name="problem",
            constraint=models.UniqueConstraint(
                fields=("content_hash", "project"), name="problem_unique_content_per_project"
            ),
        ),
        migrations.AddConstraint(
            model_name="solution",
            constraint=models.UniqueConstraint(
                fields=("content_hash", "project"), name="solution_unique_content_per_project"
            ),
        ),
    ]
