"""The front door and the pages of failures."""

import pytest
from django.test import RequestFactory
from django.views.defaults import server_error

from tests.factories import make_organisation, make_user
from tutor.accounts.models import User


@pytest.mark.django_db
class TestFront:
    @pytest.mark.parametrize(
        ("role", "start"),
        [("student", "/learn/"), ("teacher", "/teach/"), ("administrator", "/teach/")],
    )
    def test_leads_each_role_to_where_they_work(self, role, start, client):
        client.force_login(make_user(organisation=make_organisation(), role=role))

        assert client.get("/", follow=True).redirect_chain == [(start, 302)]

    def test_tells_an_account_without_a_school_whom_to_ask(self, client):
        client.force_login(User.objects.create_user("nobody"))

        told = client.get("/")

        assert told.status_code == 403
        assert "belongs to no school" in told.content.decode()

    def test_shows_an_administrator_the_way_to_the_admin(self, client):
        client.force_login(make_user(organisation=make_organisation(), role="administrator"))

        assert 'href="/admin/"' in client.get("/teach/").content.decode()


class TestFailures:
    def test_of_our_own_say_what_is_kept(self):
        page = server_error(RequestFactory().get("/"))

        assert page.status_code == 500
        assert "What you answered before is kept" in page.content.decode()

    @pytest.mark.django_db
    def test_of_an_address_say_so(self, client):
        page = client.get("/nothing/")

        assert page.status_code == 404
        assert "There is nothing here" in page.content.decode()
