"""Rules of thumb that a forecast has to beat: what a teacher reckons without a model."""

from curriculum.outlook.features import Standing
from curriculum.outlook.histories import DAY_S

# Days that stand for never.
FAR = 365.0


def behind_schedule(standing: Standing) -> float:
    """Return the share of the goal's time that is over less the share of it reached, -1..1.

    Above 0: behind.
    """
    reached = len(standing.reached_goal) / standing.look.goal.wanted
    return standing.look.elapsed_share - min(reached, 1.0)


def days_at_this_pace(standing: Standing) -> float:
    """Return days until the goal is reached if concepts go on being reached as since it opened.

    What was reached before that is no pace of this goal. `FAR` where nothing was reached since.
    """
    opens_at = standing.look.goal.opens_at
    elapsed = max((standing.look.at - opens_at) / DAY_S, 1.0)
    pace = sum(at >= opens_at for at in standing.reached_goal) / elapsed
    return min(len(standing.left) / pace, FAR) if pace else FAR


def days_at_usual_pace(standing: Standing) -> float:
    """Return the same by the pace of all that the learner has done so far, in any goal."""
    first = standing.before[0].at if standing.before else standing.look.at
    elapsed = max((standing.look.at - first) / DAY_S, 1.0)
    pace = len(standing.reached_before) / elapsed
    return min(len(standing.left) / pace, FAR) if pace else FAR
