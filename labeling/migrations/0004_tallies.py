"""Sums over machine verdicts, kept by triggers; indexes for the newest verdicts and failures."""

import django.db.models.deletion
from django.db import migrations, models

UPSERT = """
INSERT INTO labeling_verdicttally AS t
    (labeler_id, run_id, state, slot, verdicts, completions, exhaustive_completions,
     prompt_tokens, completion_tokens)
SELECT v.labeler_id,
       (SELECT max(r.id) FROM labeling_run r WHERE r.labeler_id = v.labeler_id),
       v.state, pg_backend_pid() % 16, sum(sign), sum(sign * v.completions),
       sum(sign * v.exhaustive_completions), sum(sign * v.prompt_tokens),
       sum(sign * v.completion_tokens)
FROM ({source}) v JOIN labeling_labeler l ON l.id = v.labeler_id
WHERE l.kind IN ('mc', 'judge', 'prm')
GROUP BY v.labeler_id, v.state ORDER BY v.labeler_id, v.state
ON CONFLICT (labeler_id, run_id, state, slot) DO UPDATE SET
    verdicts = t.verdicts + excluded.verdicts,
    completions = t.completions + excluded.completions,
    exhaustive_completions = t.exhaustive_completions + excluded.exhaustive_completions,
    prompt_tokens = t.prompt_tokens + excluded.prompt_tokens,
    completion_tokens = t.completion_tokens + excluded.completion_tokens
"""
ADD = UPSERT.format(source="SELECT 1 AS sign, * FROM fresh")
CHANGE = UPSERT.format(source="SELECT 1 AS sign, * FROM fresh UNION ALL SELECT -1, * FROM stale")
FILL = UPSERT.format(source="SELECT 1 AS sign, * FROM labeling_verdict")

COUNT = """
INSERT INTO labeling_projecttally AS t (project_id, slot, problems, solutions)
SELECT project_id, pg_backend_pid() % 64, {problems}, {solutions} FROM {source} GROUP BY project_id
ON CONFLICT (project_id, slot) DO UPDATE SET
    problems = t.problems + excluded.problems, solutions = t.solutions + excluded.solutions
"""
COUNTED = {
    "problem": {"problems": "count(*)", "solutions": "0"},
    "solution": {"problems": "0", "solutions": "count(*)"},
}


def _counting(table: str) -> str:
    """Return the triggers that count one table's rows by project."""
    added = COUNT.format(source="fresh", **COUNTED[table])
    filled = COUNT.format(source=f"labeling_{table}", **COUNTED[table])
    return f"""
CREATE FUNCTION {table}_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {added};
    ELSE
        UPDATE labeling_projecttally t SET {table}s = t.{table}s - gone.n
        FROM (SELECT project_id, count(*) AS n FROM stale GROUP BY 1) gone
        WHERE t.id = (SELECT min(x.id) FROM labeling_projecttally x
                      WHERE x.project_id = gone.project_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER {table}_tally_insert AFTER INSERT ON labeling_{table}
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION {table}_tally();
CREATE TRIGGER {table}_tally_delete AFTER DELETE ON labeling_{table}
    REFERENCING OLD TABLE AS stale FOR EACH STATEMENT EXECUTE FUNCTION {table}_tally();
{filled};
"""  # noqa: S608 - constants only


def _not_counting(table: str) -> str:
    return f"""
DROP TRIGGER {table}_tally_insert ON labeling_{table};
DROP TRIGGER {table}_tally_delete ON labeling_{table};
DROP FUNCTION {table}_tally();
"""


# Statement triggers: one upsert per labeler and state of a batch, within the transaction that
# writes the verdicts. Only machine labelers are summed, and a transaction writes verdicts of one
# of them, so two writers that meet in a slot wait for each other but never in a circle.
# A deletion changes rows that are there: those of a labeler that goes may be gone before.
FORWARD = f"""
CREATE FUNCTION verdict_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {ADD};
    ELSIF TG_OP = 'UPDATE' THEN
        {CHANGE};
    ELSE
        UPDATE labeling_verdicttally t SET verdicts = t.verdicts - gone.n
        FROM (SELECT labeler_id, state, count(*) AS n FROM stale GROUP BY 1, 2) gone
        WHERE t.id = (SELECT min(x.id) FROM labeling_verdicttally x
                      WHERE x.labeler_id = gone.labeler_id AND x.state = gone.state);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER verdict_tally_insert AFTER INSERT ON labeling_verdict
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION verdict_tally();
CREATE TRIGGER verdict_tally_update AFTER UPDATE ON labeling_verdict
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION verdict_tally();
CREATE TRIGGER verdict_tally_delete AFTER DELETE ON labeling_verdict
    REFERENCING OLD TABLE AS stale FOR EACH STATEMENT EXECUTE FUNCTION verdict_tally();
{FILL};
"""  # noqa: S608 - constants only
BACKWARD = """
DROP TRIGGER verdict_tally_insert ON labeling_verdict;
DROP TRIGGER verdict_tally_update ON labeling_verdict;
DROP TRIGGER verdict_tally_delete ON labeling_verdict;
DROP FUNCTION verdict_tally();
"""
STATES = [(state, state) for state in ("scored", "unscored", "rejected", "refuted")]


class Migration(migrations.Migration):
    dependencies = [("labeling", "0003_engines_and_judges")]
    operations = [
        migrations.CreateModel(
            name="VerdictTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "labeler",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tallies",
                        to="labeling.labeler",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tallies",
                        to="labeling.run",
                    ),
                ),
                ("state", models.CharField(choices=STATES, max_length=10)),
                ("slot", models.PositiveSmallIntegerField()),
                ("verdicts", models.BigIntegerField(default=0)),
                ("completions", models.BigIntegerField(default=0)),
                ("exhaustive_completions", models.BigIntegerField(default=0)),
                ("prompt_tokens", models.BigIntegerField(default=0)),
                ("completion_tokens", models.BigIntegerField(default=0)),
            ],
        ),
        # not in the model's options: those come into being after the SQL below
        migrations.AddConstraint(
            model_name="verdicttally",
            constraint=models.UniqueConstraint(
                fields=("labeler", "run", "state", "slot"),
                name="verdict_tally_one_per_slot",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="verdicttally",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", [state for state, _ in STATES])),
                name="verdict_tally_state_known",
            ),
        ),
        migrations.CreateModel(
            name="ProjectTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tallies",
                        to="labeling.project",
                    ),
                ),
                ("slot", models.PositiveSmallIntegerField()),
                ("problems", models.BigIntegerField(default=0)),
                ("solutions", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.AddConstraint(
            model_name="projecttally",
            constraint=models.UniqueConstraint(
                fields=("project", "slot"), name="project_tally_one_per_slot"
            ),
        ),
        migrations.AddIndex(
            model_name="sampling",
            index=models.Index(
                fields=["config_hash", "created_at"], name="sampling_config_created"
            ),
        ),
        migrations.AddIndex(
            model_name="verdict",
            index=models.Index(fields=["labeler", "created_at"], name="verdict_labeler_created"),
        ),
        migrations.AddIndex(
            model_name="verdict",
            index=models.Index(
                condition=models.Q(("state", "unscored")),
                fields=["labeler", "id"],
                name="verdict_unscored",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        *(migrations.RunSQL(_counting(table), _not_counting(table)) for table in COUNTED),
    ]
