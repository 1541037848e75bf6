"""ALP-GMM draws where the outcomes of a cohort have been changing."""

import numpy as np
import pytest

from curriculum.bandits.alp_gmm import task_points
from curriculum.fitting.alp_gmm import fit_alp_gmm, learning_progress
from curriculum.fitting.errors import NothingToFit
from curriculum.scheduler import Rules, find_distribution
from tests.curriculum.scheduler.factories import knows, make_bank, make_situation


def cohort(*, changing=lambda tasks: tasks[:, 0] > 0.0, learners=12, each=40, seed=0):
    """Mastery that rises on the tasks that are `changing` and stands still elsewhere."""
    rng = np.random.default_rng(seed)
    tasks = np.column_stack([rng.uniform(-2, 2, learners * each), rng.random(learners * each)])
    steps = np.tile(np.arange(each) / each, learners)
    outcomes = np.where(changing(tasks), steps, 0.4) + rng.normal(0.0, 0.01, len(tasks))
    return tasks, outcomes, np.repeat(np.arange(learners), each)


class TestLearningProgress:
    def test_is_the_difference_to_the_nearest_task_of_the_same_learner(self):
        tasks = np.array([[0.0, 0.0], [1.0, 0.0], [0.1, 0.0], [0.9, 0.0], [0.0, 0.0]])
        outcomes = np.array([0.2, 0.9, 0.5, 0.7, 0.3])
        found = learning_progress(tasks, outcomes, np.array([0, 0, 0, 0, 1]))
        assert found[1:4] == pytest.approx([0.7, 0.3, 0.2])
        assert np.isnan(found[[0, 4]]).all()


class TestFit:
    def test_draws_more_where_mastery_changes(self):
        policy = fit_alp_gmm(*cohort(), seed=1)
        bank = make_bank(n_concepts=3, per_concept=40, requires=[])
        logits = np.linspace(-1.8, 1.8, bank.n_items)[np.argsort(np.arange(bank.n_items) % 7)]
        situation = make_situation(
            bank, logit_mean=logits, rules=Rules(jump_logits=9.0), **knows("seen", "seen", "seen")
        )
        chances = find_distribution(situation, policy=policy)
        points = task_points(
            situation,
            item=chances.choices.item,
            concept=chances.choices.arms.concept[chances.choices.arm],
        )
        above = points[:, 0] > 0.0
        drawn = chances.joint[above].sum()
        assert drawn > 1.25 * above.mean()

    def test_equal_seeds_give_equal_policies(self):
        assert fit_alp_gmm(*cohort(), seed=1).version == fit_alp_gmm(*cohort(), seed=1).version

    def test_too_few_answers_are_refused(self):
        with pytest.raises(NothingToFit, match="50 are needed"):
            fit_alp_gmm(*cohort(learners=2, each=10), seed=0)
