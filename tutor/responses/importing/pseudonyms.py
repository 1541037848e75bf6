"""Who is who: the log's names beside the pseudonyms, for whoever keeps such a list apart."""

import csv
import os
from pathlib import Path

from tutor.accounts.models import Learner, Organisation
from tutor.accounts.services import source_key
from tutor.responses.importing.errors import MapNotWritten
from tutor.responses.importing.incoming import Incoming


def write_map(*, incoming: Incoming, organisation: Organisation, path: Path) -> None:
    """Write a CSV of learner and pseudonym that only its owner may read.

    The database holds no such list: a name leads to its pseudonym through the organisation's key,
    and nothing leads back.

    Raises:
        MapNotWritten: the file is there already, or cannot be written.
    """
    names = sorted(incoming.staging.learners[place] for place in incoming.staging.answered()[0])
    keys = {
        name: source_key(organisation=organisation, source=incoming.source, external_id=name)
        for name in names
    }
    stored = Learner.objects.filter(organisation=organisation).exclude(source_key="")
    pseudonyms = dict(stored.values_list("source_key", "pseudonym").iterator())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", newline="", encoding="utf-8") as file:  # noqa: PTH123 - a handle
            writer = csv.writer(file)
            writer.writerow(["learner", "pseudonym"])
            writer.writerows((name, pseudonyms[keys[name]]) for name in names)
    except OSError as error:
        raise MapNotWritten(
            f"Everything is imported, but the list of learners cannot be written to {path} "
            f"({error.strerror}); import again with another file, which adds nothing twice."
        ) from error
