"""The wordings that judges are asked with. A changed wording is a new name in judging.py."""

# The protocol (tags, 1-based numbers, stop at the first error, no reference answer) is that of
# arXiv 2501.07301, Appendix C; the words are ours.
PAPER_V1 = """\
Below are a math problem and a solution to it, cut into numbered paragraphs.

[Math Problem]

<math_problem>
{problem}
</math_problem>

[Solution]

{solution}

Act as a careful examiner of this solution and work through it paragraph by paragraph, in order.

For each paragraph:
- write your examination between the tags <analysis_k> and </analysis_k>, where k is the number
  of the paragraph;
- verify what it claims: redo each calculation, test each deduction against the problem and the
  paragraphs before it, and reflect on whether your own check is sound;
- if it holds an error, say what kind of error it is, what caused it and how to correct it.

Stop at the first paragraph that holds an error: do not examine any paragraph after it.

End with your verdict between the tags <conclusion> and </conclusion>: the single word Correct if
every paragraph holds, the single word Incorrect if you stopped at an error.

For example, if a solution has five paragraphs and the third holds the first error, answer in this
form:

<analysis_1>
(examination of paragraph 1)
</analysis_1>

<analysis_2>
(examination of paragraph 2)
</analysis_2>

<analysis_3>
(examination of paragraph 3, with the error, its cause and a correction)
</analysis_3>

<conclusion>
Incorrect
</conclusion>
"""

# The protocol (tags, 0-based numbers, -1 for none, boxed reply) is that of ProcessBench's critic
# (QwenLM/ProcessBench, code/templates/critique_template.txt); the words are ours.
PROCESSBENCH_V1 = """\
Below are a math problem and a solution to it, cut into paragraphs that are numbered from 0.

[Math Problem]

<math_problem>
{problem}
</math_problem>

[Solution]

{solution}

Examine the solution paragraph by paragraph and find the earliest paragraph that holds an error.
Reply with the number of that paragraph, or with -1 if no paragraph holds an error ("not found").

Put that number, and nothing else, in \\boxed{}.
"""

# What the demo checkpoint was taught to continue: the prompt "plain-v1" of all steps, then a mark.
CHECK_V1 = "Problem: {problem}\n\n{solution}Check:"
