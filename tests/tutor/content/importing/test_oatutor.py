"""OATutor's content as courses: where it is found, what is taken, what is listed."""

import csv
import io
import json
import tarfile
import zipfile
from collections import Counter

import pytest

from tests.servers.process import ROOT
from tests.tutor.content.importing.factories import (
    SMALL,
    as_one_file,
    convert,
    copy_small,
    read_folder,
)
from tutor.content import course_check
from tutor.content.graph import build_graph
from tutor.content.importing import (
    hints,
    keys,
    latex,
    oatutor,
    oatutor_files,
    oatutor_plans,
    oatutor_records,
    short_answers,
    sources,
    texts,
)
from tutor.content.importing.errors import ContentUnreadable
from tutor.content.importing.listed import COLUMNS, Listed, write_listed

ARCHIVE = ROOT.parent / "shared" / "data" / "oatutor_content.tar.xz"


@pytest.fixture
def folder(tmp_path):
    return copy_small(tmp_path)


def course(converted, slug):
    return next(course for course in converted.courses if course.slug == slug)


def rewrite(path, change):
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


class TestConvert:
    def test_makes_a_course_of_each_plan(self):
        converted = convert(SMALL)

        assert [course.slug for course in converted.courses] == [
            "baking-a-start",
            "bakning",
            "expressions-again",
        ]
        baking = course(converted, "baking-a-start")
        assert [(c.slug, c.name, c.description) for c in baking.concepts[:3]] == [
            ("halves-and-quarters", "Halves and quarters", "Lesson 1: Weights"),
            ("money", "Money", "Lesson 1: Weights"),
            ("simplify-expressions", "Simplify expressions", "Lesson 2: Expressions"),
        ]
        assert Counter(item.kind for item in baking.items) == {
            "number": 5,
            "expression": 4,
            "single_choice": 1,
            "text": 1,
        }
        items = {item.slug: item for item in baking.items}
        assert items["loaf1-c"].concepts == ("money", "halves-and-quarters")
        assert (converted.steps, converted.taken) == (18, 13)

    def test_every_item_is_sound(self):
        for made in convert(SMALL).courses:
            assert course_check.check_items(made.items, seeds=range(3)) == []
            known = {concept.slug for concept in made.concepts}
            assert all(set(item.concepts) <= known for item in made.items)
            build_graph(requires={concept.slug: concept.requires for concept in made.concepts})

    def test_lists_each_step_that_is_left_out(self):
        converted = convert(SMALL)

        assert {(row.step, row.reason) for row in converted.listed} == {
            ("circle5c", short_answers.INTERVAL),
            ("circle5e", latex.FUNCTION),
            ("link7a", texts.FOREIGN),
            ("shelf4a", texts.PICTURE),
            ("vary8a", texts.VARIABLES),
        }
        assert len(converted.listed) == converted.steps - converted.taken
        assert [(row.step, row.reason) for row in converted.notes] == [("dough2a", hints.DROPPED)]

    def test_uses_a_problem_in_every_course_that_teaches_its_skill(self):
        converted = convert(SMALL)
        shared = {"dough2-a", "dough2-b", "dough2-c"}
        assert {item.slug for item in course(converted, "expressions-again").items} == shared
        assert shared < {item.slug for item in course(converted, "baking-a-start").items}

    def test_speaks_the_language_of_the_course(self):
        swedish = course(convert(SMALL), "bakning")
        second = next(item for item in swedish.items if item.slug == "brod9-b")
        assert swedish.language == "sv"
        assert "Del 2 av 2. Du har hittills kommit fram till:" in second.stem
        assert second.solution == "Svar: $12$"

    def test_says_a_shared_problem_in_the_language_of_each_course(self, folder):
        def share(plans):
            plans[1]["lessons"][0]["learningObjectives"]["money"] = 0.85

        rewrite(folder / "coursePlans.json", share)
        converted = convert(folder)

        stems = {
            made.slug: [item.stem for item in made.items if item.slug == "loaf1-b"]
            for made in converted.courses[:2]
        }
        assert ["Part 2 of 3" in stem for stem in stems["baking-a-start"]] == [True]
        assert ["Del 2 av 3" in stem for stem in stems["bakning"]] == [True]
        assert (converted.steps, converted.taken) == (18, 13)

    def test_names_source_and_licence(self):
        source = course(convert(SMALL), "baking-a-start").source
        assert "https://creativecommons.org/licenses/by/4.0/ <CC BY 4.0>" in source
        assert "11 questions: https://example.org/baking <A Baker's Book>" in source
        assert "Changed:" in source

    def test_takes_only_the_courses_asked_for(self):
        converted = convert(SMALL, "Expressions Again")
        assert [course.slug for course in converted.courses] == ["expressions-again"]
        assert (converted.steps, converted.taken) == (3, 3)

    def test_lists_what_is_named_twice_or_has_no_skill(self, folder):
        rewrite(folder / "skillModel.json", lambda skills: skills.update(oven3a=[]))
        as_one_file(folder)
        lines = (folder / "problems.jsonl").read_text(encoding="utf-8").splitlines()
        (folder / "problems.jsonl").write_text("\n".join([*lines, lines[0]]), encoding="utf-8")

        found = {(row.problem, row.reason) for row in convert(folder).listed}

        assert ("brod9", oatutor.TWICE) in found
        assert ("oven3", oatutor.NO_SKILL) in found

    def test_says_which_skills_have_no_item(self, folder):
        rewrite(folder / "skillModel.json", lambda skills: skills.update(circle5a=["money"]))
        converted = convert(folder)
        assert "area-of-a-circle" not in {c.slug for c in converted.courses[0].concepts}
        assert Listed("Baking: A Start", "", oatutor.NO_ITEM, "area_of_a_circle") in converted.notes


class TestForms:
    def test_one_file_holds_the_same_as_the_folders(self, folder):
        assert convert(as_one_file(folder)) == convert(SMALL)

    def test_finds_the_content_further_down(self, folder):
        deep = folder.parent / "clone" / "src" / "content-sources"
        deep.mkdir(parents=True)
        folder.rename(deep / "oatutor")
        (folder.parent / "clone" / "node_modules").mkdir()
        (folder.parent / "clone" / "coursePlans.json").write_text("[]")
        assert convert(folder.parent / "clone") == convert(SMALL)

    def test_reads_a_zip_and_a_tar(self, folder, tmp_path):
        zipped, packed = tmp_path / "c.zip", tmp_path / "c.tar.xz"
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in folder.rglob("*"):
                archive.write(path, path.relative_to(folder.parent))
        with tarfile.open(packed, "w:xz") as archive:
            archive.add(folder, "some/where")
        assert convert(zipped) == convert(packed) == convert(SMALL)

    def test_orders_steps_beyond_z(self):
        assert oatutor_files.step_order("p1b") < oatutor_files.step_order("p1{")
        assert oatutor_files.step_order("p1z") < oatutor_files.step_order("p1aa")

    @pytest.mark.parametrize(
        ("remove", "said"),
        [
            ("coursePlans.json", "has no coursePlans.json. Wanted is"),
            ("skillModel.json", "has no skillModel.json"),
            ("content-pool", "neither content-pool/ nor problems.jsonl"),
        ],
    )
    def test_says_what_is_missing(self, folder, remove, said):
        (folder / remove).rename(folder.parent / "away")
        with pytest.raises(ContentUnreadable, match=said):
            convert(folder)

    def test_says_that_there_is_nothing(self, tmp_path):
        with pytest.raises(ContentUnreadable, match="no such folder or file"):
            convert(tmp_path / "none")

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('{"id": "p", "steps": [', "no JSON"),
            ('{"id": "p\x00"}', "NUL"),
            ("[" * 100_000, "nested too deeply"),
            ("[]", "no mapping of fields"),
        ],
    )
    def test_names_the_line_that_is_broken_and_goes_on(self, folder, line, said):
        as_one_file(folder)
        path = folder / "problems.jsonl"
        path.write_text(line + "\n" + path.read_text(encoding="utf-8"), encoding="utf-8")

        converted = convert(folder)

        [row] = [row for row in converted.listed if row.problem == "problems.jsonl, line 1"]
        assert row.reason == oatutor_records.MALFORMED
        assert said in row.detail
        assert converted.taken == 13

    def test_names_the_folder_that_is_broken_and_goes_on(self, folder):
        pool = folder / "content-pool"
        (pool / "loaf1" / "loaf1.json").unlink()
        (pool / "dough2" / "steps" / "dough2b" / "dough2b.json").write_text("{")
        found = {row.problem: row.detail for row in convert(folder).listed if not row.step}
        assert found["content-pool/loaf1"] == "it has no loaf1.json"
        assert "dough2b.json: it is no JSON" in found["content-pool/dough2"]

    @pytest.mark.parametrize(
        ("file", "data", "said"),
        [
            ("coursePlans.json", {}, "no list of courses"),
            ("coursePlans.json", [], "names no course"),
            ("coursePlans.json", [{"lessons": []}], "course 1: `courseName` is missing"),
            ("coursePlans.json", [{"courseName": "A"}, {"courseName": "a"}], "twice"),
            ("coursePlans.json", [{"courseName": "A", "lessons": [1]}], "lesson 1 is no mapping"),
            ("skillModel.json", [], "no mapping of steps"),
            ("skillModel.json", {"a": "b"}, "a: the skills must be a list"),
        ],
    )
    def test_refuses_plans_and_skills_of_another_shape(self, folder, file, data, said):
        (folder / file).write_text(json.dumps(data))
        with pytest.raises(ContentUnreadable, match=said):
            convert(folder)

    def test_names_the_courses_there_are(self):
        with pytest.raises(ContentUnreadable, match=r"'cooking'. There are: baking-a-start, bak"):
            convert(SMALL, "cooking")


class TestArchives:
    def zipped(self, tmp_path, members):
        path = tmp_path / "bomb.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, size in members:
                archive.writestr(name, b" " * size)
        return path

    def test_refuses_one_that_unpacks_to_too_much(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sources, "MAX_TOTAL_BYTES", 2500)
        path = self.zipped(tmp_path, [(f"{n}.json", 1000) for n in range(3)])
        with pytest.raises(ContentUnreadable, match="more than 2,500 bytes"):
            sources.open_files(path)

    def test_refuses_a_file_that_is_too_large(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sources, "MAX_FILE_BYTES", 900)
        with pytest.raises(ContentUnreadable, match="over 900 bytes"):
            sources.open_files(self.zipped(tmp_path, [("a.json", 1000)]))

    def test_refuses_too_many_files(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sources, "MAX_FILES", 3)
        path = self.zipped(tmp_path, [(f"{n}.txt", 1) for n in range(4)])
        with pytest.raises(ContentUnreadable, match="more than 3 files"):
            sources.open_files(path)

    def test_counts_what_it_passes_over_in_a_tar(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sources, "MAX_TOTAL_BYTES", 5000)
        path = tmp_path / "bomb.tar.xz"
        with tarfile.open(path, "w:xz") as archive:
            member = tarfile.TarInfo("movie.bin")
            member.size = 6000
            archive.addfile(member, io.BytesIO(bytes(6000)))
        with pytest.raises(ContentUnreadable, match="more than 5,000 bytes"):
            sources.open_files(path)

    def test_refuses_what_is_no_archive_or_damaged(self, tmp_path):
        path = tmp_path / "c.tar.xz"
        path.write_text("no archive")
        with pytest.raises(ContentUnreadable, match="neither a folder nor"):
            sources.open_files(path)
        whole = tmp_path / "w.tar.xz"
        with tarfile.open(whole, "w:xz") as archive:
            archive.add(SMALL, "c")
        path.write_bytes(whole.read_bytes()[:2000])
        with pytest.raises(ContentUnreadable):
            sources.open_files(path)

    def test_passes_over_links_and_hidden_copies(self, tmp_path):
        path = tmp_path / "c.tar"
        with tarfile.open(path, "w") as archive:
            link = tarfile.TarInfo("a.json")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
            archive.addfile(tarfile.TarInfo("__MACOSX/._b.json"))
            archive.addfile(tarfile.TarInfo("c.json"))
        assert sources.open_files(path).paths() == ("c.json",)


class TestListed:
    def test_is_a_table_that_no_spreadsheet_takes_for_formulas(self, tmp_path):
        path = tmp_path / "l.csv"
        write_listed(rows=[Listed("p", "=1+1", "r", "one\ntwo\x00" + "x" * 900)], path=path)
        with path.open(newline="", encoding="utf-8") as file:
            header, row = csv.reader(file)
        assert tuple(header) == COLUMNS
        assert row[1] == "'=1+1"
        assert row[3].startswith("one two xxx")
        assert len(row[3]) == 300


@pytest.mark.skipif(not ARCHIVE.exists(), reason=f"OATutor's content is not at {ARCHIVE}")
class TestRealContent:
    """The published content, one course of it; the figures were counted on 12,814 problems."""

    def test_takes_what_it_took_when_it_was_measured(self):
        converted = convert(ARCHIVE, "solid-foundations-algebra")

        assert converted.steps == 456
        assert converted.taken >= 390
        assert {row.reason for row in converted.listed} >= {texts.PICTURE, latex.FUNCTION}
        assert not {keys.NO_ANSWER, oatutor.NO_SKILL} & {row.reason for row in converted.listed}

    def test_lists_all_plans(self):
        content = oatutor_files.find_content(sources.open_files(ARCHIVE))
        plans = oatutor_plans.read_plans(content.read_json(oatutor_files.PLANS))
        skills = oatutor_files.read_skills(content)
        counts = oatutor.count_steps(plans, skills)
        assert len(plans) == 18
        assert counts["openstax-elementary-algebra"] == (201, 4396)
        assert oatutor.count_all(plans, skills) == 16362


def test_the_fixture_is_what_its_reader_says():
    assert len(read_folder(SMALL / "content-pool" / "circle5")["steps"]) == 5
