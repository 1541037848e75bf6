"""Secrets from variables and from files."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from tutor.config import environment


class TestSecret:
    def test_comes_from_the_variable(self, monkeypatch):
        monkeypatch.setenv("TUTOR_A", "given")

        assert environment.secret("A") == "given"
        assert environment.secret("B", "else") == "else"

    def test_comes_from_the_file_that_is_named(self, monkeypatch, tmp_path):
        (tmp_path / "a").write_text("kept\n")
        monkeypatch.setenv("TUTOR_A_FILE", str(tmp_path / "a"))

        assert environment.secret("A", "else") == "kept"

    def test_of_two_none_is_taken(self, monkeypatch, tmp_path):
        (tmp_path / "a").write_text("kept")
        monkeypatch.setenv("TUTOR_A_FILE", str(tmp_path / "a"))
        monkeypatch.setenv("TUTOR_A", "given")

        with pytest.raises(ImproperlyConfigured, match="TUTOR_A and TUTOR_A_FILE are both set"):
            environment.secret("A")

    @pytest.mark.parametrize("content", [None, "", " \n", b"\xff\xfe"])
    def test_a_file_without_one_is_named(self, monkeypatch, tmp_path, content):
        file = tmp_path / "a"
        if isinstance(content, bytes):
            file.write_bytes(content)
        elif content is not None:
            file.write_text(content)
        monkeypatch.setenv("TUTOR_A_FILE", str(file))

        with pytest.raises(ImproperlyConfigured, match=f"TUTOR_A_FILE={file}"):
            environment.secret("A")


class TestDatabase:
    def test_takes_the_password_beside_an_address_without_one(self):
        found = environment.database("postgres://tutor@db:5432/tutor", password="p/w@1")

        assert (found["USER"], found["PASSWORD"], found["HOST"]) == ("tutor", "p/w@1", "db")

    def test_prefers_the_password_in_the_address(self):
        found = environment.database("postgres://tutor:a%2Fb@db/tutor", password="other")

        assert found["PASSWORD"] == "a/b"

    def test_does_not_tell_the_password_in_an_error(self):
        with pytest.raises(ImproperlyConfigured, match="not 'mysql'") as caught:
            environment.database("mysql://tutor:hunter2@db/tutor")

        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize(("query", "kept"), [("", 5), ("2", 2), ("none", None)])
    def test_says_when_plans_are_kept(self, query, kept):
        asked = f"?prepare_threshold={query}&sslmode=require" if query else ""
        options = environment.database(f"postgres://tutor@db:5432/tutor{asked}")["OPTIONS"]
        assert options["prepare_threshold"] == kept

    def test_refuses_a_threshold_that_is_none(self):
        with pytest.raises(ImproperlyConfigured, match="prepare_threshold=often"):
            environment.database("postgres://tutor@db/tutor?prepare_threshold=often")
