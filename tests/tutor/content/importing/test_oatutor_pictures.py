"""OATutor's pictures are shown where they are on hand and somebody has said what they show."""

import io
import shutil

import pytest
from PIL import Image

from tests.tutor.content.importing.factories import copy_small
from tutor.content import course_check, markup, services
from tutor.content.importing import (
    oatutor,
    oatutor_files,
    oatutor_pictures,
    oatutor_plans,
    sources,
    texts,
)
from tutor.content.importing.errors import ContentUnreadable
from tutor.content.item_body import item_body
from tutor.content.models import Picture, VersionPicture
from tutor.content.templates import instantiate

WORDS = {
    ("shelf4", "figure1.gif"): "A shelf with 4 of 8 [loaves] left, worth $4",
    ("dough2", "figure1.gif"): "Two bowls of dough",
}


def figure(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (50, 20), colour).save(file, "GIF")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path):
    found = copy_small(tmp_path)
    for problem, colour in (("shelf4", "red"), ("dough2", "blue")):
        place = found / "content-pool" / problem / "figures"
        place.mkdir()
        (place / "figure1.gif").write_bytes(figure(colour))
    return found


def convert(path, alternatives):
    content = oatutor_files.find_content(sources.open_files(path))
    plans = oatutor_plans.read_plans(content.read_json(oatutor_files.PLANS))
    return oatutor.convert(content, plans=plans, alternatives=alternatives)


def items_of(converted):
    return {item.slug: item for course in converted.courses for item in course.items}


def test_a_question_and_a_hint_show_theirs(folder):
    converted = convert(folder, WORDS)

    assert not [row for row in converted.listed if row.reason == texts.PICTURE]
    items = items_of(converted)
    asked = items["shelf4-a"]
    assert list(asked.pictures) == ["shelf4/figure1.gif"]
    shown = markup.render(instantiate(item_body(asked), seed=0).stem)
    assert 'alt="A shelf with 4 of 8 [loaves] left, worth $4"' in shown
    assert '<figure class="picture"><img src="/api/v1/pictures/' in shown
    assert any("(dough2/figure1.gif)" in hint for hint in items["dough2-a"].hints)
    for course in converted.courses:
        assert course_check.check_items(course.items, seeds=range(2)) == []
        digests = {ref.digest for item in course.items for ref in item.pictures.values()}
        assert {one.digest for one in course.pictures} == digests


@pytest.mark.django_db
def test_is_stored_with_its_course(folder, organisation):
    converted = convert(folder, WORDS)
    course = next(one for one in converted.courses if any(i.slug == "shelf4-a" for i in one.items))

    loaded = services.load_course(organisation=organisation, spec=course)

    links = VersionPicture.objects.filter(version__item__course=loaded.course)
    assert "shelf4-a" in set(links.values_list("version__item__slug", flat=True))
    assert Picture.objects.count() == len(course.pictures)


def test_without_words_none_is_shown_and_each_is_listed(folder):
    converted = convert(folder, {})

    rows = [
        (row.problem, row.detail)
        for row in converted.notes
        if row.reason == oatutor_pictures.NO_WORDS
    ]
    assert sorted(rows) == [("dough2", "figure1.gif"), ("shelf4", "figure1.gif")]
    assert "shelf4-a" not in items_of(converted)


def test_what_cannot_be_shown_is_listed_with_the_reason(folder):
    file = folder / "content-pool" / "shelf4" / "figures" / "figure1.gif"
    file.write_bytes(b"<svg/>")

    converted = convert(folder, WORDS)

    [row] = [row for row in converted.notes if row.reason == oatutor_pictures.UNFIT]
    assert row.problem == "shelf4"
    assert "SVG" in row.detail
    assert "shelf4-a" not in items_of(converted)


def test_an_archive_has_them_too(folder, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "content"), "zip", folder)

    assert items_of(convert(type(folder)(archive), WORDS)) == items_of(convert(folder, WORDS))


class TestReadAlternatives:
    def test_returns_words_by_problem_and_file(self, tmp_path):
        file = tmp_path / "words.csv"
        file.write_text(
            'problem,picture,alternative\nshelf4,Figure1.GIF,"A  shelf, full"\nb,x.png,\n'
        )

        assert oatutor_pictures.read_alternatives(file) == {
            ("shelf4", "figure1.gif"): "A shelf, full"
        }

    @pytest.mark.parametrize("content", [b"problem,picture\na,b\n", b"\xff\xfe\x00", b""])
    def test_says_what_is_wrong_with_the_file(self, tmp_path, content):
        (tmp_path / "words.csv").write_bytes(content)

        with pytest.raises(ContentUnreadable, match=r"words\.csv"):
            oatutor_pictures.read_alternatives(tmp_path / "words.csv")
