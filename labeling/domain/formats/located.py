"""What the benchmarks of located errors share: a solution, its answer, one first error."""

from __future__ import annotations

from labeling.domain.formats.rows import GivenVerdict, ImportRow, ProblemRow, SolutionRow
from labeling.domain.labels import NO_ERROR

SUSPECT = "no step is marked wrong although the final answer is"
NOWHERE = "the wrong step that is marked is not there: imported without the label"


def located_row(
    problem: ProblemRow,
    steps: tuple[str, ...],
    verdict: GivenVerdict | None,
    generator: str,
    answer: str | None,
    right: bool | None,
    notes: tuple[str, ...] = (),
    external_id: str = "",
) -> ImportRow:
    """Return the row, with a note where the label is lost or contradicts the answer."""
    if verdict is None and not notes:
        notes = (NOWHERE,)
    if right is False and verdict is not None and verdict.first_error == NO_ERROR:
        notes = (*notes, SUSPECT)
    return ImportRow(
        problem,
        SolutionRow(
            steps=steps,
            external_id=external_id,
            generator=generator,
            final_answer=answer,
            final_answer_correct=right,
            verdicts=() if verdict is None else (verdict,),
        ),
        notes,
    )
