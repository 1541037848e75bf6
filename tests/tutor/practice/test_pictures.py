"""Who may see a picture, and how it comes."""

import pytest

from tests.factories import (
    make_class,
    make_course,
    make_organisation,
    make_picture,
    make_user,
    start_session,
)
from tutor.common.errors import NotVisible
from tutor.content.models import ItemVersion
from tutor.practice import pictures

pytestmark = pytest.mark.django_db


class School:
    """A student with a question that waits, which shows a picture, and one that does not yet."""

    def __init__(self):
        self.organisation = make_organisation()
        self.course = make_course(organisation=self.organisation)
        self.student = make_user(organisation=self.organisation)
        self.teacher = make_user(organisation=self.organisation, role="teacher")
        make_class(course=self.course, users=[self.student, self.teacher])
        session = start_session(learner=self.student.learner, course=self.course)
        version = session.current.item_version
        self.shown = make_picture(version=version)
        others = ItemVersion.objects.filter(item__course=self.course).exclude(pk=version.pk)
        self.to_come = make_picture(version=others.first(), colour="red")


@pytest.fixture
def school():
    return School()


def sees(actor, picture) -> bool:
    try:
        return pictures.access_picture(actor=actor, digest=picture.digest) == picture
    except NotVisible:
        return False


class TestAccessPicture:
    def test_a_student_sees_that_of_a_question_shown_and_of_none_to_come(self, school):
        assert sees(school.student, school.shown)
        assert not sees(school.student, school.to_come)

    def test_a_teacher_of_the_course_and_an_administrator_see_both(self, school):
        administrator = make_user(organisation=school.organisation, role="administrator")

        for actor in (school.teacher, administrator):
            assert sees(actor, school.shown)
            assert sees(actor, school.to_come)

    def test_nobody_else_sees_one(self, school):
        elsewhere = make_organisation()
        make_course(organisation=elsewhere)
        idle = make_user(organisation=school.organisation, role="teacher")
        make_class(course=make_course(organisation=make_organisation()), users=[])
        classmate = make_user(organisation=school.organisation)
        make_class(course=school.course, users=[classmate])
        gone = school.student
        gone.is_active = False

        others = (idle, classmate, gone, make_user(organisation=elsewhere, role="administrator"))
        for actor in others:
            assert not sees(actor, school.shown)

    def test_a_school_with_the_same_picture_shows_it_to_its_own(self, school):
        other = School()
        assert other.shown == school.shown

        for one in (school, other):
            assert sees(one.student, one.shown)
            assert sees(one.teacher, one.shown)
        # The same file that waits in one school has been shown in the other.
        red = ItemVersion.objects.get(
            pk=other.student.learner.sessions.get().current.item_version_id
        )
        make_picture(version=red, colour="red")
        assert sees(other.student, school.to_come)
        assert not sees(school.student, school.to_come)

    def test_there_is_none_under_another_digest(self, school):
        with pytest.raises(NotVisible):
            pictures.access_picture(actor=school.teacher, digest="0" * 64)


class TestPictureAddress:
    def test_sends_what_is_stored_to_be_kept_for_good(self, school, client):
        client.force_login(school.student)

        sent = client.get(
            f"/api/v1/pictures/{school.shown.digest}", HTTP_ACCEPT="image/avif,image/png"
        )

        assert sent.status_code == 200
        assert sent.content == bytes(school.shown.data)
        assert sent.headers["Content-Type"] == "image/png"
        assert sent.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert sent.headers["X-Content-Type-Options"] == "nosniff"
        assert sent.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"

    def test_sends_nothing_again_to_a_browser_that_has_it(self, school, client):
        client.force_login(school.student)
        address = f"/api/v1/pictures/{school.shown.digest}"
        tag = client.get(address).headers["ETag"]

        again = client.get(address, HTTP_IF_NONE_MATCH=tag)

        assert (again.status_code, again.content) == (304, b"")
        # A browser takes the headers of a 304 for those that it kept.
        assert again.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert again.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize("digest", ["0" * 64, "x", "a_b"])
    def test_knows_no_other(self, school, client, digest):
        client.force_login(school.student)

        assert client.get(f"/api/v1/pictures/{digest}").status_code == 404

    def test_asks_who_it_is_before_it_says_whether_there_is_one(self, school, client):
        assert client.get(f"/api/v1/pictures/{school.shown.digest}").status_code == 401
        assert client.get(f"/api/v1/pictures/{'0' * 64}").status_code == 401
