r"""What counts as the same answer, and what does not: one entry per convention, one pair per line.

A pair is "gold ~ prediction"; pairs are compared both ways, except in ONE_WAY.
"""

from __future__ import annotations

EQUAL = {
    "LaTeX layout and math marks say nothing": r"""
        (1,2) ~ \left( 1, 2 \right)
        \dfrac12 ~ $\frac{1}{2}$
        \tfrac{3}{4} ~ \cfrac34
        \text{odd} ~ odd
        5 ~ \displaystyle 5.
        x^{2} ~ x ^ 2
        \\frac{1}{2} ~ \frac12""",
    "Unicode signs are their LaTeX commands": r"""
        −5 ~ -5
        １２ ~ 12
        ٣٤ ~ 34
        ½ ~ 0.5
        1½ ~ 1.5
        x² ~ x^2
        x₁ ~ x_1
        √12 ~ 2\sqrt{3}
        π/2 ~ \frac{\pi}{2}
        3×10^4 ~ 30000
        x≤3 ~ x\le 3
        α ~ \alpha""",
    "digits are grouped as languages do; a lone point is a decimal point": r"""
        1,234,567 ~ 1234567
        1{,}000 ~ 1000
        32,\!349 ~ 32349
        1.234.567 ~ 1234567
        1.234,56 ~ 1234.56
        1 234,56 ~ 1234.56
        10\,000 ~ 10000
        1'000 ~ 1000
        12,34,567 ~ 1234567
        1,5 ~ 1.5
        1,000, 2,000 ~ 2000, 1000""",
    "numbers are compared exactly, however they are written": r"""
        0.5 ~ 1/2
        1\frac{1}{2} ~ 3/2
        -1\frac12 ~ -1.5
        \frac{1}{-2} ~ -0.5
        1e3 ~ 1000
        2.5e-3 ~ 2.5*10^{-3}
        10^{-7} ~ 0.0000001
        .50 ~ +0.5
        007 ~ 7
        0.1\overline{6} ~ 1/6
        0.(142857) ~ 1/7""",
    "a subscript on digits is their base": r"""
        1011_2 ~ 11
        1011_{2} ~ 13_8
        2A_{16} ~ 42""",
    "a decimal of 12 digits and more is the print of an exact value": r"""
        0.0833333333333333 ~ 1/12
        1.4142135623730951 ~ \sqrt{2}
        2.314814814815 \times 10^{-3} ~ \frac{1}{432}""",
    "a percentage is its hundredth and, the sign dropped, its number": r"""
        50\% ~ 0.5
        50% ~ \frac12
        50 percent ~ 50%
        50% ~ 50""",
    "a unit that one answer lacks was dropped; spellings of one unit agree": r"""
        10\text{ cm} ~ 10
        10cm ~ 10 centimeters
        5 square meters ~ 5\text{ m}^2
        12 km/h ~ 12\text{ km}/\text{h}
        \$18 ~ 18 dollars
        $5 ~ 5.00
        3 red apples ~ 3 apples
        \frac{1}{3}\text{ meters} ~ 1/3
        90^\circ ~ 90 degrees
        \frac{\pi}{2}\text{ radians} ~ \pi/2""",
    "lists of values have no order, tuples have one": r"""
        1, 2, 3 ~ 3, 2, 1
        1 and 2 ~ 2 or 1
        3 \text{ and } 4 ~ 4,3
        19, 46, and 82 ~ 82, 19, 46
        (1,2) ~ 1, 2
        (0;-2;6) ~ (0, -2, 6)
        (1,2),(3,4) ~ (3,4),(1,2)
        \langle 1,2\rangle ~ (1,2)""",
    "sets have neither order nor repetition; a set of one is its element": r"""
        \{1,2,3\} ~ 3, 2, 1
        \{1,1,2\} ~ \{2,1\}
        \{5\} ~ 5
        \emptyset ~ \{\}
        \varnothing ~ \text{no solution}""",
    "plus-minus is a list of two": r"""
        \pm 3 ~ 3, -3
        2\pm\sqrt{3} ~ 2-\sqrt3, 2+\sqrt3
        \{1\pm\sqrt{5},-2\} ~ \{-2, 1+\sqrt5, 1-\sqrt5\}
        x=\frac{1\pm\sqrt5}{2} ~ \frac{1+\sqrt5}{2}, \frac{1-\sqrt5}{2}""",
    "a vector is a column, a row or a tuple; a matrix is a list of its rows": r"""
        \begin{pmatrix}1\\2\end{pmatrix} ~ (1,2)
        [0.5, 1, 2] ~ \begin{matrix}\frac12\\1\\2\end{matrix}
        (1,2,3) ~ [1,2,3]
        \begin{bmatrix}1&2\\3&4\end{bmatrix} ~ \left[\begin{array}{cc}1&2\\3&4\end{array}\right]
        \begin{pmatrix}1&2\\3&4\end{pmatrix} ~ [[1,2],[3,4]]""",
    "intervals, inequalities and unions": r"""
        [0,1) ~ 0 \le x < 1
        (-\infty, 3) ~ x<3
        x > 3 ~ 3<x
        x>3 ~ (3,+\infty)
        x\in[0,1] ~ [0,1]
        ]0,1[ ~ (0,1)
        -x>-1 ~ x<1
        (0,1)\cup(2,3) ~ (2,3)\cup(0,1)
        x<1\text{ or }x>3 ~ (-\infty,1)\cup(3,\infty)
        (-\infty,0)\cup(0,\infty) ~ \mathbb{R}\setminus\{0\}""",
    "a name says nothing of its value; equations are one up to a factor": r"""
        x=5 ~ 5
        f(x)=x^2 ~ x^2
        f(x)=x^2+1 ~ f(t)=t^2+1
        x=2, y=3 ~ y=3, x=2
        x=2, y=3 ~ (2,3)
        x_1=2, x_2=-3 ~ -3, 2
        y=2x+1 ~ 2x-y+1=0
        2x+4y=6 ~ x+2y=3
        V_1:V_2=11:21 ~ 11:21
        \begin{cases}x=1\\y=2\end{cases} ~ x=1, y=2""",
    "what follows an approximation sign is rounded": r"""
        \frac{\sqrt3}{3}\approx0.577 ~ \frac{1}{\sqrt3}
        x = 1/3 \approx 0.333 ~ 1/3""",
    "texts are compared without case and articles; true is yes, false is no": r"""
        \text{Monday} ~ monday
        the midpoint ~ \text{Midpoint}
        yes ~ True
        \text{No} ~ false
        does not exist ~ DNE""",
    "a choice is its letter": r"""
        A ~ (A)
        B ~ \textbf{(B)}
        C ~ C. x = 42
        D ~ Choice D: 7
        A, C ~ C, A""",
    "prose states one answer": r"""
        5 ~ The answer is 5.
        x \leq 5 ~ The solution is $x\le 5$
        10 ~ The smallest \(n\) with \(A_n > 3\) is \(n = 10\)
        7 ~ so \boxed{7}.""",
    "expressions are equal where their difference is zero": r"""
        x + y ~ y + x
        (x-1)(x+1) ~ x^2-1
        \sin^2 x+\cos^2 x ~ 1
        \ln 8 ~ 3\ln 2
        \log_2 8 ~ 3
        e^{i\pi} ~ -1
        (1+i)^2 ~ 2i
        5! ~ 120
        \binom{6}{3} ~ 20
        2^{2021} ~ 2\cdot4^{1010}
        \sqrt{5+2\sqrt6} ~ \sqrt2+\sqrt3
        \frac{n(n+1)}{2} ~ \sum_{k=1}^n k
        \cos(n\pi) ~ (-1)^n
        |x-1| ~ |1-x|
        AB ~ BA""",
}

ONE_WAY = {
    "a prediction may name what it computed; a gold equation asks for an equation": r"""
        5 ~ x+y=5
        \frac{2}{3} ~ P(A)+P(B) = \frac23""",
    "a prediction in prose may hold the only number": r"""
        12 ~ about 12 apples each
        2.74 ~ Soucis : 2,74 $ a..
        18 ~ He earns 18 dollars a day""",
}

DIFFERENT = {
    "units: nothing is converted": r"""
        10 cm ~ 10 m
        10 cm ~ 10 cm^2
        10 cm ~ 0.1 m
        5 apples ~ 5 oranges
        $5 ~ €5
        5 dollars ~ 5 cents
        \$10 ~ 10\%
        90^\circ ~ \frac{\pi}{2}
        20^\circ C ~ 20^\circ F
        5m ~ 5
        2t ~ 2
        2 xyz ~ 2
        \frac{1}{2} m ~ \frac{1}{2}""",
    "brackets: pair, set, closed and half-open interval": r"""
        (1,2) ~ \{1,2\}
        (1,2) ~ [1,2]
        [1,2] ~ [1,2)
        \{1,2\} ~ [1,2]
        (1,2) ~ (2,1)
        (1,234) ~ 1234
        \emptyset ~ \{0\}
        \emptyset ~ 0
        \begin{pmatrix}1&2\\3&4\end{pmatrix} ~ \begin{pmatrix}1&3\\2&4\end{pmatrix}
        \begin{pmatrix}1&2\end{pmatrix} ~ \begin{pmatrix}1\\2\end{pmatrix}
        \begin{pmatrix}1\\2\end{pmatrix} ~ (2,1)
        (3,4) ~ 3+4i
        (0,1)\cup(2,3) ~ (0,1)\cup(2,4)""",
    "rounded decimals": r"""
        0.333 ~ 1/3
        0.3333333 ~ 1/3
        0.33333333333 ~ 1/3
        3.14159265 ~ \pi
        1.41421 ~ \sqrt2
        0.333333333333 ~ 0.3333333333333""",
    "near-equal numbers": r"""
        0.0000001 ~ 0.0000002
        1.0000001 ~ 1
        100000 ~ 100001
        10^{-30} ~ 10^{-31}
        2^{100} ~ 2^{100}+1
        0.28 ~ 28
        50% ~ 5000
        1.234 ~ 1234
        1,234 ~ 1.234
        3 4 ~ 7
        3 4 ~ 34
        2^{10} ~ 210
        1e3 ~ 1e4
        \frac{1}{0} ~ \frac{2}{0}
        \infty ~ -\infty""",
    "bases": r"""
        11_2 ~ 11
        1011_2 ~ 1011_3
        1011_2 ~ 1011""",
    "lists of different length, halves of a plus-minus": r"""
        1, 2 ~ 1, 2, 3
        1, 2 ~ 1, 1, 2
        1,2 ~ 1,20
        10 ~ 10,10
        \sqrt{67} ~ \sqrt{67},-\sqrt{85}
        \pm 3 ~ 3
        \pm 3 ~ -3
        2, 3, 5 ~ 2, 3, 6""",
    "equations and names": r"""
        x=5 ~ y=5
        x=2,y=3 ~ 3,2
        x=2,y=3 ~ x=3,y=2
        x>3 ~ x\ge3
        x>3 ~ x<3
        x<5 ~ y<5
        x>3 ~ 3
        \cos(x)=\frac{42}{59} ~ \sin(x)=\frac{42}{59}""",
    "words and choices": r"""
        A ~ B
        (A) ~ B
        yes ~ no
        True ~ False
        odd ~ even
        stop ~ pots
        CABD ~ ABCD
        \text{Alice} ~ \text{Bob}
        the red car ~ the blue car
        7 ~ seven dwarfs""",
    "hedged prose": r"""
        5 ~ not 5
        5 ~ It is not $5$
        5 ~ 5 or 6
        5 ~ more than 5
        5 ~ at least 5
        5 ~ between 4 and 5""",
    "expressions": r"""
        x ~ X
        R^2 ~ r^2
        f'(x) ~ f(x)
        x' ~ x
        2+3i ~ 2+3j
        2+3i ~ 2-3i
        \sqrt{x^2} ~ x
        1-\frac{1}{\mathrm{e}} ~ 1+\frac{1}{\mathrm{e}}
        4 ~ 4\sqrt2
        5! ~ 24
        n! ~ n
        x_1 ~ x_2
        \frac{a}{b} ~ \frac{b}{a}
        \ln 2 ~ \log_2 2
        \overline{AB} ~ \overline{AC}
        \vec{a} ~ a
        2^{2^{-900}} ~ 1
        12:30 ~ 12.30""",
}

DIFFERENT_ONE_WAY = {
    "a gold equation is not answered by its right side": r"""
        2x+z=1 ~ 1
        x^2=4 ~ 4
        x+y=5 ~ 5""",
}


def pairs(table: dict[str, str]) -> list[tuple[str, str, str]]:
    """Return (convention, gold, prediction) for each line."""
    lines = [(name, line) for name, block in table.items() for line in block.strip().splitlines()]
    return [(name, *map(str.strip, line.split(" ~ "))) for name, line in lines]  # type: ignore[misc]
