"""Banks and situations for the scheduler's tests."""

import numpy as np

from curriculum.scheduler import RecentAnswers, Rules, Situation, build_bank

NOW = 1_700_000_000.0
DAY = 86_400.0


def make_bank(*, per_concept=4, requires=((0, 1), (1, 2)), n_concepts=3, **changes):
    """A chain of concepts; item ids 100.. and concept ids 10.. differ from their rows."""
    concepts = np.repeat(np.arange(n_concepts), per_concept)[:, None]
    fields = {
        "item_ids": 100 + np.arange(len(concepts)),
        "concepts": concepts,
        "concept_ids": 10 + np.arange(n_concepts),
        "requires": requires,
    }
    return build_bank(**{**fields, **changes})


def make_situation(bank=None, **changes):
    """A learner with no answers and the whole course as goal; change what the test is about."""
    bank = make_bank() if bank is None else bank
    n, k = bank.n_items, bank.n_concepts
    fields = {
        "bank": bank,
        "goal": np.ones(k, dtype=bool),
        "logit_mean": np.full(n, 0.7),
        "logit_var": np.full(n, 0.5),
        "prob": np.full(n, 0.66),
        "expected_gain": np.full(n, 0.1),
        "concept_prob": np.full(k, 0.66),
        "concept_lower_prob": np.full(k, 0.3),
        "evidence_n": np.zeros(k, dtype=np.int64),
        "concept_last_at": np.full(k, -np.inf),
        "mastered_before": np.zeros(k, dtype=bool),
        "at": NOW,
        "policy_version": "gain-softmax/1",
        "rules": Rules(),
    }
    return Situation(**{**fields, **changes})


def recent(*answers):
    """Recent answers from (item id, seconds ago, credit), oldest first."""
    ids, ago, credits_given = zip(*answers, strict=True)
    return RecentAnswers(
        item_ids=np.array(ids, dtype=np.int64),
        at=NOW - np.array(ago, dtype=float),
        correct=np.array(credits_given, dtype=float),
    )


def knows(*levels):
    """Concept fields for one level each: new, seen, reached, mastered."""
    lower = {"new": 0.3, "seen": 0.4, "reached": 0.6, "mastered": 0.9}
    evidence = {"new": 0, "seen": 6, "reached": 6, "mastered": 8}
    ago = {"new": np.inf, "seen": 3600.0, "reached": 3600.0, "mastered": 3600.0}
    return {
        "concept_lower_prob": np.array([lower[level] for level in levels]),
        "concept_prob": np.array([lower[level] for level in levels]) * 0.8 + 0.2,
        "evidence_n": np.array([evidence[level] for level in levels], dtype=np.int64),
        "concept_last_at": NOW - np.array([ago[level] for level in levels]),
    }
