"""The JSON form of an item that a version stores, and its fingerprint."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tutor.content.item_spec import ItemSpec

BODY_FORMAT = 1


def item_body(spec: ItemSpec) -> dict[str, Any]:
    """Return the canonical JSON body that an immutable item version stores.

    Holds all that decides what is asked, how it is graded and which concepts it exercises;
    the author's difficulty is left out, since a better guess does not make another item.
    """
    body: dict[str, Any] = {
        "format": BODY_FORMAT,
        "slug": spec.slug,
        "kind": spec.kind,
        "concepts": list(spec.concepts),
        "markup": spec.markup,
        "stem": spec.stem,
        # Pairs: a JSON column may reorder keys, and parameters are drawn in order.
        "parameters": [list(pair) for pair in spec.parameters],
        "conditions": list(spec.conditions),
        "choices": [dict(choice) for choice in spec.choices],
        "keep_order": spec.keep_order,
        "answer": dict(spec.answer),
        "wrong": [dict(entry) for entry in spec.wrong],
        "hints": list(spec.hints),
        "solution": spec.solution,
    }
    if spec.needs:
        # Left out where empty: what was stored before there was such a field keeps its hash.
        body["needs"] = list(spec.needs)
    # Only where there are any, so that items without keep their fingerprint.
    if spec.steps:
        body["steps"] = [dict(step) for step in spec.steps]
    if spec.pictures:
        # By digest: another picture under the same path makes another version.
        body["pictures"] = {
            path: [found.digest, found.width, found.height]
            for path, found in sorted(spec.pictures.items())
        }
    return body


def content_hash(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a body, the same however its keys are ordered."""
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
