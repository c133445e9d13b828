"""What the import pages post: a file, and how to read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.domain.formats import FORMATS, NAMEABLE
from labeling.domain.formats.mapping import FIELDS
from labeling.domain.steps import MAX_PATTERN, SplitKind
from labeling.forms.run_kinds import SPLITS
from labeling.language import said_lazy

_PREFIX = "column_"
_SHORT = forms.TextInput({"autocomplete": "off"})


class UploadForm(forms.Form):
    """A file; what it is follows from its content."""

    file = forms.FileField(label=_("File"), allow_empty_file=True)


class ImportForm(forms.Form):
    """How to read an uploaded file. `columns` are the file's, for the mapping."""

    format = forms.ChoiceField(
        label=_("Format"),
        required=False,
        choices=[("", _("as detected")), *((form.name, said_lazy(form.title)) for form in FORMATS)],
    )
    labels = forms.BooleanField(
        label=_("Import the labels too"), required=False, initial=True, label_suffix=""
    )
    labeler_kind = forms.ChoiceField(
        label=_("Unnamed labels are by"),
        required=False,
        choices=[
            ("", _("as the format says")),
            *((str(kind), said_lazy(kind.words)) for kind in NAMEABLE),
        ],
        help_text=_("For labels whose labeler the file does not name."),
    )
    labeler_name = forms.CharField(
        label=_("Name of that labeler"), required=False, max_length=120, widget=_SHORT
    )
    source = forms.CharField(
        label=_("Source"),
        required=False,
        max_length=120,
        widget=_SHORT,
        help_text=_("For problems that name none."),
    )
    licence = forms.CharField(
        label=_("Licence"),
        required=False,
        max_length=200,
        widget=_SHORT,
        help_text=_("For problems that name none."),
    )
    split = forms.ChoiceField(
        label=_("Solutions given as one text are split at"),
        required=False,
        initial=SplitKind.PARAGRAPHS.value,
        choices=[(kind.value, words) for kind, words in SPLITS.items()],
    )
    pattern = forms.CharField(
        label=_("Pattern of the separators"),
        required=False,
        max_length=MAX_PATTERN,
        strip=False,
        widget=_SHORT,
    )
    alternatives = forms.BooleanField(
        label=_("PRM800K: also the steps that were rated but not chosen"),
        required=False,
        initial=True,
        label_suffix="",
    )

    def __init__(self, data: Any = None, *, columns: Sequence[str] = (), **given: Any) -> None:
        super().__init__(data, **given)
        choices = [("", "—"), *((column, column) for column in columns)]
        for name in FIELDS:
            self.fields[_PREFIX + name] = forms.ChoiceField(
                label=_("Column for {name}").format(name=name), required=False, choices=choices
            )

    @property
    def common(self) -> list[forms.BoundField]:
        """Return the fields that any file may need."""
        return [field for field in self if field.name not in self._special]

    @property
    def special(self) -> list[forms.BoundField]:
        """Return the fields that few files need, those of the mapping first."""
        found = [field for field in self if field.name in self._special]
        return sorted(found, key=lambda field: not field.name.startswith(_PREFIX))

    @property
    def _special(self) -> set[str]:
        return {"split", "pattern", "alternatives", *(_PREFIX + name for name in FIELDS)}

    def options(self) -> dict[str, Any]:
        """Return the import's options as its service takes them."""
        values = dict(self.cleaned_data)
        columns = {name: values.pop(_PREFIX + name) for name in FIELDS}
        values["split"] = values["split"] or SplitKind.PARAGRAPHS.value
        return {**values, "columns": {name: column for name, column in columns.items() if column}}


def initial_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return a form's initial values from an import's options."""
    columns = options.get("columns", {})
    return {**options, **{_PREFIX + name: column for name, column in columns.items()}}
