"""The folder of DBE-KT22: a university database course with questions, choices, concepts, answers.

Abdelrahman, Abdelfattah, Wang & Lin, DBE-KT22: A Knowledge Tracing Dataset Based on Online
Student Evaluation, arXiv:2208.12651.

The experts' concept links stand in the file in both directions: they say that two concepts
belong together, not which one comes first. Here the one that the course met first (by the median
place of its first answer in the learners' histories) counts as the prerequisite.
"""

import csv
import datetime as dt
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from tutor.content.course_format import ConceptSpec, CourseSpec, ItemSpec
from tutor.responses.importing.dates import read_moment
from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.importing.incoming import Incoming, IncomingAnswer, Reject
from tutor.responses.importing.log_csv import unique_slugs

FILES = {
    "questions": ("Questions.csv", ("id", "question_rich_text", "explanation", "hint_text")),
    "choices": ("Question_Choices.csv", ("id", "choice_text", "is_correct", "question_id")),
    "concepts": ("KCs.csv", ("id", "name", "description")),
    "links": (
        "KC_Relationships.csv",
        ("from_knowledgecomponent_id", "to_knowledgecomponent_id"),
    ),
    "carries": ("Question_KC_Relationships.csv", ("question_id", "knowledgecomponent_id")),
    "answers": (
        "Transaction.csv",
        ("student_id", "question_id", "answer_choice_id", "answer_state", "start_time", "end_time"),
    ),
}
# Difficulty 1 (easy) to 3 (hard) in the file, in logits here.
LOGITS_OF_DIFFICULTY = {"1": -0.7, "2": 0.0, "3": 0.7}
DOUBLE_SUBMISSION = dt.timedelta(seconds=5)
ITEM_PREFIX = "q"
Table = list[dict[str, str]]


def read(folder: Path, *, title: str, slug: str) -> Incoming:
    """Return the course and its answers.

    Raises:
        UnreadableLog: the folder lacks a file, or a file lacks a column.
    """
    tables = {name: _table(folder, *FILES[name]) for name in FILES}
    choices: dict[str, Table] = defaultdict(list)
    for choice in tables["choices"]:
        choices[choice["question_id"]].append(choice)
    questions = {row["id"]: row for row in tables["questions"]}
    answers, rejects = _answers(tables["answers"], questions, choices)
    warnings = _warnings(answers, tables, choices)
    return Incoming(
        format="dbe-kt22",
        source="dbe-kt22",
        source_hash=_hash(folder),
        course=_course(tables, choices, answers, title=title, slug=slug),
        answers=answers,
        rejects=rejects,
        warnings=warnings,
    )


def _table(folder: Path, name: str, columns: tuple[str, ...]) -> Table:
    path = folder / name
    if not path.is_file():
        raise UnreadableLog(f"{folder} has no {name}; give the unpacked DBE-KT22 folder.")
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [column for column in columns if column not in (reader.fieldnames or [])]
        if missing:
            raise UnreadableLog(f"{name} lacks the column {', '.join(missing)}.", missing=missing)
        return list(reader)


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for name, _ in FILES.values():
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def _answers(
    rows: Table, questions: Mapping[str, dict[str, str]], choices: Mapping[str, Table]
) -> tuple[list[IncomingAnswer], list[Reject]]:
    answers: list[IncomingAnswer] = []
    rejects: list[Reject] = []
    positions = {
        choice["id"]: f"c{index}" for own in choices.values() for index, choice in enumerate(own)
    }
    for line, row in enumerate(rows, start=2):
        problem = _problem(row, questions)
        if problem is not None:
            rejects.append(Reject(line, *problem))
            continue
        answers.append(_answer(line, row, positions))
    answers.sort(key=lambda answer: (answer.learner, answer.answered_at, answer.line))
    return answers, rejects


def _problem(
    row: dict[str, str], questions: Mapping[str, dict[str, str]]
) -> tuple[str, str, str] | None:
    if not row["student_id"]:
        return ("student_id", "", "empty")
    if row["question_id"] not in questions:
        return ("question_id", row["question_id"], "no such question in Questions.csv")
    if row["answer_state"] not in {"true", "false"}:
        return ("answer_state", row["answer_state"], "neither true nor false")
    for field in ("start_time", "end_time"):
        try:
            _moment(row[field])
        except ValueError as error:
            return (field, row[field], str(error))
    return None


def _moment(text: str) -> dt.datetime:
    # "2019-08-07 17:12:08.722 -0700": ISO 8601 but for the space before the zone.
    return read_moment(text.replace(" -", "-").replace(" +", "+")).astimezone(dt.UTC)


def _answer(line: int, row: dict[str, str], positions: Mapping[str, str]) -> IncomingAnswer:
    answered_at = _moment(row["end_time"])
    # In 35 rows the end lies a few milliseconds before the start.
    presented_at = min(_moment(row["start_time"]), answered_at)
    is_correct = row["answer_state"] == "true"
    chosen = positions.get(row["answer_choice_id"])
    return IncomingAnswer(
        line=line,
        learner=row["student_id"],
        item=item_slug(row["question_id"]),
        credit=float(is_correct),
        answered_at=answered_at,
        answer={"choice": chosen} if chosen else {},
        is_correct=is_correct,
        presented_at=presented_at,
        elapsed_ms=(answered_at - presented_at) // dt.timedelta(milliseconds=1),
        hints=int(row.get("hint_used") == "true"),
    )


def _course(
    tables: Mapping[str, Table],
    choices: Mapping[str, Table],
    answers: list[IncomingAnswer],
    *,
    title: str,
    slug: str,
) -> CourseSpec:
    carries: dict[str, list[str]] = defaultdict(list)
    for row in tables["carries"]:
        carries[row["question_id"]].append(row["knowledgecomponent_id"])
    order = _course_order([row["id"] for row in tables["concepts"]], carries, answers)
    concepts = {row["id"]: row for row in tables["concepts"]}
    slugs = unique_slugs(f"{concepts[pk]['name']}" for pk in order)
    slug_of = {pk: slugs[concepts[pk]["name"]] for pk in order}
    requires = _requires(tables["links"], order)
    return CourseSpec(
        slug=slug,
        title=title,
        language="en",
        concepts=tuple(
            ConceptSpec(
                slug=slug_of[pk],
                name=concepts[pk]["name"],
                description=concepts[pk]["description"],
                requires=tuple(slug_of[required] for required in requires[pk]),
            )
            for pk in order
        ),
        misconceptions=(),
        items=tuple(
            _item(row, choices[row["id"]], [slug_of[pk] for pk in carries[row["id"]]])
            for row in tables["questions"]
        ),
        source="DBE-KT22, doi:10.26193/6DZWOH; see its record for the licence.",
    )


def _item(row: dict[str, str], choices: Table, concepts: list[str]) -> ItemSpec:
    right = sum(choice["is_correct"] == "true" for choice in choices)
    return ItemSpec(
        slug=item_slug(row["id"]),
        concepts=tuple(concepts),
        kind="single_choice" if right == 1 else "multiple_choice",
        stem=row["question_rich_text"],
        difficulty=LOGITS_OF_DIFFICULTY.get(row.get("difficulty", ""), 0.0),
        choices=tuple(
            {"text": choice["choice_text"], "correct": choice["is_correct"] == "true"}
            for choice in choices
        ),
        # The log names options by their place, and some say "both of the above".
        keep_order=True,
        hints=(row["hint_text"],) if row["hint_text"].strip() else (),
        solution=row["explanation"],
        markup="html",
        file="Questions.csv",
    )


def item_slug(question_id: str) -> str:
    """Return the item's slug for a question's number in the file."""
    return f"{ITEM_PREFIX}{question_id}"


def _course_order(
    concept_ids: list[str], carries: Mapping[str, list[str]], answers: list[IncomingAnswer]
) -> list[str]:
    """Return the concepts in the order in which the course met them, unmet ones last."""
    places: dict[str, list[int]] = defaultdict(list)
    learner, seen, place = None, set[str](), 0
    for answer in answers:
        if answer.learner != learner:
            learner, seen, place = answer.learner, set(), 0
        place += 1
        for concept in carries[answer.item.removeprefix(ITEM_PREFIX)]:
            if concept not in seen:
                seen.add(concept)
                places[concept].append(place)
    never = 10**9
    return sorted(
        concept_ids,
        key=lambda pk: (median(places[pk]) if places[pk] else never, concept_ids.index(pk)),
    )


def _requires(links: Table, order: list[str]) -> dict[str, list[str]]:
    place = {pk: index for index, pk in enumerate(order)}
    requires: dict[str, list[str]] = {pk: [] for pk in order}
    pairs = {
        tuple(
            sorted(
                (link["from_knowledgecomponent_id"], link["to_knowledgecomponent_id"]),
                key=lambda pk: place[pk],
            )
        )
        for link in links
    }
    for first, second in sorted(pairs, key=lambda pair: (place[pair[1]], place[pair[0]])):
        if first != second:
            requires[second].append(first)
    return requires


def _warnings(
    answers: list[IncomingAnswer], tables: Mapping[str, Table], choices: Mapping[str, Table]
) -> list[str]:
    both = {
        (row["from_knowledgecomponent_id"], row["to_knowledgecomponent_id"])
        for row in tables["links"]
    }
    two_way = sum((second, first) in both for first, second in both)
    right = {
        f"{item_slug(question)}:c{index}": choice["is_correct"] == "true"
        for question, own in choices.items()
        for index, choice in enumerate(own)
    }
    differing = sum(
        right.get(f"{answer.item}:{answer.answer.get('choice')}", answer.is_correct)
        != answer.is_correct
        for answer in answers
    )
    doubles = sum(
        earlier.learner == later.learner
        and earlier.item == later.item
        and earlier.is_correct == later.is_correct
        and later.answered_at - earlier.answered_at <= DOUBLE_SUBMISSION
        for earlier, later in itertools.pairwise(answers)
    )
    found = [
        (two_way, "concept links stand in both directions; the course's order directs them"),
        (differing, "answers were judged otherwise than today's key; the log's judgement is kept"),
        (doubles, "answers repeat the one before within 5 seconds and may be double submissions"),
    ]
    return [f"{count} {what}." for count, what in found if count]
