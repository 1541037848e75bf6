"""Pictures that somebody brings: what is taken, what is taken off, what is refused and why."""

import dataclasses
import importlib.util
import io
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.servers.process import ROOT
from tutor.content import markup, picture_text, selectors, services
from tutor.content.course_format import CourseSpec, read_structure
from tutor.content.errors import PictureRefused, TemplateInvalid
from tutor.content.item_body import content_hash, item_body
from tutor.content.models import ItemVersion, Picture, VersionPicture
from tutor.content.picture_files import MAX_BYTES, PictureFile, read_picture
from tutor.content.templates import instantiate

PLACE = b"48.2082 N"


def drawn(mode="RGB", size=(40, 30), colour="teal"):
    return Image.new(mode, size, colour)


def file_of(image, kind="PNG", **options):
    to = io.BytesIO()
    image.save(to, kind, **options)
    return to.getvalue()


def with_place():
    """EXIF with a maker, a place and a turn by a quarter."""
    exif = Image.Exif()
    exif[0x010F] = "CameraMaker"
    exif[0x0112] = 6
    exif[0x9286] = PLACE.decode()
    return exif


def opened(found: PictureFile):
    return Image.open(io.BytesIO(found.data))


class TestReadPicture:
    @pytest.mark.parametrize(
        ("kind", "media_type"),
        [
            ("PNG", "image/png"),
            ("JPEG", "image/jpeg"),
            ("WEBP", "image/webp"),
            ("GIF", "image/png"),
        ],
    )
    def test_is_what_its_content_is(self, kind, media_type):
        content = file_of(drawn(), kind)

        found = read_picture(content)

        assert (found.media_type, found.width, found.height) == (media_type, 40, 30)
        assert opened(found).get_format_mimetype() == media_type
        gap = np.asarray(opened(found).convert("RGB")).astype(int) - (0, 128, 128)
        assert np.abs(gap).max() < 8
        assert found.digest == read_picture(content).digest != read_picture(content + b" ").digest

    def test_is_the_first_of_a_phones_jpeg_with_another_behind_it(self):
        content = file_of(
            drawn(), "MPO", save_all=True, append_images=[drawn(size=(20, 15), colour="red")]
        )
        assert Image.open(io.BytesIO(content)).n_frames == 2

        found = read_picture(content)

        assert (found.media_type, found.width, found.height) == ("image/jpeg", 40, 30)
        assert opened(found).format == "JPEG"
        gap = np.asarray(opened(found)).astype(int) - (0, 128, 128)
        assert np.abs(gap).max() < 8

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_keeps_nothing_that_a_camera_wrote_but_stands_upright(self, kind):
        content = file_of(drawn(), kind, exif=with_place())
        assert b"CameraMaker" in content
        assert PLACE in content

        found = read_picture(content)

        assert b"CameraMaker" not in found.data
        assert PLACE not in found.data
        assert not opened(found).getexif()
        assert (found.width, found.height) == (30, 40)

    def test_keeps_no_comment_of_a_program(self):
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Author", "Jane Doe")
        notes.add_itxt("XML:com.adobe.xmp", "made by Jane Doe")
        content = file_of(drawn(), pnginfo=notes)
        assert b"Jane Doe" in content

        assert b"Jane Doe" not in read_picture(content).data
        assert b"Jane" not in read_picture(file_of(drawn(), "JPEG", comment="Jane")).data

    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    def test_stands_on_white_where_it_was_transparent(self, mode):
        image = Image.new(mode, (10, 10), (0,) * len(mode))

        found = opened(read_picture(file_of(image))).convert("RGBA")

        assert found.getpixel((5, 5)) == (255, 255, 255, 255)

    def test_of_a_palette_stays_one(self):
        image = drawn(size=(300, 300)).quantize(4)

        assert opened(read_picture(file_of(image))).mode == "P"

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "not a PNG"),
            (b"GIF89a", "not a PNG"),
            (b"<html><img></html>", "not a PNG"),
            (b'\n<?xml version="1.0"?><svg xmlns="..."/>', "SVG"),
            (b"<svg onload='alert(1)'/>", "SVG"),
            (file_of(drawn(size=(200, 200)))[:-60], "damaged"),
            (b"x" * (MAX_BYTES + 1), "bytes"),
            (file_of(drawn("1", (4097, 2))), "4097"),
            (file_of(drawn("1", (3000, 3000))), "3000"),
            (file_of(drawn(), "BMP"), "not a PNG"),
            (file_of(drawn(), "TIFF"), "not a PNG"),
        ],
    )
    def test_is_refused_with_the_reason(self, content, says):
        with pytest.raises(PictureRefused, match=says):
            read_picture(content)

    @pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
    def test_that_moves_is_refused(self, kind):
        frames = [drawn(colour="red"), drawn(colour="blue")]
        content = file_of(frames[0], kind, save_all=True, append_images=frames[1:])

        with pytest.raises(PictureRefused, match="moves"):
            read_picture(content)

    def test_that_unpacks_to_gigabytes_is_refused_unopened(self):
        """A PNG of a few hundred bytes that says it is 60,000 pixels wide and high."""
        head = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
        data = b"IDAT" + zlib.compress(b"\x00" * 1000)
        bomb = b"\x89PNG\r\n\x1a\n"
        for chunk in (head, data, b"IEND"):
            bomb += (
                (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
            )

        with pytest.raises(PictureRefused, match="pixels"):
            read_picture(bomb)


COURSE = """slug: seen
title: Seen
concepts: [{slug: seeing, name: Seeing}]
"""
ITEM = """- slug: look
  concepts: [seeing]
  kind: number
  parameters: {a: "choice([1, 2])"}
  stem: "How many? STEM"
  answer: {value: a}
  wrong: []
  hints: ["One", "HINT"]
  solution: "It is $[[a]]$."
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "items").mkdir()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "course.yaml").write_text(COURSE)
    for number in (1, 2):
        image = drawn(size=(600 * number, 20))
        (tmp_path / "pictures" / f"dots_{number}.png").write_bytes(file_of(image))
    return tmp_path


def read(folder, stem="", hint="Two") -> tuple[CourseSpec, list[str]]:
    text = ITEM.replace("STEM", stem).replace("HINT", hint)
    (folder / "items" / "some.yaml").write_text(text)
    course, problems = read_structure(folder)
    assert course is not None
    return course, problems


class TestACourseWithPictures:
    def test_names_them_by_path_with_an_alternative(self, folder):
        course, problems = read(
            folder, "![Two dots](pictures/dots_2.png)", "![One](pictures/dots_1.png)"
        )

        assert problems == []
        assert sorted(course.items[0].pictures) == ["pictures/dots_1.png", "pictures/dots_2.png"]
        assert {one.width for one in course.pictures} == {600, 1200}
        item = instantiate(item_body(course.items[0]), seed=1)
        assert re_digests(item.stem) == [course.items[0].pictures["pictures/dots_2.png"].digest]

    def test_shows_the_one_that_fits_the_numbers(self, folder):
        course, problems = read(folder, "![[[a]] dots](pictures/dots_[[a]].png)")
        assert problems == []
        body = item_body(course.items[0])

        for seed in range(10):
            item = instantiate(body, seed=seed)
            number = item.parameters["a"]
            found = course.items[0].pictures[f"pictures/dots_{number}.png"]
            assert f"![{number} dots](picture:{found.digest}" in item.stem

    def test_draws_no_numbers_that_there_is_no_picture_for(self, folder):
        (folder / "pictures" / "dots_2.png").unlink()
        course, problems = read(folder, "![[[a]] dots](pictures/dots_[[a]].png)")
        assert problems == []

        numbers = {
            instantiate(item_body(course.items[0]), seed=s).parameters["a"] for s in range(20)
        }

        assert numbers == {"1"}

    def test_whose_numbers_never_fit_one_says_so(self, folder):
        course, problems = read(folder, "![[[a]] dots](pictures/dots_[[a]].png)")
        assert problems == []
        body = item_body(course.items[0])
        body["pictures"] = {"pictures/dots_3.png": next(iter(body["pictures"].values()))}

        with pytest.raises(TemplateInvalid, match=r"look.*there is no picture"):
            instantiate(body, seed=1)

    @pytest.mark.parametrize(
        ("stem", "says"),
        [
            ("![](pictures/dots_1.png)", "no text alternative"),
            ("![  ](pictures/dots_1.png)", "no text alternative"),
            ("![dots_1.png](pictures/dots_1.png)", "file's name"),
            ("![Dots_1](pictures/dots_1.png)", "file's name"),
            ("![" + "word " * 150 + "](pictures/dots_1.png)", "characters"),
            ("![A length of $x$](pictures/dots_1.png)", "formula"),
            ("![Dots](pictures/dots_9.png)", "is not in the course's folder"),
            ("![Dots](pictures/dots_[[a]]x.png)", "none that fits"),
            ("![Dots](p_[[a]]/dots.png)", "name of a folder"),
            ("![Dots](https://example.org/dots.png)", "another site"),
            ("![Dots](../outside.png)", "outside"),
            ("![Dots](/etc/passwd)", "outside"),
            ("![Dots](pictures/link.png)", "outside"),
            ("![Dots](course.yaml)", "not a PNG"),
            ("![Dots]()", "not in the course's folder"),
        ],
    )
    def test_is_told_file_item_field_and_what_to_do(self, folder, stem, says):
        (folder.parent / "outside.png").write_bytes(file_of(drawn()))
        (folder / "pictures" / "link.png").symlink_to(folder.parent / "outside.png")

        _, problems = read(folder, hint=stem)

        assert len(problems) == 1, problems
        assert problems[0].startswith("items/some.yaml, item look, hint 2: the picture")
        assert says in problems[0]

    def test_tells_every_mistake(self, folder):
        _, problems = read(folder, "![](pictures/dots_1.png) ![a](b.png)", "![c](d.png)")

        assert len(problems) == 3

    def test_has_none_where_none_is_shown(self, folder):
        text = (
            ITEM.replace("STEM", "")
            .replace("HINT", "x")
            .replace(
                "wrong: []",
                "wrong: [{value: 7, misconception: m, feedback: '![a](pictures/dots_1.png)'}]",
            )
        )
        (folder / "items" / "some.yaml").write_text(text)
        (folder / "course.yaml").write_text(
            COURSE + "misconceptions: {m: {name: M, feedback: F}}\n"
        )

        _, problems = read_structure(folder)

        [problem] = problems
        assert problem.startswith("items/some.yaml, item look, wrong 1, feedback: no picture")

    def test_leaves_items_without_pictures_as_they_were(self, folder):
        course, _ = read(folder)
        body = item_body(course.items[0])

        assert "pictures" not in body
        assert content_hash(body) == content_hash(
            {k: v for k, v in body.items() if k != "pictures"}
        )


def re_digests(text):
    return [part[:64] for part in text.split("(picture:")[1:]]


@pytest.mark.django_db
class TestLoadCourse:
    def test_stores_each_picture_once_and_links_it_to_the_versions_that_show_it(
        self, folder, organisation
    ):
        course, _ = read(folder, "![a b](pictures/dots_1.png) ![c](pictures/dots_1.png)")

        loaded = services.load_course(organisation=organisation, spec=course)

        version = ItemVersion.objects.get(item__course=loaded.course)
        [picture] = Picture.objects.all()
        assert bytes(picture.data) == course.pictures[0].data
        assert list(VersionPicture.objects.values_list("version", "picture")) == [
            (version.pk, picture.pk)
        ]
        assert selectors.get_picture(digest=picture.digest) == picture

    def test_changes_nothing_the_second_time(self, folder, organisation):
        course, _ = read(folder, "![a b](pictures/dots_1.png)")
        services.load_course(organisation=organisation, spec=course)

        again = services.load_course(organisation=organisation, spec=course)

        assert (again.versions_added, Picture.objects.count()) == (0, 1)

    def test_makes_a_version_of_another_picture_under_the_same_path(self, folder, organisation):
        services.load_course(
            organisation=organisation, spec=read(folder, "![a b](pictures/dots_1.png)")[0]
        )
        (folder / "pictures" / "dots_1.png").write_bytes(file_of(drawn(colour="red")))

        again = services.load_course(
            organisation=organisation, spec=read(folder, "![a b](pictures/dots_1.png)")[0]
        )

        assert again.versions_added == 1
        old, new = ItemVersion.objects.order_by("number")
        assert old.picture_links.get().picture != new.picture_links.get().picture
        assert Picture.objects.count() == 2

    def test_takes_what_another_version_of_the_library_stored(self, folder, organisation):
        course, _ = read(folder, "![a b](pictures/dots_1.png)")
        services.load_course(organisation=organisation, spec=course)
        other = dataclasses.replace(course.pictures[0], data=b"encoded otherwise")

        again = services.load_course(
            organisation=organisation, spec=dataclasses.replace(course, pictures=(other,))
        )

        assert again.versions_added == 0
        assert bytes(Picture.objects.get().data) == course.pictures[0].data


NAMED = "picture:" + "ab" * 32 + ":{}x40"


class TestRender:
    def test_a_picture_of_its_own_is_a_figure_with_size_and_alternative(self):
        text = f'![Two <dots> \\] "here"]({NAMED.format(200)})\n\nHow many?'

        shown = markup.render(text)

        assert shown == (
            f'<figure class="picture"><img src="/api/v1/pictures/{"ab" * 32}" '
            'alt="Two &lt;dots&gt; ] &quot;here&quot;" width="200" height="40" decoding="async">'
            "</figure>\n<p>How many?</p>"
        )

    @pytest.mark.parametrize(("width", "size"), [(301, "medium"), (641, "wide")])
    def test_one_that_may_not_fit_can_be_enlarged_without_a_script(self, width, size):
        shown = markup.render(f"![Dots]({NAMED.format(width)})")

        assert f'class="picture {size}"' in shown
        assert "<details><summary>Enlarge</summary></details>" in shown

    def test_inside_a_line_it_is_an_image_and_no_control(self):
        text = f"Count ![dots]({NAMED.format(900)}) here"

        for shown in (markup.render(text), markup.render(text, inline=True)):
            assert "<img " in shown
            assert "details" not in shown
        assert markup.render(text).startswith("<p>Count <img")

    @pytest.mark.parametrize(
        "text",
        [
            "![a](https://example.org/x.png)",
            "![a](pictures/x.png)",
            "![a](picture:abc:1x1)",
            "![a](javascript:alert)",
        ],
    )
    def test_nothing_but_a_stored_picture_is_drawn(self, text):
        assert "<img" not in markup.render(text)

    def test_reads_in_words_where_there_is_no_page(self):
        assert picture_text.in_words(f"A ![dot \\] b]({NAMED.format(9)}).") == "A [dot ] b]."


def test_the_demo_course_s_pictures_are_what_the_program_draws():
    spec = importlib.util.spec_from_file_location("draw", ROOT / "scripts/draw_demo_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    drawings = dict(program.drawings())
    stored = {path.name for path in program.FOLDER.iterdir()}

    assert stored == set(drawings)
    assert max(path.stat().st_size for path in program.FOLDER.iterdir()) < 20_000
    for name in sorted(stored)[::15]:
        fresh = drawings[name]().finished().convert("RGB")
        with Image.open(program.FOLDER / name) as kept:
            assert np.array_equal(np.asarray(kept.convert("RGB")), np.asarray(fresh)), name
