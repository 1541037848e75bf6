"""Inserts and updates whose SQL is made once, beside the queries of `tutor.common.prepared`.

    APPEND = PreparedInsert(Response)
    response = APPEND.run(Response(learner=learner, ...))

    MOVE = PreparedUpdate(lambda: Session.objects.filter(pk=slot("pk", Session)), "current")
    MOVE.run(pk=session.pk, current=decision.pk)

They write what `save` and `update` would write; `tests/tutor/common/test_prepared_writes.py` holds
the two against each other. No signals are sent.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.sql import InsertQuery, UpdateQuery

from tutor.common.append_only import AppendOnlyModel, RowIsFinal
from tutor.common.prepared import Slot, execute_hot, own_connection, slot

Row = TypeVar("Row", bound=Model)

# One value of each type that most fields store as it is given.
_SAMPLES = (12_345, 0.5, "text", True, None)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement; `as_given` are the types that each parameter's field does not convert."""

    sql: str
    params: tuple[Any, ...]
    as_given: tuple[frozenset[type], ...]

    @classmethod
    def of(cls, sql: str, params: Iterable[Any], connection: Any) -> "_Compiled":
        """Return the statement, with each field tried out once."""
        params = tuple(params)
        return cls(sql, params, tuple(_types_kept(part, connection) for part in params))

    def run(self, arguments: dict[str, object], connection: Any) -> Any:
        """Execute the statement and return its cursor, to be read before the next one."""
        params = []
        for part, as_given in zip(self.params, self.as_given, strict=True):
            value = arguments[part.name] if isinstance(part, Slot) else part
            if isinstance(part, Slot) and type(value) not in as_given:
                value = part.prepare_to_save(value, connection)
            params.append(value)
        with transaction.mark_for_rollback_on_error(connection.alias):
            return execute_hot(connection, self.sql, params)


def _types_kept(part: Any, connection: Any) -> frozenset[type]:
    """Return the types of which the field gives the driver the very object that it was given."""
    kept = set()
    for sample in _SAMPLES if isinstance(part, Slot) else ():
        # A field refuses what it cannot store.
        with suppress(TypeError, ValueError, AttributeError, ValidationError):
            if part.prepare_to_save(sample, connection) is sample:
                kept.add(type(sample))
    return frozenset(kept)


class PreparedInsert(Generic[Row]):
    """The insert of one row of a model, compiled once per process and kind of database."""

    def __init__(self, model: type[Row]) -> None:
        self._meta = model._meta  # noqa: SLF001 - a public API
        self._model = model
        self._fields = [
            field
            for field in self._meta.local_concrete_fields
            if field is not self._meta.auto_field
        ]
        self._compiled: dict[str, _Compiled] = {}

    def run(self, row: Row) -> Row:
        """Insert a new row; it is returned with its key.

        Raises:
            ValueError: the row has a key already.
            IntegrityError: a constraint refused it; the transaction can only be rolled back.
        """
        if row.pk is not None:
            message = f"{self._model.__name__} {row.pk} has a key: it is stored already."
            raise ValueError(message)
        connection = own_connection()
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            compiled = self._compiled[connection.vendor] = self._compile()
        values = {field.attname: field.pre_save(row, add=True) for field in self._fields}
        row.pk = compiled.run(values, connection).fetchone()[0]
        row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - as `save` does
        return row

    def _compile(self) -> _Compiled:
        meta, connection = self._meta, own_connection()
        if meta.parents or meta.db_returning_fields != [meta.auto_field]:
            message = f"{self._model.__name__} gets more than its key from the database."
            raise TypeError(message)
        slots = {field.attname: Slot(field.attname, field) for field in self._fields}
        query = InsertQuery(self._model)
        query.insert_values(self._fields, [SimpleNamespace(**slots)], raw=True)
        compiler = query.get_compiler(connection=connection)
        compiler.returning_fields = meta.db_returning_fields
        ((sql, params),) = compiler.as_sql()
        return _Compiled.of(sql, params, own_connection())


class PreparedUpdate:
    """The update of some fields of the rows of a query set, compiled like `PreparedInsert`.

    The fields' slots bear their names; those of the filter need others.
    """

    def __init__(self, build: Callable[[], QuerySet[Any]], *fields: str) -> None:
        self._build = build
        self._fields = fields
        self._compiled: dict[str, _Compiled] = {}

    def run(self, **arguments: object) -> int:
        """Update the rows and return how many there were; a related row is named by its key.

        Raises:
            RowIsFinal: the model is append-only.
            IntegrityError: a constraint refused it; the transaction can only be rolled back.
        """
        connection = own_connection()
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            compiled = self._compiled[connection.vendor] = self._compile()
        return int(compiled.run(arguments, connection).rowcount)

    def _compile(self) -> _Compiled:
        queryset = self._build()
        if issubclass(queryset.model, AppendOnlyModel):
            message = f"{queryset.model.__name__} is append-only; write a new row."
            raise RowIsFinal(message)
        query = queryset.query.chain(UpdateQuery)
        query.add_update_values({name: slot(name, queryset.model) for name in self._fields})
        sql, params = query.get_compiler(connection=own_connection()).as_sql()
        return _Compiled.of(sql, params, own_connection())
