"""A calibration inside a tracer's body: translated, pooled, and taken out again."""

import json

import numpy as np
import pytest

from kt_models.streaming.psi_filter import FilterParameters
from tutor.registry.pinning import PinnedItem, PinnedRun, pin, unpinned

PARAMETERS = FilterParameters(ability_prior_mean=0.2, ability_prior_var=0.7).to_dict()


def a_body(**offsets):
    return {
        "parameters": PARAMETERS,
        "intercept": 0.4,
        "item_offsets": {key.removeprefix("v"): value for key, value in offsets.items()},
        "reference_offsets": {"9": 0.1},
    }


def a_run(*items, **fields):
    given = {"run": 3, "number": 2, "sha256": "0", "mean": 0.3, "sd": 1.1, "slope": 1.2}
    return PinnedRun(**{**given, "items": dict(enumerate(items, start=1)), **fields})


def share_solved(mean, sd, *, slope=1.0, difficulty=0.0):
    """The share that solves an item, by integration over ability."""
    points = np.linspace(mean - 8 * sd, mean + 8 * sd, 2001)
    weight = np.exp(-0.5 * ((points - mean) / sd) ** 2)
    return float(weight @ (1 / (1 + np.exp(-slope * (points - difficulty)))) / weight.sum())


@pytest.mark.parametrize("difficulty", [-2.0, 0.0, 0.7, 1.8])
def test_gives_a_newcomer_the_chances_that_the_run_gives_its_population(difficulty):
    body = pin(a_body(), a_run(PinnedItem(difficulty, 0.1, 500)))

    variance = PARAMETERS["ability_prior_var"] + PARAMETERS["concept_prior_var"]
    found = share_solved(0.2 + body["item_offsets"]["1"], np.sqrt(variance))
    assert found == pytest.approx(
        share_solved(0.3, 1.1, slope=1.2, difficulty=difficulty), abs=0.01
    )


def test_finds_the_shift_between_the_scales_and_their_scatter():
    items = [PinnedItem(b, 0.1, 400) for b in (-1.0, -0.3, 0.2, 0.9)]
    alone = pin(a_body(), a_run(*items))["item_offsets"]
    noise = {"1": 0.2, "2": -0.2, "3": 0.2, "4": -0.2}
    moved = {f"v{key}": offset + 1.5 + noise[key] for key, offset in alone.items()}

    body = pin(a_body(**moved), a_run(*items))

    # Alone, a run is shifted by what the filter's newcomers are able, 0.2.
    assert body["translation"]["shift"] + 0.2 == pytest.approx(1.5, abs=0.05)
    assert body["translation"]["scatter"] == pytest.approx(0.2, abs=0.02)
    for key, offset in body["item_offsets"].items():
        own, told = moved[f"v{key}"], alone[key] + 1.5
        assert min(own, told) - 0.05 < offset < max(own, told) + 0.05
        # The filter knows these well: it is nearer to its own.
        assert abs(offset - own) < abs(offset - told)


def test_takes_the_run_for_what_the_filter_has_not_met_and_leaves_what_the_run_has_not():
    body = pin(a_body(v1=0.5, v7=-0.9), a_run(PinnedItem(0.0, 0.1, 300), PinnedItem(1.0, 0.8, 0)))

    assert body["item_offsets"]["7"] == -0.9
    assert "7" not in body["item_vars"]
    assert body["item_offsets"]["2"] < body["item_offsets"]["1"]
    assert body["item_vars"]["2"] > 10 * body["item_vars"]["1"]


def test_what_a_person_holds_is_moved_by_no_answers_and_moves_no_shift():
    items = [PinnedItem(0.0, 0.1, 300), PinnedItem(0.4, 0.1, 300), PinnedItem(1.0, 0.1, 300)]
    plain = a_body(v1=0.5, v2=0.1, v3=-0.6)
    without = pin(plain, a_run(*items[:2]))

    body = pin(plain, a_run(*items[:2], PinnedItem(-2.0, 0.3, 300, held=True)))

    assert body["translation"] == without["translation"]
    # Where the filter has not met the item there is nothing that could pull.
    unmet = pin(a_body(v1=0.5, v2=0.1), a_run(*items[:2], PinnedItem(-2.0, 0.3, 300)))
    assert body["item_offsets"]["3"] == pytest.approx(unmet["item_offsets"]["3"])
    assert body["item_vars"]["3"] == pytest.approx(unmet["item_vars"]["3"])
    stored = PinnedRun.from_dict(json.loads(json.dumps(body))["calibration"])
    assert [item.held for item in stored.items.values()] == [False, False, True]


def test_marks_what_does_not_count():
    body = pin(a_body(v1=0.5), a_run(PinnedItem(0.0, 0.1, 300), uncounted=(1, 8)))

    assert body["item_vars"] == {"1": None, "8": None}


def test_is_taken_out_and_put_in_again_without_a_trace():
    plain, run = a_body(v1=0.5, v2=-0.1), a_run(PinnedItem(0.0, 0.1, 300), PinnedItem(1.0, 0.2, 90))
    body = pin(plain, run)

    stored = json.loads(json.dumps(body))
    again = PinnedRun.from_dict(stored["calibration"])
    assert unpinned(stored) == plain
    assert again == run
    assert pin(stored, again) == stored
