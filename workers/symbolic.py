"""Compare two mathematical expressions: math-verify's parser and comparison, held to numbers.

Runs only in the grader's children (grading_child.py): it may take any time and memory.

Two expressions are equal when their difference is zero: exactly where it is rational, else to
PLACES digits, with fixed rational numbers for variables. That neither rounds (math-verify compares
decimals to 6 places) nor simplifies. Sets and other relations are left to math-verify.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from latex2sympy2_extended.latex2sympy2 import ConversionConfig, latex2sympy
from math_verify import verify
from sympy import Eq, Expr, Float, I, MatrixBase, MatrixExpr, Rational, Symbol, nan, oo, zoo
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.evalf import PrecisionExhausted
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational, Unequality

PLACES = 400
"""Constants that agree to so many digits are one."""

PRINTED_DIGITS = 12
"""A decimal with so many significant digits may be the print of a root or a multiple of π."""

MIN_POINTS = 3
"""Expressions that agree at so many points, and differ at none, are one."""

_CASED = ConversionConfig(lowercase_symbols=False)  # R and r are two variables
_WHOLE = re.compile(r"[nmkN](?:_.*)?")  # names of whole numbers
_VALUES = tuple(Rational(a, b) for a, b in ((3, 7), (11, 5), (17, 13), (2, 9), (23, 6), (8, 11),
                                            (29, 10), (5, 17), (31, 4), (6, 19)))  # fmt: skip
_TRIALS = ((1, 1), (1, 1), (1, 1), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""The signs that even and odd variables take at each point."""


def equal(gold: str, prediction: str) -> bool:
    """Compare two expressions in LaTeX; what cannot be read equals nothing."""
    first, second = _read(gold), _read(prediction)
    if first is None or second is None:
        return False
    if first == second or _is_print(prediction, first) or _is_print(gold, second):
        return True
    said: bool | None = None
    if isinstance(first, Relational) and isinstance(second, Relational):
        said = _same_relations(first, second) or None
    elif _is_matrix(first) and _is_matrix(second):
        said = _same_matrices(first.doit(), second.doit())
    elif isinstance(first, Expr) and isinstance(second, Expr):
        said = _same_expressions(first, second)
    return bool(verify(first, second, timeout_seconds=None)) if said is None else said


@lru_cache(maxsize=256)
def _read(text: str) -> Any:
    """Parse all of the text, decimals exactly; None where it is not all mathematics."""
    if re.search(r"(?<![\d.^_])\d[\d.]*\s+\d", text):  # the parser would add them
        return None
    try:
        parsed = latex2sympy(
            text, is_real=True, normalization_config=None, conversion_config=_CASED
        )
        exact = {number: Rational(str(number)) for number in parsed.atoms(Float)}
        named = {call: Symbol(str(call), real=True) for call in parsed.atoms(AppliedUndef)}
        unit = {name: I for name in parsed.free_symbols if name.name == "i"}  # not a sum's index
        read = parsed.xreplace(exact | named | unit)
        return None if read.has(nan, zoo) else read
    except Exception:
        return None


def _same_expressions(a: Expr, b: Expr) -> bool | None:
    """Compare at points; None where too few of them say anything."""
    names = sorted(a.free_symbols | b.free_symbols, key=str)
    if not names:
        return _same_constants(a, b)
    if any(bound in names for bound in _indices(a) | _indices(b)):
        return None
    agreed = 0
    for trial in range(len(_TRIALS)):
        point = _point(names, trial)
        said = _same_constants(a.xreplace(point), b.xreplace(point), real=True)
        if said is False:
            return False
        agreed += said is True
    return True if agreed >= MIN_POINTS else None


def _indices(expression: Expr) -> set[Symbol]:
    """Return the names that sums, products and integrals bind."""
    bound = expression.atoms(ExprWithLimits)
    return {name for operation in bound for name in operation.bound_symbols}


def _point(names: list[Symbol], trial: int) -> dict[Symbol, Rational]:
    values = {}
    for index, name in enumerate(names):
        if _WHOLE.fullmatch(name.name):
            values[name] = Rational(5 + 3 * trial + 2 * index)
        else:
            value = _VALUES[(index + 3 * trial) % len(_VALUES)] + index // len(_VALUES)
            values[name] = value * _TRIALS[trial][index % 2]
    return values


def _same_constants(a: Expr, b: Expr, *, real: bool = False) -> bool | None:
    """Compare two constants; None where one is undefined, or not `real` as it should be."""
    a, b = a.doit(), b.doit()
    if a.has(nan, zoo) or b.has(nan, zoo):
        return None
    if a.has(oo) or b.has(oo):
        return bool(a == b)
    difference = a - b
    if difference.is_Rational:
        return bool(difference == 0)
    try:
        value = difference.evalf(10, maxn=PLACES, strict=True)
    except PrecisionExhausted:
        return True
    if not all(part.is_Float or part.is_Rational for part in value.as_real_imag()):
        return None
    if value == 0:
        return True
    return None if real and (_is_imaginary(a) or _is_imaginary(b)) else False


def _is_imaginary(constant: Expr) -> bool:
    return bool(constant.evalf(10, chop=True).as_real_imag()[1] != 0)


def _is_print(text: str, exact: Any) -> bool:
    """Say whether a decimal is the long print, rounded or cut, of an irrational constant."""
    match = re.fullmatch(r"-?(\d*)\.(\d+)", text)
    if match is None or len((match[1] + match[2]).lstrip("0")) < PRINTED_DIGITS:
        return False
    if not isinstance(exact, Expr) or exact.free_symbols or exact.is_Rational:
        return False
    distance = (exact - Rational(text)).evalf(10)
    return bool(distance.is_Float and abs(distance) < Rational(1, 10 ** len(match[2])))


def _same_relations(a: Relational, b: Relational) -> bool:
    """Say whether one relation is a multiple of the other, positive for inequalities."""
    if _kind(a) != _kind(b):
        return False
    try:
        left, right = _side(a), _side(b)
        names = sorted(left.free_symbols | right.free_symbols, key=str)
        ratios = [(left / right).xreplace(_point(names, trial)) for trial in range(len(_TRIALS))]
        finite = [ratio for ratio in ratios if not ratio.doit().has(nan, zoo)]
        is_constant = len(finite) >= MIN_POINTS and all(
            _same_constants(finite[0], ratio) for ratio in finite
        )
        return is_constant and (isinstance(a, Eq | Unequality) or bool(finite[0] > 0))
    except TypeError:  # sides that are sets, tuples, …
        return False


def _kind(relation: Relational) -> str:
    return relation.rel_op.translate(str.maketrans(">", "<"))


def _side(relation: Relational) -> Expr:
    """Return the side of "… = 0" or "… > 0" that says the same."""
    is_less = relation.rel_op in ("<", "<=")
    return relation.rhs - relation.lhs if is_less else relation.lhs - relation.rhs


def _is_matrix(read: Any) -> bool:
    return isinstance(read, MatrixBase | MatrixExpr)


def _same_matrices(a: Any, b: Any) -> bool | None:
    if not (isinstance(a, MatrixBase) and isinstance(b, MatrixBase)):
        return None
    if a.shape != b.shape:
        return False
    answers = [_same_expressions(x, y) for x, y in zip(a.flat(), b.flat(), strict=True)]
    return False if False in answers else None if None in answers else True
