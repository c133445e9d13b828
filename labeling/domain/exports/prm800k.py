"""PRM800K, phase 2: a solution written beforehand, its steps rated up to the first wrong one."""

from __future__ import annotations

from typing import Any

from labeling.domain.exports.rows import Row, Written

_WRONG = -1


def write(row: Row, soft: bool) -> Written:  # noqa: ARG001 - the format's ratings are hard
    """Write the ratings as the labeler gave them, neutral ones too; no times are known.

    The question's last six fields are ours: the published data have one generator and one source.
    """
    sources, ratings = row["sources"], row["sources"]["ratings"]
    wrong = ratings.index(_WRONG) if _WRONG in ratings else None
    rated = len(ratings) if wrong is None else wrong + 1
    return Written(
        {
            "labeler": "+".join(sources["labelers"]) or sources["labels"],
            "timestamp": None,
            "generation": None,
            "is_quality_control_question": False,
            "is_initial_screening_question": False,
            "question": {
                "problem": row["prompt"],
                "ground_truth_solution": None,
                "ground_truth_answer": sources["answer"],
                "pre_generated_steps": row["steps"],
                "pre_generated_answer": sources["final_answer"],
                "pre_generated_verifier_score": None,
                "final_answer_correct": row["final_answer_correct"],
                "generator": sources["generator"],
                "source": sources["source"],
                "licence": sources["licence"],
                "problem_id": sources["problem"],
                "solution_id": sources["solution"],
            },
            "label": {
                "steps": [
                    _step(text, rating, chosen=at != wrong)
                    for at, (text, rating) in enumerate(
                        zip(row["steps"][:rated], ratings[:rated], strict=True)
                    )
                ],
                "total_time": 0,
                "finish_reason": "solution" if wrong is None else "found_error",
            },
        }
    )


def _step(text: str, rating: int | None, *, chosen: bool) -> dict[str, Any]:
    """Return a step; the labelers of phase 2 went on with every step but the wrong one."""
    return {
        "completions": [{"text": text, "rating": rating, "flagged": None}],
        "human_completion": None,
        "chosen_completion": 0 if chosen else None,
    }
