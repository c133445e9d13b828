"""Files that people try to import and that hold no rows: say what they are and what to do."""

from __future__ import annotations

from collections.abc import Collection

from labeling.domain.phrases import marked

WORKBOOK = marked("is a spreadsheet, whatever its name: save it as CSV (UTF-8)")
_KNOWN = (
    (b"\xd0\xcf\x11\xe0", WORKBOOK),
    (
        b"version https://git-lfs",
        marked("is Git LFS's note of a file, not the file: fetch that with “git lfs pull”"),
    ),
    (b"<!doctype html", marked("is a web page, perhaps one that asks to sign in")),
    (b"<html", marked("is a web page, perhaps one that asks to sign in")),
    (b"%pdf-", marked("is a PDF")),
    (b"\xff\xfe", marked("is UTF-16; save it as UTF-8")),
    (b"\xfe\xff", marked("is UTF-16; save it as UTF-8")),
)
_TAR = (257, b"ustar")
"""https://www.gnu.org/software/tar/manual/html_node/Standard.html"""


def complaint(head: bytes) -> str:
    """Return what is wrong with a file that begins so; empty where nothing is known of it."""
    if head[_TAR[0] :].startswith(_TAR[1]):
        return marked("is a tar archive: unpack it and import its files one by one")
    start = head[:40].lower()
    return next((words for mark, words in _KNOWN if start.startswith(mark)), "")


def is_workbook(names: Collection[str]) -> bool:
    """Say whether these files in a zip are a spreadsheet (Office Open XML, OpenDocument)."""
    return "[Content_Types].xml" in names or {"mimetype", "content.xml"} <= set(names)
