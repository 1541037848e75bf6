"""Several models pooled on the logit scale, weighted by what they say of learners new to them all.

The components learn from the training learners alone, each keeping some of them back for itself.
The weights come from the validation learners, of whom no component has learnt anything: weights
from learners that some component knows would favour the one that knows them best by heart. Since
the weights know these learners, the ensemble is judged on them and recalibrated by cross-fitting:
each is pooled by the weights that the others give.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from kt_models import saved_models
from kt_models.data.log import ResponseLog
from kt_models.data.vocabulary import Vocabulary
from kt_models.errors import ImpossibleSetting
from kt_models.models.base import AbstractModel, Fitting, States, Step
from kt_models.models.folding import require_shapes, sigmoid
from kt_models.settings import laid_over
from kt_models.training.logits import to_logit
from kt_models.training.pooling import Pooling, fit_pooling, pooled_by_others
from kt_models.training.recalibration import Recalibration

# What a component's vocabulary has that the ensemble's does not say.
OWN = ("item_counts", "item_right", "set_counts", "reference_items")


@dataclass(frozen=True, slots=True)
class EnsembleConfig:
    """What an ensemble decides beforehand.

    Attributes:
        components: names of models.
        settings: by component, values of its configuration that differ from the usual ones; of a
            fitted ensemble whole configurations, since what is usual may change.
    """

    components: tuple[str, ...] = ("psi-filter", "logistic", "cakt-item")
    settings: dict = field(default_factory=dict)  # type: ignore[type-arg] # JSON values

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        if not self.components:
            raise ImpossibleSetting("components: name at least one model to pool.")


class Ensemble(AbstractModel):
    """A logit pool; a state is the components' states side by side, `0.` and so on before a name.

    Components without a weight are not run.
    """

    name: ClassVar[str] = "ensemble"
    refits_on_all: ClassVar[bool] = False
    config: EnsembleConfig

    def __init__(self, config: EnsembleConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or EnsembleConfig())
        self.components: list[AbstractModel] = []
        self.pooling = Pooling(np.zeros(0), 0.0)

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        self.components = [
            self._fitted(number, train, fitting) for number in range(len(self.config.components))
        ]
        # As JSON gives them back: a saved ensemble and a loaded one have equal configurations.
        whole = {model.name: dataclasses.asdict(model.config) for model in self.components}
        settings = json.loads(json.dumps(whole))
        self.config = dataclasses.replace(self.config, settings=settings)
        self.pooling = fit_pooling(self._said(held_out), held_out.correct, learner=held_out.learner)
        self._share_concepts()

    @override
    def _predict_held_out(self, held_out: ResponseLog) -> NDArray[np.float64]:
        logits = self._said(held_out)
        return sigmoid(pooled_by_others(logits, held_out.correct, learner=held_out.learner))

    def _said(self, log: ResponseLog) -> NDArray[np.float64]:
        """Return [R, C] the components' logits."""
        return np.stack([to_logit(component.predict(log)) for component in self.components], axis=1)

    def _fitted(self, number: int, train: ResponseLog, fitting: Fitting) -> AbstractModel:
        """Return a fitted component; one that was finished before a kill is read back."""
        model, name = self._made(number), self.config.components[number]
        folder = None if fitting.folder is None else fitting.folder / f"{number}-{name}"
        wanted = {"log_sha256": train.sha256(), "seed": fitting.seed}
        if folder is not None and (folder / "done" / "model.json").is_file():
            found, provenance = saved_models.load_model(folder / "done", _models())
            if provenance == wanted and found.config == model.config:
                return found
        count = len(self.config.components)

        def progress(step: Step) -> None:
            done = number + step.done / max(step.total, 1)
            fitting.report(round(1000 * done), 1000 * count, step.figures)

        model.fit(train, Fitting(seed=fitting.seed, folder=folder, progress=progress))
        if folder is not None:
            saved_models.save_model(model, folder / "done", provenance=wanted)
        return model

    def _made(self, number: int, *, whole: bool = False) -> AbstractModel:
        name = self.config.components[number]
        models = _models()
        if name not in models or name == self.name:
            known = ", ".join(sorted(set(models) - {self.name}))
            raise ImpossibleSetting(f"components: no model {name!r} to pool; there are {known}.")
        model: AbstractModel = models[name]()
        settings = self.config.settings.get(name, {})
        if not whole:
            settings = laid_over(dataclasses.asdict(model.config), settings)
        model.config = saved_models.config_from(type(model.config), settings, whole=whole)
        return model

    def _share_concepts(self) -> None:
        """Tell the components the concepts of items that only their own held-out learners met."""
        for component in self.components:
            component.vocabulary = dataclasses.replace(
                component.vocabulary, item_sets=self.vocabulary.item_sets
            )

    def _running(self) -> list[tuple[int, AbstractModel]]:
        self.vocabulary  # noqa: B018 - raises where there is none
        weighted = enumerate(zip(self.components, self.pooling.weights, strict=True))
        return [(number, model) for number, (model, weight) in weighted if weight > 0.0]

    def _pooled(self, said: Mapping[int, NDArray[np.float64]]) -> NDArray[np.float64]:
        total = sum(self.pooling.weights[number] * to_logit(p) for number, p in said.items())
        return sigmoid(np.asarray(total + self.pooling.intercept))

    @override
    def _predict(self, log: ResponseLog) -> NDArray[np.float64]:
        said = {number: model.predict(log) for number, model in self._running()}
        return self._pooled(said) if said else np.full(len(log), sigmoid(self._alone()))

    def _alone(self) -> NDArray[np.float64]:
        return np.array(self.pooling.intercept)

    @override
    def init(self, count: int) -> States:
        # The count keeps a state of components that were all left out from being nothing at all.
        states: States = {"answers": np.zeros(count, dtype=np.int64)}
        for number, model in self._running():
            states |= {f"{number}.{k}": array for k, array in model.init(count).items()}
        return states

    @override
    def _advance(self, states: States, answers: ResponseLog) -> States:
        after = {"answers": states["answers"] + np.diff(answers.starts)}
        for number, model in self._running():
            own = model.advance(_of(states, number), answers)
            after |= {f"{number}.{k}": array for k, array in own.items()}
        return after

    @override
    def _ask(self, states: States, questions: ResponseLog) -> NDArray[np.float64]:
        said = {
            number: model.ask(_of(states, number), questions) for number, model in self._running()
        }
        return self._pooled(said) if said else np.full(len(questions), sigmoid(self._alone()))

    @override
    def arrays(self) -> dict[str, NDArray[Any]]:
        found = {f"pooling.{k}": array for k, array in self.pooling.arrays().items()}
        for number, model in enumerate(self.components):
            parts = {
                "model": model.arrays(),
                "recalibration": model.recalibration.arrays(),
                "vocabulary": {k: getattr(model.vocabulary, k) for k in OWN},
            }
            for part, arrays in parts.items():
                found |= {f"{number}.{part}.{k}": array for k, array in arrays.items()}
        return found

    @override
    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        pooling = _under(arrays, "pooling")
        require_shapes(pooling, {"weights": (len(self.config.components),), "intercept": (1,)})
        self.pooling = Pooling.from_arrays(pooling)
        self.components = []
        for number in range(len(self.config.components)):
            model = self._made(number, whole=True)
            own: Mapping[str, Any] = _under(arrays, f"{number}.vocabulary")
            require_shapes(own, {k: getattr(self.vocabulary, k).shape for k in OWN})
            vocabulary: Vocabulary = dataclasses.replace(self.vocabulary, **own)
            model.vocabulary = vocabulary
            recalibration = _under(arrays, f"{number}.recalibration")
            model.recalibration = Recalibration.from_arrays(recalibration)
            model.restore(_under(arrays, f"{number}.model"))
            self.components.append(model)


def _models() -> Mapping[str, Any]:
    from kt_models.models import MODELS  # noqa: PLC0415 - it names this module too

    return MODELS


def _of(states: States, number: int) -> States:
    return dict(_under(states, str(number)))


def _under(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Return the arrays whose name begins so, without that beginning."""
    start = f"{prefix}."
    return {k.removeprefix(start): array for k, array in arrays.items() if k.startswith(start)}
