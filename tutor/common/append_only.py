"""Tables that only grow: a row once written is never changed or removed."""

from collections.abc import Iterable
from typing import Any, NoReturn

from django.db import models


class RowIsFinal(TypeError):
    """Somebody tried to change or delete a row of an append-only table: a defect in the code."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """A query set that reads and inserts, and refuses the rest."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse.

        Raises:
            RowIsFinal: always.
        """
        message = f"{self.model.__name__} is append-only; write a new row (got {sorted(kwargs)})."
        raise RowIsFinal(message)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Insert rows; a conflict may be ignored but never overwrites.

        Raises:
            RowIsFinal: asked to update the rows that are there.
        """
        if kwargs.get("update_conflicts"):
            message = f"{self.model.__name__} is append-only; an insert changes no row."
            raise RowIsFinal(message)
        return super().bulk_create(objs, *args, **kwargs)

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises:
            RowIsFinal: always.
        """
        message = f"{self.model.__name__} is append-only; write new rows."
        raise RowIsFinal(message)

    def delete(self) -> NoReturn:
        """Refuse.

        Raises:
            RowIsFinal: always.
        """
        message = f"{self.model.__name__} is append-only; nothing is deleted from it."
        raise RowIsFinal(message)


class AppendOnlyModel(models.Model):
    """Base of append-only tables. Guards the ORM; erasure by law goes through `tutor.privacy`."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row.

        Raises:
            RowIsFinal: the row is already stored.
        """
        if not self._state.adding:
            message = f"{type(self).__name__} {self.pk} is final; write a new row."
            raise RowIsFinal(message)
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises:
            RowIsFinal: always.
        """
        message = f"{type(self).__name__} {self.pk} is append-only; nothing is deleted from it."
        raise RowIsFinal(message)
