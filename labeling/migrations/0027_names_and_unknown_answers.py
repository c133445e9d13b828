"""Lists by a name that few have, or of unknown answers, pass the others by."""

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0026_stale_unpacked"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="solution",
            index=django.contrib.postgres.indexes.BrinIndex(
                fields=["external_id", "generator"],
                name="solution_names",
                opclasses=["text_bloom_ops", "text_bloom_ops"],
                pages_per_range=64,
            ),
        ),
        migrations.AddIndex(
            model_name="solution",
            index=models.Index(
                condition=models.Q(("final_answer_correct", None)),
                fields=["project", "id"],
                name="solution_answer_unknown",
            ),
        ),
    ]
