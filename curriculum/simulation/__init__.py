"""Simulated learners whose true states are known, and what could at best be inferred of them.

`simulate_cohort` writes a response log; `SimulatedLearner` answers one item at a time;
`posterior.infer_states` is the posterior under the true parameters, the yardstick for a tracer. The
generator is deliberately no knowledge-tracing model of ours: learning is gated by
prerequisites and comes in skewed random steps, memory has two time scales, sessions have
good and bad days, and answers know guessing, slips, hints and discrimination.
"""

from curriculum.simulation.cohort import CohortPlan as CohortPlan
from curriculum.simulation.cohort import CohortUnusable as CohortUnusable
from curriculum.simulation.cohort import simulate_cohort as simulate_cohort
from curriculum.simulation.course import CourseUnusable as CourseUnusable
from curriculum.simulation.course import ItemTruth as ItemTruth
from curriculum.simulation.course import SimulatedCourse as SimulatedCourse
from curriculum.simulation.course import SimulatedItem as SimulatedItem
from curriculum.simulation.course import draw_item_truth as draw_item_truth
from curriculum.simulation.course import guess_prob as guess_prob
from curriculum.simulation.learner import SimulatedLearner as SimulatedLearner
from curriculum.simulation.learner import SimulatedResponse as SimulatedResponse
from curriculum.simulation.population import HARSH as HARSH
from curriculum.simulation.population import INSIGHT as INSIGHT
from curriculum.simulation.population import Population as Population
from curriculum.simulation.population import Traits as Traits
from curriculum.simulation.records import Cohort as Cohort
from curriculum.simulation.records import Responses as Responses
