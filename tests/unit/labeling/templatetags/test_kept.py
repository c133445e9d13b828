"""What is kept is rendered once per language and values, and says what it would have said."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import Context, Template
from django.utils import translation

from labeling.templatetags import kept

TEMPLATE = (
    "{% load i18n kept %}{% kept step keys %}{{ step }}{{ said }} "
    "{% translate 'wrong' %}{% endkept %}"
)


class Counted:
    """Says how often it was rendered."""

    def __init__(self) -> None:
        self.times = 0

    def __str__(self) -> str:
        self.times += 1
        return "<"


@pytest.fixture
def said() -> Counted:
    return Counted()


def render(template: Template, **values: Any) -> str:
    return template.render(Context(values))


def test_a_part_is_rendered_once_for_the_same_values(said: Counted) -> None:
    template = Template(TEMPLATE)
    for _ in range(3):
        assert render(template, step=1, keys={"a": "b"}, said=said) == "1&lt; wrong"
    assert said.times == 1


@pytest.mark.parametrize("other", [{"step": 2}, {"keys": {"a": "c"}}, {"keys": {}}])
def test_other_values_render_it_anew(said: Counted, other: dict[str, Any]) -> None:
    template, usual = Template(TEMPLATE), {"step": 1, "keys": {"a": "b"}}
    render(template, said=said, **usual)
    number = (usual | other)["step"]
    assert render(template, said=said, **usual | other) == f"{number}&lt; wrong"
    assert said.times == 2


def test_each_language_has_its_own(said: Counted) -> None:
    template = Template(TEMPLATE)
    english = render(template, step=1, keys={}, said=said)
    with translation.override("zh-hans"):
        chinese = render(template, step=1, keys={}, said=said)
    assert english != chinese
    assert render(template, step=1, keys={}, said=said) == english


def test_two_places_keep_apart() -> None:
    template = Template("{% load kept %}{% kept a %}one{% endkept %}{% kept a %}two{% endkept %}")
    assert [render(template, a=1) for _ in range(2)] == ["onetwo"] * 2


def test_no_more_than_so_many_are_kept(monkeypatch: pytest.MonkeyPatch, said: Counted) -> None:
    monkeypatch.setattr(kept, "MOST", 2)
    template = Template(TEMPLATE)
    for step in (1, 2, 3, 3, 1):
        render(template, step=step, keys={}, said=said)
    assert said.times == 4  # the third begins anew: 3 is there still, 1 is not
    [part] = template.nodelist.get_nodes_by_type(kept.Kept)
    assert len(part._renderings) == 2
