"""Write a snapshot's native files: stream what the rule picks, render, note the progress, seal."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from itertools import islice, starmap
from pathlib import Path
from typing import Any

from labeling.domain.consensus import DECIDED
from labeling.domain.data_cards import card
from labeling.domain.release_rows import Frame, Said, Texts, Writer
from labeling.domain.releases import Rule
from labeling.models import Decision, Snapshot
from labeling.selectors.labels import Query, speakers
from labeling.services.freezing import exclusions
from labeling.services.freezing.drafts import Draft
from labeling.services.freezing.moments import Watcher, one_moment, stamp

CHECKPOINT_SECONDS = 1.0
"""How often the page hears of the progress, and how much work a killed process loses."""

_AT_ONCE = 100
_BEYOND = Frame("train", "beyond_limit")

_Row = tuple[Texts, Said]
_Line = tuple[bytes, Frame]


def write(snapshot: Snapshot, folder: Path, watcher: Watcher) -> tuple[Draft, dict[str, Any]]:
    """Write the native files; what a killed process has written is gone on with."""
    project, rule = snapshot.project, Rule.from_dict(snapshot.rule)
    watcher.say("reading")
    with one_moment():
        picked, left_out, total = exclusions.apply(project, rule)
        draft = Draft(folder, stamp(project, rule))
        try:
            watcher.say("reading", draft.done, total)
            for done in _fill(draft, picked, Writer(rule, speakers(project)), rule.limit):
                watcher.say("writing", done, total)
            counts = _counts(draft, left_out)
            counts["decided"] = Decision.objects.filter(
                project=project, state__in=[str(state) for state in DECIDED]
            ).count()
            draft.finish()
        finally:
            draft.close()
    return draft, counts


def _fill(draft: Draft, picked: Query, writer: Writer, limit: int | None) -> Iterator[int]:
    """Write all that the draft does not hold yet; yield how far it is, each time it is noted."""
    rest = picked.where("s.content_hash > %(after)s", after=draft.last) if draft.last else picked
    heard = time.monotonic()
    with rest.stream() as found:
        for rows in _chunks(found):
            lines: Iterable[_Line] = starmap(writer.line, rows)
            if limit is not None:
                lines = _up_to(limit - draft.tallies["train"].records, lines)
            (last, *_), _ = rows[-1]
            draft.add(last, lines)
            draft.write()
            if time.monotonic() - heard >= CHECKPOINT_SECONDS:
                draft.note()
                yield draft.done
                heard = time.monotonic()


def _chunks(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while chunk := list(islice(rows, _AT_ONCE)):
        yield chunk


def _up_to(room: int, lines: Iterable[_Line]) -> Iterator[_Line]:
    """Leave out the training lines for which there is no room."""
    for data, frame in lines:
        full = frame.split == "train" and room == 0
        yield (b"", _BEYOND) if full else (data, frame)
        room -= frame.split == "train" and not full and bool(data)


def _counts(draft: Draft, left_out: dict[str, Any]) -> dict[str, Any]:
    tallies = {split: tally.to_dict() for split, tally in draft.tallies.items()}
    return {
        "records": sum(tally["records"] for tally in tallies.values()),
        **tallies,
        "left_out": {**left_out, **draft.refused},
        "sources": dict(draft.sources),
        "labelers": dict(draft.labelers),
    }


def seal(snapshot: Snapshot, draft: Draft, counts: dict[str, Any]) -> str:
    """Write the sums and the card beside the files; return the content hash."""
    hashes = {f"{split}.jsonl": digest for split, digest in draft.hashes().items()}
    sums = "".join(f"{digest}  {file}\n" for file, digest in hashes.items())
    content_hash = hashlib.sha256(sums.encode()).hexdigest()
    (draft.folder / "SHA256SUMS").write_text(sums)
    text = card(
        snapshot.name,
        Rule.from_dict(snapshot.rule),
        counts,
        hashes,
        content_hash,
        exclusions.names_of_labelers(snapshot.project),
    )
    (draft.folder / "README.md").write_text(text, encoding="utf-8")
    draft.sealed()
    return content_hash
