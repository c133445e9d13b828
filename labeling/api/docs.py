"""The schema as a page to read: rendered here, without scripts, from what the code says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from drf_spectacular.generators import SchemaGenerator

DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Field:
    """A value of a body, an answer or an address. `depth`: how deep it is nested."""

    name: str
    kind: str
    needed: bool
    words: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; refusals all look alike and have no fields here."""

    status: str
    words: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation."""

    name: str
    method: str
    path: str
    summary: str
    words: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]


@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    """Show every operation by section."""
    return render(request, "api_docs.html", {"sections": sections()})


@lru_cache(maxsize=1)
def sections() -> tuple[tuple[str, tuple[Operation, ...]], ...]:
    """Return the operations by the part of the API that they belong to."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, values in methods.items():
            operation = _operation(document, path, method, values)
            found.setdefault(values["tags"][0], []).append(operation)
    return tuple((name, tuple(operations)) for name, operations in found.items())


def _operation(
    document: Mapping[str, Any], path: str, method: str, values: Mapping[str, Any]
) -> Operation:
    content = values.get("requestBody", {}).get("content", {})
    return Operation(
        name=values["operationId"],
        method=method.upper(),
        path=path,
        summary=values.get("summary", ""),
        words=values["description"].partition("\n\n")[2],  # the first paragraph is the summary
        parameters=tuple(_parameter(document, one) for one in values.get("parameters", [])),
        body=tuple(_of_content(document, content)),
        answers=tuple(
            _answer(document, status, one) for status, one in sorted(values["responses"].items())
        ),
    )


def _parameter(document: Mapping[str, Any], values: Mapping[str, Any]) -> Field:
    kind = _kind(document, values["schema"])
    place = {"query": "?", "header": "header", "path": "path"}[values["in"]]
    words = values.get("description", "") or values["schema"].get("description", "")
    return Field(values["name"], f"{place} · {kind}", values.get("required", False), words)


def _answer(document: Mapping[str, Any], status: str, values: Mapping[str, Any]) -> Answer:
    refused = int(status) >= 400
    fields = () if refused else tuple(_of_content(document, values.get("content", {})))
    return Answer(status, values.get("description", ""), fields)


def _of_content(document: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[Field]:
    for values in content.values():
        yield from _fields(document, values["schema"], 0)


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Iterator[Field]:
    """Yield an object's properties, each followed by its own."""
    schema = _resolved(document, schema)
    while schema.get("type") == "array":
        schema = _resolved(document, schema["items"])
    needed = set(schema.get("required", ()))
    for name, inner in schema.get("properties", {}).items():
        whole = _resolved(document, inner)
        words = inner.get("description") or whole.get("description", "")
        yield Field(name, _kind(document, inner), name in needed, words, depth)
        if depth < DEEPEST:
            yield from _fields(document, inner, depth + 1)


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    for part in schema.get("allOf", ()):
        schema = {**schema, **_resolved(document, part)}
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["schemas"][name]
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    whole = _resolved(document, schema)
    if whole.get("type") == "array":
        return f"[{_kind(document, whole['items'])}]"
    words = str(whole.get("format") or whole.get("type") or "any")
    if "enum" in whole:
        words = " | ".join(str(value) for value in whole["enum"] if value is not None)
    limits = [
        f"{sign} {whole[key]}"
        for key, sign in (("minimum", "≥"), ("maximum", "≤"))
        if isinstance(whole.get(key), int) and abs(whole[key]) < 2**31
    ]
    return " ".join([words, *limits]) + (" | null" if whole.get("nullable") else "")
