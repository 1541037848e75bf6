"""Chances from a hazard: against enumeration, against what drew the learners, and by chance."""

import dataclasses

import numpy as np
import pytest

from curriculum.outlook import associations, explaining, judging, scoring
from curriculum.outlook.censoring import Censoring, outcomes_by
from curriculum.outlook.features import NAMES
from curriculum.outlook.fitting import TooFewLooks, fit_hazard, person_periods
from curriculum.outlook.hazard import EDGES, Hazard, UnreadableOutlook
from tests.curriculum.outlook.factories import drawn, true_chance

GAP, DAYS_A_WEEK = NAMES.index("gap_mean"), NAMES.index("days_per_week")


@pytest.fixture(scope="module")
def looks():
    return drawn()


@pytest.fixture(scope="module")
def hazard(looks):
    return fit_hazard(looks)


@pytest.fixture(scope="module")
def judged():
    return judging.fit_and_judge(judging.split(drawn(learners=500), seed=1), seed=1, resamples=50)


class TestPeriods:
    def test_a_look_goes_through_its_periods_to_the_event_or_into_that_of_the_loss(self):
        days = np.array([2.5, 2.5, 3.0, 0.2, 0.0, 12.0])
        rows = person_periods(days, np.array([True, False, False, False, False, False]))

        by_look = [rows.period[rows.look == k].tolist() for k in range(6)]
        assert by_look == [[0, 1, 2], [0, 1, 2], [0, 1, 2], [0], [], list(range(7))]
        assert np.flatnonzero(rows.reached).tolist() == [2]
        assert rows.weight[:10] == pytest.approx([1, 1, 1, 1, 1, 0.5, 1, 1, 1, 0.2])
        assert rows.weight[10:] == pytest.approx([1] * 6 + [0.5])

    def test_what_comes_after_the_last_edge_is_no_event(self):
        rows = person_periods(np.array([80.0]), np.array([True]))

        assert len(rows.period) == len(EDGES)
        assert not rows.reached.any()


class TestHazard:
    def test_chances_are_one_less_the_product_of_going_on(self, hazard, looks):
        features = looks.features[:5]
        each = 1.0 / (1.0 + np.exp(-(hazard.intercepts + hazard.linear(features)[:, None])))

        for place, edge in enumerate(EDGES):
            wanted = 1.0 - np.prod(1.0 - each[:, : place + 1], axis=1)
            assert hazard.chances(features, edge) == pytest.approx(wanted)

    def test_the_median_is_where_the_chance_is_a_half(self, hazard, looks):
        medians = hazard.medians(looks.features[:200])
        known = np.isfinite(medians)

        assert known.any()
        chances = hazard.chances(looks.features[:200][known], medians[known])
        assert chances == pytest.approx(np.full(known.sum(), 0.5))
        assert (hazard.chances(looks.features[:200][~known], EDGES[-1]) < 0.5).all()

    def test_finds_the_chances_that_drew_the_learners_though_many_are_lost(self):
        many = drawn(learners=1500, lost=0.05, seed=4)
        assert 0.2 < (~many.reached).mean() < 0.8

        found = fit_hazard(many)

        for days in (3.0, 7.0, 14.0, 28.0):
            wanted = true_chance(many.features, days)
            assert np.abs(found.chances(many.features, days) - wanted).mean() < 0.035

    def test_who_is_lost_within_a_period_stands_against_its_events(self):
        """Hazard and loss of 0.05 a day each: of days 28 to 42 half are reached, not 0.6."""
        rng = np.random.default_rng(11)
        many = drawn(learners=5000, seed=11)
        goal, gone = rng.exponential(20.0, (2, len(many)))
        heavy = dataclasses.replace(many, days=np.minimum(goal, gone), reached=goal <= gone)

        found = fit_hazard(heavy)

        said = 1.0 / (1.0 + np.exp(-found.intercepts))
        true = 1.0 - np.exp(-0.05 * np.diff(EDGES, prepend=0.0))
        assert said == pytest.approx(true, abs=0.04)

    def test_none_reached_within_the_periods_is_refused(self):
        late = dataclasses.replace(drawn(), days=np.full(1200, 99.0), reached=np.ones(1200, bool))

        with pytest.raises(TooFewLooks, match="some that did and some that did not"):
            fit_hazard(late)

    def test_the_sandwich_is_the_spread_of_refits_on_drawn_learners(self, looks, hazard):
        rng = np.random.default_rng(3)
        rows_of = [np.flatnonzero(looks.learner == k) for k in range(300)]
        refits = []
        for _ in range(40):
            rows = np.concatenate([rows_of[k] for k in rng.integers(300, size=300)])
            again = dataclasses.replace(looks.only(rows), learner=np.repeat(np.arange(300), 4))
            refits.append(fit_hazard(again).weights[[GAP, DAYS_A_WEEK]])

        size = len(EDGES)
        told = np.sqrt(np.diag(hazard.covariance))[[size + GAP, size + DAYS_A_WEEK]]
        assert told == pytest.approx(np.std(refits, axis=0), rel=0.35)

    def test_intervals_hold_the_chance_and_narrow_with_learners(self, hazard, looks):
        few = fit_hazard(looks.only(looks.learner < 60))
        widths = []
        for fitted in (few, hazard):
            low, high = fitted.intervals(looks.features[:100], 14.0)
            chance = fitted.chances(looks.features[:100], 14.0)
            assert ((low <= chance) & (chance <= high)).mean() > 0.97
            widths.append((high - low).mean())

        assert widths[1] < 0.7 * widths[0]

    def test_comes_back_from_its_numbers(self, hazard, looks):
        again = Hazard.from_dict(hazard.to_dict())

        assert again.chances(looks.features, 9.0) == pytest.approx(
            hazard.chances(looks.features, 9.0), abs=1e-6
        )
        with pytest.raises(UnreadableOutlook, match="fit it again"):
            Hazard.from_dict(hazard.to_dict() | {"features": ["other"]})

    def test_refuses_too_few(self):
        with pytest.raises(TooFewLooks, match="20 and 50 are needed"):
            fit_hazard(drawn(learners=10))


class TestCensoring:
    def test_is_kaplan_meier_of_being_lost(self):
        days = np.array([1.0, 2.0, 2.0, 3.0, 5.0])
        reached = np.array([False, True, False, False, True])

        found = Censoring.of(days, reached, np.zeros(5, int))

        # One of five is lost at 1; at 2 one has arrived first, so one of three; one of two at 3.
        assert found.kept[0] == pytest.approx([4 / 5, 4 / 5 * 2 / 3, 4 / 5 * 2 / 3 * 1 / 2])
        assert found.before(np.array([1.0, 2.5]), np.zeros(2, int)) == pytest.approx(
            [1.0, 4 / 5 * 2 / 3]
        )

    def test_weighted_outcomes_give_the_share_that_all_would_have_given(self):
        many = drawn(learners=3000, lost=0.06, seed=9)
        wanted = true_chance(many.features, 14.0).mean()

        found = many.outcomes(14.0)

        known = found.weight > 0.0
        weighted = np.average(found.reached, weights=found.weight)
        assert weighted == pytest.approx(wanted, abs=0.015)
        assert abs(found.reached[known].mean() - wanted) > 0.05

    def test_who_is_lost_before_the_date_counts_for_nothing(self):
        found = outcomes_by(
            np.array([3.0, 9.0]),
            np.array([False, False]),
            np.array([7.0, 7.0]),
            censoring=Censoring.of(np.array([3.0, 9.0]), np.zeros(2, bool), np.zeros(2, int)),
            group=np.zeros(2, int),
        )

        assert found.weight.tolist() == [0.0, 2.0]


class TestScores:
    missed = np.array([True, False, True, False])
    risk = np.array([0.9, 0.8, 0.7, 0.1])
    ones = np.ones(4)

    def test_are_what_one_counts_by_hand(self):
        point = scoring.at_working_point(self.missed, self.risk, self.ones, 0.75)

        assert (point.precision, point.recall, point.named) == (0.5, 0.5, 0.5)
        assert scoring.average_precision(self.missed, self.risk, self.ones) == pytest.approx(5 / 6)
        assert scoring.area_under_roc(self.missed, self.risk, self.ones) == pytest.approx(0.75)
        assert scoring.best_threshold(self.missed, self.risk, self.ones) == 0.7

    def test_a_weight_of_two_is_two_of_them(self):
        twice = np.array([2.0, 1.0, 1.0, 3.0])
        rows = np.repeat(np.arange(4), [2, 1, 1, 3])

        for score in (scoring.average_precision, scoring.area_under_roc, scoring.brier):
            assert score(self.missed, self.risk, twice) == pytest.approx(
                score(self.missed[rows], self.risk[rows], np.ones(7))
            )

    def test_equal_risks_gain_nothing_from_their_order(self):
        same = np.full(4, 0.5)

        assert scoring.average_precision(self.missed, same, self.ones) == pytest.approx(0.5)
        assert scoring.area_under_roc(self.missed, same, self.ones) == pytest.approx(0.5)

    def test_concordance_counts_pairs(self):
        days, reached = np.array([1.0, 3.0, 5.0]), np.array([True, True, False])
        score = scoring.concordance(days, reached, np.array([2.0, 9.0, 4.0]), np.ones(3), 28.0)

        assert score(np.ones(3)) == pytest.approx(2 / 3)

    def test_concordance_of_many_is_that_of_some_drawn_always_the_same(self, monkeypatch, looks):
        expected = -looks.features[:, DAYS_A_WEEK]
        ones = np.ones(len(looks))

        def score():
            return scoring.concordance(looks.days, looks.reached, expected, ones, 28.0)(ones)

        of_all = score()
        monkeypatch.setattr(scoring, "MOST_PAIRED", 150)
        of_some = score()

        assert of_some != of_all
        assert of_some == pytest.approx(of_all, abs=0.04)
        assert score() == of_some

    def test_random_outcomes_read_chance(self):
        many = drawn(learners=2000, each=1)
        order = np.random.default_rng(5).permutation(len(many))
        found = fit_hazard(many)
        shuffled = dataclasses.replace(many, days=many.days[order], reached=many.reached[order])
        known = shuffled.outcomes(14.0)
        missed, risk = ~known.reached, 1.0 - found.chances(many.features, 14.0)
        base = np.average(missed, weights=known.weight)

        assert scoring.area_under_roc(missed, risk, known.weight) == pytest.approx(0.5, abs=0.04)
        assert scoring.average_precision(missed, risk, known.weight) == pytest.approx(
            base, abs=0.04
        )
        timed = scoring.concordance(
            shuffled.days, shuffled.reached, found.medians(many.features), known.weight, 28.0
        )
        assert timed(np.ones(len(many))) == pytest.approx(0.5, abs=0.04)


class TestJudging:
    def test_no_learner_is_in_two_parts(self, looks):
        parts = judging.split(looks, seed=2)
        held = [set(own.learner.tolist()) for own in (parts.train, parts.valid, parts.test)]

        assert set().union(*held) == set(looks.learner.tolist())
        assert sum(map(len, held)) == 300

    def test_what_is_known_of_learners_beats_rules_that_know_nothing(self, judged):
        told = judged.evidence
        assert all(one["beaten"] for one in told["against"].values())
        assert told["methods"]["hazard"]["auc"]["low"] > 0.6
        behind = told["methods"]["behind"]["auc"]
        assert behind["low"] < 0.5 < behind["high"]

    def test_chances_come_about_as_often_as_said(self, judged):
        for _, _, n, said, came in judged.evidence["calibration"]:
            assert abs(said - came) < 4.0 * np.sqrt(0.25 / n) + 0.03

    def test_needs_dates_met_and_missed(self, looks):
        parts = judging.split(looks, seed=2)
        none = dataclasses.replace(parts.test, reached=np.zeros(len(parts.test), bool))

        with pytest.raises(TooFewLooks, match="dates met and dates missed"):
            judging.fit_and_judge(dataclasses.replace(parts, test=none), seed=0, resamples=2)

    def test_needs_them_among_those_it_is_fitted_on(self, looks):
        parts = judging.split(looks, seed=2)
        # Every goal is reached, each after its date.
        late = dataclasses.replace(
            parts.train,
            days=parts.train.days_left + 1.0,
            reached=np.ones(len(parts.train), bool),
        )

        with pytest.raises(TooFewLooks, match="dates met and dates missed"):
            judging.fit_and_judge(dataclasses.replace(parts, train=late), seed=0, resamples=2)


class TestExplaining:
    def test_drivers_are_shapley_values_by_enumeration(self, hazard, looks):
        """Over all orders of putting groups in, the others standing at the mean."""
        import itertools  # noqa: PLC0415

        row = looks.features[3]
        groups = list(explaining.DRIVERS.items())[:4]
        told = {one.name: one.effect for one in explaining.drivers(hazard, row)}

        for name, _ in groups:
            effects = []
            for order in itertools.permutations(groups):
                point = hazard.centre.copy()
                for other, own in order:
                    before = hazard.linear(point[None, :])[0]
                    for feature in own:
                        point[NAMES.index(feature)] = row[NAMES.index(feature)]
                    if other == name:
                        effects.append(hazard.linear(point[None, :])[0] - before)
            assert told[name] == pytest.approx(np.mean(effects))
        assert sum(told.values()) == pytest.approx(hazard.linear(row[None, :])[0])

    def test_the_smallest_change_that_passes_the_line_comes_first(self, hazard, looks):
        row = looks.features[0].copy()
        row[DAYS_A_WEEK], row[GAP] = 1.0, 0.0
        now = hazard.chances(row[None, :], 14.0)[0]
        more = row.copy()
        more[DAYS_A_WEEK] = 3.0
        line = hazard.chances(more[None, :], 14.0)[0] - 1e-6
        found = list(
            explaining.list_changes(
                hazard, row, days=14.0, line=line, ranges={"days_per_week": (0.0, 7.0)}
            )
        )

        assert now < line
        [step] = found[0].steps
        assert (step.feature, step.now, step.then) == ("days_per_week", 1.0, 3.0)
        assert found[0].chance >= line
        assert [one.steps[0].then for one in found] == [3.0, 4.0, 5.0, 6.0, 7.0]

    def test_nothing_is_advised_beyond_what_was_seen_or_against_the_signs(self, hazard, looks):
        row = looks.features[0].copy()
        row[DAYS_A_WEEK] = 1.0
        unseen = {"days_per_week": (0.0, 1.5)}
        ways = {"line": 0.999, "days": 14.0}

        assert not list(explaining.list_changes(hazard, row, ranges=unseen, **ways))
        against = dataclasses.replace(hazard, weights=-hazard.weights)
        seen = {"days_per_week": (0.0, 7.0)}
        assert not list(explaining.list_changes(against, row, ranges=seen, **ways))

    def test_nothing_has_to_change_above_the_line(self, hazard, looks):
        ranges = {"days_per_week": (0.0, 7.0)}
        found = explaining.list_changes(
            hazard, looks.features[0], days=14.0, line=0.0, ranges=ranges
        )

        assert not list(found)

    def test_shares_of_like_learners_rise_with_a_habit_that_helps(self, judged):
        told = associations.from_dict(associations.to_dict(judged.associations))["days_per_week"]

        for row in told.cells:
            assert row[-1].share > row[0].share
        middle = told.thirds[0] + 1e-9
        cell = told.find(middle, 6.5)
        assert cell is not None
        assert cell.low <= 6.5 <= cell.high
