"""A file comes in while it is received: named at random, hashed, and never beyond the limit."""

import hashlib
import io
import shutil
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import SkipFile
from django.test import Client

from tests.factories import make_course, make_organisation, make_user
from tests.tutor.intake.bringing import acts, kept
from tutor.intake import storage
from tutor.intake.models import State, Upload
from tutor.intake.receiving import FIELD, LogUploadHandler

pytestmark = pytest.mark.django_db

CONTENT = b"learner,item,correct\n1,a,1\n"
URL = "/import/new/"


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


def send(client, content=CONTENT, name="spring.csv", **fields):
    return client.post(URL, {"log": SimpleUploadedFile(name, content), **fields})


def workbook(*members) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in members:
            archive.writestr(name, b"x" * 50)
    return data.getvalue()


class TestKeeps:
    def test_the_file_as_it_came_under_a_name_of_its_own(self, signed_in, folder):
        content = CONTENT * 20_000  # several chunks

        answer = send(signed_in, content, "Klasse 7b.CSV.gz")

        upload = Upload.objects.get()
        assert answer.headers["Location"] == f"/import/{upload.public_id}/"
        assert kept(folder) == [upload.stored_name]
        assert storage.path_of(upload.stored_name).read_bytes() == content
        assert upload.sha256 == hashlib.sha256(content).hexdigest()
        assert upload.size_bytes == len(content)
        assert upload.file_name == "Klasse 7b.csv.gz"
        assert "Klasse" not in upload.stored_name
        assert upload.stored_name.endswith(".csv.gz")
        assert (upload.state, upload.course_title) == (State.LOOKING, "Klasse 7b")
        assert acts() == ["log-uploaded"]

    def test_nothing_that_others_may_read(self, signed_in, folder):
        send(signed_in)

        [name] = kept(folder)
        assert (folder / name).stat().st_mode & 0o077 == 0
        assert folder.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\logs\\spring.csv", "spring.csv"),
            ("a\u202egnp.csv", "agnp.csv"),
            ("<b>.csv", "<b>.csv"),
            ("x" * 300 + ".parquet", "x" * 112 + ".parquet"),
            ("\u202e.csv", "log.csv"),
        ],
    )
    def test_the_name_only_to_show_it(self, signed_in, folder, given, shown):
        send(signed_in, name=given)

        assert Upload.objects.get().file_name == shown
        assert [name for name in kept(folder) if "passwd" in name or "spring" in name] == []

    def test_one_file_of_the_field_that_is_asked_for(self, signed_in, folder):
        other = SimpleUploadedFile("other.csv", b"other")
        second = SimpleUploadedFile("second.csv", b"second")
        first = SimpleUploadedFile("first.csv", CONTENT)

        signed_in.post(URL, {"x": other, "log": [first, second]})

        assert [storage.path_of(name).read_bytes() for name in kept(folder)] == [CONTENT]

    def test_what_it_is_for(self, signed_in, admin):
        course = make_course(organisation=admin.organisation)

        send(signed_in, course=course.slug, format="pykt", title="Not this")
        send(signed_in, title="Bruchrechnen  7 ")

        newest, first = Upload.objects.all()
        assert (first.course, first.course_slug, first.format) == (course, course.slug, "pykt")
        assert (newest.course, newest.course_title) == (None, "Bruchrechnen  7")
        assert newest.course_slug == "bruchrechnen-7"

    def test_two_of_a_name_as_two_courses(self, signed_in):
        send(signed_in)
        send(signed_in)

        slugs = Upload.objects.order_by("pk").values_list("course_slug", flat=True)
        assert list(slugs) == ["spring", "spring-2"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [("a\u202egnp.csv", "agnp.csv"), ("a\nb\x00.csv", "ab.csv"), ("\x07", "log")],
)
def test_a_shown_name_has_no_mark_that_steers_the_text(given, shown):
    assert storage.clean_name(given) == shown


def test_what_is_refused_is_gone_before_the_rest_arrives(folder):
    handler = LogUploadHandler(limit_bytes=10)
    handler.new_file(FIELD, "spring.csv", "text/csv", None)
    handler.receive_data_chunk(b"12345678", 0)
    assert len(kept(folder)) == 1

    with pytest.raises(SkipFile):
        handler.receive_data_chunk(b"12345678", 8)

    assert kept(folder) == []


class TestRefuses:
    @pytest.fixture(autouse=True)
    def _small(self, settings):
        settings.UPLOAD_MAX_BYTES = 1_000_000

    def test_a_byte_above_the_limit(self, signed_in, folder):
        fits = send(signed_in, b"x" * 1_000_000)
        above = send(signed_in, b"x" * 1_000_001)

        assert fits.status_code == 302
        assert above.status_code == 400
        assert "more than 1 MB" in above.content.decode()
        assert len(kept(folder)) == 1
        assert Upload.objects.count() == 1

    @pytest.mark.parametrize("size", [3_000_000, 9_000_000])
    def test_far_more_by_its_announced_length_and_writes_none_of_it(
        self, signed_in, folder, size, monkeypatch
    ):
        monkeypatch.setattr(storage, "new_name", lambda _: pytest.fail("a file was begun"))

        answer = send(signed_in, b"x" * size)

        assert answer.status_code == 400
        assert "more than 1 MB" in answer.content.decode()
        assert kept(folder) == []

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"\x89PNG\r\n\x1a\n...", "is a picture"),
            (b"%PDF-1.7", "is a PDF"),
            (workbook("[Content_Types].xml", "xl/workbook.xml"), "is an Office file"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old Office file"),
            (b"", "spring.csv is empty"),
        ],
    )
    def test_what_is_no_log(self, signed_in, folder, content, said):
        answer = send(signed_in, content)

        assert answer.status_code == 400
        assert said in answer.content.decode()
        assert kept(folder) == []
        assert acts() == []

    def test_nothing_that_only_looks_like_an_archive_of_logs(self, signed_in):
        assert send(signed_in, workbook("answers.csv"), "logs.zip").status_code == 302

    def test_a_form_without_a_file(self, signed_in):
        answer = signed_in.post(URL, {"title": "Spring"})

        assert answer.status_code == 400
        assert "Choose a file first" in answer.content.decode()
        assert 'value="Spring"' in answer.content.decode()

    @pytest.mark.parametrize("field", [{"course": "no-such"}, {"format": "no-such"}])
    def test_what_is_not_on_the_list(self, signed_in, folder, field):
        assert send(signed_in, **field).status_code in {400, 404}
        assert kept(folder) == []

    def test_a_course_of_another_school(self, signed_in, folder):
        course = make_course(organisation=make_organisation())

        assert send(signed_in, course=course.slug).status_code == 404
        assert kept(folder) == []

    def test_more_than_so_many_an_hour(self, signed_in, folder, settings):
        settings.UPLOADS_PER_HOUR = 2
        answers = [send(signed_in).status_code for _ in range(3)]

        assert answers == [302, 302, 429]
        assert len(kept(folder)) == 2

    def test_more_than_so_many_that_wait_but_only_of_this_school(self, signed_in, client, folder):
        for _ in range(10):
            assert send(signed_in).status_code == 302

        refused = send(signed_in)
        client.force_login(make_user(organisation=make_organisation(), role="administrator"))

        assert refused.status_code == 429
        assert "discard one of them first" in refused.content.decode()
        assert send(client).status_code == 302

    def test_what_the_disk_has_no_room_for(self, signed_in, folder, monkeypatch):
        usage = shutil.disk_usage("/")
        monkeypatch.setattr(
            shutil, "disk_usage", lambda _: usage._replace(free=storage.RESERVE_BYTES + 100)
        )

        assert send(signed_in, b"x" * 500).status_code == 507
        assert kept(folder) == []

    def test_a_form_of_another_site(self, admin, folder):
        client = Client(enforce_csrf_checks=True)
        client.force_login(admin)

        assert send(client).status_code == 403
        assert kept(folder) == []

    def test_a_stranger_before_reading_what_they_send(self, client, folder):
        answer = send(client)

        assert answer.headers["Location"].startswith("/sign-in/")
        assert kept(folder) == []

    @pytest.mark.parametrize("role", ["student", "teacher"])
    def test_who_does_not_administer(self, client, organisation, folder, role):
        client.force_login(make_user(organisation=organisation, role=role))

        assert send(client).status_code == 404
        assert kept(folder) == []
