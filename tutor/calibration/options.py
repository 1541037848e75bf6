"""Which options learners chose: a table per item, for whoever mends its distractors."""

import json
from typing import Any

import numpy as np

from tutor.calibration import collecting, engine
from tutor.content.models import Course, ItemVersion
from tutor.content.rendered import choice_id
from tutor.responses.models import Response

CHOICES = (ItemVersion.Kind.SINGLE_CHOICE, ItemVersion.Kind.MULTIPLE_CHOICE)
CHUNK = 500
# Fewer answers than that say nothing about an option.
LEAST_ANSWERS = 20


def tabulate(
    *, course: Course, collected: collecting.Collected, taken: engine.Ints, run: Any
) -> dict[str, list[dict[str, Any]]]:
    """Return item name -> one entry per option, in the order of the item's body.

    Each has `option` (its text), `is_correct`, `n` (first attempts that chose it), `share`,
    `ability` (mean of the choosers by their *other* answers, logits) and `correlation` of choosing
    with ability, point-biserial; the last two are null with fewer than `LEAST_ANSWERS` answers or
    no spread. An option that abler learners choose (correlation above 0), or nobody, distracts
    nobody.
    """
    bodies = {
        str(pk): body
        for pk, body in ItemVersion.objects.filter(
            item__course=course, kind__in=CHOICES
        ).values_list("pk", "body")
    }
    log = collected.log
    names = np.array(log.item_keys, dtype=object)[log.item[taken]]
    rows = [k for k, name in enumerate(names.tolist()) if name in bodies]
    if not rows:
        return {}
    rest = engine.abilities_by_other_answers(log, run)
    chosen = _read_choices([int(collected.row_ids[taken[k]]) for k in rows])
    by_item: dict[str, list[tuple[frozenset[str], float]]] = {}
    for k in rows:
        options = chosen.get(int(collected.row_ids[taken[k]]))
        if options is not None:
            by_item.setdefault(names[k], []).append((options, float(rest[k])))
    return {name: _table(bodies[name], answers) for name, answers in by_item.items()}


def _read_choices(ids: list[int]) -> dict[int, frozenset[str]]:
    """Return response id -> the options chosen, where the log has them."""
    found: dict[int, frozenset[str]] = {}
    for first in range(0, len(ids), CHUNK):
        rows = Response.objects.filter(pk__in=ids[first : first + CHUNK])
        for pk, answer in rows.values_list("pk", "answer"):
            told = json.loads(answer) if isinstance(answer, str) else answer
            if isinstance(told, dict) and told.get("choice") is not None:
                found[pk] = frozenset([str(told["choice"])])
            elif isinstance(told, dict) and isinstance(told.get("choices"), list):
                found[pk] = frozenset(map(str, told["choices"]))
    return found


def _table(
    body: dict[str, Any], answers: list[tuple[frozenset[str], float]]
) -> list[dict[str, Any]]:
    ability = np.array([one for _, one in answers], dtype=np.float64)
    table = []
    for index, choice in enumerate(body["choices"]):
        option = choice_id(slug=body.get("slug", ""), index=index)
        chose = np.array([option in options for options, _ in answers], dtype=bool)
        n = int(chose.sum())
        tells = len(answers) >= LEAST_ANSWERS and 0 < n < len(answers) and ability.std() > 1e-9
        table.append(
            {
                "option": str(choice["text"]),
                "is_correct": bool(choice.get("correct", False)),
                "n": n,
                "share": n / len(answers),
                "ability": float(ability[chose].mean()) if tells else None,
                "correlation": float(np.corrcoef(chose, ability)[0, 1]) if tells else None,
            }
        )
    return table
