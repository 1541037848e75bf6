"""Random banks and situations: any the types allow, sensible or not."""

import numpy as np
from hypothesis import strategies as st

from curriculum.scheduler import RecentAnswers, Rules, Situation, build_bank
from tests.curriculum.scheduler.factories import DAY, NOW


@st.composite
def banks(draw):
    # Mostly real courses; now and then one without items or without concepts.
    k = draw(st.sampled_from([3, 5, 6, 6, 6, 1, 0]))
    n = draw(st.sampled_from([14, 12, 9, 6, 3, 1, 0])) if k else 0
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = rng.permutation(k)
    pairs = [(a, b) for a in range(k) for b in range(a + 1, k)]
    edges = [
        (int(names[a]), int(names[b]))
        for a, b in pairs
        if rng.random() < draw(st.sampled_from([0.0, 0.3, 0.7]))
    ]
    width = min(k, 3)
    concepts = np.full((n, max(width, 1)), -1)
    for row in range(n):
        carried = rng.permutation(k)[: rng.integers(1, width + 1)]
        concepts[row, : len(carried)] = carried
    return build_bank(
        item_ids=rng.permutation(1000)[:n],
        concepts=concepts,
        concept_ids=rng.permutation(50)[:k],
        requires=edges,
        operational=rng.random(n) < 0.8,
        is_template=rng.random(n) < 0.5,
    )


@st.composite
def rules(draw):
    share = st.floats(0.0, 1.0)
    return Rules(
        prerequisite_evidence=draw(st.integers(0, 3)),
        cooldown_s=draw(st.sampled_from([0.0, 600.0, DAY])),
        max_exposures=draw(st.integers(1, 4)),
        jump_logits=draw(st.sampled_from([0.0, 1.0, 9.0])),
        fails_to_step_back=draw(st.integers(1, 3)),
        target_sd=draw(st.sampled_from([0.03, 0.08, 1.0])),
        epsilon=draw(share),
        temperature=draw(st.sampled_from([0.01, 0.25, 10.0])),
        top_share=draw(st.floats(0.5, 1.0)),
    )


@st.composite
def situations(draw):
    bank, chosen_rules = draw(banks()), draw(rules())
    n, k = bank.n_items, bank.n_concepts
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    prob = rng.choice([0.0, 0.02, 0.4, 0.6, 0.75, 0.9, 1.0], n)
    lower = rng.choice([0.0, 0.3, 0.55, 0.8], k)
    size = draw(st.integers(0, 12)) if n else 0
    ids = rng.choice(np.append(bank.item_ids, 5000), size) if n else np.empty(0, dtype=np.int64)
    goal_odds = draw(st.sampled_from([1.0, 1.0, 0.5, 0.2, 0.0]))
    odds = st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.5, 1.0])
    return Situation(
        bank=bank,
        goal=rng.random(k) < goal_odds,
        logit_mean=rng.normal(0.0, 2.0, n),
        logit_var=rng.choice([0.0, 0.5, 4.0], n),
        prob=prob,
        expected_gain=rng.choice([-0.1, 0.0, 0.1, 1.0], n) * draw(st.sampled_from([0.0, 1.0])),
        concept_prob=np.minimum(lower + 0.2, 1.0),
        concept_lower_prob=lower,
        evidence_n=rng.integers(0, 8, k),
        concept_last_at=rng.choice([-np.inf, NOW - 30 * DAY, NOW - 3 * DAY, NOW - 60.0, NOW], k),
        mastered_before=rng.random(k) < 0.3,
        at=NOW,
        policy_version="test",
        recent=RecentAnswers(
            item_ids=ids,
            at=np.sort(NOW - rng.choice([1.0, 700.0, 5 * DAY, 31 * DAY], size)),
            correct=rng.integers(0, 2, size).astype(float),
        ),
        rules=chosen_rules,
        pinned=frozenset(bank.item_ids[rng.random(n) < draw(odds) * 0.3].tolist()),
        banned=frozenset(bank.item_ids[rng.random(n) < draw(odds)].tolist()),
        set_aside=frozenset(bank.item_ids[rng.random(n) < draw(odds)].tolist()),
        session_position=draw(st.integers(0, 3)),
        session_limit=draw(st.sampled_from([None, None, None, None, None, 2])),
    )
