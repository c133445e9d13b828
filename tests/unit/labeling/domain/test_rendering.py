"""Rendered texts show what was written and carry nothing that executes."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labeling.domain.mathtext import Kind, segments
from labeling.domain.rendering import document, line, prose

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "<a href='javascript:alert(1)'>x</a>",
    "![x](x onerror=alert(1))",
    r"$\href{javascript:alert(1)}{x}$",
    r"$\htmlClass{x onmouseover=alert(1)}{y}$",
    "$</span><script>alert(1)</script>$",
    "<<</span><script>alert(1)</script>=1>>",
    '`</code><svg onload="alert(1)">`',
    "<iframe src=//evil.example></iframe>",
    "|a|\n|-|\n|<script>x</script>|",
    "[asy]</details><script>alert(1)</script>[/asy]",
    r"\boxed{<img src=x onerror=alert(1)>}",
    "```<script>alert(1)</script>\nx\n```",
    "| a |\n| - |\n| b | <script>alert(1)</script> |",
    "\ue0000\ue001<b onclick=alert(1)>",
]
TAG = re.compile(r"<\s*/?\s*([a-zA-Z0-9]+)([^>]*)>")
SAFE = {
    *("p", "br", "strong", "em", "code", "pre", "span", "a", "ul", "ol", "li", "hr", "blockquote"),
    *("details", "summary"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}


def assert_harmless(html: str) -> None:
    for name, attributes in TAG.findall(html):
        assert name in SAFE
        for attribute in re.findall(r'([a-zA-Z-]+)="', attributes):
            assert attribute in {"class", "data-display", "title", "href", "rel", "target"}
        assert "javascript:" not in attributes


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("render", [prose, document, line])
def test_hostile_text_comes_out_harmless(render, text: str) -> None:
    assert_harmless(render(text))


@given(st.text(alphabet="<>/\"'=abon $\\[](){}*_#`|-\n\ue000\ue0011:", max_size=120))
def test_any_text_comes_out_harmless(text: str) -> None:
    assert_harmless(prose(text))
    assert_harmless(document(text))
    assert_harmless(line(text))


def letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


@given(st.text(alphabet="ab1|-`#*_$\\[]{}()<>&;~!\"' \n\t", max_size=120))
@example("| a |\n| - |\n| b | lost |")
@example("```python\nx = 1\n```")
@example("[a]: b1\n\n[a]")
@example("&amp; ![a](b1)")
def test_no_letter_of_a_text_is_lost_or_moved(text: str) -> None:
    # delimiters are signs, but those of an environment are kept with it: it is one piece
    written = "".join(s.source for s in segments(text))
    assert letters(written) == letters(text)
    assert letters(unescape(TAG.sub("", prose(text)))) == letters(text)


@given(
    st.lists(st.sampled_from([*HOSTILE, "$x$", "| a |\n| - |\n", "```", "`", "\n\n"]), max_size=6)
)
def test_hostile_texts_together_come_out_harmless(parts: list[str]) -> None:
    for render in (prose, document, line):
        assert_harmless(render("".join(parts)))


def test_code_is_shown_with_its_language_and_without_mathematics() -> None:
    html = prose("```python\nprice = '$x$'\n```")
    assert html == "<p><code>python</code></p>\n<pre><code>price = '$x$'\n</code></pre>\n"


def test_a_drawing_is_folded_as_its_source() -> None:
    html = prose('See\n[asy]\nlabel("$A$");\n[/asy]')
    assert '<details class="drawing"><summary>[asy]</summary>\nlabel(&quot;$A$&quot;);' in html
    assert [s.kind for s in segments("[asy] x [/asy]")] == [Kind.DRAWING]


def test_numbered_and_dashed_lines_stay_as_they_were_written() -> None:
    assert prose("3. third\n5. fifth\n\n- a\n- b") == (
        "<p>3. third<br>\n5. fifth</p>\n<p>- a<br>\n- b</p>\n"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2*3*4 = 24 and a*b*c", "2*3*4 = 24 and a*b*c"),
        ("2**3 = 8 and 4**2 = 16", "2**3 = 8 and 4**2 = 16"),
        ("24.", "24."),
        ("1. first\n3. third", "1. first<br>\n3. third"),
        ("x_1 and _y_", "x_1 and _y_"),
        ("[1/2](3)", "[1/2](3)"),
        ("# of apples", "# of apples"),
        ("- 5 + 3", "- 5 + 3"),
        (r"\foo{1}{2} \{", r"\foo{1}{2} \{"),
        ("> 5", "&gt; 5"),
        ("a & b &lt; c", "a &amp; b &amp;lt; c"),
        ("**Step 1**: go", "<strong>Step 1</strong>: go"),
    ],
)
def test_prose_shows_what_was_written(text: str, shown: str) -> None:
    assert prose(text) == f"<p>{shown}</p>\n"


def test_mathematics_is_protected_from_markdown() -> None:
    html = prose(r"$a_1*b_2*c < d$")
    assert html == '<p><span class="math" data-display="false">a_1*b_2*c &lt; d</span></p>\n'


def test_display_mathematics_loses_the_breaks_around_it() -> None:
    html = prose("so\n\\[x\\]\nholds")
    assert html == '<p>so<span class="math" data-display="true">x</span>\nholds</p>\n'


def test_calculator_marks_are_shown_apart() -> None:
    assert '<span class="mark" title="calculator mark in the source">2+2=4</span>4' in prose(
        "<<2+2=4>>4"
    )


def test_document_is_full_markdown_with_safe_links() -> None:
    html = document("# Title\n\n- [site](https://example.org)")
    assert "<h1>Title</h1>" in html
    assert 'href="https://example.org" target="_blank" rel="noopener noreferrer nofollow"' in html


def test_line_cuts_at_a_word_and_keeps_mathematics_whole() -> None:
    assert line("alpha beta gamma", limit=12) == "alpha beta …"
    # 9 characters of TeX do not fit into the 3 that are left (even with a third of 9 more)
    assert line(r"let a be $\frac{1}{2}$", limit=9) == "let a be …"
