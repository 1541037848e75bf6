"""The parts of `tests.benchmarks.import_log`, each run in a process of its own."""

import datetime as dt
import json
import os
import pickle
import resource
import sys
import time
from pathlib import Path


def main() -> None:
    import django

    django.setup()
    what, path = sys.argv[1:]
    print(json.dumps({"import": bring_in, "floor": write_plainly}[what](Path(path))))


class Clock:
    """Seconds by the wall and of the processor since the last look."""

    def __init__(self):
        self.found = {}
        self.begun = self.last = self.now()

    @staticmethod
    def now():
        return time.perf_counter(), time.process_time()

    def look(self, name, *, since=None):
        now, before = self.now(), since or self.last
        self.found[name], self.found[f"{name}_cpu"] = now[0] - before[0], now[1] - before[1]
        self.last = now


def bring_in(path: Path) -> dict[str, float]:
    """Import a log and lay down the rows that it wrote, for the floor."""
    from django.core.management import call_command

    from tutor.accounts.models import Organisation
    from tutor.responses.importing import apply, formats, plan

    call_command("migrate", verbosity=0)
    organisation = Organisation(slug="school", name="School")
    at = dt.datetime.now(tz=dt.UTC)
    clock = Clock()
    first = []
    with formats.read(
        "auto", path, organisation=organisation, slug="log", title="Log", at=at
    ) as incoming:
        clock.look("read")
        planned = plan.make_plan(organisation=organisation, incoming=incoming)
        clock.look("plan")
        organisation.save()
        run = apply.apply(
            organisation=organisation,
            incoming=incoming,
            plan=planned,
            at=at,
            # Called first when content and learners are there.
            progress=lambda _: first or first.append(clock.now()),
        )
    end, [begun] = clock.now(), first
    found = clock.found | {
        "content": begun[0] - clock.last[0],
        "content_cpu": begun[1] - clock.last[1],
        "write": end[0] - begun[0],
        "write_cpu": end[1] - begun[1],
        "whole": end[0] - clock.begun[0],
        "whole_cpu": end[1] - clock.begun[1],
        "rows": run.rows_added,
        "rejects": planned.rejects,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    lay_down(Path(os.environ["TUTOR_VAR"]) / "rows")
    return found


def lay_down(path: Path) -> None:
    """Write the stored rows to a file, and empty the table."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT * FROM responses_response ORDER BY id")
            with path.open("wb") as file:
                while rows := cursor.fetchmany(10_000):
                    pickle.dump([tuple(row) for row in rows], file)
            cursor.execute("DELETE FROM responses_response")
            cursor.connection.execute("VACUUM")
        else:
            with (
                path.open("wb") as file,
                cursor.copy(
                    "COPY (SELECT * FROM responses_response ORDER BY id) TO STDOUT"
                ) as copy,
            ):
                for block in copy:
                    file.write(block)
            cursor.execute("TRUNCATE responses_response CASCADE")


def write_plainly(path: Path) -> dict[str, float]:
    """Write the same rows with one executemany, or one COPY, in one transaction."""
    from django.db import connection, transaction

    clock = Clock()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            rows = list(stored_rows(path))
            marks = ", ".join("?" * len(rows[0]))
            clock.last = clock.now()
            with transaction.atomic():
                cursor.connection.executemany(
                    f"INSERT INTO responses_response VALUES ({marks})", rows
                )
        else:
            text = path.read_bytes()
            clock.last = clock.now()
            with transaction.atomic(), cursor.copy("COPY responses_response FROM STDIN") as copy:
                for start in range(0, len(text), 2**20):
                    copy.write(text[start : start + 2**20])
    clock.look("seconds")
    return clock.found


def stored_rows(path: Path):
    with path.open("rb") as file:
        while True:
            try:
                yield from pickle.load(file)
            except EOFError:
                return


if __name__ == "__main__":
    main()
