"""A language in which every translated text stands in brackets, and what of a page is outside."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from django.utils import translation

OPEN, CLOSE = "⟦", "⟧"
VOID = {"meta", "link", "input", "br", "img", "hr"}
# What is read out or shown of an element beside its text.
SAID = {"aria-label", "aria-description", "aria-roledescription", "title", "placeholder", "alt"}
# Sentences that a script shows when it needs them.
SAID |= {f"data-{kind}" for kind in ("waiting", "sign-in", "sent", "refused", "failed")}
# Not words: scripts, maths, and the signs that a keypad lacks.
SKIPPED = {"script", "style", "math"}
SIGNS = "keys"
LETTERS = re.compile(r"[^\W\d_]{2,}")


def install(monkeypatch) -> set[tuple[str | None, str, str | None]]:
    """Put every translated text in brackets; return where (context, text, plural) are noted."""
    asked: set[tuple[str | None, str, str | None]] = set()

    def note(context, text, plural=None, n=1):
        asked.add((context, text, plural))
        told = text if n == 1 or plural is None else plural
        return f"{OPEN}{told}{CLOSE}" if told else ""

    catalogue = translation._trans
    monkeypatch.setattr(catalogue, "gettext", lambda text: note(None, text))
    monkeypatch.setattr(catalogue, "pgettext", note)
    monkeypatch.setattr(catalogue, "ngettext", lambda one, many, n: note(None, one, many, n))
    monkeypatch.setattr(catalogue, "npgettext", note)
    return asked


def outside(html: str, *, names: Iterable[str] = ()) -> list[str]:
    """Return what a page says outside the brackets; `names` are people's, courses' and topics'.

    An element with a `lang` of its own holds content, in the language of its course.
    """
    reader = _Reader(sorted({"Tutor", *names}, key=len, reverse=True))
    reader.feed(html)
    assert reader.depth == 0, "a bracket is not closed"
    return reader.found


class _Reader(HTMLParser):
    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names, self.depth, self.found = names, 0, []
        # The elements around, each with whether it is passed over.
        self.around: list[tuple[str, bool]] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        is_passed = (
            tag in SKIPPED
            or ("lang" in given and tag != "html")
            or SIGNS in (given.get("class") or "").split()
        )
        # The alternative of a picture in a question is the course's.
        said = SAID - {"alt"} if self._is_inside() else SAID
        for name in said & set(given):
            self._read(given[name] or "", depth=0)
        if tag not in VOID:
            self.around.append((tag, is_passed or self._is_inside()))

    def handle_endtag(self, tag):
        while self.around and self.around.pop()[0] != tag:
            pass

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.around.pop()

    def handle_data(self, data):
        if not self._is_inside():
            # A sentence with a name set in bold goes on in the next text.
            self.depth = self._read(data, depth=self.depth)

    def _is_inside(self) -> bool:
        return bool(self.around) and self.around[-1][1]

    def _read(self, text: str, *, depth: int) -> int:
        bare = []
        for character in text:
            depth += (character == OPEN) - (character == CLOSE)
            bare.append(character if depth == 0 and character != CLOSE else " " * (depth > 0))
        rest = "".join(bare)
        for name in self.names:
            rest = rest.replace(name, " ")
        if LETTERS.search(rest):
            self.found.append(" ".join(rest.split()))
        return depth
