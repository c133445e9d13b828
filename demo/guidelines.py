"""What the sample project tells its annotators, in Markdown."""

GUIDELINES = """\
# What is a right step?

All arithmetic here is **modulo 10**: only the last digit of a result counts, so `9 + 4 = 3` and
`7 * 5 = 5` are right. A chain is worked off **from left to right**; multiplication does *not* come
first. `9 + 4 * 5?` means: 9 plus 4, then that result times 5.

Judge each line only by the problem and the line before it:

- A **step** is right if it carries its own number, starts from the value that the line before ends
  with (the first step: from the first number of the problem), does the next operation of the
  problem, and its result is right modulo 10.
- A step that goes on *correctly* from a wrong value is right: the mistake was made earlier.
- A step that quietly goes back to the correct value is wrong: its line before says something else.
- The **Answer** line is right if every operation has been done and it repeats the value of the last
  step, even if that value is wrong. It is wrong if it says another value, or if it comes too early.
- A line that cannot be read as a step, a repeated or a left-out step, and everything after the
  Answer line are wrong. Nothing follows from an unreadable line, so the line after it is wrong too.

The **first wrong line** is what counts. If no line is wrong, say so, even where the solution
breaks off before its Answer: what is missing is no wrong line.

| Problem `9 + 4 * 5?` | |
| --- | --- |
| `Step 1: 9 + 4 = 4` | wrong: 9 + 4 ends in 3. The first wrong line. |
| `Step 2: 4 * 5 = 0` | right: it follows from the line before |
| `Answer: 0` | right: it repeats the last value, although the answer of the problem is 5 |
"""
