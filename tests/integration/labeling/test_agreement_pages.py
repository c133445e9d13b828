"""The dashboards of label quality show what was counted by hand in tests/boards_world.py."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.urls import reverse

from labeling.models import Verdict
from labeling.selectors import agreement, diagnostics, history
from labeling.selectors.boards import sides
from labeling.services import rollups
from tests import factories as f
from tests.boards_world import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(project):
    return build(project)


@pytest.fixture
def lead(client, owner):
    client.force_login(owner)
    return client


def address(name, project, *rest):
    return reverse(name, args=[project.uid, *rest])


def rows_of(answer):
    return list(csv.reader(StringIO(answer.content.decode(), newline="")))


def test_every_pair_is_compared(world, project):
    mc, judge, _ = world
    found = agreement.matrix(project, gold=True)
    by_ends = {
        (cell.pair.one.uid, cell.pair.other.uid): cell
        for _, cells in found.rows
        for cell in cells
        if cell
    }
    # MC and judge: 6 + 4 + 3 + 1 alike of 20
    both = by_ends[mc.uid, judge.uid]
    assert (both.exact.part, both.compared) == (14, 20)
    # annotators: MC is right in the 3 confirmed and in two votes of each of the 2 false alarms
    assert (by_ends[mc.uid, "annotators"].exact.part, by_ends[mc.uid, "annotators"].compared) == (
        3 + 2 * 2, 3 + 1 + 4 * 3 + 2 * 3,
    )  # fmt: skip
    # among themselves: 3 pairs in each of 6; of the last two only one pair each agrees
    among = by_ends["annotators", "annotators"]
    assert (among.exact.part, among.compared) == (4 * 3 + 2, 6 * 3)


def test_a_pair_is_shown_from_either_side(world, project, lead):
    mc, judge, _ = world
    one, other = (
        lead.get(address("agreement_pair", project, *ends)).content
        for ends in ((mc.uid, judge.uid), (judge.uid, mc.uid))
    )
    for page in (one, other):
        assert re.findall(rb'data-count="(14|20)">', page)[:2] == [b"14", b"20"]
    assert lead.get(address("agreement_pair", project, mc.uid, "adjudicators")).status_code == 404


def test_machine_labels_are_held_against_peoples_decisions(world, project):
    mc, judge, _ = world
    found = {c.side.uid: c for c in diagnostics.diagnostics(project).checked}
    # of 10 decided by people MC was right in 3 + 2, late in 1 (said 1, true 0), missed 4
    kinds = {str(kind): share.part for kind, share in found[mc.uid].kinds.items()}
    assert kinds == {"right": 5, "early": 0, "late": 1, "missed": 4, "false alarm": 0}
    kinds = {str(kind): share.part for kind, share in found[judge.uid].kinds.items()}
    assert kinds == {"right": 7, "early": 0, "late": 1, "missed": 0, "false alarm": 2}


def test_retention_and_flawed_processes(world, project):
    found = diagnostics.diagnostics(project)
    (kept,) = found.kept
    assert (kept.retention.part, kept.retention.whole) == (14, 20)
    # right answers are those that MC passes: 6 + 4 + 2, all decided; 4 of them have an error
    assert (found.flawed.part, found.flawed.whole) == (4, 12)


def test_the_audit_speaks_of_what_was_drawn(world, project, lead):
    found = diagnostics.audit(project)
    strata = {(s.label, s.source): (s.waiting, s.audited, s.right) for s in found.strata}
    assert strata == {("none", "gsm8k"): (6, 0, 0), ("error", "gsm8k"): (4, 4, 3)}
    assert (found.whole.labels, found.whole.settled, found.whole.covered) == (20, 10, 4 / 10)
    # of the covered: 4 waiting at 3/4, 10 settled
    assert found.whole.value == pytest.approx((4 * 0.75 + 10) / 14)
    page = lead.get(address("audit", project), {"points": "5"}).content.decode()
    assert "92.9 %" in page
    assert "10.0 %" in page
    # ± 2 points where nothing valid is asked for
    assert "4.0 %" in lead.get(address("audit", project), {"points": "nonsense"}).content.decode()


def test_labels_over_time(world, project, lead):
    mc, _, _ = world
    Verdict.objects.filter(labeler=mc).update(created_at=datetime(2026, 1, 7, tzinfo=UTC))
    rollups.fold_all()
    found = {c.side.uid: c for c in history.history(project).courses}
    (period,) = found[mc.uid].periods
    assert (period.begins, period.verdicts) == ("2026-01-07", 20)
    assert (period.right.part, period.right.whole) == (5, 10)
    rows = rows_of(lead.get(address("history", project), {"format": "csv"}))
    assert ["MC of 8", "2026-01-07", "20", "10", "5"] in rows


def test_many_days_are_shown_by_week(world, project):
    mc, _, _ = world
    for number in range(history.SHOWN + 1):
        f.BoardCountFactory(
            project=project, board="days", n=1,
            key=[str(mc.pk), str(date(2026, 1, 5) + timedelta(days=number)), "unchecked"],
        )  # fmt: skip
    found = history.history(project)
    assert found.weekly
    course = next(c for c in found.courses if c.side.uid == mc.uid)
    # 2026-01-05 is a Monday; the 61 days fill eight weeks and begin the ninth
    weeks = [p for p in course.periods if p.begins < "2026-04"]
    assert [p.verdicts for p in weeks] == [7] * 8 + [5]
    assert weeks[0].begins == "2026-01-05"


def test_annotators_are_modeled(world, project, lead):
    found = agreement.people(project)
    assert found.first_errors.items == 6
    assert found.first_errors.unpaired_items == 4
    assert {row.name for row in found.model} == {"Ada", "Ben", "Cleo"}
    assert "Cleo" in lead.get(address("agreement_people", project)).content.decode()


def test_with_two_annotators_the_page_says_why_there_is_no_model(project, lead):
    page = lead.get(address("agreement_people", project)).content.decode()
    assert "nothing has been compared yet" in page


def test_tables_are_files_too(world, project, lead):
    mc, judge, _ = world
    csvs = {
        name: rows_of(lead.get(address(name, project), {"format": "csv"}))
        for name in ("agreement", "diagnostics", "audit")
    }
    assert ["MC of 8", "'=judge", "20", "14", "0.7"] in [row[:5] for row in csvs["agreement"]]
    assert ["MC of 8", "source", "gsm8k", "5", "10", "0.5"] in [r[:6] for r in csvs["diagnostics"]]
    assert ["error", "gsm8k", "4", "4", "3"] in csvs["audit"]
    pair = rows_of(
        lead.get(address("agreement_pair", project, mc.uid, judge.uid), {"format": "csv"})
    )
    assert pair == [["first error", "none", "1", "2", "3"], ["none", "6", "2", "0", "4"],
                    ["1", "0", "0", "0", "0"], ["2", "0", "0", "8", "0"],
                    ["3", "0", "0", "0", "0"]]  # fmt: skip


def test_every_chart_has_a_file(world, project, lead):
    mc, judge, _ = world
    pair = address("agreement_pair", project, mc.uid, judge.uid)
    distances = rows_of(lead.get(pair, {"format": "csv", "table": "distances"}))
    assert distances == [["steps later", "solutions"], ["0", "8"]]
    # MC and the judge: 6 · 3 + 8 + 8 right alike, 8 wrong alike, 4 and 2 seen by the judge alone;
    # of the 4 its two steps before are right alike
    steps = rows_of(lead.get(pair, {"format": "csv", "table": "steps"}))
    assert steps == [["step", "1", "-1"], ["1", str(6 * 3 + 8 + 4 * 2), "6"], ["-1", "0", "8"]]
    model = rows_of(lead.get(address("agreement_people", project), {"format": "csv"}))
    assert {row[0] for row in model[1:]} == {"Ada", "Ben", "Cleo"}
    group = {"format": "csv", "table": "agreement"}
    rows = rows_of(lead.get(address("agreement_people", project), group))
    assert ["first error", "pairs"] in [row[:2] for row in rows]
    noise = rows_of(lead.get(address("diagnostics", project), {"format": "csv"}))
    assert ["MC of 8", "kind", "missed", "4", "10", "0.4"] in [row[:6] for row in noise]
    flow = rows_of(lead.get(address("overview", project), {"format": "csv"}))
    assert ["adjudicated", "10"] in flow


def test_the_gold_key_is_shown_to_who_manages_only(project):
    f.LabelerFactory(project=project, kind="gold", name="key")
    assert "gold" in {side.kind for side in sides(project, gold=True)}
    assert "gold" not in {side.kind for side in sides(project, gold=False)}


@pytest.mark.parametrize(
    "name", ["agreement", "diagnostics", "audit", "history", "agreement_people"]
)
def test_pages_cost_few_queries(name, world, project, lead, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        assert lead.get(address(name, project)).status_code == 200


@pytest.mark.parametrize(
    "name", ["agreement", "diagnostics", "audit", "history", "agreement_people"]
)
def test_an_empty_project_says_what_to_do(name, project, lead):
    assert lead.get(address(name, project)).status_code == 200
