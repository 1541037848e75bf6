"""Models that can be compared on a log, by the name that the command line knows them by."""

from collections.abc import Callable

from kt_models.models.base import AbstractModel
from kt_models.models.cakt import Cakt
from kt_models.models.cakt_item import CaktItem
from kt_models.models.dkt import Dkt
from kt_models.models.means import ConceptMean, GlobalMean, ItemMean
from kt_models.models.pfa import PFA
from kt_models.models.plain import PlainModel
from kt_models.models.psi_filter import PsiFilter

MODELS: dict[str, Callable[[], AbstractModel | PlainModel]] = {
    "global-mean": GlobalMean,
    "concept-mean": ConceptMean,
    "item-mean": ItemMean,
    "pfa": PFA,
    "best-lr": lambda: PFA(learner_counts=True),
    "dkt": Dkt,
    "cakt": Cakt,
    "cakt-item": CaktItem,
    "psi-filter": PsiFilter,
}
