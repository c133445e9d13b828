"""Comparisons name what was added and removed, and lose nothing of either version."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.text_changes import Change, changes

LINES = st.lists(st.sampled_from(["a b", "a c", "d", "", "e f g"]), max_size=14)


def test_changed_words_are_marked_within_their_line() -> None:
    removed, added = changes("It is right.", "It is wrong.")
    assert [(p.change, p.text) for p in removed.pieces if p.change != Change.KEPT] == [
        (Change.REMOVED, "right")
    ]
    assert [(p.change, p.text) for p in added.pieces if p.change != Change.KEPT] == [
        (Change.ADDED, "wrong")
    ]


def test_unchanged_lines_far_from_a_change_are_folded() -> None:
    before = [str(n) for n in range(10)]
    found = changes("\n".join(before), "\n".join([*before, "new"]))
    # 10 lines are the same, the last two of them are shown beside the new one
    assert [(line.change, line.count) for line in found] == [
        (Change.FOLDED, 8), (Change.KEPT, 1), (Change.KEPT, 1), (Change.ADDED, 1),
    ]  # fmt: skip


def test_equal_texts_have_no_changes() -> None:
    assert {line.change for line in changes("a\nb", "a\nb")} <= {Change.FOLDED}


@given(LINES, LINES)
def test_both_versions_can_be_read_off_the_changes(old: list[str], new: list[str]) -> None:
    found = changes("\n".join(old), "\n".join(new))
    folded = sum(line.count for line in found if line.change == Change.FOLDED)
    for mine, others, lines in (
        (Change.ADDED, Change.REMOVED, "\n".join(new).splitlines()),
        (Change.REMOVED, Change.ADDED, "\n".join(old).splitlines()),
    ):
        shown = [
            "".join(piece.text for piece in line.pieces)
            for line in found
            if line.change not in (others, Change.FOLDED)
        ]
        assert len(shown) + folded == len(lines)
        changed = [
            "".join(piece.text for piece in line.pieces) for line in found if line.change == mine
        ]
        assert all(text in lines for text in changed)
