"""ProcessBench: the first wrong step of a solution."""

from __future__ import annotations

from labeling.domain.exports.rows import Row, Written


def write(row: Row, soft: bool) -> Written:  # noqa: ARG001 - the format has one label, hard
    """Write the six published fields; an id that came with the solution is kept."""
    sources = row["sources"]
    subset = sources["source"].removeprefix("ProcessBench/") or "release"
    return Written(
        {
            "id": sources["solution"] or f"{subset}-{row['id']}",
            "generator": sources["generator"],
            "problem": row["prompt"],
            "steps": row["steps"],
            "final_answer_correct": row["final_answer_correct"],
            "label": row["first_error"],
        }
    )
