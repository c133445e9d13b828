"""What is said of a run that does not get on, as a truth table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.attention import Facts, Trouble, attention, spoken

RUNNING = Facts(
    queue="mc", failed=False, running=True, left=10, started=600.0, progressed=300.0,
    served=5.0, workers=2, counted=5.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"leases": 3}, None),
        ({"leases": 3, "served": None, "counted": None}, None),  # busy workers may not answer
        ({"running": False}, None),
        ({"left": 0}, None),
        ({"progressed": 20.0}, None),
        ({"progressed": 20.0, "served": 180.0}, None),
        ({"progressed": 20.0, "served": None, "counted": None}, None),
        ({"started": 20.0, "progressed": None, "served": None, "counted": None}, None),
        ({}, Trouble.BUSY),
        ({"unjudged": 10}, Trouble.JUDGE),
        ({"unjudged": 9}, Trouble.BUSY),
        ({"served": 180.0}, Trouble.UNSERVED),
        ({"served": None}, Trouble.UNSERVED),
        ({"served": 180.0, "unjudged": 10}, Trouble.UNSERVED),
        ({"served": 180.0, "counted": 180.0}, Trouble.UNCOUNTED),
        ({"served": None, "counted": None}, Trouble.UNCOUNTED),
        ({"failures": 2, "reason": "refused", "retry_in": 8.0}, Trouble.ENGINE),
        ({"failures": 2, "reason": "refused", "served": 180.0}, Trouble.ENGINE),
        ({"failed": True, "running": False, "reason": "no engine"}, Trouble.FAILED),
    ],
)
def test_the_trouble_is_the_first_that_explains_the_stillness(change, trouble):
    found = attention(replace(RUNNING, **change))
    assert (found.trouble if found else None) is trouble


def said(**change) -> str:
    found = attention(replace(RUNNING, **change))
    assert found is not None
    return f"{found.text} {found.remedy} {found.command}".strip()


def test_an_unserved_queue_is_named_with_the_time_and_the_command():
    words = said(served=185.0)
    assert "No worker has served the queue mc for 3 minutes." in words
    assert words.endswith("celery -A annotator.celery worker --queues mc")


@pytest.mark.parametrize("served", [None, 900.0])
def test_a_queue_not_served_since_the_start_is_said_so(served):
    words = said(served=served, started=120.0)
    assert "No worker has served the queue mc since this run was started 2 minutes ago." in words


def test_without_a_count_nothing_is_claimed_of_the_queue():
    words = said(served=None, counted=None)
    assert "not been counted yet" in words
    assert "not known" in words
    assert "No worker" not in words


def test_a_failing_engine_says_why_and_when_it_is_tried_again():
    words = said(failures=3, reason="connection refused", retry_in=16.2)
    assert "The engine failed 3 times in a row: connection refused" in words
    assert "tried again in 16 seconds" in words
    assert "tried again at once" in said(failures=1, reason="x", retry_in=-2.0)


def test_a_failed_run_says_why_and_what_is_kept():
    words = said(failed=True, running=False, reason="the model does not fit")
    assert words.startswith("Stopped: the model does not fit")
    assert "is kept" in words


def test_only_what_a_person_must_mend_is_severe():
    severe = {"served": 180.0}
    assert attention(replace(RUNNING, **severe)).severe
    assert not attention(replace(RUNNING, failures=1, reason="x")).severe
    assert not attention(RUNNING).severe


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "a moment"), (1, "1 second"), (59.9, "59 seconds"), (60, "1 minute"),
        (7199, "1 hour"), (7200, "2 hours"), (200_000, "2 days"),
    ],
)  # fmt: skip
def test_times_are_spoken_in_their_largest_unit(seconds, words):
    assert spoken(seconds) == words


times = st.none() | st.floats(0, 1e7)


@given(
    st.builds(
        Facts, queue=st.just("mc"), failed=st.booleans(), running=st.booleans(),
        left=st.integers(0, 9), started=st.floats(0, 1e7), progressed=times,
        leases=st.integers(0, 2), reason=st.text(), failures=st.integers(0, 5), retry_in=times,
        served=times,
        workers=st.integers(0, 9), counted=times, unjudged=st.integers(0, 9),
    )
)  # fmt: skip
def test_whatever_is_said_tells_what_to_do(facts):
    found = attention(facts)
    assert found is None or (found.text and found.remedy)
