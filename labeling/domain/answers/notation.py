r"""Bring answers into one notation: LaTeX layout, spellings of one sign, outer marks say nothing.

The normal form writes signs in Unicode (π, ≤, ∪, ±, and ⦃ ⦄ for \{ \}), so that one sign is one
character; `latex` writes it back for a LaTeX reader. What an answer means is not known here.
"""

from __future__ import annotations

import re
import unicodedata

from labeling.domain.answers.stated import MAX_ANSWER

_NAMES = {
    "π": "pi",
    "∞": "infty",
    "≤": "le leq leqslant",
    "≥": "ge geq geqslant",
    "≠": "ne neq",
    "≈": "approx thickapprox simeq",
    "∈": "in",
    "∪": "cup",
    "∩": "cap",
    "∅": "emptyset varnothing",
    "±": "pm",
    "∓": "mp",
    "÷": "div",
    "⟨": "langle",
    "⟩": "rangle",
    "⦃": "lbrace",
    "⦄": "rbrace",
    "∠": "angle",
    "*": "cdot times ast",
    "|": "vert lvert rvert mid",
    "'": "prime",
}
_SIGNS = {name: sign for sign, names in _NAMES.items() for name in names.split()}
_LATEX = str.maketrans(
    {sign: f"\\{names.split()[0]} " for sign, names in _NAMES.items() if not sign.isascii()}
    | {"⦃": r"\{", "⦄": r"\}"}
)
_UNICODE = str.maketrans(
    {
        "−": "-", "–": "-", "‐": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "∗": "*",
        "⩽": "≤", "⩾": "≥", "≦": "≤", "≧": "≥", "′": "'", "’": "'", "∣": "|", "，": ",",
        "〈": "⟨", "〉": "⟩", "⁄": "/", "√": r"\sqrt ", "∛": r"\sqrt[3] ", "∑": r"\sum ",
        "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}",
        "ℂ": r"\mathbb{C}", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ",
    }
)  # fmt: skip


def normalize(answer: str) -> str:
    """Return the answer without LaTeX layout and outer marks, each sign in one spelling.

    Two answers with one normal form are equal; the reverse does not hold.
    """
    text = answer.strip()[:MAX_ANSWER].replace("{,}", ",")
    if not text.isascii():
        text = _plain(text)
    text = _unmarked(_stated(_single_escapes(text)))
    if "\\" in text:
        text = _rewritten(text, _LATEX_REWRITES)
        text = _COMMAND.sub(lambda match: _SIGNS.get(match[1], match[0]), text)
    if _THOUSANDS.search(text):
        text = _SPACED_COMMA.sub(";", text)
    return _rewritten(text, _REWRITES).lstrip(' ,;:"').rstrip(' .,;:"\\')


def latex(normal: str) -> str:
    """Write a normal form for a LaTeX reader."""
    text = re.sub(r"'+", "_{prime}", normal)
    return text.translate(_LATEX)


_COMMAND = re.compile(r"\\([A-Za-z]+)\s*")
_TEXT = r"text|textbf|textit|textrm|textnormal|mathrm|mathbf|mathit|mathsf|mbox|boldsymbol"
_SPACED_COMMA = re.compile(r",(?:\\text\{ ?\})? +")
# "1,234" beside ", ": a comma with a space separates, one without groups digits
_THOUSANDS = re.compile(r"\d,\s*\d{3}(?!\d)")
_Rewrites = tuple[tuple[re.Pattern[str], str], ...]


def _rules(*rules: tuple[str, str]) -> _Rewrites:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rules)


_LATEX_REWRITES = _rules(
    (r",\\!\s*", ","),
    (r"\\!", ""),
    (r"\\(?:left|right)(?![A-Za-z])\s*\.?", ""),
    (r"(?<!\\)\\(?:[,;: ]|q?quad(?![A-Za-z]))", " "),
    (r"\\(?:displaystyle|textstyle|no?limits|[bB]igg?[lrm]?|rm|bf|hline)(?![A-Za-z])", ""),
    (rf"\\(?:{_TEXT})\s*\{{", r"\\text{"),
    (r"\\text\{\s*([eid])\s*\}", r"\1"),
    (r"(?<![\d)}])(?<![\d)}] )\\text\{([A-Za-z])\s*\}|^\\text\{\s*([A-Za-z])\s*\}$", r"\1\2"),
    (r",?\s*\\text\{\s*,?\s*(?:and|or)\s*\}", ", "),
    (r"\\text\{([^{}A-Za-z]*|\s*\([A-Za-z]\)\s*)\}", r"\1"),
    (r"\\text\{\s*(?:percent|pct)\s*\}", "%"),
    (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
    (r"\\frac\s*([0-9A-Za-z])", r"\\frac{\1}"),
    (r"(\\frac\s*\{[^{}]*\})\s*([0-9A-Za-z])", r"\1{\2}"),
    (r"\\sqrt\s*([0-9A-Za-z])", r"\\sqrt{\1}"),
    (r"\\[dt]binom", r"\\binom"),
    (r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))|\\degree(?![A-Za-z])", "°"),
    (r"\^\s*(?:\{\s*\\prime\s*\}|\\prime(?![A-Za-z]))", "'"),
    (r"(?<!\\)\\\{", "⦃"),
    (r"(?<!\\)\\\}", "⦄"),
    (r"(?<!\\)\\([%$&#_€£])", r"\1"),
    (r"\\p?mod\s*\{?(\w+)\}?", r"\\pmod{\1}"),
    (r" +(?=\\(?!text))", ""),
    (r"(\\[A-Za-z]+) +(?![A-Za-z])", r"\1"),
    (r"^\\f?box(?:ed)?\s*\{", ""),  # one that closes was opened before
)
_REWRITES = _rules(
    (r"[~\s]+", " "),
    (r"° ?(?=[CF]\b)", r"\\text{deg}"),
    (r"°", ""),
    (r"(?i)(?<=\d) ?(?:percent(?:age)?|pct)\b", "%"),
    (r"<=|=<", "≤"),
    (r">=|=>", "≥"),
    (r"!=", "≠"),
    (r"\*\*", "^"),
    (r"(?<![A-Za-z\\])\\?sqrt ?\(([^()]*)\)", r"\\sqrt{\1}"),
    (r"(?<![A-Za-z\\])infinity(?![A-Za-z])", "∞"),
    (r"(?<![A-Za-z\\])pi(?![A-Za-z])", "π"),
    (r"(?<=\d)[eE]([+-]?\d+)(?!\w)", r"*10^{\1}"),
    (r"\*10\^\{\+?(-?)0*(\d+)\}", r"*10^{\1\2}"),
    (r"([\^_])\{(\w)\}(?!\w)", r"\1\2"),
    (r",? ?(?<![A-Za-z])(?:and|or) ?(?![a-z])", ","),
    (r" ?([-+*/=^,;()\[\]<>|≤≥≠≈∈∪∩±∓⦃⦄⟨⟩&]) ?", r"\1"),
    (r" %", "%"),
    (r"(?:^|(?<=[(\[,;=<>≤≥⦃]))\+", ""),
)


def _rewritten(text: str, rules: _Rewrites) -> str:
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


_MATH = re.compile(
    r"(?<!\\)\$\$(?P<a>.+?)(?<!\\)\$\$|(?<!\\)\$(?P<b>.+?)(?<!\\)\$"
    r"|\\\((?P<c>.+?)\\\)|\\\[(?P<d>.+?)\\\]",
    re.DOTALL,
)
_PROSE = re.compile(r"(?i)(?!.*\b(?:not|never|except)\b)[a-z',: ]*[a-z]{3}[a-z',: ]*")
_STATEMENT = re.compile(
    r"[A-Za-z]{2,} .*\b(?:is|are|equals):?\s*(?=\$|\\[(\[]|[-\d])(?P<stated>.+)", re.DOTALL
)


def _stated(text: str) -> str:
    """Drop prose before what it states: "The solution is $x=1$", "The sum of the 2 is 5"."""
    spans = list(_MATH.finditer(text))
    if len(spans) == 1 and _PROSE.fullmatch(text, 0, spans[0].start()):
        return text[spans[0].start() :]
    statement = _STATEMENT.fullmatch(text)
    return statement["stated"] if statement else text


def _unmarked(text: str) -> str:
    """Drop math marks."""
    return _MATH.sub(lambda match: match["a"] or match["b"] or match["c"] or match["d"], text)


def _single_escapes(text: str) -> str:
    r"""Undo a second escaping: "\\frac" where no single backslash stands anywhere."""
    runs = re.findall(r"\\+", text)
    twice = all(len(run) % 2 == 0 for run in runs) and re.search(r"\\\\[A-Za-z]{2}", text)
    return text.replace("\\\\", "\\") if twice else text


def _plain(text: str) -> str:
    """Write Unicode's digits, superscripts, fractions and styled letters as LaTeX does."""
    text = re.sub(r"√\s*(\d+)", r"\\sqrt{\1}", text).translate(_UNICODE)
    text = "".join(char if char.isascii() else _plain_letter(char) for char in text)
    return re.sub(r"(?<=\w)\}[\^_]\{(?=\w)", "", text)


def _plain_letter(char: str) -> str:
    if char in _NAMES:
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    name = unicodedata.name(char, "").removeprefix("GREEK SMALL LETTER ")
    if len(char) == 1 and "α" <= char <= "ω" and " " not in name:
        return f"\\{name.lower().replace('lamda', 'lambda')} "
    plain = unicodedata.normalize("NFKC", char).translate(_UNICODE)
    kind = unicodedata.decomposition(char).partition(">")[0]
    if kind == "<fraction" and not plain.endswith("/"):
        return "\\frac{{{}}}{{{}}}".format(*plain.split("/"))
    return {"<super": f"^{{{plain}}}", "<sub": f"_{{{plain}}}"}.get(kind, plain)
