"""The Newton solver against scikit-learn's and against its own slope."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from kt_models.training.ridge_logistic import fit_ridge


@pytest.fixture
def problem():
    rng = np.random.default_rng(3)
    item = rng.integers(0, 12, 900)
    features = rng.normal(size=(900, 6)) * (rng.random((900, 6)) < 0.6)
    # Correlated columns and one that never occurs.
    features[:, 1] = features[:, 0] + 0.05 * features[:, 1]
    features[:, 5] = 0.0
    logit = rng.normal(size=12)[item] + features @ np.array([1.0, -0.5, 0.3, 0.0, 2.0, 0.0])
    correct = (rng.random(900) < 1.0 / (1.0 + np.exp(-logit))).astype(float)
    return item, sparse.csr_array(features), correct


def test_finds_what_scikit_learn_finds(problem):
    item, features, correct = problem
    items, weights = fit_ridge(
        item, features, correct, penalty=np.full(6, 2.0), item_penalty=np.full(12, 2.0)
    )

    known = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10, max_iter=5000)
    known.fit(np.hstack([np.eye(12)[item], features.toarray()]), correct)

    assert items == pytest.approx(known.coef_[0, :12], abs=1e-5)
    assert weights == pytest.approx(known.coef_[0, 12:], abs=1e-5)


def test_partial_credit_and_separate_penalties_leave_no_slope(problem):
    item, features, correct = problem
    graded = np.where(np.arange(900) % 3 == 0, 0.5, correct)
    penalty, item_penalty = np.linspace(0.1, 3.0, 6), np.linspace(0.2, 5.0, 12)

    items, weights = fit_ridge(item, features, graded, penalty=penalty, item_penalty=item_penalty)

    error = 1.0 / (1.0 + np.exp(-(items[item] + features @ weights))) - graded
    assert features.T @ error + penalty * weights == pytest.approx(np.zeros(6), abs=1e-3)
    slope = np.bincount(item, error, minlength=12) + item_penalty * items
    assert slope == pytest.approx(np.zeros(12), abs=1e-3)
    assert weights[5] == 0.0


def test_separable_answers_stay_finite():
    item = np.zeros(40, dtype=np.int64)
    x = np.linspace(-1.0, 1.0, 40)
    features = sparse.csr_array(x[:, None])

    items, weights = fit_ridge(
        item, features, (x > 0).astype(float), penalty=np.array([1e-3]), item_penalty=np.ones(1)
    )

    assert np.isfinite([*items, *weights]).all()
    assert weights[0] > 10.0
