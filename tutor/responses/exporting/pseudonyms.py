"""Names under which learners and classes leave the house: keyed hashes.

Whoever has the file alone can neither turn a name back nor try names out: that takes the
organisation's key (HMAC-SHA-256, cut to 80 bits: among a million learners two get the same name
with a probability below 1e-12). Whoever has the database can.
"""

import uuid

from tutor.accounts.models import Organisation
from tutor.accounts.services import source_key

DIGITS = 20
# Days by which a learner's times may be shifted.
MOST_DAYS = 365


class Pseudonyms:
    """The names of one export; the same organisation, course and salt give the same."""

    def __init__(self, *, organisation: Organisation, course: str, salt: str) -> None:
        """Keep what the names depend on; `course` is its slug."""
        self._organisation = organisation
        self._scope = f"{course}:{salt}"

    def of_learner(self, pseudonym: uuid.UUID) -> str:
        """Return a learner's name, "L" and 20 hexadecimal digits."""
        return f"L{self._digest('export-learner', pseudonym)}"

    def of_class(self, public_id: uuid.UUID) -> str:
        """Return a class's name, "C" and 20 hexadecimal digits."""
        return f"C{self._digest('export-class', public_id)}"

    def days_of(self, pseudonym: uuid.UUID) -> int:
        """Return by how many days a learner's times are moved back, below `MOST_DAYS`."""
        return int(self._digest("export-days", pseudonym), 16) % MOST_DAYS

    def _digest(self, what: str, who: uuid.UUID) -> str:
        return source_key(
            organisation=self._organisation, source=f"{what}:{self._scope}", external_id=str(who)
        )[:DIGITS]
