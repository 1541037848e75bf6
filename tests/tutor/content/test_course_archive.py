"""A course comes as a folder or packed, and nothing is written outside of where it is unpacked."""

import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.factories import SMALL_COURSE
from tutor.content.course_archive import unpacked
from tutor.content.course_format import read_structure
from tutor.content.importing.errors import ContentUnreadable
from tutor.content.models import Course


@pytest.mark.parametrize("kind", ["zip", "gztar", "xztar"])
@pytest.mark.parametrize("inside", [True, False])
def test_reads_as_the_folder_does(tmp_path, kind, inside):
    """Packed with its folder or without."""
    root = (SMALL_COURSE.parent, SMALL_COURSE.name) if inside else (SMALL_COURSE, ".")
    packed = shutil.make_archive(str(tmp_path / "course"), kind, root[0], root[1])

    with unpacked(Path(packed)) as folder:
        assert read_structure(folder) == read_structure(SMALL_COURSE)
    assert not folder.exists()


def test_a_folder_is_left_where_it_is():
    with unpacked(SMALL_COURSE) as folder:
        assert folder == SMALL_COURSE
    assert SMALL_COURSE.is_dir()


def packed_with(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "slug: x\n")
    return path


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["../course.yaml"], "outside"),
        (["/tmp/course.yaml"], "outside"),
        (["a/../../course.yaml"], "outside"),
        (["items/x.yaml"], "no course.yaml"),
        (["a/course.yaml", "b/course.yaml"], "more than one"),
    ],
)
def test_is_refused_with_the_reason(tmp_path, names, says):
    path = packed_with(tmp_path / "course.zip", *names)

    with pytest.raises(ContentUnreadable, match=says), unpacked(path):
        pytest.fail("It was taken.")


def test_a_link_in_an_archive_is_no_file_of_the_course(tmp_path):
    path = tmp_path / "course.tar"
    with tarfile.open(path, "w") as archive:
        data = (SMALL_COURSE / "course.yaml").read_bytes()
        plain = tarfile.TarInfo("course.yaml")
        plain.size = len(data)
        archive.addfile(plain, io.BytesIO(data))
        link = tarfile.TarInfo("pictures/x.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)

    with unpacked(path) as folder:
        assert [found.name for found in folder.rglob("*")] == ["course.yaml"]


@pytest.mark.django_db
def test_is_loaded_by_the_command(tmp_path, organisation):
    packed = shutil.make_archive(str(tmp_path / "course"), "zip", SMALL_COURSE)

    call_command("load_course", packed, organisation=organisation.slug, stdout=io.StringIO())

    assert Course.objects.get().slug == "small"
    with pytest.raises(CommandError, match="no such folder or file"):
        call_command("load_course", str(tmp_path / "gone.zip"), organisation=organisation.slug)
