"""What people read is translated, all of it, and what is translated is read by somebody."""

from __future__ import annotations

import ast
import gettext
import io
import re
from collections import Counter
from pathlib import Path

import pytest
from django.utils.functional import Promise

from annotator.catalogs import files
from annotator.catalogs.extraction import PAGES, ROOT, SCRIPTS, _of_file, messages_of
from annotator.catalogs.refusals import refusals
from tests.laws import script_words
from tests.laws.visible_text import unmarked

SAME_EVERYWHERE = {"· annotator", "annotator", "CSV", "OpenAPI", "true,false"}
"""Names of this program and of formats, values of attributes."""

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPT_FILES = sorted((ROOT / "static" / "js").rglob("*.js"))
CODE = sorted(p for f in ("labeling", "annotator") for p in (ROOT / f).rglob("*.py"))
CATALOGS = [(locale, domain) for locale in files.LOCALES for domain in (PAGES, SCRIPTS)]
PLACES = re.compile(
    r"%\(\w+\)s|%%|\{\w+(?:![rs])?(?::[^{}]*)?\}|</?\w+|href=\"[^\"]*\"|\bclass=\"[^\"]*\""
)
MARKERS = {"gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "_", "marked", "Phrase"}


@pytest.fixture(scope="module")
def found() -> dict[str, set]:
    return {domain: {key(m) for m in messages_of(domain) if m.id} for domain in (PAGES, SCRIPTS)}


def key(message) -> tuple:
    return (message.context, message.id if isinstance(message.id, str) else tuple(message.id))


def forms_of(message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


@pytest.mark.parametrize("path", [pytest.param(p, id=p.name) for p in TEMPLATES])
def test_every_template_asks_the_catalog_for_its_words(path: Path):
    assert unmarked(path.read_text("utf-8"), SAME_EVERYWHERE) == []


@pytest.mark.parametrize(
    ("template", "seen"),
    [
        ("<p>Hello there</p>", ["Hello there"]),
        ("<p>{{ n }} steps</p>", ["steps"]),
        ("{% if a %}yes{% else %}no{% endif %}", ["yes", "no"]),
        ('<a title="Go {{ where }}">→</a>', ["Go"]),
        ('<button data-confirm="Sure?">✓</button>', ["Sure?"]),
        ('{% include "a.html" with label="Progress" %}', ["Progress"]),
        ('{{ name|default:"nobody" }}', ["nobody"]),
        ("<p>{% translate 'Hello' %} · {{ n }} ✓ <code>make demo</code></p>", []),
        ("{% blocktranslate with n=1 %}{{ n }} steps{% endblocktranslate %}", []),
        ('<p class="quiet" data-steps="3">—</p>{# why #}', []),
    ],
)
def test_words_outside_of_the_catalog_are_seen(template, seen):
    assert unmarked(template, SAME_EVERYWHERE) == seen


def test_a_plural_made_by_a_filter_is_seen():
    assert unmarked("{{ n }}{{ n|pluralize }}", SAME_EVERYWHERE) != []


@pytest.mark.parametrize(("locale", "domain"), CATALOGS)
def test_the_catalog_holds_what_the_code_says_and_nothing_else(locale, domain, found):
    catalog = files.read(locale, domain)
    assert {key(m) for m in catalog if m.id} == found[domain], "run `make messages`"
    assert not catalog.obsolete


@pytest.mark.parametrize(("locale", "domain"), CATALOGS)
def test_every_message_has_a_sure_translation(locale, domain):
    assert files.untranslated(files.read(locale, domain)) == []


@pytest.mark.parametrize(("locale", "domain"), CATALOGS)
def test_translations_keep_places_and_markup(locale, domain):
    for message in files.read(locale, domain):
        if not message.id:
            continue
        # of a singular and a plural, the plural says all: "one more" names no number
        wanted = message.id if isinstance(message.id, str) else message.id[-1]
        for translated in forms_of(message):
            assert Counter(PLACES.findall(translated)) == Counter(PLACES.findall(wanted)), wanted


@pytest.mark.parametrize(("locale", "domain"), CATALOGS)
def test_the_compiled_file_is_that_of_the_catalog(locale, domain):
    path = files.path_of(locale, domain).with_suffix(".mo")
    kept = gettext.GNUTranslations(io.BytesIO(path.read_bytes()))
    fresh = gettext.GNUTranslations(io.BytesIO(files.compiled(files.read(locale, domain))))
    assert without_header(kept) == without_header(fresh), "run `make messages`"


def without_header(catalog: gettext.GNUTranslations) -> dict:
    return {said: word for said, word in catalog._catalog.items() if said != ""}


@pytest.mark.parametrize("path", [pytest.param(p, id=str(p.relative_to(ROOT))) for p in CODE])
def test_a_message_is_written_out_with_its_values_beside_it(path: Path):
    """An f-string is filled before a catalog could be asked for it."""
    filled = [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(message_in(node), ast.JoinedStr | ast.BinOp)
    ]
    assert filled == []


@pytest.mark.parametrize("path", [pytest.param(p, id=p.name) for p in SCRIPT_FILES])
def test_every_script_asks_the_catalog_for_its_words(path: Path):
    source = path.read_text("utf-8")
    assert script_words.unmarked(source) == []
    assert script_words.calls(source) == len(list(_of_file(path))), "a call is not extracted"


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ('box.textContent = "The server is gone.";', ['"The server is gone."']),
        ("say(`${n} steps to label`);", ["`${n} steps to label`"]),
        ('const WORDS = { saved: "Saved" };', ['"Saved"']),
        ('say(t("The server is gone.")); // The server is gone.', []),
        ('say(n("{count} step left", "{count} steps left", count));', []),
        (
            'find("button, textarea"); node.className = "badge plain"; if (key === "Enter") go();',
            [],
        ),
    ],
)
def test_a_script_s_words_outside_of_the_catalog_are_seen(source, seen):
    assert script_words.unmarked(source) == seen


def message_in(call: ast.Call) -> ast.expr | None:
    name = getattr(call.func, "id", "")
    position = 1 if name in MARKERS else refusals().get(name, 0)
    return call.args[position - 1] if 0 < position <= len(call.args) else None


def shown_forms() -> list[type]:
    from django.forms import BaseForm

    from labeling.forms import imports, judging, run_kinds

    modules = {"labeling.forms", *(m.__name__ for m in (imports, judging, run_kinds))}
    return [form for form in below(BaseForm) if form.__module__ in modules]


def below(parent: type) -> set[type]:
    return {form for child in parent.__subclasses__() for form in ({child} | below(child))}


@pytest.mark.parametrize("form", [pytest.param(f, id=f.__name__) for f in shown_forms()])
def test_what_a_form_shows_is_translated_when_it_is_shown(form):
    """A field without a label stands in no page: it is JSON, or the template's own words."""
    for name, field in form.base_fields.items():
        assert field.label is None or isinstance(field.label, Promise), name
        assert not field.help_text or isinstance(field.help_text, Promise), name
        placeholder = field.widget.attrs.get("placeholder", "")
        assert not placeholder or isinstance(placeholder, Promise), name
