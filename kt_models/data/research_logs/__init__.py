"""Readers of public research logs, for benchmarks; the data are not ours to ship.

Every reader takes the folder of one unpacked set and returns one row per answered item with its set
of concepts: no row stands for a second concept of the same answer, from which the first could leak.
"""

from collections.abc import Callable
from pathlib import Path

from kt_models.data.log import ResponseLog
from kt_models.data.research_logs.interactions import (
    read_assistments2009,
    read_assistments2012,
    read_assistments2017,
    read_dbe_kt22,
    read_lkt_mofacts,
    read_statics2011,
)
from kt_models.data.research_logs.sequences import (
    read_akt_assist2009,
    read_akt_assist2017,
    read_ednet_sample,
    read_synthetic5,
)

__all__ = [
    "RESEARCH_LOGS",
    "read_akt_assist2009",
    "read_akt_assist2017",
    "read_assistments2009",
    "read_assistments2012",
    "read_assistments2017",
    "read_dbe_kt22",
    "read_ednet_sample",
    "read_lkt_mofacts",
    "read_statics2011",
    "read_synthetic5",
]

# By the set's folder below the one that all sets are unpacked into.
RESEARCH_LOGS: dict[str, Callable[[Path], ResponseLog]] = {
    "dbe_kt22": read_dbe_kt22,
    "assistments2009": read_assistments2009,
    "assistments2012_dev": read_assistments2012,
    "assistments2017": read_assistments2017,
    "statics2011": read_statics2011,
    "ednet_sample": read_ednet_sample,
    "lkt_mofacts": read_lkt_mofacts,
    "akt_splits/assist2009_pid": read_akt_assist2009,
    "akt_splits/assist2017_pid": read_akt_assist2017,
    "synthetic5": read_synthetic5,
}
