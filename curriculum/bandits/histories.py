"""What several policies read off a learner's recent answers."""

from curriculum.scheduler.arms import Choices


def credits_by_arm(choices: Choices) -> list[list[float]]:
    """Return for each of A arms the credit of the recent answers on its concept, oldest first."""
    place = {concept: arm for arm, concept in enumerate(choices.arms.concept.tolist())}
    found: list[list[float]] = [[] for _ in place]
    carried = choices.situation.bank.carried
    rows, credit = choices.standing.recent_rows.tolist(), choices.situation.recent.correct.tolist()
    for row, value in zip(rows, credit, strict=True):
        for concept in carried[row] if row >= 0 else ():
            if concept in place:
                found[place[concept]].append(value)
    return found
