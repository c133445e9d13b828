"""The arithmetic of the measurements."""

from __future__ import annotations

import pytest

from demo import measure


@pytest.mark.parametrize(
    ("reply", "steps", "found"),
    [
        (" Step 1: ok Step 2: ok Answer: ok", 3, -1),
        (" Step 1: ok Step 2: wrong Answer: wrong", 3, 1),
        (" Step 1: ok Answer: wrong", 2, 1),
        (" Step 1: ok Answer: ok", 3, None),  # a verdict too few
        (" Step 1: wrong Step 2: ok Answer: ok", 2, None),  # one too many
        ("", 1, None),
    ],
)
def test_a_reply_is_read_only_where_it_judges_every_step(
    reply: str, steps: int, found: int | None
) -> None:
    assert measure.read_reply(reply, steps) == found


def test_each_way_to_miss_the_first_error_is_counted_once() -> None:
    #        exact exact late missed early false alarm unreadable unreadable
    found = [-1, 2, 3, -1, 0, 1, None, None]
    true = [-1, 2, 1, 1, 2, -1, 1, -1]
    shares = measure.errors(found, true)
    assert shares == {
        "exact": 2 / 8,
        "late": 1 / 8,
        "missed": 1 / 8,
        "early": 1 / 8,
        "false_alarm": 1 / 8,
        "unreadable": 2 / 8,
    }
