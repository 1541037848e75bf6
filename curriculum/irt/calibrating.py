"""From a log to a calibration: select, fit, link, judge. No part of it writes anything."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.blocks import blocks_of
from curriculum.irt.drift import LinkReport, link_and_test
from curriculum.irt.em import fit_em
from curriculum.irt.errors import ImpossibleSetting
from curriculum.irt.group_comparison import GroupComparison, compare_groups
from curriculum.irt.item_fit import item_fit
from curriculum.irt.judging import figures_of, gates_of
from curriculum.irt.likelihood import design_of, posterior_on
from curriculum.irt.local_dependence import dependent_pairs
from curriculum.irt.models import Anchors, Fit, ItemModel
from curriculum.irt.parameters import ItemParameters
from curriculum.irt.population import REFERENCE, Population
from curriculum.irt.responses import Responses, select_first_attempts
from curriculum.irt.run import DEFAULT_SETTINGS, CalibrationRun, Engine, Settings
from curriculum.irt.s_x2 import s_x2
from curriculum.irt.standard_errors import standard_errors
from kt_models.api import ResponseLog


def calibrate(
    log: ResponseLog,
    *,
    settings: Settings = DEFAULT_SETTINGS,
    anchors: ItemParameters | None = None,
    anchors_learners: Population = REFERENCE,
    earlier: ItemParameters | None = None,
    guessing_by_item: Mapping[str, float] | None = None,
    groups: Mapping[str, str] | None = None,
    progress: Callable[[str], object] | None = None,
) -> CalibrationRun:
    """Return the calibration of a log.

    With anchors a free fit comes first, on a scale of its own. It is linked to the anchors' scale
    by Stocking and Lord, anchors that drifted are dropped, and the fit that counts holds the others
    fixed and estimates where the learners stand.

    Args:
        log: any log; first attempts without help are taken from it.
        settings: model, engine, priors, seed.
        anchors: known parameters; those of items that the log lacks are ignored.
        anchors_learners: those that the anchors were calibrated on, on the anchors' scale.
        earlier: parameters to start from, of an earlier run.
        guessing_by_item: chance of guessing of some items, for the 3PL.
        groups: group by learner, for the comparison of groups.
        progress: called with the name of each step before it begins.

    Raises:
        NothingToCalibrate: no first attempt is left.
        TooFewAnchors: fewer than 20 common items and than a fifth of the bank, or too many drifted.
        ImpossibleResponse: a value of `correct` outside 0 to 1.
        ImpossibleSetting: guessing without the 3PL, or outside 0 to below 1.
        ImpossibleParameters: anchors of a 1PL that differ in discrimination.
    """
    tell = progress or (lambda _: None)
    tell("selecting first attempts")
    responses, census = select_first_attempts(log)
    guessing = _guessing(responses, settings, guessing_by_item or {})
    link = None
    if anchors is not None:
        tell("linking to the anchors")
        link = _link(responses, settings, guessing, anchors, anchors_learners)
    held = None if link is None or anchors is None else Anchors(anchors.only(link.kept))
    tell(f"fitting by {settings.engine}")
    fit = _fit(responses, settings, settings.engine, guessing, held, earlier)
    tell("holding it against the other engine")
    other = Engine.EM if settings.engine is Engine.PY_IRT else Engine.PY_IRT
    twin = _fit(responses, settings, other, guessing, held, fit.bank)
    tell("judging the fit")
    anchored = np.isin(responses.items, held.bank.items if held else ())
    posterior = posterior_on(design_of(responses), fit.bank, population=fit.population)
    errors = standard_errors(
        responses, fit, model=settings.model, priors=settings.priors, anchored=anchored
    )
    pairs = dependent_pairs(responses, fit, posterior)
    compared: GroupComparison | None = None
    if groups is not None:
        tell("comparing groups")
        compared = compare_groups(responses, posterior, groups)
    items = figures_of(
        responses=responses,
        census=census,
        fit=fit,
        errors=errors,
        item_fit=item_fit(responses, fit, posterior),
        s_x2=s_x2(responses, fit, model=settings.model, rng=np.random.default_rng(settings.seed)),
        blocks=blocks_of(responses, anchors=held.bank.items if held else ()),
        anchored=anchored,
        link=link,
        pairs=pairs,
        groups=compared,
    )
    return CalibrationRun(
        settings=settings,
        data_sha256=responses.sha256(),
        anchors_sha256=held.bank.sha256() if held else "",
        census=census,
        items=items,
        population=fit.population,
        log_likelihood=fit.log_likelihood,
        iterations=fit.iterations,
        link=link,
        pairs=tuple(pairs),
        groups=compared,
        gates=gates_of(responses, items, fit=fit, twin=twin, link=link),
    )


def _guessing(
    responses: Responses, settings: Settings, by_item: Mapping[str, float]
) -> NDArray[np.float64]:
    chances = np.array([by_item.get(name, settings.guessing) for name in responses.items])
    if not ((chances >= 0.0) & (chances < 1.0)).all():
        raise ImpossibleSetting("A chance of guessing must be from 0 to below 1.")
    if settings.model is not ItemModel.THREE and chances.any():
        raise ImpossibleSetting(f"Only the 3pl has guessing; the model is {settings.model}.")
    return chances


def _link(
    responses: Responses,
    settings: Settings,
    guessing: NDArray[np.float64],
    anchors: ItemParameters,
    learners: Population,
) -> LinkReport:
    free = fit_em(responses, model=settings.model, guessing=guessing, priors=settings.priors).bank
    # An item that nobody answered here has no parameters to compare.
    seen = {name for name, n in zip(responses.items, responses.answered, strict=True) if n}
    known = anchors.only(name for name in anchors.items if name in seen)
    own = free.only(name for name in free.items if name in seen)
    return link_and_test(own, known, bank=len(seen), learners=learners)


def _fit(
    responses: Responses,
    settings: Settings,
    engine: Engine,
    guessing: NDArray[np.float64],
    anchors: Anchors | None,
    earlier: ItemParameters | None,
) -> Fit:
    asked: Any = {
        "model": settings.model,
        "guessing": guessing,
        "priors": settings.priors,
        "anchors": anchors,
        "earlier": earlier,
    }
    if engine is Engine.EM:
        return fit_em(responses, **asked)
    # Loads torch, which what needs only parts of this package should not have to.
    from curriculum.irt.py_irt_model import fit_py_irt  # noqa: PLC0415

    return fit_py_irt(responses, **asked)
