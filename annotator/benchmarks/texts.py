"""Made-up mathematics with the sizes of the real: steps of 40 to 2,000 characters, with LaTeX."""

from __future__ import annotations

from random import Random

_SENTENCES = (
    "We substitute $x = {a}$ into $f(x) = {b}x^2 - {c}x + {d}$ and simplify.",
    "Since ${a} \\equiv {b} \\pmod{{{c}}}$, the remainder of the product is the same as before.",
    "This gives \\[ \\frac{{{a}}}{{{b}}} + \\frac{{{c}}}{{{d}}} = \\frac{{{a} \\cdot {d} + {c} "
    "\\cdot {b}}}{{{b} \\cdot {d}}}. \\]",
    "Each of the {a} boxes holds {b} pencils, so there are ${a} \\times {b}$ pencils in all.",
    "By the Pythagorean theorem, $\\sqrt{{{a}^2 + {b}^2}}$ is the length of the hypotenuse.",
    "Adding {a} to both sides and dividing by {b}, we find $x = {c}$.",
    "There are $\\binom{{{a}}}{{{b}}}$ ways to choose them, and {c}! ways to arrange the rest.",
    "**Note** that the case $n = {a}$ has to be looked at by itself, as ${b} - {a}$ may be zero.",
    "The slope of the line through $({a}, {b})$ and $({c}, {d})$ decides which side is longer.",
    "Therefore the total cost is \\${a} + \\${b} = \\${c}, before the discount of {d} %.",
)
_QUESTION = "Find all values of $x$ with ${a}x^2 + {b}x \\le {c}$ such that {d} divides $x$."


class Texts:
    """A stock of statements and steps, the same for the same seed."""

    def __init__(self, seed: int, stock: int = 3000) -> None:
        self._random = Random(seed)  # noqa: S311 - made-up data
        self.steps = [self._step() for _ in range(stock)]

    def statement(self, number: int) -> str:
        """Return a problem's text; numbers make texts different."""
        return f"{self._filled(_QUESTION)} {self._step()} (Problem {number}.)"

    def step_count(self) -> int:
        """Return a number of steps: median 7, one in a thousand above 40, at most 110."""
        return min(110, max(1, round(self._random.lognormvariate(1.95, 0.6))))

    def solution(self) -> list[str]:
        """Return the steps of a solution."""
        return self._random.choices(self.steps, k=self.step_count())

    def critique(self, first_error: int) -> str:
        """Return a judge's words."""
        where = "No paragraph" if first_error < 0 else f"Paragraph {first_error}"
        return f"{where} is wrong. {self._step()} {self._step()}"

    def _step(self) -> str:
        count = min(12, max(1, round(self._random.lognormvariate(0.8, 0.6))))
        return " ".join(map(self._filled, self._random.choices(_SENTENCES, k=count)))

    def _filled(self, sentence: str) -> str:
        draw = self._random.randint
        return sentence.format(a=draw(2, 99), b=draw(2, 99), c=draw(2, 99), d=draw(2, 99))
