"""Every language is whole: all texts of the source, the same placeholders, compiled as written."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation.template import templatize

from tests.servers.process import ROOT

CATALOGUES = sorted(settings.LOCALE_PATHS[0].glob("*/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)[ds]|%%|</?\w+[^>]*>")
# Name of the function -> which arguments are its context, its text and its plural.
CALLS = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "pgettext": (0, 1, None),
    "npgettext": (0, 1, 2),
}
CALL = re.compile(rf"\b({'|'.join(CALLS)})\(")
Text = tuple[str | None, str, str | None]


def texts_of(source: str) -> Iterator[Text]:
    """Return the marked texts of a Python file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
            given = [a.value if isinstance(a, ast.Constant) else None for a in node.args]
            places = CALLS[node.func.id]
            found = tuple(None if place is None else given[place] for place in places)
            if found[1] is not None:  # else it is marked where it is written
                yield found


def texts_of_template(source: str) -> Iterator[Text]:
    """Return the marked texts of a template, as Django reads them for translators."""
    written = templatize(source)
    for match in CALL.finditer(written):
        given = []
        for token in tokenize.generate_tokens(io.StringIO(written[match.end() :]).readline):
            if token.type == tokenize.STRING:
                given.append(ast.literal_eval(token.string))
            elif token.string != ",":
                break
        yield tuple(None if place is None else given[place] for place in CALLS[match[1]])


def all_texts() -> set[Text]:
    found: set[Text] = set()
    for path in (ROOT / "tutor").rglob("*.py"):
        found |= set(texts_of(path.read_text()))
    for path in (ROOT / "tutor").rglob("*.html"):
        found |= set(texts_of_template(path.read_text()))
    return found


def key(entry: polib.POEntry | polib.MOEntry) -> Text:
    return entry.msgctxt or None, entry.msgid, entry.msgid_plural or None


def told(entry: polib.POEntry | polib.MOEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.fixture(params=CATALOGUES, ids=lambda path: path.parent.parent.name)
def path(request) -> Path:
    return request.param


class TestCatalogue:
    def test_german_is_among_them(self):
        assert "de" in dict(settings.LANGUAGES)

    def test_has_every_text_of_the_source_and_no_other(self, path):
        entries = polib.pofile(str(path))

        known = {key(entry) for entry in entries}
        wanted = all_texts()
        assert {text[:2] for text in wanted} - {text[:2] for text in known} == set()
        assert known <= wanted

    def test_leaves_nothing_untranslated(self, path):
        entries = polib.pofile(str(path))

        open_ = [entry.msgid for entry in entries if not all(told(entry)) or entry.fuzzy]
        assert open_ == []
        assert entries.obsolete_entries() == []

    def test_keeps_the_placeholders_and_the_markup(self, path):
        wrong = []
        for entry in polib.pofile(str(path)):
            wanted = set(PLACEHOLDER.findall(entry.msgid + (entry.msgid_plural or "")))
            for text in told(entry):
                # Where it is one, a language may leave the number out.
                given = set(PLACEHOLDER.findall(text))
                missing = wanted - given if not entry.msgid_plural else set()
                if missing or given - wanted:
                    wrong.append((entry.msgid, text))
        assert wrong == []

    def test_is_compiled_as_it_is_written(self, path):
        compiled = polib.mofile(str(path.with_suffix(".mo")))
        written = polib.pofile(str(path))

        assert {key(e): told(e) for e in compiled} == {key(e): told(e) for e in written}, (
            "Run scripts/compile_messages.py."
        )


class TestReading:
    """The reading of the source finds what is marked."""

    def test_of_python(self):
        source = 'x = gettext("a" "b") % y; pgettext("c", "d"); ngettext("e", "f", n); gettext(z)'

        assert set(texts_of(source)) == {(None, "ab", None), ("c", "d", None), (None, "e", "f")}

    def test_of_a_template(self):
        source = (
            '{% load i18n %}{% translate "a" context "c" %}{{ d|date:_("j F") }}'
            "{% blocktranslate count n=n %}{{ n }} b{% plural %}{{ n }} bs{% endblocktranslate %}"
        )

        assert set(texts_of_template(source)) == {
            ("c", "a", None),
            (None, "j F", None),
            (None, "%(n)s b", "%(n)s bs"),
        }
