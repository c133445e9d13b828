"""Chats with a mark at each step's end, as Qwen's PRMs read them (their model cards)."""

from __future__ import annotations

from labeling.domain.exports.rows import NotCarried, Row, Written, targets
from labeling.domain.formats.chats import MARK
from labeling.domain.phrases import marked

SYSTEM = r"Please reason step by step, and put your final answer within \boxed{}."
MARKED = marked("the text holds the format's mark of a step's end")


def write(row: Row, soft: bool) -> Written:
    """Write the chat, and beside it one label per mark; null where there is no loss."""
    if any(MARK in text for text in (row["prompt"], *row["steps"])):
        raise NotCarried(MARKED)
    made = {
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": row["prompt"]},
            {"role": "assistant", "content": "".join(step + MARK for step in row["steps"])},
        ],
        "labels": targets(row, soft),
        "first_error": row["first_error"],
        "final_answer_correct": row["final_answer_correct"],
        "id": row["id"],
    }
    return Written(made)
