"""The three steps that a worker takes with an upload: look at it, plan it, import it.

A step may end anywhere, by a kill too, and be taken again by another worker: looking and planning
write nothing, and an import goes on where it was cut off.
"""

import datetime as dt
import hashlib
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.models import Sum

from tutor.accounts.services import record_audit
from tutor.common.errors import TutorError
from tutor.common.heartbeat import ClaimLost, Heartbeat
from tutor.content.errors import CourseInvalid
from tutor.intake import claims, queue, rejects, selectors, services, storage, usecases
from tutor.intake.claims import Claim
from tutor.intake.models import State, Upload
from tutor.responses.importing import kinds, looking, mapping
from tutor.responses.importing.log_rows import unique_titles
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.plan import ImportPlan
from tutor.responses.models import LogImport

logger = logging.getLogger(__name__)

# Where an upload goes back to when a step comes to nothing.
BACK = {
    State.LOOKING: State.MAPPING,
    State.PLANNING: State.MAPPING,
    State.IMPORTING: State.PLANNED,
}
# What must not have changed between the plan that was agreed to and the one carried out.
AGREED = (
    "course",
    "course_new",
    "items_new",
    "answers",
    "answers_known",
    "learners_new",
    "rejects",
)


def work_on(*, upload_id: int, token: uuid.UUID, now: Callable[[], dt.datetime]) -> bool:
    """Take the upload's next step; return whether there was one to take.

    Whatever goes wrong becomes words on the page, and the upload waits for the person again. Only
    a database that is away ends the task; the sweep then has the step taken again.
    """
    claim = claims.take(upload_id=upload_id, token=token)
    if claim is None:
        return False
    problem = _problem_of(claim, now)
    if problem:
        shown = problem.replace(str(storage.path_of(claim.upload.stored_name)), "The file")
        shown = shown.replace(claim.upload.stored_name, claim.upload.file_name)
        claim.finish(to=BACK[claim.step], at=now(), problem=shown)
    return True


def _problem_of(claim: Claim, now: Callable[[], dt.datetime]) -> str:
    """Take the step and return why it came to nothing; empty where it did not."""
    if claim.upload.tries > claims.MOST_TRIES:
        return (
            f"The worker ended {claims.MOST_TRIES} times at this step, most likely because the "
            "memory ran out. Bring the log in smaller parts, or have it imported on a larger "
            "machine with the command import_log."
        )
    try:
        with Heartbeat(claim) as beat:
            _STEPS[claim.step](claim, beat, now)
    except ClaimLost:
        pass
    except TutorError as error:
        return error.message
    except CourseInvalid as error:
        return "\n".join(error.problems)
    except OperationalError:
        raise
    except Exception:
        logger.exception("Upload %s failed while %s.", claim.upload.public_id, claim.step)
        return (
            "Something went wrong on our side; the worker's log says what. Nothing is lost. "
            "Try again, and if it goes on, tell whoever runs the tutor."
        )
    return ""


def _look(claim: Claim, _beat: Heartbeat, now: Callable[[], dt.datetime]) -> None:
    upload = claim.upload
    given = None if upload.mapping is None else mapping.from_dict(upload.mapping)
    seen = looking.look(storage.path_of(upload.stored_name), format=upload.format, mapping=given)
    key = _key_of(seen.header)
    guess, notes = seen.mapping, list(seen.notes)
    if guess is not None and (given is None or not given.columns):
        guess, notes = _remembered(upload, key, guess, notes)
    look = {
        "format": seen.format,
        # Columns without a title, or with one that stands there already, get one of their own.
        "header": list(unique_titles(seen.header)),
        "sample": [list(row) for row in seen.sample],
        "problems": list(seen.problems),
        "notes": notes,
    }
    found = {
        "look": look,
        "mapping": None if guess is None else guess.to_dict(),
        "header_key": key,
        "problem": "",
    }
    # Where nothing has to be named there is nothing to ask.
    is_clear = seen.format not in kinds.MAPPED and not seen.problems
    to = State.PLANNING if is_clear else State.MAPPING
    if claim.finish(to=to, at=now(), **found) and is_clear:
        queue.nudge(upload_id=upload.pk)


def _key_of(header: tuple[str, ...]) -> str:
    text = json.dumps(list(header), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _remembered(
    upload: Upload, key: str, guess: ColumnMapping, notes: list[str]
) -> tuple[ColumnMapping, list[str]]:
    """Return the mapping of the last import with the same header, else the guess."""
    earlier = selectors.find_earlier_mapping(upload=upload, header_key=key)
    if earlier is None:
        return guess, notes
    used = mapping.from_dict(earlier.mapping)
    told = f"The columns are taken as in your import of {earlier.file_name}."
    # How the text is written belongs to the file, not to what its columns mean.
    return used.changed(delimiter=guess.delimiter, encoding=guess.encoding), [told, *notes]


def _plan(claim: Claim, beat: Heartbeat, now: Callable[[], dt.datetime]) -> None:
    shown: list[ImportPlan] = []

    def keep(plan: ImportPlan) -> bool:
        shown.append(plan)
        return False

    path = _new_rejects()
    with _keeping(claim, path):
        _run(claim.upload, beat=beat, at=now(), rejects_path=path, on_plan=keep)
    _hand_in_plan(claim, shown[0], path, at=now(), problem="")


def _import(claim: Claim, beat: Heartbeat, now: Callable[[], dt.datetime]) -> None:
    upload = claim.upload
    path = _new_rejects()
    is_refused = False

    def agree(plan: ImportPlan) -> bool:
        nonlocal is_refused
        # An import that goes on finds its own answers, so the plan is another one by now.
        if upload.writing_at is None and not _is_agreed(upload, plan):
            is_refused = True
            _hand_in_plan(
                claim,
                plan,
                path,
                at=now(),
                problem="Since you saw the plan something has changed, by another import for "
                "example. This is the plan as it is now.",
            )
            return False
        # A person may cancel until here, and not any more from here on.
        if not claim.note(writing_at=now(), stage=usecases.Stage.WRITING, done=0, total=0):
            raise ClaimLost
        return True

    with _keeping(claim, path):
        done = _run(upload, beat=beat, at=now(), rejects_path=path, on_plan=agree)
    if is_refused or done is None:
        return
    storage.remove(path.name)  # the plan's is the same
    _finish(claim, done, at=now())


def _is_agreed(upload: Upload, plan: ImportPlan) -> bool:
    fresh, agreed = json.loads(json.dumps(plan.to_dict(), default=str)), upload.plan or {}
    return all(fresh.get(name) == agreed.get(name) for name in AGREED)


def _finish(claim: Claim, done: usecases.Imported, *, at: dt.datetime) -> None:
    upload = claim.upload
    # A run that was killed has a record of its own with what it wrote.
    runs = LogImport.objects.filter(
        organisation=upload.organisation_id,
        course=done.run.course_id,
        source_hash=done.run.source_hash,
        started_at__gte=upload.agreed_at,
    )
    added = runs.aggregate(total=Sum("rows_added"))["total"] or 0
    if not claim.finish(
        to=State.IMPORTED,
        at=at,
        run=done.run,
        course=done.run.course_id,
        rows_added=added,
        problem="",
    ):
        return
    record_audit(
        at=at,
        action="log-imported",
        organisation=upload.organisation,
        subject=upload.file_name,
        facts={
            "upload": str(upload.public_id),
            "course": upload.course_slug,
            "run": str(done.run.public_id),
            "added": added,
        },
    )
    upload.refresh_from_db()
    services.forget_files(upload=upload, keep_rejects=True)


def _run(
    upload: Upload,
    *,
    beat: Heartbeat,
    at: dt.datetime,
    rejects_path: Path,
    on_plan: Callable[[ImportPlan], bool],
) -> usecases.Imported | None:
    return usecases.import_log(
        organisation=upload.organisation,
        source=usecases.LogSource(
            path=storage.path_of(upload.stored_name),
            format=upload.look["format"] if upload.look else upload.format,
            slug=upload.course_slug,
            title=upload.course_title,
            mapping=None if upload.mapping is None else mapping.from_dict(upload.mapping),
        ),
        at=at,
        rejects=rejects_path,
        on_plan=on_plan,
        progress=beat.tell,
    )


def _new_rejects() -> Path:
    return storage.path_of(storage.new_name("rejects.csv"))


@contextmanager
def _keeping(claim: Claim, path: Path) -> Iterator[None]:
    """Keep the rejects of a log that is refused as a whole: they say why."""
    try:
        yield
    except TutorError:
        if path.exists():
            earlier = claim.upload.rejects_name
            told = {"rejects_name": path.name, "rejects": rejects.summarise(path)}
            storage.remove(earlier if claim.note(**told) else path.name)
        raise
    except BaseException:
        storage.remove(path.name)
        raise


def _hand_in_plan(
    claim: Claim, plan: ImportPlan, path: Path, *, at: dt.datetime, problem: str
) -> None:
    """Let the person decide about this plan; its rejects take the place of an earlier plan's."""
    earlier = claim.upload.rejects_name
    entries: dict[str, Any] = {
        "plan": json.loads(json.dumps(plan.to_dict(), default=str)),
        "rejects_name": path.name if path.exists() else "",
        "rejects": rejects.summarise(path) if path.exists() else None,
        "problem": problem,
    }
    is_held = claim.finish(to=State.PLANNED, at=at, **entries)
    storage.remove(earlier if is_held else path.name)


_STEPS = {State.LOOKING: _look, State.PLANNING: _plan, State.IMPORTING: _import}
