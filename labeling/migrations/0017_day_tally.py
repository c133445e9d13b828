"""Sums of what runs spend by day, kept by triggers on verdicts, samplings and runs."""

import django.db.models.deletion
from django.db import migrations, models

TODAY = "(now() AT TIME ZONE 'UTC')::date"
MORE = """
ON CONFLICT (project_id, labeler_id, run_id, day, slot) DO UPDATE SET
    items = t.items + excluded.items,
    completions = t.completions + excluded.completions,
    prompt_tokens = t.prompt_tokens + excluded.prompt_tokens,
    completion_tokens = t.completion_tokens + excluded.completion_tokens,
    seconds = t.seconds + excluded.seconds
"""
VERDICTS = """
INSERT INTO labeling_daytally AS t (project_id, labeler_id, run_id, day, slot, items, completions,
    prompt_tokens, completion_tokens, seconds)
SELECT l.project_id, v.labeler_id,
       (SELECT max(r.id) FROM labeling_run r WHERE r.labeler_id = v.labeler_id),
       {day}, pg_backend_pid() % 16, sum(v.items), sum(v.sign * v.completions),
       sum(v.sign * v.prompt_tokens), sum(v.sign * v.completion_tokens), 0
FROM ({source}) v JOIN labeling_labeler l ON l.id = v.labeler_id
WHERE l.kind IN ('mc', 'judge', 'prm')
GROUP BY 1, 2, 4
HAVING sum(v.items) > 0 OR sum(v.sign * v.completions) <> 0
    OR sum(v.sign * v.prompt_tokens) <> 0 OR sum(v.sign * v.completion_tokens) <> 0
ORDER BY 2, 4
{more}"""
CAME = "(v.created_at AT TIME ZONE 'UTC')::date"
ADD = VERDICTS.format(more=MORE, day=CAME, source="SELECT 1 AS sign, 1 AS items, * FROM fresh")
CHANGE = VERDICTS.format(
    more=MORE,
    day=TODAY,
    source="SELECT 1 AS sign, 0 AS items, * FROM fresh UNION ALL SELECT -1, 0, * FROM stale",
)
FILL = VERDICTS.format(
    more=MORE, day=CAME, source="SELECT 1 AS sign, 1 AS items, * FROM labeling_verdict"
)

SAMPLINGS = """
INSERT INTO labeling_daytally AS t (project_id, labeler_id, run_id, day, slot, items, completions,
    prompt_tokens, completion_tokens, seconds)
SELECT p.project_id, NULL,
       (SELECT max(r.id) FROM labeling_run r WHERE r.project_id = p.project_id
        AND r.kind = 'generate' AND r.config_hash = s.config_hash),
       (s.created_at AT TIME ZONE 'UTC')::date, pg_backend_pid() % 16, count(*), sum(s.drawn),
       sum(s.prompt_tokens), sum(s.completion_tokens), 0
FROM {source} s JOIN labeling_problem p ON p.id = s.problem_id
GROUP BY p.project_id, s.config_hash, 4 ORDER BY 1, 3, 4
{more}"""

# A worker's time comes with an update of the run's row, which it locks: one slot is enough, and
# no writer of verdicts ever waits for it.
SECONDS = """
INSERT INTO labeling_daytally AS t (project_id, labeler_id, run_id, day, slot, items, completions,
    prompt_tokens, completion_tokens, seconds)
{values}
{more}"""
WORKED = SECONDS.format(
    more=MORE,
    values=f"VALUES (NEW.project_id, NEW.labeler_id, NEW.id, {TODAY}, 16, 0, 0, 0, 0,"
    " NEW.seconds - OLD.seconds)",
)
# On which of its days an older run worked is not known: its last one stands for all.
WORKED_BEFORE = SECONDS.format(
    more=MORE,
    values="SELECT project_id, labeler_id, id,"
    " (coalesce(last_progress_at, created_at) AT TIME ZONE 'UTC')::date, 16, 0, 0, 0, 0, seconds"
    " FROM labeling_run WHERE seconds > 0",
)

FORWARD = f"""
CREATE FUNCTION verdict_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {ADD};
    ELSE
        {CHANGE};
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER verdict_day_insert AFTER INSERT ON labeling_verdict
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION verdict_day();
CREATE TRIGGER verdict_day_update AFTER UPDATE ON labeling_verdict
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION verdict_day();
CREATE FUNCTION sampling_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {SAMPLINGS.format(more=MORE, source="fresh")};
    RETURN NULL;
END $$;
CREATE TRIGGER sampling_day_insert AFTER INSERT ON labeling_sampling
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION sampling_day();
CREATE FUNCTION run_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {WORKED};
    RETURN NULL;
END $$;
CREATE TRIGGER run_day_update AFTER UPDATE OF seconds ON labeling_run FOR EACH ROW
    WHEN (NEW.seconds <> OLD.seconds) EXECUTE FUNCTION run_day();
{FILL};
{SAMPLINGS.format(more=MORE, source="labeling_sampling")};
{WORKED_BEFORE};
"""
BACKWARD = """
DROP TRIGGER verdict_day_insert ON labeling_verdict;
DROP TRIGGER verdict_day_update ON labeling_verdict;
DROP FUNCTION verdict_day();
DROP TRIGGER sampling_day_insert ON labeling_sampling;
DROP FUNCTION sampling_day();
DROP TRIGGER run_day_update ON labeling_run;
DROP FUNCTION run_day();
"""


def _to(model, null=True):
    return models.ForeignKey(
        null=null,
        on_delete=django.db.models.deletion.CASCADE,
        related_name="day_tallies",
        to=f"labeling.{model}",
    )


class Migration(migrations.Migration):
    dependencies = [("labeling", "0016_answer_corrections")]
    operations = [
        migrations.CreateModel(
            name="DayTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("project", _to("project", null=False)),
                ("labeler", _to("labeler")),
                ("run", _to("run")),
                ("day", models.DateField()),
                ("slot", models.PositiveSmallIntegerField()),
                ("items", models.BigIntegerField(default=0)),
                ("completions", models.BigIntegerField(default=0)),
                ("prompt_tokens", models.BigIntegerField(default=0)),
                ("completion_tokens", models.BigIntegerField(default=0)),
                ("seconds", models.FloatField(default=0)),
            ],
        ),
        # not in the model's options: those come into being after the SQL below
        migrations.AddConstraint(
            model_name="daytally",
            constraint=models.UniqueConstraint(
                fields=("project", "labeler", "run", "day", "slot"),
                name="day_tally_one_per_slot",
                nulls_distinct=False,
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
