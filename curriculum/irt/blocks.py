"""Which items stand on one scale: those that learners connect, directly or through other items."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from curriculum.irt.responses import Responses


def blocks_of(responses: Responses, *, anchors: tuple[str, ...] = ()) -> NDArray[np.int64]:
    """Return [I] the block of each item: 0 the largest, then by falling size; -1 if nobody saw it.

    Two items are in one block if a learner answered both, or through a chain of such pairs. Only
    the assumption that all learners come from one population puts separate blocks on one scale.
    Anchors carry their scale with them, so all blocks with an anchor are one.

    Args:
        responses: first attempts.
        anchors: names of items with known parameters.
    """
    learners, items = len(responses.learners), len(responses.items)
    people, things = responses.learner, responses.item + learners
    answered = responses.answered > 0
    number = {name: k for k, name in enumerate(responses.items)}
    known = [number[name] for name in anchors if name in number and answered[number[name]]]
    if known:
        # As if one learner had answered all anchors.
        people = np.concatenate([people, np.full(len(known), learners + items)])
        things = np.concatenate([things, np.array(known) + learners])
    size = learners + items + 1
    graph = coo_array((np.ones(len(people), dtype=np.int8), (people, things)), shape=(size, size))
    _, label = connected_components(graph.tocsr(), directed=False)
    own = label[learners : learners + items]
    found, counts = np.unique(own[answered], return_counts=True)
    rank = {int(name): k for k, name in enumerate(found[np.argsort(-counts, kind="stable")])}
    blocks = [rank[int(x)] if seen else -1 for x, seen in zip(own, answered, strict=True)]
    return np.array(blocks, dtype=np.int64)
