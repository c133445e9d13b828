"""A problem is its statement alone: hashes of problems, and of the solutions that build on them.

Where a project has one statement twice, with two answers, the later keeps its old hash: it stays
as it is, and imports find the earlier one. The side of the split is stored and does not change.
"""

import hashlib

from django.db import migrations

CHUNK = 2000


def content_hash(parts):
    texts = [part.encode() for part in parts]
    framed = b"".join(piece for text in texts for piece in (len(text).to_bytes(8, "big"), text))
    return hashlib.blake2b(framed, digest_size=16).hexdigest()


def rehash(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        renamed = rehash_problems(apps, cursor)
        rehash_solutions(apps, cursor, renamed)


def rehash_problems(apps, cursor):
    Problem = apps.get_model("labeling", "Problem")
    seen, renamed = set(), {}
    columns = Problem.objects.order_by("id").values_list("id", "project_id", "statement")
    for pk, project, statement in columns.iterator(chunk_size=CHUNK):
        digest = content_hash([" ".join(statement.split())])
        if (project, digest) not in seen:
            seen.add((project, digest))
            renamed[pk] = digest
    update(cursor, "labeling_problem", renamed.items())
    return renamed


def rehash_solutions(apps, cursor, renamed):
    Solution = apps.get_model("labeling", "Solution")
    last = 0
    while True:
        rows = list(
            Solution.objects.filter(id__gt=last)
            .order_by("id")
            .values_list("id", "problem_id", "steps")[:CHUNK]
        )
        if not rows:
            return
        last = rows[-1][0]
        update(
            cursor,
            "labeling_solution",
            [
                (pk, content_hash([renamed[problem], *steps]))
                for pk, problem, steps in rows
                if problem in renamed
            ],
        )


def update(cursor, table, hashes):
    sql = f"UPDATE {table} SET content_hash = %s WHERE id = %s"  # noqa: S608 - constants only
    rows = [(digest, pk) for pk, digest in hashes]
    for start in range(0, len(rows), CHUNK):
        cursor.executemany(sql, rows[start : start + CHUNK])


class Migration(migrations.Migration):
    dependencies = [("labeling", "0004_tallies")]
    operations = [migrations.RunPython(rehash, migrations.RunPython.noop, elidable=True)]
