"""Slugs and readable names from the names that other systems give."""

import hashlib
import re

from django.utils.text import slugify

LONGEST_SLUG = 100
LONGEST_NAME = 200
_SLUG = re.compile(r"[A-Za-z0-9_-]+")
LONGEST_LOG_SLUG = 80


def slug_of(name: str) -> str:
    """Return a slug for a name; names that differ get slugs that differ.

    What only exchanges spaces and underscores for hyphens is kept readable; any other change
    adds a fingerprint of the name.

    >>> slug_of("use_place_value"), slug_of("laws_of_exp:_products")
    ('use-place-value', 'laws-of-exp-products-d6ab68')
    """
    slug = slugify(name.replace("_", "-"))
    if slug == name.replace("_", "-") and len(slug) <= LONGEST_SLUG:
        return slug
    fingerprint = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{slug[: LONGEST_SLUG - 7].strip('-') or 'x'}-{fingerprint}"


def item_slug(problem: str, step: str) -> str:
    """Return the slug of a step: the problem's id and what the step's adds to it.

    >>> item_slug("a005bd5real1", "a005bd5real1b"), item_slug("l'hopital5", "l'hopital5a")
    ('a005bd5real1-b', 'l-hopital5-a-67a648')
    """
    name = f"{problem}-{step.removeprefix(problem) or step}"
    if _SLUG.fullmatch(name) and len(name) <= LONGEST_SLUG:
        return name
    fingerprint = hashlib.sha256(name.encode()).hexdigest()[:6]
    safe = re.sub(r"[^A-Za-z0-9_]+", "-", name)[: LONGEST_SLUG - 7].strip("-")
    return f"{safe}-{fingerprint}"


def readable(name: str) -> str:
    """Return a name for people: "use_place_value" is "Use place value"."""
    words = " ".join(re.sub(r"[_\s]+", " ", name.replace("\x00", "").replace("**", "^")).split())
    return (words[:1].upper() + words[1:])[:LONGEST_NAME] or "?"


def course_slug(title: str) -> str:
    """Return the slug of a course.

    >>> course_slug("OpenStax: Elementary Algebra")
    'openstax-elementary-algebra'
    """
    slug = slugify(title)
    return slug if slug and len(slug) <= LONGEST_SLUG else slug_of(title)


def log_slug(name: str) -> str:
    """Return the slug that an imported log gives to an item or concept of this name.

    The rule of `tutor.responses.importing.naming`: a name that is a slug stays as it is.

    >>> log_slug("circles_and_arcs"), log_slug("angle types")
    ('circles_and_arcs', 'angle-types-c1fbbd520678')
    """
    if len(name) <= LONGEST_SLUG and _SLUG.fullmatch(name):
        return name
    fingerprint = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{slugify(name)[:LONGEST_LOG_SLUG].strip('-') or 'x'}-{fingerprint}"
