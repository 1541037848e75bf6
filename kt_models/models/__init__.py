"""Models that can be compared on a log, by the name that the command line knows them by."""

from collections.abc import Callable

from kt_models.models.akt import Akt
from kt_models.models.base import AbstractModel
from kt_models.models.bkt import Bkt
from kt_models.models.cakt import Cakt
from kt_models.models.cakt_item import CaktItem
from kt_models.models.dkt import Dkt
from kt_models.models.elo import Elo
from kt_models.models.ensemble import Ensemble
from kt_models.models.logistic import Logistic
from kt_models.models.means import ConceptMean, ItemMean, Majority
from kt_models.models.pfa import Pfa
from kt_models.models.psi_filter import PsiFilter
from kt_models.models.psi_filter_graph import PsiFilterGraph
from kt_models.models.psi_kt import PsiKt
from kt_models.models.simplekt import SimpleKt

MODELS: dict[str, Callable[..., AbstractModel]] = {
    "majority": Majority,
    "concept-mean": ConceptMean,
    "item-mean": ItemMean,
    "bkt": Bkt,
    "pfa": Pfa,
    "logistic": Logistic,
    "elo": Elo,
    "dkt": Dkt,
    "akt": Akt,
    "simplekt": SimpleKt,
    "cakt": Cakt,
    "cakt-item": CaktItem,
    "psi-filter": PsiFilter,
    "psi-filter-graph": PsiFilterGraph,
    "psi-kt": PsiKt,
    "ensemble": Ensemble,
}
