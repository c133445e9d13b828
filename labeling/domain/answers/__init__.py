"""Final answers: find what a solution states, and say whether two answers are equal.

One file per question: where the answer stands (stated), which signs are one (notation), how it is
put together (shapes), and what makes two equal (equality: numbers, words, units, pieces). What
plain rules cannot say is computed by workers.grading; magnitude tells what not even that should.
"""

from labeling.domain.answers.equality import Ask, equal, undecided
from labeling.domain.answers.stated import MAX_ANSWER, final_answer, last_boxed

__all__ = ["MAX_ANSWER", "Ask", "equal", "final_answer", "last_boxed", "undecided"]
