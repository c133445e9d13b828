"""What a new solution costs the database: fewer indexes and foreign keys to look after, no lost
guarantee (docs/adr/0014)."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# Nothing looks opaque ids up by their beginning; Django makes these for every unique text.
LIKE_INDEXES = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()
        AND tablename IN ('labeling_problem', 'labeling_solution') AND indexname LIKE '%\\_uid\\_%\\_like'
    LOOP
        EXECUTE format('DROP INDEX %I', name);
    END LOOP;
END $$;
"""
LIKE_AGAIN = """
CREATE INDEX labeling_problem_uid_91888f6e_like ON labeling_problem (uid varchar_pattern_ops);
CREATE INDEX labeling_solution_uid_dbd78b2a_like ON labeling_solution (uid varchar_pattern_ops);
"""

# A solution and its problem, a decision and its solution, are of one project: one key says so and
# that both exist, for the price of one check where there were two.
KEYS = """
CREATE UNIQUE INDEX problem_project_id ON labeling_problem (project_id, id);
DROP INDEX solution_project_id;
CREATE UNIQUE INDEX solution_project_id ON labeling_solution (project_id, id);
ALTER TABLE labeling_solution ADD CONSTRAINT solution_of_its_projects_problem
    FOREIGN KEY (project_id, problem_id) REFERENCES labeling_problem (project_id, id)
    DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE labeling_decision ADD CONSTRAINT decision_of_its_projects_solution
    FOREIGN KEY (project_id, solution_id) REFERENCES labeling_solution (project_id, id)
    DEFERRABLE INITIALLY DEFERRED;
"""
NO_KEYS = """
ALTER TABLE labeling_decision DROP CONSTRAINT decision_of_its_projects_solution;
ALTER TABLE labeling_solution DROP CONSTRAINT solution_of_its_projects_problem;
DROP INDEX solution_project_id;
CREATE INDEX solution_project_id ON labeling_solution (project_id, id);
DROP INDEX problem_project_id;
"""

# What fits a page stays as it is: packing the steps costs more time than the room is worth.
ROOM = "ALTER TABLE labeling_solution SET (toast_tuple_target = 8160)"
NO_ROOM = "ALTER TABLE labeling_solution RESET (toast_tuple_target)"

PACKED = """
INSERT INTO labeling_stale (solutions)
SELECT array_agg(solution) FROM (
    SELECT solution, row_number() OVER () / 2000 AS part FROM ({source}) changed) numbered
GROUP BY part
"""
SINGLE = "INSERT INTO labeling_stale (solution) {source}"


def _functions(insert):
    """Return the triggers' functions, whose triggers stand since the migration rollups."""
    sources = {
        f"{table}_{event}_stale": f"SELECT DISTINCT solution_id AS solution FROM {rows}"  # noqa: S608 - constants
        for table in ("verdict", "decision")
        for event, rows in (("insert", "fresh"), ("update", "fresh"), ("delete", "stale"))
    } | {
        "solution_insert_stale": "SELECT id AS solution FROM fresh",
        "solution_update_stale": """SELECT n.id AS solution FROM fresh n JOIN stale o ON o.id = n.id
            WHERE (n.final_answer_correct, n.generator, n.steps) IS DISTINCT FROM
                  (o.final_answer_correct, o.generator, o.steps)""",
        # another one may now be its problem's first
        "solution_delete_stale": """SELECT id AS solution FROM stale
            UNION SELECT s.id FROM labeling_solution s JOIN stale o ON o.problem_id = s.problem_id""",
        "problem_update_stale": """SELECT s.id AS solution FROM fresh n JOIN stale o ON o.id = n.id
            JOIN labeling_solution s ON s.problem_id = n.id
            WHERE n.source IS DISTINCT FROM o.source""",
    }  # fmt: skip
    return "".join(
        f"""
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {insert.format(source=source)};
    RETURN NULL;
END $$;
"""
        for name, source in sources.items()
    )


STALE = f"""
ALTER TABLE labeling_stale ADD COLUMN solutions bigint[];
UPDATE labeling_stale SET solutions = ARRAY[solution];
ALTER TABLE labeling_stale ALTER COLUMN solutions SET NOT NULL, DROP COLUMN solution;
{_functions(PACKED)}
"""  # noqa: S608 - constants only
SINGLE_STALE = f"""
ALTER TABLE labeling_stale ADD COLUMN solution bigint;
INSERT INTO labeling_stale (solution, solutions) SELECT unnest(solutions), '{{}}' FROM labeling_stale;
DELETE FROM labeling_stale WHERE solution IS NULL;
ALTER TABLE labeling_stale ALTER COLUMN solution SET NOT NULL, DROP COLUMN solutions;
CREATE INDEX labeling_stale_solution_54a5174f ON labeling_stale (solution);
{_functions(SINGLE)}
"""  # noqa: S608 - constants only


def _to(model, related_name, *, one=False, **options):
    field = models.OneToOneField if one else models.ForeignKey
    return field(
        on_delete=django.db.models.deletion.CASCADE,
        related_name=related_name,
        to=f"labeling.{model}",
        **options,
    )


CHECKED_ELSEWHERE = {"db_constraint": False}
COVERED = {"db_index": False}


class Migration(migrations.Migration):
    dependencies = [("labeling", "0022_covering_indexes")]
    operations = [
        migrations.AlterField("problem", "project", _to("project", "problems", **COVERED)),
        migrations.AlterField(
            "solution", "project", _to("project", "solutions", **COVERED, **CHECKED_ELSEWHERE)
        ),
        migrations.AlterField(
            "solution", "problem", _to("problem", "solutions", **CHECKED_ELSEWHERE)
        ),
        migrations.AlterField("verdict", "labeler", _to("labeler", "verdicts", **COVERED)),
        migrations.AlterField("verdict", "solution", _to("solution", "verdicts", **COVERED)),
        migrations.AlterField(
            "decision", "project", _to("project", "decisions", **COVERED, **CHECKED_ELSEWHERE)
        ),
        migrations.AlterField(
            "decision",
            "solution",
            _to(
                "solution",
                "decision",
                one=True,
                primary_key=True,
                serialize=False,
                **CHECKED_ELSEWHERE,
            ),
        ),
        migrations.RemoveConstraint("verdict", "verdict_submission_key_once"),
        migrations.AddConstraint(
            "verdict",
            models.UniqueConstraint(
                fields=("submission_key",),
                condition=models.Q(submission_key__isnull=False),
                name="verdict_submission_key_once",
            ),
        ),
        migrations.RunSQL(
            KEYS,
            NO_KEYS,
            state_operations=[
                migrations.AddIndex(
                    "problem", models.Index(fields=["project", "id"], name="problem_project_id")
                )
            ],
        ),
        migrations.RunSQL(LIKE_INDEXES, LIKE_AGAIN),
        migrations.RunSQL(ROOM, NO_ROOM),
        migrations.RunSQL(
            STALE,
            SINGLE_STALE,
            state_operations=[
                migrations.RemoveField("stale", "solution"),
                migrations.AddField(
                    "stale",
                    "solutions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                    preserve_default=False,
                ),
            ],
        ),
    ]
