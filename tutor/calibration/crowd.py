"""Ask an artificial crowd to answer a course's items. For commands; see `curriculum.irt.crowd`."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from tutor.calibration import services
from tutor.calibration.errors import NoCrowd
from tutor.calibration.models import CrowdAnswer
from tutor.content import grading, picture_text
from tutor.content import selectors as content_selectors
from tutor.content.models import Course, ItemVersion
from tutor.content.rendered import RenderedItem

TIMEOUT_S = 60.0
# More than any answer to an item has; the rest of a longer reply is not read.
MOST_BYTES = 100_000
# Templates are asked with this seed: all seeds are one item version.
SEED = 0
# A respondent who fails so often in a row is not asked further.
MOST_FAILURES = 5

Ask = Callable[[str, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CrowdAsked:
    """What came of asking: answers stored now, known before, and questions without an answer."""

    stored: int
    known: int
    failed: int


class Unanswered(Exception):
    """A respondent gave no answer that can be read."""


def ask_crowd(
    *,
    course: Course,
    endpoints: Sequence[str],
    ask: Ask | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> CrowdAsked:
    """Let every respondent answer every current item once, and store the answers.

    Each answer is stored when it comes: broken off and started again, it goes on. What cannot be
    read is no answer and may be asked again.

    Args:
        course: whose items; those that learners mark themselves are left out.
        endpoints: an address per respondent; a model at another level of ability is another one.
        ask: sends a question and returns the reply; by default an HTTP POST of JSON.
        progress: called with the number of questions done since its last call.

    Raises:
        NoCrowd: no address is configured, or one is none.
    """
    send = ask or post
    _require_addresses(endpoints)
    versions = list_askable(course=course)
    stored = known = failed = 0
    for endpoint in endpoints:
        own = CrowdAnswer.objects.filter(respondent=endpoint, version__in=versions)
        answered = set(own.values_list("version", flat=True))
        in_a_row = 0
        for version in versions:
            progress(1)
            if version.pk in answered:
                known += 1
            elif in_a_row >= MOST_FAILURES:
                failed += 1
            elif _ask_one(course, version, endpoint, send):
                stored, in_a_row = stored + 1, 0
            else:
                failed, in_a_row = failed + 1, in_a_row + 1
    return CrowdAsked(stored, known, failed)


def list_askable(*, course: Course) -> list[ItemVersion]:
    """Return the versions that a crowd can be asked: the current ones that are graded here."""
    current = ItemVersion.objects.filter(item__course=course, item__current=F("pk"))
    return list(current.exclude(kind=ItemVersion.Kind.SELF_MARKED).order_by("pk"))


def _ask_one(course: Course, version: ItemVersion, endpoint: str, send: Ask) -> bool:
    item = content_selectors.get_rendered_item(version_id=version.pk, seed=SEED)
    try:
        reply = send(endpoint, question_of(course, item))
        grade = grading.grade(item, reply.get("answer"))
    except (Unanswered, grading.UnreadableAnswer):
        return False
    services.store_crowd_answer(
        version=version,
        respondent=endpoint,
        answer=reply["answer"],
        is_correct=grade.is_correct,
    )
    return True


def question_of(course: Course, item: RenderedItem) -> dict[str, Any]:
    """Return what a respondent is sent: nothing that gives the answer away."""
    return {
        "language": course.language,
        "kind": item.kind,
        "markup": item.markup,
        "stem": picture_text.in_words(item.stem),
        "choices": [
            {"id": choice.id, "text": picture_text.in_words(choice.text)} for choice in item.choices
        ],
    }


def post(endpoint: str, question: dict[str, Any]) -> dict[str, Any]:
    """Send a question as JSON and return the reply, an object with `answer` as in the API.

    Raises:
        Unanswered: no connection, no reply in time, another status than 200, or no such object.
    """
    request = urllib.request.Request(  # noqa: S310 - only http and https, see _require_addresses
        endpoint,
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:  # noqa: S310 - likewise
            found = json.loads(reply.read(MOST_BYTES))
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ValueError) as error:
        raise Unanswered from error
    if not isinstance(found, dict) or not isinstance(found.get("answer"), dict):
        raise Unanswered
    return found


def _require_addresses(endpoints: Sequence[str]) -> None:
    if not endpoints:
        raise NoCrowd("No respondent is configured: set TUTOR_CROWD_ENDPOINTS to their addresses.")
    for endpoint in endpoints:
        if urllib.parse.urlsplit(endpoint).scheme not in {"http", "https"}:
            raise NoCrowd(f"{endpoint!r} is no http or https address.", endpoint=endpoint)
