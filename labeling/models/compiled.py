"""Querysets that are compiled once: what every request asks, with other values each time.

Django builds a query's SQL anew whenever it is asked, which takes several times as long as Postgres
takes to answer (figures: docs/queue.md). A compiled query is written as a queryset all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import BooleanField, Expression, F, Func, QuerySet
from django.db.models.query import RelatedPopulator, get_related_populators
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

Row = TypeVar("Row")


class _Given(Expression):
    """Stands where the value will stand, and in the list of parameters."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:  # noqa: ARG002
        return "%s", [self]


def given(name: str) -> Any:
    """Return what stands in a compiled query's filter for the value that each call gives.

    The value reaches the database as it is, not through the field that it is compared with.
    """
    return _Given(name)


def among(field: str, name: str) -> Any:
    """Return the condition that the field is one of the values in the list that each call gives."""
    parts = F(field), _Given(name)
    return Func(
        *parts, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField()
    )


class Compiled(Generic[Row]):
    """A query made from the queryset that `build` returns; decorate the function with it."""

    def __init__(self, build: Callable[[], QuerySet[Any, Row]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __call__(self, **values: Any) -> list[Row]:
        """Run the query with these values and return its rows: instances, or tuples of values."""
        statement = self._statement
        if statement.locks and connection.get_autocommit():
            raise TransactionManagementError("rows are locked inside of a transaction only")
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, _bound(statement.parameters, values))
            return list(statement.read(cursor.fetchall()))

    def first(self, **values: Any) -> Row | None:
        """Return the first row, or None without any."""
        return next(iter(self(**values)), None)

    @cached_property
    def _statement(self) -> _Statement:
        query = self._build().query
        compiler = query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        if compiler.has_extra_select:
            raise NotImplementedError("distinct rows are sorted by what they hold only")
        return _Statement(compiler, sql, tuple(parameters), query.select_for_update)


class CompiledUpdate:
    """An UPDATE made from what `build` returns: the rows, and the fields to be changed.

    Each field takes the value of its name in the call; conditions take `given` ones.
    """

    def __init__(self, build: Callable[[], tuple[QuerySet[Any, Any], Sequence[str]]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __call__(self, **values: Any) -> int:
        """Change the rows and return their number."""
        sql, parameters, fields = self._statement
        stored = {
            name: fields[name].get_db_prep_save(value, connection) if name in fields else value
            for name, value in values.items()
        }
        with connection.cursor() as cursor:
            cursor.execute(sql, _bound(parameters, stored))
            return cursor.rowcount

    @cached_property
    def _statement(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        rows, names = self._build()
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values({name: _Given(name) for name in names})
        sql, parameters = query.get_compiler(connection=connection).as_sql()
        return sql, tuple(parameters), {name: rows.model._meta.get_field(name) for name in names}


def _bound(parameters: Sequence[Any], values: dict[str, Any]) -> list[Any]:
    return [values[p.name] if isinstance(p, _Given) else p for p in parameters]


@dataclass(frozen=True)
class _Statement:
    """SQL, and how its rows are read."""

    compiler: SQLCompiler
    sql: str
    parameters: Sequence[Any]
    locks: bool

    def read(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        converted = self.compiler.apply_converters(rows, self._converters)
        return map(self._instance if self.compiler.query.default_cols else tuple, converted)

    @cached_property
    def _converters(self) -> dict[int, Any]:
        return self.compiler.get_converters([selected[0] for selected in self.compiler.select])

    @cached_property
    def _columns(self) -> tuple[slice, list[str]]:
        fields = self.compiler.klass_info["select_fields"]
        of_model = slice(fields[0], fields[-1] + 1)
        return of_model, [one[0].target.attname for one in self.compiler.select[of_model]]

    @cached_property
    def _related(self) -> list[RelatedPopulator]:
        select, info = self.compiler.select, self.compiler.klass_info
        return get_related_populators(info, select, connection.alias)  # type: ignore[call-arg]

    def _instance(self, row: Sequence[Any]) -> Any:
        of_model, names = self._columns
        model = self.compiler.klass_info["model"]
        made = model.from_db(connection.alias, names, row[of_model])
        for related in self._related:
            related.populate(row, made)
        for name, column in self.compiler.annotation_col_map.items():
            setattr(made, name, row[column])
        return made
