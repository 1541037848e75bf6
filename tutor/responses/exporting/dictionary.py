"""What goes with the file: where it comes from and what its columns mean."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tutor import VERSION
from tutor.responses.exporting import selectors
from tutor.responses.exporting.choice import Choice
from tutor.responses.exporting.columns import Column
from tutor.responses.exporting.summary import Summary

PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"
MADE_WITH = f"adaptive-tutor {VERSION}"
PRIVACY = (
    "Pseudonymised, not anonymous. No name, account or number of the database is in this file, and "
    "nobody can compute a pseudonym back without the key that stays with the school. But rows of "
    "one learner belong together, and whoever knows when somebody answered what can find them in "
    "it. No number of look-alikes is promised (k-anonymity). Treat it as personal data: pass it on "
    "only as agreed, and do not try to find out who somebody is."
)
NOT_STATED = "not stated"


def facts_of(*, choice: Choice, summary: Summary, licence: str, creator: str) -> dict[str, Any]:
    """Return what stays true of the rows wherever the file goes, for JSON."""
    course = choice.course
    return {
        "course": {"slug": course.slug, "title": course.title, "language": course.language},
        "content_source": course.source,
        "licence": licence,
        "creator": creator,
        "made_with": MADE_WITH,
        "privacy": PRIVACY,
        "choice": choice_facts(choice),
        "counts": summary.counts(),
        "concepts": [
            {"slug": slug, "name": name}
            for slug, name in selectors.list_concepts(course_id=course.pk)
        ],
    }


def choice_facts(choice: Choice) -> dict[str, Any]:
    """Return which answers were taken and what is told of them, without names and salt."""
    group = "none"
    if choice.has_group:
        group = "names" if choice.has_class_names else "pseudonyms"
    return {
        "since": choice.since.isoformat() if choice.since else None,
        "until": choice.until.isoformat() if choice.until else None,
        "classes": len(choice.classes) or None,
        "times": choice.times.value,
        "group": group,
        "answers": choice.has_answers,
        "pseudonyms": "salted" if choice.salt else "stable",
    }


def as_json(
    *, columns: Sequence[Column], facts: Mapping[str, Any], items: Mapping[str, Any]
) -> str:
    """Return a Table Schema with the facts and the items beside the fields."""
    facts = dict(facts)
    described = {
        "$schema": PROFILE,
        "fields": [
            {
                "name": column.name,
                "type": column.type,
                "description": column.description,
                "constraints": dict(column.constraints),
            }
            for column in columns
        ],
        "missingValues": [""],
        "concepts": facts.pop("concepts"),
        "items": [{"item": item, **figures} for item, figures in items.items()],
        "export": facts,
    }
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def as_markdown(*, columns: Sequence[Column], facts: Mapping[str, Any]) -> str:
    """Return the same for people, without concepts and items."""
    counts, file = facts["counts"], facts["file"]
    about = {
        "Course": facts["course"]["title"],
        "Content": facts["content_source"] or NOT_STATED,
        "Licence": facts["licence"] or NOT_STATED,
        "Answers": f"{counts['answers']} of {counts['learners']} learners, {counts['items']} items",
        "Mean of correct": f"{counts['mean_correct']:.4f}",
        "Times": _span(counts),
        "Made": f"{facts['made_at']} with {facts['made_with']}",
        "File": f"{file['name']}, {file['bytes']} bytes, SHA-256 `{file['sha256']}`",
    }
    introduction = (
        "Answers of learners, one a row, each learner's in the order in which they were given. "
        f"`{file['name']}.columns.json` says the same for programs, with the names of the concepts "
        "and figures of every item."
    )
    lines = [
        f"# {_cell(file['name'])}",
        "",
        introduction,
        "",
        *_table(("", ""), about.items()),
        "",
        "## Columns",
        "",
        *_table(
            ("column", "type", "meaning"),
            [(f"`{column.name}`", column.type, column.description) for column in columns],
        ),
        "",
        "An empty cell means that it is not known.",
        "",
        "## Who the learners are",
        "",
        facts["privacy"],
        "",
        "## How to cite",
        "",
        _citation(facts),
        "",
    ]
    return "\n".join(lines)


def _span(counts: Mapping[str, Any]) -> str:
    if counts["first_answered_at"] is None:
        return "left out"
    return f"{counts['first_answered_at']} to {counts['last_answered_at']}"


def _citation(facts: Mapping[str, Any]) -> str:
    course, counts, file = facts["course"], facts["counts"], facts["file"]
    creator = f"{facts['creator']}. " if facts["creator"] else ""
    return (
        f"{creator}*{_cell(course['title'])}: {counts['answers']} answers of {counts['learners']} "
        f"learners* [data set]. Made {facts['made_at'][:10]} with {facts['made_with']}. "
        f"SHA-256 {file['sha256']}."
    )


def _table(head: Sequence[str], rows: Any) -> list[str]:
    rule = ["---"] * len(head)
    return [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in (head, rule, *rows)]


def _cell(text: str) -> str:
    """Return the text so that it stays within a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
