import numpy as np
import pytest

from curriculum.irt.drift import link_and_test
from curriculum.irt.em import fit_em
from curriculum.irt.errors import TooFewAnchors
from curriculum.irt.linking import Link, LinkMethod, link_banks, require_enough
from curriculum.irt.models import Anchors
from curriculum.irt.parameters import bank_of
from curriculum.irt.population import Population
from curriculum.irt.responses import responses_of_matrix
from tests.curriculum.irt.factories import answer

RNG = np.random.default_rng(0)
OLD = bank_of(
    [f"i{k}" for k in range(30)],
    difficulty=RNG.normal(size=30),
    discrimination=np.exp(0.3 * RNG.normal(size=30)),
    guessing=np.where(np.arange(30) % 3 == 0, 0.25, 0.0),
)
# theta_old = 1.2 theta_new + 0.7.
LINE = Link(slope=1.2, intercept=0.7)
NEW = bank_of(
    OLD.items,
    difficulty=(OLD.difficulty - 0.7) / 1.2,
    discrimination=OLD.discrimination * 1.2,
    guessing=OLD.guessing,
)


@pytest.mark.parametrize("method", list(LinkMethod))
def test_a_line_is_found_exactly(method):
    link = link_banks(NEW, OLD, method=method)

    assert (link.slope, link.intercept) == (
        pytest.approx(1.2, abs=1e-4),
        pytest.approx(0.7, abs=1e-4),
    )
    assert link.apply(NEW).difficulty == pytest.approx(OLD.difficulty, abs=1e-3)
    assert link.apply(NEW).discrimination == pytest.approx(OLD.discrimination, rel=1e-3)


def test_only_common_items_count():
    more = bank_of(
        [*NEW.items, "new"],
        difficulty=[*NEW.difficulty, 9.0],
        discrimination=[*NEW.discrimination, 1.0],
        guessing=[*NEW.guessing, 0.0],
    )

    assert link_banks(more, OLD).slope == pytest.approx(1.2, abs=1e-4)


def test_curves_are_less_disturbed_by_an_item_far_out():
    place = NEW.difficulty.copy()
    place[int(np.argmin(place))] -= 6.0
    off = bank_of(
        NEW.items, difficulty=place, discrimination=NEW.discrimination, guessing=NEW.guessing
    )

    def error(method):
        link = link_banks(off, OLD, method=method)
        return abs(link.slope - 1.2) + abs(link.intercept - 0.7)

    assert error(LinkMethod.STOCKING_LORD) < 0.3 * error(LinkMethod.MEAN_SIGMA)
    assert error(LinkMethod.HAEBARA) < 0.3 * error(LinkMethod.MEAN_SIGMA)


def test_anchors_that_moved_are_found_and_left_out():
    rng = np.random.default_rng(1)
    place, slope = NEW.difficulty + 0.05 * rng.normal(size=30), NEW.discrimination.copy()
    place[4] += 0.8
    place[11] -= 0.7
    slope[20] *= 2.5
    now = bank_of(NEW.items, difficulty=place, discrimination=slope, guessing=NEW.guessing)

    report = link_and_test(now, OLD, bank=100)

    dropped = {anchor.item for anchor in report.anchors if anchor.dropped}
    assert {"i4", "i11", "i20"} <= dropped
    assert len(dropped) <= 6
    assert report.link.slope == pytest.approx(1.2, abs=0.04)
    assert report.link.intercept == pytest.approx(0.7, abs=0.04)
    [moved] = [anchor for anchor in report.anchors if anchor.item == "i4"]
    assert moved.difficulty_moved == pytest.approx(0.8 * 1.2, abs=0.15)
    assert moved.difficulty_z > 2.7
    assert set(report.kept) == set(OLD.items) - dropped


@pytest.mark.parametrize(
    ("line", "alarm"),
    [((1.0, 0.0), False), ((1.09, 0.05), False), ((1.0, 0.12), True), ((0.88, 0.0), True)],
)
def test_the_alarm_rings_when_the_scale_moves(line, alarm):
    slope, intercept = line
    new = bank_of(
        OLD.items,
        difficulty=(OLD.difficulty - intercept) / slope,
        discrimination=OLD.discrimination * slope,
        guessing=OLD.guessing,
    )

    assert link_and_test(new, OLD, bank=100).alarm is alarm


def test_the_alarm_asks_where_the_old_learners_stood():
    new = bank_of(
        OLD.items,
        difficulty=(OLD.difficulty - 0.55) / 1.25,
        discrimination=OLD.discrimination * 1.25,
        guessing=OLD.guessing,
    )

    assert link_and_test(new, OLD, bank=100).alarm
    assert not link_and_test(new, OLD, bank=100, learners=Population(0.5, 1.2)).alarm


@pytest.mark.parametrize(("anchors", "bank"), [(20, 1000), (8, 40), (3, 5)])
def test_enough_anchors(anchors, bank):
    require_enough(anchors, bank=bank)


@pytest.mark.parametrize(("anchors", "bank"), [(19, 1000), (7, 40), (2, 5), (0, 100)])
def test_too_few_anchors(anchors, bank):
    with pytest.raises(TooFewAnchors, match=f"{anchors} anchors for a bank of {bank}"):
        require_enough(anchors, bank=bank)


def test_banks_without_common_items_have_no_link():
    with pytest.raises(TooFewAnchors, match="0 items in common"):
        link_banks(bank_of(["a", "b", "c"], difficulty=[0.0, 1.0, 2.0]), OLD)
    flat = bank_of(OLD.items, difficulty=np.zeros(30))
    with pytest.raises(TooFewAnchors, match="equally difficult"):
        link_banks(flat, OLD)


def two_waves(seed):
    """Return the difficulties, two cohorts with 40 common items, the first cohort's abilities."""
    rng = np.random.default_rng(seed)
    place, slope = rng.normal(size=140), np.exp(0.35 * rng.normal(size=140))
    first, second = rng.normal(size=1000), 0.7 + 1.2 * rng.normal(size=1000)
    names = tuple(f"i{k}" for k in range(140))
    waves = []
    for ability, own in ((first, slice(0, 80)), (second, slice(40, 140))):
        matrix = answer(ability, place[own], slope[own], rng=rng, share=0.25)
        waves.append(responses_of_matrix(matrix, items=names[own]))
    return place, waves, first


def test_new_items_land_on_the_old_scale():
    apart, unlinked = [], []
    for seed in range(8):
        place, (early, late), first = two_waves(seed)
        old, free = fit_em(early).bank, fit_em(late).bank
        report = link_and_test(free, old, bank=140)
        fit = fit_em(late, anchors=Anchors(old.only(report.kept)))
        # The reference scale is that of the first wave's very learners.
        truth = (place[80:] - first.mean()) / first.std()
        apart.append(fit.bank.difficulty[40:] - truth)
        unlinked.append(free.difficulty[40:] - truth)
        assert fit.population.mean == pytest.approx(report.link.intercept, abs=0.1)
        assert fit.population.sd == pytest.approx(report.link.slope, abs=0.1)
        assert report.alarm

    assert abs(np.mean(apart)) <= 0.03
    assert np.sqrt(np.mean(np.square(apart))) <= 0.25
    assert np.sqrt(np.mean(np.square(unlinked))) > 0.5
