"""A project whose counts are known by hand: two machines, three annotators, an adjudicator."""

from __future__ import annotations

from labeling.domain.labels import labels_up_to
from labeling.models import Decision
from labeling.services import rollups
from tests import factories as f

STEPS = 3
# (MC, judge, annotators' first errors, decision's state, decided first error), times. A dash: none.
ROWS = [
    ((-1, -1, (), "consensus", -1), 6),
    ((1, 1, (), "consensus", 1), 4),
    ((1, 1, (1,), "adjudicated", 1), 3),  # audited and confirmed
    ((1, 1, (0,), "adjudicated", 0), 1),  # audited and wrong
    ((-1, 2, (2, 2, 2), "adjudicated", 2), 4),  # MC missed it
    ((-1, 0, (-1, -1, 0), "adjudicated", -1), 2),  # the judge's false alarm
]
AUDITED = range(2, 4)


def build(project):
    """Make the project's rows and count them. Return (MC, judge, annotators)."""
    mc = f.LabelerFactory(project=project, kind="mc", name="MC of 8")
    judge = f.LabelerFactory(project=project, kind="judge", name="=judge")
    people = [
        f.LabelerFactory(project=project, kind="human", name=name, user=f.UserFactory())
        for name in ("Ada", "Ben", "Cleo")
    ]
    for number, ((one, other, said, state, decided), times) in enumerate(ROWS):
        for _ in range(times):
            solution = f.SolutionFactory(
                problem__project=project, problem__source="gsm8k", final_answer_correct=one < 0
            )
            labeled = [(mc, one), (judge, other), *zip(people, said, strict=False)]
            for labeler, first in labeled:
                f.VerdictFactory(
                    solution=solution, labeler=labeler, first_error=first,
                    step_labels=list(labels_up_to(first, STEPS)),
                )  # fmt: skip
            Decision.objects.filter(solution=solution).update(state=state, first_error=decided)
            if number in AUDITED:
                f.AssignmentFactory(
                    solution=solution, user=people[0].user, purpose="audit",
                    submitted_at=solution.created_at,
                )  # fmt: skip
    rollups.fold_all()
    return mc, judge, people
