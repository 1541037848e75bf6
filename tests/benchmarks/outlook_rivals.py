"""Models that the hazard was chosen over: boosted trees, and a classifier of the date itself."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from curriculum.outlook import judging, scoring
from curriculum.outlook.fitting import person_periods
from curriculum.outlook.hazard import EDGES


def rivals(parts, judged, *, seed, resamples):
    """Return each rival's average precision and Brier score, and the hazard's lead over it."""
    test = parts.test
    known = test.outcomes()
    missed, weight = ~known.reached, known.weight
    ours = judging.risk_of(judging.MODEL, test, judged.hazard)
    risks = {
        "classifier": classified(parts, linear(), seed),
        "boosted-classifier": classified(parts, trees(seed), seed),
        "boosted-hazard": boosted_hazard(parts, seed),
    }
    found = {}
    for name, risk in risks.items():
        low, high = scoring.interval(
            lambda w, risk=risk: (
                scoring.average_precision(missed, ours, weight * w)
                - scoring.average_precision(missed, risk, weight * w)
            ),
            test.learner,
            resamples=resamples,
            seed=seed,
        )
        found[name] = {
            "average_precision": round(scoring.average_precision(missed, risk, weight), 4),
            "brier": round(scoring.brier(missed, risk, weight), 4),
            "hazard_less_this": [round(low, 4), round(high, 4)],
        }
    return found


def linear():
    """Return ridge logistic regression, as the hazard's."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000))


def trees(seed):
    """Return boosted trees that stop by themselves."""
    return HistGradientBoostingClassifier(
        learning_rate=0.05, max_leaf_nodes=15, early_stopping=True, random_state=seed
    )


def classified(parts, model, seed):
    """Return [n] the risk of a classifier of missing the date, days left among its features."""
    del seed
    known = parts.train.outcomes()
    kept = known.weight > 0.0
    inputs = with_days(parts.train)[kept]
    weights = {"sample_weight": known.weight[kept]}
    if not isinstance(model, HistGradientBoostingClassifier):
        weights = {"logisticregression__sample_weight": known.weight[kept]}
    model.fit(inputs, ~known.reached[kept], **weights)
    return model.predict_proba(with_days(parts.test))[:, 1]


def with_days(looks):
    """Return the features with log days left."""
    return np.column_stack([looks.features, np.log(looks.days_left)])


def boosted_hazard(parts, seed):
    """Return [n] the risk by a hazard of boosted trees with the period as a feature."""
    rows = person_periods(parts.train.days, parts.train.reached)
    inputs = np.column_stack([parts.train.features[rows.look], rows.period])
    model = trees(seed).fit(inputs, rows.reached, sample_weight=rows.weight)
    test = parts.test
    starts = np.append(0.0, EDGES[:-1])
    going_on = np.zeros(len(test))
    for period, (start, end) in enumerate(zip(starts, EDGES, strict=True)):
        share = np.clip((test.days_left - start) / (end - start), 0.0, 1.0)
        table = np.column_stack([test.features, np.full(len(test), period)])
        going_on += share * np.log1p(-np.minimum(model.predict_proba(table)[:, 1], 1 - 1e-9))
    return np.exp(going_on)
