"""An index for the solutions behind a dashboard's cell; verdicts count on the day they came."""

from django.db import migrations, models

# Labels over time are counted by the day on which a verdict came, no longer by its last change.
MOVED = """
INSERT INTO labeling_stale (solution)
SELECT DISTINCT solution_id FROM labeling_verdict
WHERE (created_at AT TIME ZONE 'UTC')::date <> (updated_at AT TIME ZONE 'UTC')::date
"""


class Migration(migrations.Migration):
    dependencies = [("labeling", "0017_day_tally")]
    operations = [
        migrations.AddIndex(
            model_name="verdict",
            index=models.Index(
                fields=["labeler", "first_error", "solution"], name="verdict_labeler_first"
            ),
        ),
        migrations.RunSQL(MOVED, migrations.RunSQL.noop),
    ]
