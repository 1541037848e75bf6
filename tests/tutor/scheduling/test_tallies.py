"""Sums by learner and concept say the same as the answers themselves."""

import numpy as np
import pytest

from tutor.scheduling import scoring, tallies


def random_rows(seed, size):
    rng = np.random.default_rng(seed)
    return {
        "learner_id": rng.integers(20, size=size),
        "concept_id": rng.integers(4, size=size),
        "at": rng.integers(100, size=size).astype(float),
        "losses": rng.normal(size=(size, 2)),
    }


def parts_of(rows, *, size, **more):
    for first in range(0, len(rows["at"]), size):
        piece = {name: column[first : first + size] for name, column in rows.items()}
        yield tallies.tally(**piece, **more)


def added(parts):
    found = tallies.Adding()
    for part in parts:
        found.add(part)
    return found.total()


@pytest.mark.parametrize("gathered_at", [1, 50, 10**6])
def test_pieces_add_up_to_a_plain_loop(monkeypatch, gathered_at):
    monkeypatch.setattr(tallies, "GATHERED_AT", gathered_at)
    rows, moments = random_rows(0, 500), [30.0, 60.0]
    found = added(parts_of(rows, size=70, moments=moments))

    sums = {}
    columns = (rows["learner_id"], rows["concept_id"], rows["at"], rows["losses"])
    for learner, concept, at, losses in zip(*columns, strict=True):
        key = (int(learner), int(concept), sum(at > moment for moment in moments))
        n, before = sums.get(key, (0, 0.0))
        sums[key] = (n + 1, before + losses)
    assert list(zip(found.learner_id, found.concept_id, found.epoch, strict=True)) == sorted(sums)
    for row, key in enumerate(sorted(sums)):
        assert found.n[row] == sums[key][0]
        assert found.losses[row] == pytest.approx(sums[key][1])


def test_tells_answers_since_a_moment_from_those_before_and_at_it():
    rows = random_rows(1, 300)
    found = added(parts_of(rows, size=300, moments=[40.0]))

    assert found.only(found.since(40.0)).n.sum() == (rows["at"] > 40.0).sum()
    with pytest.raises(ValueError, match="not told apart"):
        found.since(41.0)


def test_finds_the_cells_of_learners():
    found = added(parts_of(random_rows(2, 300), size=300))
    wanted = [3, 17, 99, 4]

    picked = found.only(found.of_learners(wanted))
    assert set(picked.learner_id) == {3, 4, 17}
    assert picked.n.sum() == np.isin(random_rows(2, 300)["learner_id"], wanted).sum()
    assert len(found.of_learners([])) == 0


def test_mean_and_error_are_those_of_the_answers():
    rows = random_rows(3, 400)
    cells = added(parts_of(rows, size=90, moments=[50.0]))
    values = rows["losses"][:, 0]

    told = scoring.clustered_mean(values, rows["learner_id"])
    found = scoring.clustered_mean(cells.losses[:, 0], cells.learner_id, counts=cells.n)
    assert found == pytest.approx(told)


def test_of_nothing_there_is_nothing():
    none = {name: column[:0] for name, column in random_rows(4, 3).items()}
    assert len(added([tallies.tally(**none)])) == 0
