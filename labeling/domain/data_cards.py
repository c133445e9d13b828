"""The data card of a release: what is in it, what was left out and why, with counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from labeling.domain.exports import Format
from labeling.domain.phrases import marked
from labeling.domain.releases import AfterError, Rule, Target

REASONS: Mapping[str, str] = {
    "undecided": marked("not decided yet"),
    "disputed": marked("labelers disagree, nobody has adjudicated"),
    "discarded": marked("discarded by people: a bad problem or solution"),
    "consensus": marked("decided by consensus, which the rule does not take"),
    "adjudicated": marked("decided by people, which the rule does not take"),
    "not_labeled": marked("without a verdict by this labeler"),
    "unscored": marked("the labeler's answer could not be read"),
    "rejected": marked("the labeler rejected the item"),
    "refuted": marked("only a refutation of the judge is known"),
    "evaluation": marked("the problem stands in an evaluation set"),
    "other_side": marked("the problem stands, written alike, on the test side"),
    "duplicates": marked("the same text as another solution"),
    "without_soft_labels": marked("without unbiased Monte-Carlo counts for every label"),
    "labels_do_not_fit": marked("labels and steps are not equally many"),
    "beyond_limit": marked("beyond the limit of training solutions"),
}
"""Why solutions stay out, by the name of the count."""

_NEUTRAL = {1: "right", 0: "wrong", None: "without loss"}
_AFTER = {
    AfterError.DROP: "without loss (arXiv 2501.07301 §2.1)",
    AfterError.WRONG: "wrong, as in Math-Shepherd",
    AfterError.SAID: "what the labeler said of them, without loss where nothing",
}
_FEATURES = """dataset_info:
  features:
  - {name: id, dtype: string}
  - {name: problem_id, dtype: string}
  - {name: prompt, dtype: string}
  - {name: steps, list: string}
  - {name: labels, list: int64}
  - name: counts
    list:
      list: int64
  - {name: first_error, dtype: int64}
  - {name: final_answer_correct, dtype: bool}
  - {name: split, dtype: string}
  - name: sources
    struct:
    - {name: answer, dtype: string}
    - {name: critique, dtype: string}
    - {name: critique_by, dtype: string}
    - {name: final_answer, dtype: string}
    - {name: generator, dtype: string}
    - {name: labelers, list: string}
    - {name: labels, dtype: string}
    - {name: licence, dtype: string}
    - {name: mc_exact, dtype: bool}
    - {name: mc_mode, dtype: string}
    - {name: neutral, list: int64}
    - {name: policy, dtype: int64}
    - {name: problem, dtype: string}
    - {name: ratings, list: int64}
    - {name: solution, dtype: string}
    - {name: source, dtype: string}
"""


def card(
    name: str,
    rule: Rule,
    counts: Mapping[str, Any],
    hashes: Mapping[str, str],
    content_hash: str,
    labelers: Mapping[str, str],
) -> str:
    """Return the README of a snapshot's folder; `labelers` says of each name what it is."""
    return "\n".join(
        [
            header([f for f in hashes if counts[f.partition(".")[0]]["records"]], _FEATURES),
            f"# {_plain(name)}\n",
            _FIELDS,
            _contents(counts, tuple(hashes)),
            _left_out(counts.get("left_out", {})),
            _provenance(counts, labelers),
            _rule(rule),
            _files(hashes, content_hash),
        ]
    )


def header(files: Sequence[str] | Mapping[str, str], features: str = "") -> str:
    """Return the YAML by which `datasets.load_dataset` finds the splits; empty files are none."""
    splits = "".join(
        f"  - split: {file.partition('.')[0]}\n    path: {file}\n" for file in sorted(files)
    )
    return f"---\nconfigs:\n- config_name: default\n  data_files:\n{splits}{features}---\n"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; all but the first column are numbers or short."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


_FIELDS = """One JSON object a line: `prompt`, `steps`, `labels` (1 right, 0 wrong, null without \
loss), `counts`
(k of n Monte-Carlo completions that reached the answer, per step), `first_error` (-1 none),
`final_answer_correct`. `sources` tells where the row comes from: `labels` (the kind of decision or
labeler), `labelers` (see below), `ratings` (the steps as they were labeled: 1 right, 0 neutral, -1
wrong), `policy` (version of the deciding policy), `generator`, `answer` (the reference),
`final_answer`, `source`, `licence`, `problem` and `solution` (their ids where they came from).
Problems stand on one side of the split only. Lines are in the order of `id`, a hash of the content.
"""


def _contents(counts: Mapping[str, Any], files: Sequence[str]) -> str:
    splits = [file.partition(".")[0] for file in files]
    parts = (
        ("solutions", "records"),
        ("without an error", "flawless"),
        ("steps", "steps"),
        ("right steps", "right"),
        ("wrong steps", "wrong"),
        ("steps without loss", "without_loss"),
        ("with Monte-Carlo counts", "with_counts"),
        ("with a critique", "with_critique"),
    )
    rows = [[said, *(counts[split].get(key, 0) for split in splits)] for said, key in parts]
    inexact = sum(counts[split].get("inexact_mc", 0) for split in splits)
    caution = (
        f"\nThe labels or counts of {inexact:,} solutions come from Monte-Carlo bisection, which "
        'is not exact: their `sources` say `"mc_exact": false`.\n'
        if inexact
        else ""
    )
    return f"## Contents\n\n{table(['', *splits], rows)}\n{caution}"


def _left_out(left: Mapping[str, Any]) -> str:
    rows = [[REASONS[name], n] for name, n in left.items() if name in REASONS and n]
    text = table(["reason", "solutions"], rows) if rows else "Nothing was left out."
    sets = left.get("evaluation_problems", {})
    if sets:
        found = [[name, n] for name, n in sets.items()]
        text += "\n\n" + table(["evaluation set", "problems that stand in it"], found)
    return f"## Left out\n\n{text}\n"


def _provenance(counts: Mapping[str, Any], labelers: Mapping[str, str]) -> str:
    rows = [
        [f"`{name}`", labelers.get(name, ""), n]
        for name, n in sorted(counts.get("labelers", {}).items())
    ]
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in sorted(counts.get("sources", {}).items()))
    return (
        f"## Who labeled\n\n{kinds}\n\n{table(['labeler', 'what it is', 'solutions'], rows)}\n\n"
        "A labeler's name is its kind and a hash of its configuration.\n"
    )


def _rule(rule: Rule) -> str:
    soft = rule.target is Target.SOFT
    points = [
        f"Neutral steps count as {_NEUTRAL[rule.neutral_as]}"
        + (" and are then the first error." if rule.neutral_as == 0 else "."),
        f"Steps after the first error are {_AFTER[rule.after_error]}.",
        "Every label has an unbiased share of successes, k / n, in `counts` (soft labels)."
        if soft
        else "Labels are hard; where sampling stopped at a success, k / n is no unbiased share.",
        "Statements were compared by letters, digits and operators, solutions by their text "
        "without white space and case."
        if rule.dedup or rule.without
        else "Equal solutions of a problem are stored once; nearly equal ones were not looked for.",
        "Evaluation sets left out: " + ", ".join(f"`{_plain(name)}`" for name in rule.without) + "."
        if rule.without
        else "No evaluation set was named to be left out.",
    ]
    values = json.dumps(rule.to_dict(), indent=2, sort_keys=True, ensure_ascii=False)
    said = "\n".join(f"- {point}" for point in points)
    return f"## Rule\n\n{said}\n\n```json\n{values.replace('```', '')}\n```\n"


def _files(hashes: Mapping[str, str], content_hash: str) -> str:
    rows = [[f"`{file}`", f"`{digest}`"] for file, digest in hashes.items()]
    return (
        f"## Files\n\n{table(['file', 'SHA-256'], rows)}\n\nContent hash: `{content_hash}`, the "
        "SHA-256 of `SHA256SUMS`, with which `sha256sum -c SHA256SUMS` checks the files.\n"
    )


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else _plain(str(value))


def _plain(text: str) -> str:
    """Return one line that cannot end a table's cell or begin markup of its own."""
    return " ".join(text.split()).replace("|", "¦").replace("<", "‹")


def rendition_card(name: str, form: Format, report: Mapping[str, Any]) -> str:
    """Return the README of a release in another format; `report` as renditions.write returns it."""
    files = report["files"]
    rows = [[f"`{file}`", of["rows"], f"`{of['sha256']}`"] for file, of in files.items()]
    lacks = ", ".join(part.value for part in form.lacks) or "nothing"
    parts = [
        header(files),
        f"# {_plain(name)}: {form.title}\n",
        f"Made from the native files of the snapshot. Its rows go without: {lacks}.\n",
        table(["file", "solutions", "SHA-256"], rows) + "\n",
    ]
    for said, key in (("Not in these files", "not_carried"), ("Changed", "changed")):
        if report[key]:
            counted = [[reason, n] for reason, n in report[key].items()]
            parts.append(f"## {said}\n\n{table(['why', 'solutions'], counted)}\n")
    return "\n".join(parts)
