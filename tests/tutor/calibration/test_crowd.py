"""An artificial crowd answers the items; its answers are a prior and nobody's evidence."""

import http.server
import json
import threading

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.factories import AT
from tests.tutor.calibration.conftest import EM
from tests.tutor.calibration.logs import a_course, answer_all, truth
from tutor.calibration import crowd, running
from tutor.calibration.errors import NoCrowd
from tutor.calibration.models import CrowdAnswer
from tutor.content import grading, selectors
from tutor.content.models import ItemVersion
from tutor.responses.models import Response

pytestmark = pytest.mark.django_db

CROWD = [f"https://models.example/{number}" for number in range(8)]


def right_answers(course):
    """Right and wrong answers by stem."""
    found = {}
    for version in crowd.list_askable(course=course):
        item = selectors.get_rendered_item(version_id=version.pk, seed=0)
        wrong = [choice.id for choice in item.choices if not choice.is_correct]
        found[item.stem] = (grading.right_answer(item), {"choice": wrong[0]} if wrong else {})
    return found


class Members:
    """Respondents of rising ability, who find hard what people do."""

    def __init__(self, course, *, seed=0):
        self.answers, self.rng = right_answers(course), np.random.default_rng(seed)
        difficulty, _ = truth(len(self.answers))
        self.difficulty = dict(zip(self.answers, difficulty.tolist(), strict=True))
        self.asked = []

    def __call__(self, endpoint, question):
        self.asked.append((endpoint, question))
        ability = 0.6 * CROWD.index(endpoint) - 2.0
        chance = 1.0 / (1.0 + np.exp(self.difficulty[question["stem"]] - ability))
        right, wrong = self.answers[question["stem"]]
        return {"answer": right if self.rng.random() < chance else wrong}


def test_asks_everybody_once_and_goes_on_where_it_was_broken_off(organisation):
    course = a_course(organisation=organisation, items=6)
    members = Members(course)

    def broken(endpoint, question):
        if len(members.asked) == 10:
            raise KeyboardInterrupt
        return members(endpoint, question)

    with pytest.raises(KeyboardInterrupt):
        crowd.ask_crowd(course=course, endpoints=CROWD, ask=broken)
    assert CrowdAnswer.objects.count() == 10
    done = crowd.ask_crowd(course=course, endpoints=CROWD, ask=members)

    assert (done.stored, done.known, done.failed) == (38, 10, 0)
    assert CrowdAnswer.objects.count() == len(members.asked) == 48
    assert not Response.objects.exists()
    sent = json.dumps(members.asked[0][1])
    assert "correct" not in sent
    assert set(members.asked[0][1]) == {"language", "kind", "markup", "stem", "choices"}


def test_what_cannot_be_read_is_no_answer(organisation):
    course = a_course(organisation=organisation, items=9)
    asked = []

    def silly(endpoint, question):
        asked.append(endpoint)
        if endpoint == CROWD[0]:
            raise crowd.Unanswered
        return {"answer": {"choice": "none of them"}}

    done = crowd.ask_crowd(course=course, endpoints=CROWD[:2], ask=silly)

    assert (done.stored, done.failed) == (0, 18)
    # After five failures in a row a respondent is left alone.
    assert len(asked) == 10


def test_is_weighed_as_a_prior(organisation):
    course = a_course(organisation=organisation, items=60)
    answer_all(course, learners=120)
    crowd.ask_crowd(course=course, endpoints=CROWD, ask=Members(course))

    run = running.calibrate_course(course=course, at=AT, settings=EM)

    assert "crowd" in run.prior["sources"]
    assert run.prior["rmse"] < 0.8 * run.prior["rmse_without"]
    assert run.prior["sd"] >= 0.7
    assert run.census["learners"] == 120


def test_a_small_crowd_is_not_heard(organisation):
    course = a_course(organisation=organisation, items=30)
    answer_all(course, learners=60)
    crowd.ask_crowd(course=course, endpoints=CROWD[:4], ask=Members(course))

    run = running.calibrate_course(course=course, at=AT, settings=EM)

    assert "crowd" not in run.prior["sources"]


def test_needs_addresses(course, settings):
    for endpoints in ([], ["ftp://models.example/"], ["file:///etc/passwd"]):
        with pytest.raises(NoCrowd):
            crowd.ask_crowd(course=course, endpoints=endpoints)
    settings.CROWD_ENDPOINTS = []
    with pytest.raises(CommandError, match="TUTOR_CROWD_ENDPOINTS"):
        call_command("ask_crowd", course=course.slug)


class Server(http.server.BaseHTTPRequestHandler):
    """Answers as its path says."""

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        replies = {
            "/good": json.dumps({"answer": {"choice": question["choices"][0]["id"]}}),
            "/text": "No idea.",
            "/list": "[1]",
        }
        status = 200 if self.path in replies else 500
        self.send_response(status)
        self.end_headers()
        self.wfile.write(replies.get(self.path, "").encode())

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def address():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_speaks_http(organisation, address, settings, capsys):
    course = a_course(organisation=organisation, items=3)
    settings.CROWD_ENDPOINTS = [f"{address}/{name}" for name in ("good", "text", "list", "broken")]

    call_command("ask_crowd", course=course.slug)

    assert "3 answers stored, 0 known before, 9 questions" in capsys.readouterr().out
    assert set(CrowdAnswer.objects.values_list("respondent", flat=True)) == {f"{address}/good"}
    assert ItemVersion.objects.filter(crowd_answers__isnull=False).distinct().count() == 3
