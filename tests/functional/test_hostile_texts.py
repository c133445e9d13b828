"""Nothing that a data set, a model or a person wrote executes, on any page that shows it."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from labeling.domain.labels import VerdictState
from labeling.domain.roles import Role
from labeling.services import guidelines, labelers, verdicts
from tests import factories
from tests.functional.every_page import IMPORTED

PAYLOADS = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    '"><svg onload="window.pwned = 1">',
    "'-alert(1)-'",
    "</textarea></title></style><script>alert(1)</script>",
    "<iframe srcdoc='<script>parent.pwned = 1</script>'></iframe>",
    "<details open ontoggle=alert(1)>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<a href='java&#115;cript:alert(1)'>x</a>",
    "<style>@import '//evil.example/x.css'; body { display: none }</style>",
    "<form action=//evil.example><button>x</button></form>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "[x](javascript:alert(1)) ![x](//evil.example/x.png) <javascript:alert(1)>",
    r"$\href{javascript:alert(1)}{x}$ $\url{javascript:alert(1)}$",
    r"$\htmlData{x=1}{y}$ $\htmlStyle{background:url(//evil.example)}{x}$",
    r"$\includegraphics[alt=x]{//evil.example/x.png}$",
    "$</span><img src=x onerror=alert(1)>$ <<</span><script>alert(1)</script>=1>>",
    "[asy]</details><script>alert(1)</script>[/asy]",
    "```</code></pre><script>alert(1)</script>\nx\n```",
    r"\boxed{<img src=x onerror=alert(1)>}",
    "{{ 7 * 7 }} {% load static %} ${7*7}",
    '<div hx-get="//evil.example" hx-trigger="load">x</div>',
    '<div data-confirm="x" data-open="help" autofocus onfocus=alert(1) tabindex=0>x</div>',
    "\ue0000\ue001<b onclick=alert(1)>\u202e",
]
EVERYTHING = "\n".join(PAYLOADS)
# what an attack would leave behind: elements of the payloads, their attributes, foreign addresses
TRACES = """() => ({
  pwned: window.pwned ?? null,
  elements: document.querySelectorAll(
    "main :is(iframe, object, embed, base, meta, style, form[action*=evil], img, svg[onload])"
  ).length,
  handlers: [...document.querySelectorAll("main *")].filter((element) =>
    [...element.attributes].some(
      (a) => /^on|^hx-get$/.test(a.name) && /alert|pwned|evil/.test(a.value)
    )
  ).length,
  links: [...document.querySelectorAll("main a")].filter(
    (a) => /^javascript:/i.test(a.href)
  ).length,
})"""
CLEAN = {"pwned": None, "elements": 0, "handlers": 0, "links": 0}


@pytest.fixture
def watched(context, live_server) -> tuple[Page, list[str]]:
    """A page, and what it did that it should not: dialogs, violations, requests elsewhere."""
    seen: list[str] = []
    page = context.new_page()
    page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    page.on(
        "request",
        lambda request: (
            request.url.startswith((live_server.url, "data:", "blob:")) or seen.append(request.url)
        ),
    )
    page.expose_function("violation", lambda words: seen.append(words))
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', "
        "(e) => window.violation(`${e.violatedDirective}: ${e.sample || e.blockedURI}`))"
    )
    return page, seen


def test_no_text_of_anybody_executes_anywhere(watched, project, owner, annotator, dispute, sign_in):
    page, seen = watched
    solution = dispute(
        project,
        [EVERYTHING, *PAYLOADS],
        problem__statement=EVERYTHING,
        problem__answer="<script>window.pwned = 1</script>",
        problem__source="<img src=x onerror=alert(1)>",
        generator="<script>alert(1)</script>",
        final_answer="<img src=x onerror='window.pwned = 1'>",
    )
    judge = labelers.register(
        by=owner, project=project, kind="judge", name="<script>alert(1)</script>", config={"n": 2}
    )
    critique = verdicts.NewVerdict(
        solution.pk, VerdictState.SCORED, 0, fields={"critique": EVERYTHING}
    )
    verdicts.record(by=owner, labeler=judge, verdicts=[critique])
    person = labelers.person(by=annotator, project=project)
    doubts = verdicts.NewVerdict(
        solution.pk,
        VerdictState.SCORED,
        -1,
        (0,) * len(solution.steps),
        fields={"comments": {"steps": {"0": EVERYTHING}, "solution": EVERYTHING}},
    )
    verdicts.record(by=annotator, labeler=person, verdicts=[doubts])
    guidelines.publish(by=annotator, project=project, text=EVERYTHING, based_on=0)
    guidelines.publish(
        by=annotator, project=project, text=EVERYTHING + "!", based_on=1, change=PAYLOADS[0]
    )
    run = factories.RunFactory(
        labeler=judge, project=project, state="failed", reason=EVERYTHING[:200]
    )
    wording = EVERYTHING.translate({ord("{"): None, ord("}"): None})  # braces name places
    prompt = factories.JudgePromptFactory(
        project=project, name="hostile", text=wording + "\n{problem}\n{solution}\n\\boxed{}"
    )
    notes = {EVERYTHING: {"count": 2, "line": 4}}
    report = IMPORTED | {"errors": [[3, EVERYTHING]], "notes": notes}
    upload = factories.ImportFactory(
        project=project, state="counted", file_name=PAYLOADS[1], report=report
    )
    correction = factories.AnswerCorrectionFactory(
        problem=solution.problem, new=PAYLOADS[1], reason=EVERYTHING
    )
    mc = project.labelers.get(kind="mc")
    factories.RolloutFactory(solution=solution, labeler=mc, step=0, text=EVERYTHING)
    factories.SnapshotFactory(project=project, name=PAYLOADS[0])
    factories.MembershipFactory(
        project=project, role=Role.ANNOTATOR, user__username="<img src=x onerror=alert(1)>"
    )
    dispute(project, [EVERYTHING, "b"], problem__statement=EVERYTHING)
    project.name = PAYLOADS[1]
    project.save()
    sign_in(page, owner)
    uid = [project.uid]
    names = (
        "annotate", "overview", "solutions", "runs", "judges", "data", "guidelines",
        "guidelines_questions", "edit_guidelines", "settings", "imports", "agreement", "quality",
        "adjudication", "adjudication_next", "engines", "new_run", "costs", "gold", "audit",
    )  # fmt: skip
    addresses = [reverse(name, args=uid) for name in names]
    addresses += [
        reverse("home"),
        reverse("solution", args=[*uid, solution.uid]),
        reverse("completions", args=[*uid, solution.uid]) + f"?labeler={mc.uid}&step=0",
        reverse("correction", args=[*uid, correction.uid]),
        reverse("judge", args=[*uid, f"{prompt.name}-v1"]),
        reverse("import", args=[*uid, upload.uid]),
        reverse("run", args=[*uid, run.uid]),
        reverse("guidelines_version", args=[*uid, 2]),
        reverse("annotate", args=uid),  # first what is to be read, then the item
    ]
    found = {}
    for address in addresses:
        assert page.goto(address).status == 200
        confirm = page.get_by_role("button", name="I have read this")
        page.wait_for_timeout(200)
        found[address] = page.evaluate(TRACES)
        if confirm.count():
            confirm.click()
            page.wait_for_load_state()
            found[address + " then"] = page.evaluate(TRACES)
    assert {address: said for address, said in found.items() if said != CLEAN} == {}
    assert seen == []


def test_the_policy_stops_what_would_slip_through(watched, project, viewer, sign_in, troubles):
    page, seen = watched
    sign_in(page, viewer)
    page.goto(reverse("guidelines", args=[project.uid]))
    page.evaluate(
        """() => {
          const put = (name, fields) => {
            const made = Object.assign(document.createElement(name), fields);
            document.body.append(made);
          };
          put("script", { textContent: "window.pwned = 1" });
          put("style", { textContent: "body { display: none }" });
          put("div", { innerHTML: "<img src='//evil.example/x.png' onerror='window.pwned = 1'>" });
          put("iframe", { srcdoc: "<script>parent.pwned = 1</script>" });
        }"""
    )
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned ?? null") is None
    assert page.locator("body").is_visible()
    said = " ".join(seen)
    for directive in ("script-src", "style-src", "img-src"):
        assert directive in said
    assert any("Content Security Policy" in trouble for trouble in troubles)
    troubles.clear()
