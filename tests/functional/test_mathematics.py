"""Mathematics in a real browser: real texts are typeset, hostile TeX is shown as its source."""

from __future__ import annotations

import time

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from labeling.domain.mathtext import Kind, Segment
from tests.functional.looks import audit
from tests.functional.mathematics import failures_of, pieces_of

MENDED = [
    r"\begin{tabular}{|c|c|} \multicolumn{2}{c}{} \\ \hline 7 days & 40\% \\ \hline \end{tabular}",
    r"\begin{eqnarray*} a &=& b, \\ && \text{and } c. \end{eqnarray*}",
    "\\begin{array}{\nc@{\\hspace{4pt}}c} & 4 \\\\ \\vspace{4pt} 2 & 6 \\end{array}",
    r"\begin{align*} a &= b \end{align*}",
    r"\begin{multline} a \\ b \end{multline}",
    r"a^2\plus{}b^2\equal{}c\minus{}1",
    r"\cancelto{2}{8} \mbox{ feet}",
    r"\boxed{$400}",
    r"\boxed{70%}",
    "x=\frac{1}{3}",
    r"\hline 5 = 5",
    r"\renewcommand{\arraystretch}{1.5} \begin{pmatrix} 1 \\ 2 \end{pmatrix}",
]
HOSTILE = [
    r"\def\a{\a\a}\a",
    r"\def\a#1{#1#1#1#1}" + r"\a{" * 30 + "x" + "}" * 30,
    "{" * 9000 + "x" + "}" * 9000,
    r"\frac{1}{" * 3000 + "x" + "}" * 3000,
    "x^{" * 3000 + "x" + "}" * 3000,
    r"\left(" * 2000 + "x" + r"\right)" * 2000,
    "x+" * 50_000,
    r"\href{javascript:alert(1)}{x}",
    r"\includegraphics{/static/favicon.svg}",
    r"\htmlStyle{position:fixed}{x}",
    r"\frac{1}{2",
]


def test_real_texts_are_typeset_but_for_what_their_authors_broke(browser: Browser, shared_data):
    folder = shared_data / "processbench_like"
    names = ("gsm8k", "math", "olympiadbench", "omnimath")
    counted = pieces_of([folder / f"processbench_{name}.jsonl" for name in names])
    pieces = [piece for piece in counted if len(piece.source) > 60 or "\\begin" in piece.source]
    failed = failures_of(pieces, browser)
    assert len(pieces) > 1000
    # the authors' own mistakes, among them 2^3^{…} and [\mathcal{R}_4}: no reader can mend them
    assert len(failed) <= 3


@pytest.mark.parametrize("source", MENDED)
def test_plain_meaning_that_katex_refuses_is_mended(browser: Browser, source: str):
    assert failures_of([Segment(Kind.DISPLAY, source)], browser) == {}


def test_hostile_tex_is_shown_as_its_source_and_the_page_stays_quick(browser: Browser):
    page = browser.new_page()
    failed = failures_of([Segment(Kind.INLINE, source) for source in HOSTILE], browser)
    page.close()
    # untrusted commands too: KaTeX alone would show their name and drop what they hold
    assert {piece.source for piece in failed} == set(HOSTILE)


def test_a_rule_of_any_size_stays_small(page, project, viewer, dispute, sign_in):
    solution = dispute(project, [r"$\rule{99999em}{99999em}$", "b"])
    sign_in(page, viewer)
    page.goto(reverse("solution", args=[project.uid, solution.uid]))
    page.locator(".katex-rule").first.wait_for(state="attached")
    # maxSize is 20 em
    box = page.locator(".katex-rule").first.bounding_box()
    assert box["height"] < 20 * 30
    assert box["width"] < 20 * 30


def test_thousands_of_formulas_leave_the_page_its_keys(page, project, viewer, dispute, sign_in):
    many = " ".join(rf"$\frac{{{n}}}{{{n + 1}}}$" for n in range(1500))
    solution = dispute(project, [many, "b"])
    sign_in(page, viewer)
    page.goto(reverse("solution", args=[project.uid, solution.uid]))
    expect(page.locator(".math.rendered")).to_have_count(1500)


def test_a_drawing_unfolds_and_code_is_code(page, project, viewer, dispute, sign_in):
    drawing = '[asy]\nlabel("$A$", (0,0));\n[/asy]'
    solution = dispute(project, ["```python\nprice = '$x$'\n```", "b"], problem__statement=drawing)
    sign_in(page, viewer)
    page.goto(reverse("solution", args=[project.uid, solution.uid]))
    folded = page.locator("details.drawing")
    expect(folded).not_to_have_attribute("open", "")
    folded.locator("summary").click()
    expect(folded).to_contain_text('label("$A$"')
    expect(page.locator("pre code").first).to_have_text("price = '$x$'\n")


SHIFTS = """() => new Promise((done) => new PerformanceObserver((list) => done(
  list.getEntries().reduce((sum, entry) => sum + entry.value, 0),
)).observe({ type: "layout-shift", buffered: true }) || setTimeout(() => done(0), 500))"""


def test_nothing_jumps_where_formulas_are_slow_to_come(
    page: Page, project, annotator, dispute, sign_in
):
    dispute(project, [f"$$\\frac{{\\frac{{1}}{{2}}}}{{{n}}}$$ is it." for n in range(2, 9)])
    page.route("**/katex.min.js", lambda route: (time.sleep(0.5), route.continue_()))
    sign_in(page, annotator)
    page.goto(reverse("annotate", args=[project.uid]))
    expect(page.locator(".step.current")).to_be_visible()
    assert page.evaluate(SHIFTS) < 0.02


def test_what_is_too_wide_scrolls_within_the_keyboards_reach(
    page, project, viewer, dispute, sign_in
):
    row = "| " + " | ".join(["1234567890"] * 9) + " |"
    table = "\n".join([row, "|" + "---|" * 9, row, row])
    solution = dispute(project, [table, "$$\\frac{" + "a+" * 90 + "b}{2}$$", "narrow: $$x$$"])
    sign_in(page, viewer)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(reverse("solution", args=[project.uid, solution.uid]))
    wide = page.locator(".prose [tabindex='0']")
    expect(wide).to_have_count(2)
    assert page.locator(".prose table td").first.bounding_box()["height"] < 60  # on one line
    assert audit(page) == []
