"""Part a value from its unit: "10 cm", "5 apples", "$18", "90 degrees"."""

from __future__ import annotations

import re

from labeling.domain.answers.words import is_text

_SPELLINGS = {
    "mm": "millimeter millimetre",
    "cm": "centimeter centimetre",
    "m": "meter metre",
    "km": "kilometer kilometre",
    "in": "inch inches",
    "ft": "foot feet",
    "yd": "yard",
    "mi": "mile",
    "mg": "milligram",
    "g": "gram",
    "kg": "kilogram kilo",
    "lb": "lbs pound",
    "oz": "ounce",
    "ml": "mL milliliter millilitre",
    "l": "L liter litre",
    "s": "sec second",
    "min": "minute mins",
    "h": "hr hrs hour",
    "$": "dollar usd USD buck",
    "€": "euro eur EUR",
    "£": "gbp GBP",
    "¢": "cent",
    "": "degree deg unit",
    "rad": "radian",
    "mph": "",
    "kmh": "",
}
_NAMES = {word: unit for unit, words in _SPELLINGS.items() for word in (unit, *words.split())}
_POWERS = {"square": "^2", "sq": "^2", "cubic": "^3"}
_ATTACHED = {name for name in _NAMES if len(name) > 1 and name.islower() and name != "in"}
_WORD = r"(?:\\text\{[^{}]*\}|(?<![\\A-Za-z])[A-Za-z]+|[$€£¥¢])(?:\^\{?-?\d\}?)?"
_UNIT = re.compile(rf" ?/?{_WORD}(?:[ */]?{_WORD})*$")
_CURRENCY = re.compile(r"(?P<minus>-?)(?P<sign>[$€£¥]) ?(?P<value>[\d.\\].*)", re.DOTALL)
MAX_UNIT = 80
"""A longer tail is no unit, in characters."""


def split_unit(text: str) -> tuple[str, str]:
    """Return a normal form's value and its unit in one spelling ("" where it has none)."""
    money = _CURRENCY.fullmatch(text)
    if money is not None:
        return money["minus"] + money["value"], money["sign"]
    match = _UNIT.search(text, max(0, len(text) - MAX_UNIT))
    if match is None or not _is_unit(match[0], text[: match.start()]):
        return text, ""
    return text[: match.start()].strip(), _spelled(match[0])


def same_units(a: str, b: str) -> bool:
    """Say whether two units may stand for one: alike, or with a word in common ("red apples").

    A missing unit was dropped. Nothing is converted: "10 cm" and "0.1 m" differ.
    """
    if not a or not b or a == b:
        return True
    shared = set(re.split(r"[ /]", a)) & set(re.split(r"[ /]", b))
    return bool(shared - set(_NAMES.values())) and "^" not in a + b


def _is_unit(unit: str, value: str) -> bool:
    """Say whether what ends an answer is a unit, not a product's letters or a function's."""
    if not value or is_text(value):
        return False
    if unit[0] in "\\$€£¥¢" or unit.startswith(" \\"):
        return True
    words = re.findall(r"[A-Za-z]+", re.sub(r"\\text", "", unit))
    if unit[0] not in " /":
        return words[0] in _ATTACHED and value[-1].isdigit()
    known = all(_singular(word) in _NAMES | _POWERS or word in _NAMES for word in words)
    if not any(len(word) > 3 for word in words) and not known:
        return False
    return bool(re.search(r"[\d)}π∞%]$" if len("".join(words)) > 1 else r"^-?[\d.,]+$", value))


def _spelled(unit: str) -> str:
    plain = re.sub(r"\\text\{([^{}]*)\}", r" \1", unit)
    plain = re.sub(r" ?/ ?| per ", " / ", re.sub(r"[{}*]", " ", plain))
    names = [_spelled_word(*word.partition("^")[::2]) for word in plain.split()]
    text = " ".join(filter(None, names)).replace(" / ", "/").strip("/ ")
    return re.sub(r"(\^[23]) (\S+)", r"\2\1", text)  # "square cm"


def _spelled_word(word: str, power: str) -> str:
    name = _POWERS.get(word) or _NAMES.get(word) or _NAMES.get(_singular(word), _singular(word))
    return f"{name}^{power}" if power else name


def _singular(word: str) -> str:
    return word.lower().removesuffix("s") if len(word) > 3 else word
