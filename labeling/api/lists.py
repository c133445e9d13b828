"""Lists in parts: {"results", "next"}. What may narrow them is listed; the rest is refused."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.selectors.listing import Part, Place

MOST = 500


class Known(serializers.Serializer[Any]):
    """What an address takes behind its question mark; anything else is refused."""

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Refuse unknown names, and name those that there are."""
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            words = f"no such filter; there are {', '.join(sorted(self.fields))}"
            raise serializers.ValidationError({name[:80]: [words] for name in unknown})
        return dict(super().to_internal_value(data))


class Query(Known):
    """What any list takes in its address."""

    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST, default=100, help_text="Rows in one answer."
    )
    cursor = serializers.CharField(
        required=False, max_length=40, help_text="Where to go on; part of the `next` address."
    )

    def validate_cursor(self, value: str) -> int:
        """Return the key behind which to go on."""
        try:
            return _key(value)
        except ValueError as error:
            raise serializers.ValidationError("this is no cursor of a list") from error

    @property
    def place(self) -> Place:
        """Return which part is asked for."""
        return Place(self.validated_data.get("cursor"), self.validated_data["limit"])

    @property
    def filters(self) -> dict[str, Any]:
        """Return what the list is to be narrowed by."""
        given = self.validated_data.items()
        return {name: value for name, value in given if name not in ("limit", "cursor")}


Asked = TypeVar("Asked", bound=Known)


def asked(request: Request, query: type[Asked]) -> Asked:
    """Return the checked query; raise ValidationError."""
    found = query(data=request.query_params.dict())
    found.is_valid(raise_exception=True)
    return found


@cache
def part_of(row: type[serializers.BaseSerializer[Any]]) -> serializers.BaseSerializer[Any]:
    """Return how a part of a list of such rows looks."""
    name = row.__name__.removesuffix("Out")
    return inline_serializer(
        f"{name}List",
        {
            "results": row(many=True),
            "next": serializers.URLField(
                allow_null=True, help_text="The address of the next part; null: this is the last."
            ),
        },
    )


def answer(
    request: Request,
    part: Part[Any],
    row: type[serializers.BaseSerializer[Any]],
    rows: Any = None,
    **context: Any,
) -> Response:
    """Return a part of a list; `rows` stand for the part's own where they carry more."""
    shown = row(part.rows if rows is None else rows, many=True, context=context)
    return Response({"results": shown.data, "next": _next(request, part.following)})


def _next(request: Request, following: int | None) -> str | None:
    if following is None:
        return None
    query = request.query_params.copy()
    query["cursor"] = urlsafe_b64encode(str(following).encode()).decode().rstrip("=")
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _key(cursor: str) -> int:
    text = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode("ascii")
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError(cursor)
    return number
