"""Any number of ratings per item, as counts of equal multisets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from labeling.domain.statistics.ratings import Ratings

items = st.lists(st.lists(st.integers(0, 3) | st.none(), max_size=5), max_size=20)


def test_who_said_what_does_not_matter_and_missing_ratings_are_none():
    counted = Ratings.of([(1, 0), (0, 1, None), (None,), (2,), (1, 1, 0)])
    assert counted.profiles == {(0, 1): 2, (0, 1, 1): 1, (2,): 1}
    assert counted.paired == {(0, 1): 2, (0, 1, 1): 1}
    assert (counted.unpaired_items, counted.raters) == (1, {2, 3})
    assert counted.categories == (0, 1)
    assert Ratings({(1, 0): 1, (0, 1): 1}).profiles == {(0, 1): 2}


def test_every_pair_of_ratings_counts_once():
    # (0, 1, 1): pairs 01, 01, 11; (0, 1) twice: 01, 01
    assert Ratings({(0, 1, 1): 1, (0, 1): 2}).pairs().cells == {(0, 1): 4, (1, 1): 1}


def test_items_of_one_number_of_ratings_can_be_chosen():
    assert Ratings({(0, 1, 1): 1, (0, 1): 2}).with_raters(2).profiles == {(0, 1): 2}


def test_the_ratings_of_an_item_weigh_the_same_whatever_their_number():
    # (0, 1, 1): each pair 1/2, so the table with its mirror sums to 3, its number of ratings
    dense = Ratings({(0, 1, 1): 1}).units().table()
    assert dense.tolist() == [[0, 1], [0, 0.5]]
    assert Ratings({(0, 1, 1): 1}).pair_units().table().tolist() == [[0, 2], [0, 1]]


@given(items)
def test_the_table_with_its_mirror_sums_to_the_paired_ratings(rated):
    counted = Ratings.of(rated)
    total = sum(len(profile) * n for profile, n in counted.paired.items())
    assert abs(2 * counted.units().table().sum() - total) < 1e-9
    assert counted == Ratings.of([tuple(reversed(item)) for item in reversed(rated)])
