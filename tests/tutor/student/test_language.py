"""No sentence of a student's page is left out by the translators; pages come in one's language."""

import ast
import itertools
import re
from fractions import Fraction

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation import trans_real

from tests.factories import make_class, make_user, start_session
from tests.servers.process import ROOT
from tests.tutor.content.factories import number_item
from tests.tutor.pages import text
from tests.tutor.student import pseudo
from tests.tutor.student.html import problems
from tests.tutor.student.states import AROUND, Visitor
from tutor.common import clock
from tutor.content import grading
from tutor.content import selectors as content_selectors
from tutor.content.grading import number_keys
from tutor.content.grading.errors import UnreadableAnswer
from tutor.content.preview import preview
from tutor.content.rendered import NumberAnswer, RenderedItem
from tutor.scheduling import reasons
from tutor.scheduling.models import Decision

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
# Whose errors a learner may read.
TOLD = ("student", "practice", "content/grading", "config/pages.py", "config/sign_in.py")


@pytest.fixture(autouse=True)
def _english_again():
    yield
    translation.activate("en")


@pytest.fixture
def visitor(client):
    visitor = Visitor(client)
    client.force_login(visitor.user)
    return visitor


class TestEveryPage:
    def test_says_nothing_that_no_translator_has_seen(self, client, monkeypatch):
        visitor = Visitor(client)
        names = visitor.names
        asked = pseudo.install(monkeypatch)
        states, found = set(), set()

        for state, page in visitor.walk():
            if page.status_code == 302:
                continue
            states.add(state)
            html = page.content.decode()
            found |= {f"{state}: {one}" for one in pseudo.outside(html, names=names)}

        assert found == set()
        assert len(states) > 90
        german, languages = trans_real.translation("de")._catalog, dict(settings.LANGUAGES).values()
        asked = {one for one in asked if one[1] and one[1] not in languages}
        assert [one for one in asked if not known(german, *one)] == []

    @pytest.mark.parametrize(
        "html",
        [
            "<p>⟦Right⟧ and more</p>",
            "<p>Right</p>",
            '<button aria-label="Right">⟦x⟧</button>',
            '<p data-sent="Right"></p>',
            '<input placeholder="Right">',
            "<title>Right – Tutor</title>",
        ],
    )
    def test_is_checked_in_earnest(self, html):
        assert len(pseudo.outside(html)) == 1

    @pytest.mark.parametrize(
        "html",
        [
            "<p>⟦You have <strong>3 days</strong> of 4⟧</p>",
            '<p>⟦Right⟧ <span lang="en">some content</span> 3/4 Sam ⟦and ⟦more⟧⟧</p>',
            "<math><mi>sin</mi></math>",
        ],
    )
    def test_is_not_faulted_for_content_names_or_maths(self, html):
        assert pseudo.outside(html, names=["Sam"]) == []


def known(catalogue, context, message, plural) -> bool:
    name = message if context is None else f"{context}\x04{message}"
    return (name, 1) in catalogue if plural else name in catalogue


class TestSentences:
    def test_of_a_choice_are_whole(self, visitor, monkeypatch):
        course = visitor.course
        bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
        first, last = bank.concept_ids.tolist()[0], bank.concept_ids.tolist()[-1]
        pseudo.install(monkeypatch)
        codes = sorted({*reasons.CHIPS, *reasons.FINISHES})
        told = {}

        for code, days in itertools.product(codes, (None, 0.1, 0.7, 1.0, 9.2)):
            chosen = Decision(
                reason=code,
                reason_facts={
                    "concept": last,
                    "for_concept": first,
                    "days_since": days,
                    "evidence_n": days,
                },
                item_version_id=None if code in reasons.FINISHES else 1,
            )
            told[code, days] = reasons.sentence(chosen, bank), reasons.chip(chosen)

        assert len(told) == 5 * len(codes) >= 75
        bare = {
            key: both
            for key, both in told.items()
            if [one[0] + one[-1] for one in both] != ["⟦⟧", "⟦⟧"]
        }
        assert bare == {}

    def test_of_errors_are_marked(self):
        bare = []
        for place in TOLD:
            root = ROOT / "tutor" / place
            for path in [root] if root.is_file() else root.rglob("*.py"):
                bare += [f"{path.name}: {one}" for one in bare_errors(path.read_text())]
        # For authors and programmers, who read English.
        assert {one for one in bare if "TypeError" not in one and "TemplateInvalid" not in one} == (
            set()
        )

    def test_of_scripts_come_from_the_server(self):
        for path in (ROOT / "tutor/config/static/tutor").glob("*.js"):
            code = re.sub(r"//.*", "", path.read_text())
            assert re.findall(r"""["'`][A-Z][a-z]+ [a-z]+[^"'`]*["'`]""", code) == [], path.name


def bare_errors(source: str):
    """Return the errors of a file whose sentence is written there without a mark."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            first = node.exc.args[0]
            if isinstance(first, ast.JoinedStr | ast.Constant):
                yield ast.unparse(node)


class TestLanguageOfAPage:
    def test_is_the_browsers(self, visitor):
        page = visitor.client.get("/learn/", headers=GERMAN)

        assert '<html lang="de">' in text(page)
        assert page.headers["Content-Language"] == "de"
        assert "Hallo, Sam" in text(page)

    def test_is_english_for_a_browser_with_none_of_ours(self, visitor):
        page = visitor.client.get("/learn/", headers={"Accept-Language": "fr"})

        assert '<html lang="en">' in text(page)

    def test_is_the_persons_on_every_device_once_chosen(self, visitor, client):
        back = client.post("/language/", {"language": "de", "next": "/learn/map/"})

        visitor.user.refresh_from_db()
        assert (back.headers["Location"], visitor.user.language) == ("/learn/map/", "de")
        # A browser that never saw the choice, and wants another language.
        client.cookies.clear()
        client.force_login(visitor.user)
        page = client.get("/learn/", headers={"Accept-Language": "en"})
        assert '<html lang="de">' in text(page)
        assert re.search(r'value="de" lang="de" aria-current="true">\s*Deutsch', text(page))

    def test_of_a_stranger_is_kept_on_the_device(self, client):
        client.post("/language/", {"language": "de", "next": "/sign-in/"})

        assert "Passwort" in text(client.get("/sign-in/"))

    def test_is_not_chosen_by_whoever_sat_at_the_device_before(self, visitor, client):
        client.post("/language/", {"language": "de"})
        client.logout()
        client.force_login(make_user(organisation=visitor.user.organisation))

        assert '<html lang="en">' in text(client.get("/learn/"))

    @pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", ""])
    def test_leads_to_no_other_site(self, client, back):
        answer = client.post("/language/", {"language": "de", "next": back})

        assert answer.headers["Location"] == "/"

    def test_leads_back_to_what_the_page_shows_by_now(self, visitor, client):
        # The form was drawn with a question; what came of the answer took its place since.
        now = "http://testserver/learn/answered/x/"

        back = client.post(
            "/language/", {"language": "de", "next": "/learn/practise/y/"}, headers={"Referer": now}
        )

        assert back.headers["Location"] == now

    @pytest.mark.parametrize("elsewhere", ["https://elsewhere.example/", "//elsewhere.example/"])
    def test_leads_to_no_other_site_that_sends_somebody(self, client, elsewhere):
        answer = client.post("/language/", {"language": "de"}, headers={"Referer": elsewhere})

        assert answer.headers["Location"] == "/"

    def test_is_refused_where_there_is_none(self, visitor, client):
        assert client.post("/language/", {"language": "xx"}).status_code == 400
        visitor.user.refresh_from_db()
        assert visitor.user.language == ""

    def test_of_pages_that_are_not_translated_is_theirs(self, visitor, client):
        teacher = make_user(organisation=visitor.user.organisation, role="teacher")
        make_class(course=visitor.course, users=[teacher])
        client.force_login(teacher)

        page = client.get("/teach/", headers=GERMAN)

        assert '<html lang="en">' in text(page)
        assert 'name="language"' not in text(page)


class TestInGerman:
    def test_pages_are_sound_with_content_in_its_own_language(self, visitor, client):
        client.post("/language/", {"language": "de"})
        visitor.join()
        visitor.have_mastered()
        pages = {name: visitor.get(name) for name in AROUND}
        session = start_session(learner=visitor.user.learner, course=visitor.course, at=clock.now())
        pages["practise"] = visitor.get("practise", session.public_id)
        slug = visitor.course.concepts.order_by("pk")[0].slug
        pages["concept"] = visitor.get("concept", visitor.course.slug, slug)

        for name, page in pages.items():
            html = page.content.decode()
            assert problems(html) == [], name
            # A drawing's numbers are no text.
            assert re.findall(r' (?:[xyr]|[cd][xy]|[xy][12]|width|height)="-?\d+,\d', html) == []
        assert '<div class="stem" id="stem" lang="en">' in text(pages["practise"])
        months = "Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez"
        assert re.search(rf"\b\d{{1,2}}\. ({months})", text(pages["concept"]))
        assert "Abgabe: " in text(pages["home"])

    def test_decimals_have_a_comma(self):
        half = RenderedItem(
            "number", "", (), NumberAnswer((Fraction(1, 2),), form="decimal"), (), (), ""
        )
        pair = NumberAnswer(
            (Fraction(3, 2), Fraction(2)), form="decimal", is_set=True, ordered=True
        )
        with translation.override("de"):
            assert "<mn>0,5</mn>" in preview(half, "0.5 cm").mathml
            assert grading.shown_answer(half) == "0,5"
            assert grading.answer_summary(half) == "0.5"
            assert number_keys.shown_key(pair) == "(1,5; 2)"
        assert "<mn>0.5</mn>" in preview(half, "0,5 cm").mathml
        assert grading.shown_answer(half) == "0.5"

    def test_what_cannot_be_read_is_said_in_it_and_the_verdict_is_the_same(self, visitor):
        session = start_session(learner=visitor.user.learner, course=visitor.course, at=clock.now())
        item = content_selectors.get_rendered_item(
            version_id=session.current.item_version_id, seed=7
        )
        with translation.override("de"), pytest.raises(UnreadableAnswer) as error:
            grading.grade(item, {})
        assert error.value.message.startswith("Die Antwort")
        judged = {}
        for language in ("en", "de"):
            with translation.override(language):
                judged[language] = [
                    _verdict(number_item(keys), answer)
                    for keys in ("0.5", "2.125", "2500", ["0.5", "2"])
                    for answer in ("0,5", "0.5", "2,125", "2.500", "0,5; 2", "keine Lösung", "?")
                ]
        assert judged["en"] == judged["de"]
        assert set(judged["en"]) >= {None, (True, 1.0), (False, 0.0)}


def _verdict(item, text):
    try:
        grade = grading.grade(item, {"text": text})
    except UnreadableAnswer:
        return None
    return grade.is_correct, grade.credit
