"""Queries whose SQL is made once.

The ORM spends about a millisecond turning a query with a few joins into SQL, and the database a
few hundredths of one running it. What every answer and every page asks is therefore written as a
query set with slots for its arguments, compiled at its first use, and executed from then on.

    GET_USER = Prepared(lambda: User.objects.filter(pk=slot("pk", User)).only("username"))
    user = GET_USER.first(pk=7)

It gives the same objects as the query set would; `tests/tutor/common/test_prepared.py` holds the
two against each other.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.query import get_related_populators
from typing_extensions import override

Row = TypeVar("Row", bound=Model)


class Slot(Expression):
    """The place of an argument; it is prepared for the database as a value of `field` is."""

    def __init__(self, name: str, field: Field) -> None:
        super().__init__(output_field=field)
        self.name = name

    @override
    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [self]

    def prepare(self, value: object, connection: Any) -> object:
        """Return the argument as the database driver takes it."""
        return self.output_field.get_db_prep_value(value, connection)

    def prepare_to_save(self, value: object, connection: Any) -> object:
        """Return the argument as the field stores it: None is NULL, for JSON too."""
        return self.output_field.get_db_prep_save(value, connection)


def own_connection() -> Any:
    """Return this thread's connection itself.

    `django.db.connection` looks it up at each attribute, which is a tenth of a short query.
    """
    return connections[DEFAULT_DB_ALIAS]


@functools.cache
def _planned_cursor() -> Any:
    """Return psycopg's cursor that sends arguments beside the statement."""
    import psycopg  # noqa: PLC0415 - not with SQLite

    class PlannedCursor(psycopg.Cursor[Any]):
        # Django's record of queries looks there.
        def _convert_query(self, query: Any, params: Any = None) -> Any:
            self._query = super()._convert_query(query, params)
            return self._query

    return PlannedCursor


def execute_hot(connection: Any, sql: str, params: Sequence[Any]) -> Any:
    """Run a statement that runs over and over; return its cursor, to be read before the next one.

    On PostgreSQL the arguments are sent beside the statement, so that the server keeps the plan
    from the fifth run on: it takes longer to plan a few joins than to run them. The cursor is the
    connection's own: to make one takes as long as a short query.
    """
    if connection.vendor != "postgresql":
        cursor = connection.cursor()
    else:
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        cursor = _planned_cursor_of(connection)
    cursor.execute(sql, params)
    return cursor


def _planned_cursor_of(connection: Any) -> Any:
    raw = connection.connection
    kept = _cursors.__dict__.setdefault("by_alias", {})
    cursor = kept.get(connection.alias)
    if cursor is not None and cursor.connection is raw and not connection.queries_logged:
        return cursor
    usual, raw.cursor_factory = raw.cursor_factory, _planned_cursor()
    try:
        cursor = connection.cursor()
    finally:
        raw.cursor_factory = usual
    if not connection.queries_logged:
        kept[connection.alias] = cursor
    return cursor


_cursors = threading.local()


def slot(name: str, model: type[Model], field: str | None = None) -> Slot:
    """Return a slot for the argument `name`, of the type of the model's field."""
    return Slot(name, model._meta.get_field(field or name))  # noqa: SLF001 - a public API


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    params: tuple[Any, ...]
    converters: dict[int, Any]
    start: int
    end: int
    attributes: list[str]
    populators: list[Any]


class Prepared(Generic[Row]):
    """A query set of model instances, compiled once per process and kind of database."""

    def __init__(self, build: Callable[[], QuerySet[Row]]) -> None:
        self._build = build
        self._compiled: dict[str, _Compiled] = {}

    def first(self, **arguments: object) -> Row | None:
        """Return the first row, or None."""
        rows = self.all(**arguments)
        return rows[0] if rows else None

    def all(self, **arguments: object) -> list[Row]:
        """Return every row."""
        connection = own_connection()
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            compiled = self._compiled[connection.vendor] = self._compile()
        params = [
            part.prepare(arguments[part.name], connection) if isinstance(part, Slot) else part
            for part in compiled.params
        ]
        rows = execute_hot(connection, compiled.sql, params).fetchall()
        return [self._instance(compiled, list(row), connection) for row in rows]

    def _compile(self) -> _Compiled:
        connection = own_connection()
        queryset = self._build()
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        info, select = compiler.klass_info, compiler.select
        start, end = info["select_fields"][0], info["select_fields"][-1] + 1
        return _Compiled(
            sql=sql,
            params=tuple(params),
            converters=compiler.get_converters([column[0] for column in select]),
            start=start,
            end=end,
            attributes=[column[0].target.attname for column in select[start:end]],
            populators=get_related_populators(info, select, queryset.db),
        )

    def _instance(self, compiled: _Compiled, row: list[Any], connection: Any) -> Row:
        for position, (convert, expression) in compiled.converters.items():
            for converter in convert:
                row[position] = converter(row[position], expression, connection)
        found = self._build_model().from_db(
            connection.alias, compiled.attributes, row[compiled.start : compiled.end]
        )
        for populator in compiled.populators:
            populator.populate(row, found)
        return found

    def _build_model(self) -> Any:
        if not hasattr(self, "_model"):
            self._model = self._build().model
        return self._model
