"""The catalogs on disk: .po for translators, .mo, made of it, for the running program."""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from annotator import __version__
from annotator.catalogs.extraction import ROOT

LOCALES = ("zh_Hans",)
"""The languages beside English, as Django names their folders."""
_HEADER = "# Translations of annotator; the terms are those of docs/translating.md."
_WIDTH = 96


def path_of(locale: str, domain: str) -> Path:
    """Return where the catalog of a language lies."""
    return ROOT / "locale" / locale / "LC_MESSAGES" / f"{domain}.po"


def read(locale: str, domain: str) -> Catalog:
    """Return the catalog on disk; an empty one where there is none yet."""
    path = path_of(locale, domain)
    if not path.exists():
        return Catalog(locale, domain, _HEADER, "annotator", __version__, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=locale, domain=domain, charset="utf-8", abort_invalid=True)


def update(locale: str, domain: str, found: Catalog) -> Catalog:
    """Bring the catalog on disk up to what the code says: new messages empty, unused ones gone."""
    catalog = read(locale, domain)
    catalog.update(
        found, no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False
    )
    catalog.obsolete.clear()
    path = path_of(locale, domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_written(catalog))
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return catalog


def compiled(catalog: Catalog) -> bytes:
    """Return the .mo file of a catalog."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def untranslated(catalog: Catalog) -> list[str]:
    """Return the messages without a sure translation."""
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalog
        if message.id and (message.fuzzy or not all(_forms(message.string)))
    ]


def _forms(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return tuple(string) if isinstance(string, tuple | list) else (string or "",)


def _written(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalog, width=_WIDTH, sort_output=True, include_lineno=False)
    return file.getvalue()
