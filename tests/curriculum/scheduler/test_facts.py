"""Facts fade by py-fsrs, not by the tracer."""

import datetime as dt

import fsrs
import numpy as np
import pytest

from curriculum.scheduler import Rules, decide
from curriculum.scheduler.facts import recall, recall_stability
from tests.curriculum.scheduler.factories import DAY, NOW, knows, make_bank, make_situation, recent

FIRM = Rules(epsilon=0.0)


class TestRecall:
    def test_is_that_of_py_fsrs(self):
        scheduler = fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
        card, begin = fsrs.Card(card_id=1), dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        answers = [(0, 1.0), (3, 1.0), (10, 0.0), (14, 1.0)]
        for days, credit in answers:
            rating = fsrs.Rating.Good if credit else fsrs.Rating.Again
            card, _ = scheduler.review_card(card, rating, begin + dt.timedelta(days=days))
        start = begin.timestamp()
        stability = recall_stability([(start + days * DAY, credit) for days, credit in answers])
        assert stability == pytest.approx(card.stability)
        for days in (0, 1, 6, 40):
            theirs = scheduler.get_card_retrievability(card, begin + dt.timedelta(days=14 + days))
            assert recall(np.array([stability]), np.array([float(days)]))[0] == pytest.approx(
                theirs
            )
        assert recall(np.array([stability]), np.array([stability]))[0] == pytest.approx(0.9)

    def test_of_nothing_is_unknown(self):
        assert np.isnan(recall_stability([]))


class TestReviews:
    def situation(self, *, days, stability=None, **changes):
        bank = make_bank(requires=[], is_fact=[True, False, False])
        levels = knows("mastered", "seen", "seen")
        levels["concept_last_at"][0] = NOW - days * DAY
        return make_situation(
            bank,
            rules=FIRM,
            fact_stability=None if stability is None else np.array([stability, np.nan, np.nan]),
            **{**levels, **changes},
        )

    def modes(self, situation):
        arms = decide(situation, seed=0).arms
        return dict(zip((arms.concept_ids - 10).tolist(), arms.modes, strict=True))

    @pytest.mark.parametrize(
        ("days", "stability", "is_due"),
        [(3.0, 2.0, True), (3.0, 20.0, False), (9.0, 60.0, False), (9.0, 8.0, True)],
    )
    def test_a_fact_is_due_when_its_recall_has_sunk_not_by_days(self, days, stability, is_due):
        assert (0 in self.modes(self.situation(days=days, stability=stability))) is is_due

    def test_without_a_kept_stability_it_is_read_off_the_answers(self):
        # Right once: stable for 2.3 days; right four times over a month: for longer than a week.
        once = recent((100, 5 * DAY, 1.0))
        often = recent(*[(100, days * DAY, 1.0) for days in (29.0, 25.0, 16.0, 5.0)])
        assert 0 in self.modes(self.situation(days=5.0, recent=once))
        assert 0 not in self.modes(self.situation(days=5.0, recent=often))

    def test_one_that_will_not_be_recalled_on_the_day_is_opened_before(self):
        kept = {"days": 2.0, "stability": 6.0}
        assert 0 not in self.modes(self.situation(**kept))
        assert 0 in self.modes(self.situation(**kept, due_at=NOW + 6 * DAY))

    def test_the_less_recalled_the_more_a_review_is_worth(self):
        def retention(stability):
            arms = decide(self.situation(days=5.0, stability=stability), seed=0).arms
            return arms.terms["retention"][0]

        assert retention(0.5) > retention(2.0) > retention(4.0) > 0.0
