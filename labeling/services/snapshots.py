"""Freeze snapshots: a rule becomes hashed files that never change."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from labeling import dispatch
from labeling.domain.consensus import DECIDED
from labeling.domain.hashing import config_hash
from labeling.domain.phrases import phrase_of
from labeling.domain.refusals import Invalid, Refusal
from labeling.domain.releases import Rule, RuleError
from labeling.models import Decision, Labeler, Project, Snapshot, User
from labeling.selectors.labels import labeled_records
from labeling.services import events
from trainer.records import Record, to_json

SPLITS = ("train", "test")


class NothingToFreeze(Refusal):
    """The rule picks no solution."""

    code = "nothing_to_freeze"


@transaction.atomic
def request(*, by: User, project: Project, name: str, rule: dict[str, Any]) -> Snapshot:
    """Ask for a snapshot; a worker freezes it."""
    snapshot = _create(by, project, name, _read_rule(project, rule))
    dispatch.ring("workers.freeze", snapshot.uid, queue="export")
    return snapshot


def freeze_now(*, by: User, project: Project, name: str, rule: Rule, now: datetime) -> Snapshot:
    """Freeze within this call; the same rule over the same labels returns the earlier snapshot."""
    snapshot = _create(by, project, name, _read_rule(project, rule.to_dict()))
    try:
        return freeze(by=by, snapshot=snapshot, now=now)
    except Refusal:
        snapshot.delete()
        raise


def freeze(*, by: User, snapshot: Snapshot, now: datetime) -> Snapshot:
    """Write the snapshot's files and stamp it; frozen ones are returned as they are.

    Same rule and labels give the same bytes: records are ordered by content hash and carry
    nothing that depends on the time. The folder is named by the content and moved into place
    whole, so a killed freeze leaves nothing half-written behind.
    """
    if snapshot.frozen_at is not None:
        return snapshot
    root = Path(settings.VAR_DIR) / "snapshots"
    root.mkdir(parents=True, exist_ok=True)
    draft = root / f".draft-{snapshot.uid}-{os.getpid()}"
    draft.mkdir()
    try:
        counts, digest = _write(draft, snapshot)
        if not counts["records"]:
            raise NothingToFreeze("no solution fits the rule: label some, or widen the rule")
        return _publish(by, snapshot, draft, root / digest[:24], counts, digest, now)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def folder_of(snapshot: Snapshot) -> Path:
    """Return the folder of the snapshot's files."""
    return Path(settings.VAR_DIR) / "snapshots" / snapshot.folder


@transaction.atomic
def _create(by: User, project: Project, name: str, rule: Rule) -> Snapshot:
    values = rule.to_dict()
    snapshot = Snapshot.objects.create(
        project=project, name=name[:120], rule=values, rule_hash=config_hash(values), created_by=by
    )
    events.record(
        by=by, action="snapshot requested", project=project, subject=snapshot.uid, rule=values
    )
    return snapshot


def _read_rule(project: Project, values: dict[str, Any]) -> Rule:
    try:
        rule = Rule.from_dict(values)
    except (RuleError, TypeError) as error:
        raise Invalid(phrase_of(error)) from error
    if rule.labeler and not Labeler.objects.filter(project=project, uid=rule.labeler).exists():
        raise Invalid("labeler: the project has no labeler {labeler}", labeler=rule.labeler)
    return rule


def _write(draft: Path, snapshot: Snapshot) -> tuple[dict[str, Any], str]:
    rule = Rule.from_dict(snapshot.rule)
    counts: dict[str, Any] = {"records": 0}
    digest = hashlib.sha256()
    for split in SPLITS:
        limit = rule.limit if split == "train" else None
        tally = _write_file(
            draft / f"{split}.jsonl", labeled_records(snapshot.project, rule, split, limit), digest
        )
        counts[split] = dict(sorted(tally.items()))
        counts["records"] += tally["records"]
    (draft / "README.md").write_text(_card(rule, counts, digest.hexdigest()), encoding="utf-8")
    return counts, digest.hexdigest()


def _write_file(path: Path, records: Iterable[Record], digest: Any) -> Counter[str]:
    tally: Counter[str] = Counter(records=0, steps=0, right=0, wrong=0, without_loss=0)
    with path.open("wb") as file:
        for line in _lines(records, tally):
            data = line.encode()
            file.write(data)
            digest.update(data)
        file.flush()
        os.fsync(file.fileno())
    digest.update(b"\x00")
    return tally


def _lines(records: Iterable[Record], tally: Counter[str]) -> Iterator[str]:
    for record in records:
        tally["records"] += 1
        if record.sources.get("mc_exact") is False:
            tally["inexact_mc"] += 1
        tally["steps"] += len(record.labels)
        tally["right"] += record.labels.count(1)
        tally["wrong"] += record.labels.count(0)
        tally["without_loss"] += record.labels.count(None)
        yield to_json(record) + "\n"


@transaction.atomic
def _publish(
    by: User,
    snapshot: Snapshot,
    draft: Path,
    folder: Path,
    counts: dict[str, Any],
    digest: str,
    now: datetime,
) -> Snapshot:
    # Two workers may freeze the same rule at once; the project's row decides who publishes.
    Project.objects.select_for_update().get(pk=snapshot.project_id)
    snapshot = Snapshot.objects.select_for_update().get(pk=snapshot.pk)
    if snapshot.frozen_at is not None:
        return snapshot
    same = Snapshot.objects.filter(
        project=snapshot.project_id, rule_hash=snapshot.rule_hash, content_hash=digest
    ).first()
    if same is not None:
        snapshot.delete()
        return same
    if not folder.exists():
        draft.rename(folder)
    snapshot.counts, snapshot.content_hash = counts, digest
    snapshot.folder, snapshot.frozen_at = folder.name, now
    snapshot.decisions_at_freeze = Decision.objects.filter(
        project=snapshot.project_id, state__in=[str(s) for s in DECIDED]
    ).count()
    snapshot.save()
    events.record(
        by=by,
        action="snapshot frozen",
        project=snapshot.project,
        subject=snapshot.uid,
        content_hash=digest,
    )
    return snapshot


def _caution(counts: dict[str, Any]) -> str:
    inexact = sum(counts[split].get("inexact_mc", 0) for split in SPLITS)
    if not inexact:
        return ""
    return (
        f"The labels or counts of {inexact} solutions come from Monte-Carlo bisection, which is "
        'not exact: their `sources` say `"mc_exact": false`.\n\n'
    )


def _card(rule: Rule, counts: dict[str, Any], digest: str) -> str:
    rows = "\n".join(
        f"| {split} | {counts[split]['records']} | {counts[split]['right']} "
        f"| {counts[split]['wrong']} | {counts[split]['without_loss']} |"
        for split in SPLITS
    )
    return f"""---
configs:
- config_name: default
  data_files:
  - split: train
    path: train.jsonl
  - split: test
    path: test.jsonl
---

# Step labels

One JSON object a line: `prompt`, `steps`, `labels` (1 right, 0 wrong, null without loss),
`counts` (k of n Monte-Carlo completions per step), `first_error` (-1 none), `sources` (where the
label comes from). Problems stand on one side of the split only.

| split | solutions | right steps | wrong steps | steps without loss |
| --- | ---: | ---: | ---: | ---: |
{rows}

{_caution(counts)}Content hash (SHA-256 of the files in this order): `{digest}`

Rule:

```json
{json.dumps(rule.to_dict(), indent=2, sort_keys=True)}
```
"""
