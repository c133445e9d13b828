"""Catalogs on disk: what an update keeps, adds, removes and compiles."""

from __future__ import annotations

import gettext
import io

import pytest
from babel.messages import Catalog

from annotator.catalogs import files


@pytest.fixture
def update(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ROOT", tmp_path)

    def with_messages(*messages) -> Catalog:
        found = Catalog(charset="utf-8")
        for message in messages:
            found.add(message, locations=[("a.py", 0)])
        return files.update("zh_Hans", "django", found)

    return with_messages


def translate(**words: str) -> None:
    catalog = files.read("zh_Hans", "django")
    for message in catalog:
        if message.id in words:
            message.string = words[message.id]
    files.path_of("zh_Hans", "django").write_bytes(files._written(catalog))


def test_new_messages_are_added_without_a_translation(update):
    assert set(files.untranslated(update("Runs", "Data"))) == {"Data", "Runs"}


def test_translations_stay_and_unused_messages_go(update):
    update("Runs", "Data")
    translate(Runs="运行", Data="数据")
    kept = update("Runs", "Steps")
    assert {m.id: m.string or "" for m in kept if m.id} == {"Runs": "运行", "Steps": ""}
    assert "数据" not in files.path_of("zh_Hans", "django").read_text("utf-8")


def test_a_message_like_another_is_not_guessed(update):
    update("Save the wording")
    translate(**{"Save the wording": "保存"})
    assert files.untranslated(update("Save the wordings")) == ["Save the wordings"]


def test_the_compiled_file_holds_what_is_translated(update):
    update("Runs", "Data")
    translate(Runs="运行")
    update("Runs", "Data")
    path = files.path_of("zh_Hans", "django").with_suffix(".mo")
    words = gettext.GNUTranslations(io.BytesIO(path.read_bytes()))
    assert (words.gettext("Runs"), words.gettext("Data")) == ("运行", "Data")


def test_an_update_that_changes_nothing_writes_the_same(update):
    update("Runs")
    first = files.path_of("zh_Hans", "django").read_bytes()
    update("Runs")
    assert files.path_of("zh_Hans", "django").read_bytes() == first


def test_a_plural_lacking_a_form_is_untranslated(update):
    assert files.untranslated(update(("%(n)s run", "%(n)s runs"))) == ["%(n)s run"]
