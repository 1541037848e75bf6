"""From the names in a log to slugs, the same for a name in every file and in every order."""

import hashlib
import re

from django.utils.text import slugify

# Shorter than the columns that keep them, so that the fingerprint fits.
LONGEST = 80
# What a course keeps; such a slug, and one that was made here, stays as it is.
LONGEST_SLUG = 100
_SLUG = re.compile(r"[-a-zA-Z0-9_]+\Z")


def slug_of(name: str) -> str:
    """Return the slug that a name goes by; different names get different ones.

    A name that is a slug stays as it is, so that a log can name the items of a course. Any other
    is made readable and gets a fingerprint of the name: two names that differ only in signs a
    slug cannot hold stay two, whichever of them a file names first.

    >>> slug_of("Q1"), slug_of("q1")
    ('Q1', 'q1')
    >>> slug_of("Ein mal eins")
    'ein-mal-eins-c71919df82e7'
    """
    if len(name) <= LONGEST_SLUG and _SLUG.match(name):
        return name
    fingerprint = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{slugify(name)[:LONGEST].strip('-') or 'x'}-{fingerprint}"


def escape(text: str) -> str:
    """Return the text on one line, without the characters that the markup reads as formatting."""
    return "".join("" if sign in "$*`[]\\" else sign for sign in " ".join(text.split()))
