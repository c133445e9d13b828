"""Stepwise supervision as TRL's PRMTrainer reads it (≤ 1.13)."""

from __future__ import annotations

from labeling.domain.exports.rows import CUT, Row, Written, labeled, targets


def write(row: Row, soft: bool) -> Written:
    """Write prompt, completions and labels: true or false, or shares where the release is soft."""
    kept = labeled(row)
    labels = targets(row, soft)[:kept]
    made = {
        "prompt": row["prompt"],
        "completions": row["steps"][:kept],
        "labels": labels if soft else [label == 1 for label in labels],
    }
    return Written(made, CUT if kept < len(row["steps"]) else "")
