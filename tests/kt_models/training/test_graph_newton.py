"""Newton steps on a graph, on answers whose edges are known."""

import numpy as np
import pytest

from kt_models.training.graph_newton import ColumnEvidence, best_edges, capped, fitted_edges

CONCEPTS = 5


def evidence(rng, edges, *, answers):
    """Return evidence around no edges: logit = base + what is above the level, times its edge."""
    concept = rng.integers(0, CONCEPTS, answers)
    above = rng.normal(0.0, 1.0, (answers, CONCEPTS))
    base = rng.normal(0.0, 1.0, answers)
    logit = base + (above * edges[:, concept].T).sum(axis=1)
    correct = (rng.random(answers) < 1.0 / (1.0 + np.exp(-logit))).astype(float)
    prob = 1.0 / (1.0 + np.exp(-base))
    found = ColumnEvidence.none(CONCEPTS)
    found.add(concept=concept, features=above, residual=correct - prob, weight=prob * (1.0 - prob))
    return found


def chain(weight):
    edges = np.zeros((CONCEPTS, CONCEPTS))
    edges[[0, 2], [1, 3]] = weight
    return edges


def test_finds_the_edges_and_leaves_the_others_out():
    rng = np.random.default_rng(0)
    truth = chain(0.4)
    training = evidence(rng, truth, answers=20_000)

    edges, gain = best_edges(
        training, evidence(rng, truth, answers=3000), edges=np.zeros_like(truth)
    )

    assert edges[0, 1] == pytest.approx(0.4, abs=0.12)
    assert edges[2, 3] == pytest.approx(0.4, abs=0.12)
    assert edges[truth == 0.0].max() < 0.1
    assert gain > 12.0
    # An edge and its reverse differ, as do its evidence.
    assert training.support()[0, 1] > 6.0
    assert abs(training.support()[1, 0]) < 4.0


def test_keeps_no_graph_where_held_out_answers_speak_against_it():
    rng = np.random.default_rng(1)
    none = np.zeros((CONCEPTS, CONCEPTS))
    training = evidence(rng, chain(0.4), answers=2000)
    against = ColumnEvidence(-training.score, training.information)

    edges, gain = best_edges(training, against, edges=none)

    assert (edges == 0.0).all()
    assert gain == 0.0


def test_the_gain_is_that_of_the_quadratic():
    rng = np.random.default_rng(2)
    found = evidence(rng, chain(0.3), answers=500)
    change = rng.random((CONCEPTS, CONCEPTS)) * 0.1

    by_hand = sum(
        found.score[:, k] @ change[:, k] - 0.5 * change[:, k] @ found.information[k] @ change[:, k]
        for k in range(CONCEPTS)
    )

    assert found.gain(change) == pytest.approx(by_hand)


def test_without_penalty_the_solution_is_newtons_where_that_is_inside():
    rng = np.random.default_rng(3)
    edges = np.zeros((CONCEPTS, CONCEPTS))
    edges[:, 4] = [0.3, 0.4, 0.2, 0.3, 0.0]
    found = evidence(rng, edges, answers=40_000)
    inside = found.information[4][:4, :4]

    got = fitted_edges(found, edges=np.zeros_like(edges), ridge=0.0, threshold=0.0)

    assert got[:4, 4] == pytest.approx(np.linalg.solve(inside, found.score[:4, 4]), abs=1e-3)
    assert got[4, 4] == 0.0


def test_a_second_step_starts_from_the_edges_in_use():
    """At the optimum there is no score left, and the step changes nothing."""
    rng = np.random.default_rng(4)
    found = evidence(rng, chain(0.4), answers=5000)
    edges = fitted_edges(found, edges=np.zeros((CONCEPTS, CONCEPTS)), ridge=0.0, threshold=0.0)
    left = found.score - np.einsum("kij,jk->ik", found.information, edges)

    again = fitted_edges(
        ColumnEvidence(left, found.information), edges=edges, ridge=0.0, threshold=0.0
    )

    assert again == pytest.approx(edges, abs=1e-3)


def test_columns_are_capped_at_one():
    edges = np.array([[0.0, 0.9], [0.9, 0.0]]) + np.array([[0.0, 0.3], [0.0, 0.0]])

    assert capped(edges).sum(axis=0) == pytest.approx([0.9, 1.0])
