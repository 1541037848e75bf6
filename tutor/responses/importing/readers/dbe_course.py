"""The course that comes with DBE-KT22: questions, choices, concepts and how concepts hang together.

The experts' concept links stand in the file in both directions: they say that two concepts
belong together, not which one comes first. Here the one that the course met first (by the median
place of its first answer in the learners' histories) counts as the prerequisite.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from django.utils.text import slugify

from tutor.content.course_format import ConceptSpec, CourseSpec, ItemSpec

# Difficulty 1 (easy) to 3 (hard) in the file, in logits here.
LOGITS_OF_DIFFICULTY = {"1": -0.7, "2": 0.0, "3": 0.7}
ITEM_PREFIX = "q"
SOURCE = "DBE-KT22, doi:10.26193/6DZWOH; see its record for the licence."
Table = list[dict[str, str]]


def make_course(
    tables: Mapping[str, Table],
    choices: Mapping[str, Table],
    answered: Iterable[tuple[int, str]],
    *,
    title: str,
    slug: str,
) -> CourseSpec:
    """Return the course; `tables["questions"]` are usable ones.

    `answered` gives learner and item of every answer, by learner and in the order of time.
    """
    carries = _concepts_of_questions(tables)
    order = _course_order([row["id"] for row in tables["concepts"]], carries, answered)
    concepts = {row["id"]: row for row in tables["concepts"]}
    slug_of = _concept_slugs(tables["concepts"])
    requires = _requires(tables["links"], order)
    return CourseSpec(
        slug=slug,
        title=title,
        language="en",
        concepts=tuple(
            ConceptSpec(
                slug=slug_of[pk],
                name=concepts[pk]["name"][:200],
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
        source=SOURCE,
    )


def usable_questions(tables: Mapping[str, Table], choices: Mapping[str, Table]) -> frozenset[str]:
    """Return the ids of the questions that can be asked: with a concept and a right choice."""
    carries = _concepts_of_questions(tables)
    return frozenset(
        row["id"]
        for row in tables["questions"]
        if carries[row["id"]]
        and len(choices[row["id"]]) > 1
        and any(choice["is_correct"] == "true" for choice in choices[row["id"]])
    )


def _concepts_of_questions(tables: Mapping[str, Table]) -> dict[str, list[str]]:
    known = {row["id"] for row in tables["concepts"]}
    carries: dict[str, list[str]] = defaultdict(list)
    for row in tables["carries"]:
        own, concept = carries[row["question_id"]], row["knowledgecomponent_id"]
        if concept in known and concept not in own:
            own.append(concept)
    return carries


def _concept_slugs(concepts: Table) -> dict[str, str]:
    """Return concept id -> slug; concepts whose names give the same one add their id."""
    bases = {row["id"]: slugify(row["name"])[:80] or "concept" for row in concepts}
    counts = Counter(bases.values())
    return {pk: base if counts[base] == 1 else f"{base}-{pk}" for pk, base in bases.items()}


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
    concept_ids: list[str], carries: Mapping[str, list[str]], answered: Iterable[tuple[int, str]]
) -> list[str]:
    """Return the concepts in the order in which the course met them, unmet ones last."""
    places: dict[str, list[int]] = defaultdict(list)
    learner, seen, place = -1, set[str](), 0
    for other, item in answered:
        if other != learner:
            learner, seen, place = other, set(), 0
        place += 1
        for concept in carries[item.removeprefix(ITEM_PREFIX)]:
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
        if {link["from_knowledgecomponent_id"], link["to_knowledgecomponent_id"]} <= place.keys()
    }
    for first, second in sorted(pairs, key=lambda pair: (place[pair[1]], place[pair[0]])):
        if first != second:
            requires[second].append(first)
    return requires
