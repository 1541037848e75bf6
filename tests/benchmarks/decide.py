"""How long one decision takes in banks of 10,000 and 100,000 items, receipt included.

    .venv/bin/python -m tests.benchmarks.decide

The situation is what the tutor gives for a learner in the middle of a course: the tracer's memory,
modes and attempts, calibrated slopes, the exposure counts of a class, a pilot, and random draws
allowed. The measure is one numpy pass over the same arrays, in turn with the decisions: every array
of the bank and the situation that a decision has to read is read once, and one result is computed
from it. Writes docs/benchmarks/decide.json and its section of docs/benchmarks.md; run it on a quiet
machine.
"""

import json
import os
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from curriculum.bandits import POLICIES, make_policy
from curriculum.scheduler import (
    Exposure,
    Memory,
    RecentAnswers,
    Rules,
    Situation,
    build_bank,
    decide,
)
from curriculum.scheduler.guards import count_attempts
from curriculum.scheduler.standing import MODES

SIZES = (10_000, 100_000)
CONCEPTS = 500
ROUNDS, WARM_UP = 150, 10
# The target: passes and milliseconds at the smaller size, and how much the larger may take of it.
MOST_PASSES, MOST_MS, MOST_TIMES = 5.0, 3.0, 3.0
AT, DAY = 1_700_000_000.0, 86_400.0
# Learners of the course, of whom every item was given to some in a month.
COURSE_LEARNERS = 200
PILOTS, PILOT_SHARE = 0.02, 0.05


def main() -> None:
    from tests.benchmarks.product.circumstances import circumstances, write

    result = circumstances()
    for size in SIZES:
        bank = make_bank(size)
        result[f"{size}"] = measure(make_situation(bank))
    near = make_situation(make_bank(SIZES[0]), due_at=AT + 2 * DAY, study_minutes=30.0)
    result["near_a_date"] = measure(near)
    result["policies"] = measure_policies(make_situation(make_bank(SIZES[0])))
    write("decide", result=result, section=section(result))
    print(section(result))


def make_bank(size: int):
    rng = np.random.default_rng(size)
    concepts = np.full((size, 2), -1)
    concepts[:, 0] = rng.integers(0, CONCEPTS, size)
    two = rng.random(size) < 0.3
    concepts[two, 1] = (concepts[two, 0] + 1) % CONCEPTS
    requires = [
        (int(rng.integers(max(0, concept - 20), concept)), concept)
        for concept in range(1, CONCEPTS)
        if rng.random() < 0.7
    ]
    pilot = rng.random(size) < PILOTS
    return build_bank(
        item_ids=np.arange(size) + 1_000_000,
        concepts=concepts,
        concept_ids=np.arange(CONCEPTS) + 10_000,
        requires=requires,
        operational=~pilot,
        pilot=pilot,
        is_template=rng.random(size) < 0.3,
    )


def make_situation(bank, **changes) -> Situation:
    """A learner in the middle of the course, with 256 recent answers, as the tutor sees them."""
    rng = np.random.default_rng(1)
    n, k = bank.n_items, bank.n_concepts
    prob = np.clip(rng.normal(0.65, 0.15, n), 0.02, 0.98)
    lower = rng.choice([0.2, 0.4, 0.55, 0.8], k, p=[0.6, 0.15, 0.15, 0.1])
    evidence = np.where(lower > 0.45, 8, rng.integers(0, 5, k))
    met = np.where(evidence > 0, AT - rng.uniform(60, 30 * DAY, k), -np.inf)
    concept_prob = np.minimum(lower + 0.15, 0.98)
    recent = RecentAnswers(
        rng.choice(bank.item_ids, 256),
        np.sort(AT - rng.uniform(60, 29 * DAY, 256)),
        (rng.random(256) < 0.7).astype(float),
        # The tutor knows what the newest ten were given for.
        np.where(np.arange(256) < 246, -1, rng.integers(0, len(MODES), 256)).astype(np.int8),
    )
    fields = {
        "bank": bank,
        "goal": np.ones(k, dtype=bool),
        "logit_mean": np.log(prob / (1.0 - prob)),
        "logit_var": rng.uniform(0.1, 0.6, n),
        "prob": prob,
        "expected_gain": rng.uniform(0.0, 0.1, n),
        "concept_prob": concept_prob,
        "concept_lower_prob": lower,
        "evidence_n": evidence,
        "concept_last_at": met,
        "mastered_before": lower > 0.75,
        "at": AT,
        "policy_version": "benchmark",
        "item_minutes": rng.uniform(0.5, 2.0, n),
        "recent": recent,
        "attempts": count_attempts(bank, recent, at=AT, rules=Rules()),
        "discrimination": np.exp(rng.normal(0.0, 0.3, n)),
        "pilot_share": PILOT_SHARE,
        "memory": make_memory(concept_prob, evidence, rng),
        "exposure": make_exposure(bank, rng),
    }
    return Situation(**{**fields, **changes})


def make_memory(concept_prob, evidence, rng) -> Memory:
    """How concepts fade and grow by the tracer's default parameters, from that mastery."""
    base = rng.normal(0.2, 0.4, len(concept_prob))
    return Memory(
        base=base,
        level=np.log(concept_prob / (1.0 - concept_prob)) - base,
        var=1.0 / (1.0 + evidence),
        practised=evidence.astype(np.float64),
    )


def make_exposure(bank, rng) -> Exposure:
    """A month of a course: most items were given to few, some to far more than their siblings."""
    given = rng.binomial(COURSE_LEARNERS, rng.beta(0.7, 8.0, bank.n_items))
    found = Exposure.of(bank, given=given, learners=COURSE_LEARNERS, rules=Rules())
    assert found is not None
    assert found.resting.any()
    return found


def lay_out(bank):
    """Return the concepts of every item by column, and the routes as numbers: made beforehand."""
    return np.ascontiguousarray(bank.concepts.T), bank.route.astype(np.float32)


def one_pass(situation: Situation, columns, route) -> float:
    """Read everything once: per item, per (item, concept) pair, per pair of concepts."""
    bank, total = situation.bank, 0.0
    for name in ("logit_mean", "logit_var", "prob", "expected_gain", "item_minutes"):
        values = getattr(situation, name)
        total += float((values * values).sum())
    total += float(np.exp(-0.5 * ((situation.prob - 0.75) / 0.08) ** 2).sum())
    total += np.count_nonzero(bank.operational & ~bank.is_template)
    total += float((situation.exposure.weight * situation.prob).sum())
    total += np.count_nonzero(situation.exposure.resting)
    flag = np.append(situation.goal, [False])
    for column in columns:
        total += np.count_nonzero(flag[column])
    weights = situation.prob[bank.pair_item]
    total += float(np.bincount(bank.pair_concept, weights=weights).sum())
    wanted = situation.goal.astype(np.float32)
    total += float((bank.unlocks_weight @ wanted).sum() + (wanted @ route).sum())
    return total + float(bank.rows_of(situation.recent.item_ids).sum())


def measure(situation: Situation, policy=None) -> dict[str, float]:
    """Return medians in milliseconds, taken in turn, and their ratio."""
    policies = {} if policy is None else {"policy": policy}
    decided, passed, size = [], [], 0
    laid_out = lay_out(situation.bank)
    for number in range(ROUNDS + WARM_UP):
        begin = time.perf_counter()
        chosen = decide(situation, seed=number, **policies)
        text = json.dumps(chosen.receipt(), separators=(",", ":"))
        middle = time.perf_counter()
        one_pass(situation, *laid_out)
        end = time.perf_counter()
        if number >= WARM_UP:
            decided.append(1000.0 * (middle - begin))
            passed.append(1000.0 * (end - middle))
            size = max(size, len(text))
    return {
        "decision_ms": statistics.median(decided),
        "decision_fastest_ms": min(decided),
        "pass_ms": statistics.median(passed),
        "ratio": statistics.median(decided) / statistics.median(passed),
        "receipt_bytes": size,
    }


def measure_policies(situation: Situation) -> dict[str, float]:
    """Return each policy's decision in passes."""
    return {name: measure(situation, make_policy(name))["ratio"] for name in POLICIES}


def section(result: dict) -> str:
    small, large = (result[f"{size}"] for size in SIZES)
    per_item = (large["decision_ms"] / SIZES[1]) / (small["decision_ms"] / SIZES[0])
    rows = [("10,000 items", small), ("100,000 items", large)]
    rows.append(("10,000 items, a plan over 30 answers before a date", result["near_a_date"]))
    lines = "\n".join(
        f"| {name} | {row['decision_ms']:.2f} | {row['decision_fastest_ms']:.2f} "
        f"| {row['pass_ms']:.2f} | {row['ratio']:.1f} | {row['receipt_bytes']:,} |"
        for name, row in rows
    )
    times = large["decision_ms"] / small["decision_ms"]
    is_missed = small["ratio"] > MOST_PASSES or small["decision_ms"] > MOST_MS or times > MOST_TIMES
    verdict = "**missed**" if is_missed else "met"
    policies = "; ".join(f"{name} {ratio:.1f}" for name, ratio in result["policies"].items())
    return f"""## One decision of the scheduler

`{result["command"]}`: rules, scores, draw and receipt as JSON, 500 concepts, 256 recent answers,
with all that the tutor gives: the tracer's memory, modes, attempts, slopes, the exposure counts of
{COURSE_LEARNERS} learners, a pilot. Medians of {ROUNDS} in turn with one numpy pass over the same
arrays (six products, one Gaussian, three flags, the concepts of every item, one weighted count over
all pairs, two products with the prerequisites, one look-up of the recent answers).

| bank | decision, ms | fastest, ms | one pass, ms | ratio | receipt, bytes |
|---|---|---|---|---|---|
{lines}

The target: at most {MOST_PASSES:g} passes (about {MOST_MS:g} ms) at 10,000 items, and 100,000
items within {MOST_TIMES:g} times that. It is {verdict}: {small["ratio"]:.1f} passes,
{small["decision_ms"]:.2f} ms, and {times:.2f} times. With a plan before a date a decision takes
{result["near_a_date"]["ratio"]:.1f} passes.

Per item, 100,000 items take {per_item:.2f} times what 10,000 do. In passes, by policy (10,000
items): {policies}.

{result["date"]}, {result["hardware"]}, load {result["load_before"]}, commit {result["commit"]}.
"""


if __name__ == "__main__":
    main()
