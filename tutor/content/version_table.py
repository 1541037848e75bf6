"""Every item version of a course as arrays, for folds over whole logs."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tutor.content.models import ItemVersion, ItemVersionConcept

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class VersionTable:
    """The V item versions that a course ever had, at most M concepts each.

    Attributes:
        version_ids: (V,) database ids, ascending.
        item_ids: (V,) database id of the item.
        concepts: (V, M) database ids of the concepts, main concept first, padded with -1.
    """

    version_ids: Ints
    item_ids: Ints
    concepts: Ints

    def rows_of(self, version_ids: Ints) -> Ints:
        """Return the row of each version, in the shape given.

        Raises:
            KeyError: a version is not in the table.
        """
        if not version_ids.size:
            return np.zeros(version_ids.shape, dtype=np.int64)
        rows = np.searchsorted(self.version_ids, version_ids)
        rows = np.minimum(rows, max(len(self.version_ids) - 1, 0))
        if not len(self.version_ids) or (self.version_ids[rows] != version_ids).any():
            message = "An answer is to an item version that came after the table was read."
            raise KeyError(message)
        return rows


def read_version_table(*, course_id: int) -> VersionTable:
    """Return the course's item versions with two queries."""
    versions = ItemVersion.objects.filter(item__course=course_id).order_by("pk")
    pairs = np.array(list(versions.values_list("pk", "item")), dtype=np.int64).reshape(-1, 2)
    links = ItemVersionConcept.objects.filter(version__item__course=course_id)
    linked = np.array(
        list(links.order_by("version", "position").values_list("version", "concept")),
        dtype=np.int64,
    ).reshape(-1, 2)
    rows = np.searchsorted(pairs[:, 0], linked[:, 0])
    # Links stand version by version, so a link's place in its own is how far it is from the first.
    places = np.arange(len(rows)) - np.searchsorted(rows, rows)
    concepts = np.full((len(pairs), int(places.max(initial=0)) + 1), -1, dtype=np.int64)
    concepts[rows, places] = linked[:, 1]
    return VersionTable(pairs[:, 0], pairs[:, 1], concepts)
