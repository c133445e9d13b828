from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.batching import BatchPlan, Example, collate, micro_batches, pack, packs

lengths = st.lists(st.integers(1, 300), min_size=1, max_size=60)


@given(lengths, st.integers(1, 1000))
def test_micro_batches_hold_each_example_once_and_respect_the_limit(
    sizes: list[int], limit: int
) -> None:
    groups = list(micro_batches(sizes, limit))
    assert sorted(index for group in groups for index in group) == list(range(len(sizes)))
    for group in groups:
        width = -(-max(sizes[index] for index in group) // 8) * 8
        assert len(group) == 1 or width * len(group) <= limit
        assert len(group).bit_count() == 1  # a power of two


@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 5))
def test_an_epoch_shows_each_example_once(examples: int, size: int, seed: int) -> None:
    plan = BatchPlan(examples, size, seed)
    for epoch in range(2):
        begin = epoch * plan.per_epoch
        batches = [plan.batch(begin + i) for i in range(plan.per_epoch)]
        assert sorted(index for batch in batches for index in batch) == list(range(examples))


def test_a_step_depends_on_its_number_alone() -> None:
    straight = [BatchPlan(50, 8, 3).batch(i) for i in range(20)]
    jumped = BatchPlan(50, 8, 3)
    assert [jumped.batch(i) for i in reversed(range(20))] == straight[::-1]
    assert straight[:7] != straight[7:14]  # the next epoch has another order
    assert straight != [BatchPlan(50, 8, 4).batch(i) for i in range(20)]


def test_collation_pads_on_the_right_and_points_at_the_labels() -> None:
    batch = collate([Example([5, 6, 7], [0, 2], [1.0, 0.0]), Example([8], [0], [0.5])])
    assert batch.ids.tolist() == [[5, 6, 7, 0, 0, 0, 0, 0], [8, 0, 0, 0, 0, 0, 0, 0]]
    assert batch.ids[batch.rows, batch.columns].tolist() == [5, 7, 8]
    assert torch.equal(batch.targets, torch.tensor([1.0, 0.0, 0.5]))


@given(lengths, st.integers(1, 1000))
def test_packs_hold_each_example_once_and_respect_the_limit(sizes: list[int], limit: int) -> None:
    groups = list(packs(sizes, limit))
    assert sorted(index for group in groups for index in group) == list(range(len(sizes)))
    totals = [sum(sizes[index] for index in group) for group in groups]
    for group, total in zip(groups, totals, strict=True):
        assert len(group) == 1 or total <= limit
    # First fit leaves at most one row under half of the limit.
    assert sum(2 * total <= limit for total in totals) <= 1


def test_a_packed_row_has_no_padding_and_points_at_the_labels() -> None:
    batch = pack([Example([5, 6, 7], [0, 2], [1.0, 0.0]), Example([8, 9], [1], [0.5], [8])])
    assert batch.ids.tolist() == [[5, 6, 7, 8, 9]]
    assert batch.ids[batch.rows, batch.columns].tolist() == [5, 7, 9]
    assert batch.packing is not None
    assert batch.packing.inputs(batch.ids.device)["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch.trials.tolist() == [1, 1, 8]
