"""The form in which a person says what the columns mean, and the preview beside it."""

import functools
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from tutor.intake.wording import FIELDS
from tutor.responses.importing.errors import MappingInvalid
from tutor.responses.importing.mapping import (
    ELAPSED_UNITS,
    REQUIRED,
    SEVERAL,
    TIME_UNITS,
    ColumnMapping,
)

# How many columns can be named for a field that may need several to be told apart.
PLACES = 2
# What most logs do not have stands below the others.
SELDOM = frozenset({"order", "elapsed_ms", "hints", "attempt", "is_pilot"})
TEXTS = ("separator", "time_unit", "time_format", "time_zone", "elapsed_unit")
OPTIONS = {"time_unit": TIME_UNITS, "elapsed_unit": ELAPSED_UNITS}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person filled in.

    Attributes:
        columns: field -> columns that were chosen.
        options: further entries of the mapping.
        problems: field or entry -> what is wrong with it, in words.
        mapping: what the answers mean; None where there are problems.
    """

    columns: Mapping[str, tuple[str, ...]]
    options: Mapping[str, Any]
    problems: Mapping[str, str] = field(default_factory=dict)
    mapping: ColumnMapping | None = None


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of the form."""

    name: str
    label: str
    help: str
    is_required: bool
    places: tuple[str, ...]
    problem: str
    is_seldom: bool


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """One column of the preview: its title in the file and what it is taken for."""

    title: str
    taken_for: str
    is_used: bool


def from_mapping(mapping: ColumnMapping, *, header: list[str]) -> Answers:
    """Return the answers that a mapping stands for."""
    # Titles are found whatever their case.
    titles = {title.lower(): title for title in reversed(header)}
    columns = {
        name: tuple(titles[c.lower()] for c in chosen if c.lower() in titles)
        for name, chosen in mapping.columns.items()
    }
    entries = {name: getattr(mapping, name) for name in (*TEXTS, "merge_skills")}
    entries["full_score"] = f"{mapping.full_score:g}"
    entries["keep"] = tuple(titles[c.lower()] for c in mapping.keep if c.lower() in titles)
    return Answers(columns=columns, options=entries, mapping=mapping)


def from_post(post: QueryDict, *, header: list[str], base: ColumnMapping) -> Answers:
    """Return what was filled in, with every problem named where it is.

    `base` has how the text is written, which is no question of this form.
    """
    columns = {
        name: tuple(dict.fromkeys(column for column in post.getlist(name) if column))
        for name in FIELDS
    }
    options: dict[str, Any] = {name: post.get(name, getattr(base, name)) for name in TEXTS}
    options["time_format"] = options["time_format"].strip()
    options["time_zone"] = options["time_zone"].strip() or "UTC"
    options["keep"] = tuple(column for column in post.getlist("keep") if column in header)
    options["merge_skills"] = "merge_skills" in post
    options["full_score"] = post.get("full_score", "").strip() or f"{base.full_score:g}"
    problems = _problems_of(columns, options, header)
    mapping = None
    if not problems:
        used = {name: chosen for name, chosen in columns.items() if chosen}
        free = tuple(c for c in options["keep"] if not any(c in u for u in used.values()))
        mapping = ColumnMapping(
            columns=used,
            delimiter=base.delimiter,
            encoding=base.encoding,
            **{**options, "keep": free, "full_score": float(options["full_score"])},
        )
    return Answers(columns=columns, options=options, problems=problems, mapping=mapping)


def _problems_of(
    columns: Mapping[str, tuple[str, ...]], options: Mapping[str, Any], header: list[str]
) -> dict[str, str]:
    problems = {}
    for name, chosen in columns.items():
        strangers = [column for column in chosen if column not in header]
        if strangers:
            problems[name] = f"The file has no column {', '.join(strangers)}."
        elif not chosen and name in REQUIRED:
            problems[name] = f"Choose the column that says {FIELDS[name][1]}."
    for name in TEXTS:
        try:
            ColumnMapping(**{name: options[name]})
        except MappingInvalid as error:
            problems[name] = error.message
    try:
        ColumnMapping(full_score=float(options["full_score"]))
    except (MappingInvalid, ValueError):
        problems["full_score"] = "Write a number above 0."
    return problems


def rows_of(answers: Answers) -> list[FieldRow]:
    """Return the fields with what is chosen; those that take several columns have more places."""
    rows = []
    for name, (label, explanation) in FIELDS.items():
        chosen = answers.columns.get(name, ())
        count = max(PLACES, len(chosen)) if name in SEVERAL else 1
        places = (*chosen, *[""] * (count - len(chosen)))
        problem = answers.problems.get(name, "")
        rows.append(
            FieldRow(
                name=name,
                label=label,
                help=explanation,
                is_required=name in REQUIRED,
                places=tuple(places),
                problem=problem,
                is_seldom=name in SELDOM,
            )
        )
    return rows


def preview_of(answers: Answers, *, header: list[str]) -> list[PreviewColumn]:
    """Return for each column of the file what it is taken for."""
    columns = []
    for title in header:
        taken = [
            label for name, (label, _) in FIELDS.items() if title in answers.columns.get(name, ())
        ]
        is_kept = not taken and title in answers.options.get("keep", ())
        words = " and ".join(taken) or ("Kept as it stands" if is_kept else "Left out")
        columns.append(PreviewColumn(title, words, bool(taken)))
    return columns


@functools.cache
def time_zones() -> list[str]:
    """Return the names of the time zones."""
    return sorted(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC")
