"""A project's policy: what counts as agreement, what people see, what is held out. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from labeling.domain.labels import LabelerKind
from labeling.domain.phrases import Spoken, phrase_of


class LabelMode(StrEnum):
    """What a person labels: up to the first error, or every step."""

    FIRST_ERROR = "first_error"
    EVERY_STEP = "every_step"


class PolicyError(Spoken, ValueError):
    """A policy value that is unknown or out of range; the text names the field."""


_WHOLE = frozenset({"human_overlap", "lease_minutes", "exam_items", "retrain_after"})


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one campaign. Changing one raises the project's policy version."""

    consensus_kinds: tuple[LabelerKind, ...] = (LabelerKind.MC, LabelerKind.JUDGE)
    human_overlap: int = 1
    label_mode: LabelMode = LabelMode.FIRST_ERROR
    blind: bool = True
    show_reference: bool = True
    show_people: bool = False
    """After submitting, an annotator also sees what other people said of the solution."""
    test_share: float = 0.25
    lease_minutes: int = 20
    check_imported: bool = False
    """Let people label solutions that only the labels of an imported file decide."""
    mc_audit_share: float = 0.05
    """Share of the solutions that judge-first Monte-Carlo estimation samples in full even after
    it refuted the judge: without them, agreement by step could not be estimated honestly."""
    audit_share: float = 0.0
    """Share of the leases that check a randomly drawn consensus instead of a disputed solution."""
    gold_share: float = 0.0
    """Share of the leases that are hidden gold items, as long as the person has some left."""
    exam_items: int = 0
    """Gold items that a new annotator labels before any other; 0 = no exam."""
    exam_pass_share: float = 0.8
    """Share of right first errors that passes the exam."""
    too_fast_seconds: float = 1.0
    """A submission with fewer active seconds per labeled step is flagged."""
    retrain_after: int = 0
    """Freeze, train and evaluate after this many new decisions; 0 = never by itself."""

    def __post_init__(self) -> None:
        for name in ("blind", "show_reference", "show_people", "check_imported"):
            if not isinstance(getattr(self, name), bool):
                raise PolicyError(
                    "{name}: {value!r} is neither true nor false",
                    name=name,
                    value=getattr(self, name),
                )
        for name, low, high in (
            ("human_overlap", 1, 20),
            ("test_share", 0.0, 0.9),
            ("lease_minutes", 1, 24 * 60),
            ("mc_audit_share", 0.0, 1.0),
            ("audit_share", 0.0, 1.0),
            ("gold_share", 0.0, 0.5),
            ("exam_items", 0, 1000),
            ("exam_pass_share", 0.0, 1.0),
            ("too_fast_seconds", 0.0, 3600.0),
            ("retrain_after", 0, 10**9),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise PolicyError("{name}: {value!r} is not a number", name=name, value=value)
            if name in _WHOLE and not isinstance(value, int):
                raise PolicyError("{name}: {value!r} is not a whole number", name=name, value=value)
            if not low <= value <= high:
                raise PolicyError(
                    "{name}: {value} is outside {low}..{high}",
                    name=name,
                    value=value,
                    low=low,
                    high=high,
                )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {**asdict(self), "consensus_kinds": [str(kind) for kind in self.consensus_kinds]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Policy:
        """Read a stored policy; missing fields take their defaults, unknown ones are refused."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise PolicyError("unknown policy fields: {unknown}", unknown=", ".join(unknown))
        known = dict(values)
        try:
            if "consensus_kinds" in known:
                known["consensus_kinds"] = tuple(LabelerKind(k) for k in known["consensus_kinds"])
            if "label_mode" in known:
                known["label_mode"] = LabelMode(known["label_mode"])
        except (ValueError, TypeError) as error:
            raise PolicyError(phrase_of(error)) from error
        return cls(**known)
