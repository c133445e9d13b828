"""Which texts of templates, Python and scripts are messages."""

from __future__ import annotations

import pytest

from annotator.catalogs import extraction

CASES = {
    "a.html": (
        """{% load i18n %}
  <p>{% translate "Log 'x' out" %}</p>
{% blocktranslate count n=rows %}{{ n }} row{% plural %}{{ n }} rows{% endblocktranslate %}
        <b>Not marked, 100 % (</b> {% include "b.html" with label=_("Progress") %}""",
        ["Log 'x' out", ("%(n)s row", "%(n)s rows"), "Progress"],
    ),
    "a.py": (
        """from x import gettext as _
raise Invalid("{name} is off", name=name)
raise BadSetting("engine", "is missing")
said = Phrase("{count} wait", count=3), marked("solutions"), gettext("Runs")
raise Invalid(str(error))
raise KeyError("not for people")
""",
        ["{name} is off", "is missing", "{count} wait", "solutions", "Runs"],
    ),
    "a.js": (
        """import { t } from "./i18n.js";
const word = t("saved"); // don't
show(n("{count} step", "{count} steps", 3), `a ${t("inside")} b`, other("no"));
""",
        ["saved", ("{count} step", "{count} steps"), "inside"],
    ),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_marked_texts_are_found_and_no_others(name, tmp_path):
    text, expected = CASES[name]
    path = tmp_path / name
    path.write_text(text, "utf-8")
    assert [said for said, _ in extraction._of_file(path)] == expected
