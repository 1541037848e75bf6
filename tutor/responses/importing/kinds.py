"""The formats by name, in words. Light, so that a page can offer them."""

AUTO = "auto"
CSV = "csv"
ASSISTMENTS = "assistments"
PYKT = "pykt"
DATASHOP = "datashop"
EDNET = "ednet"
DBE_KT22 = "dbe-kt22"

LABELS = {
    AUTO: "Find out",
    CSV: "A table (CSV, TSV or Parquet), a row for each answer",
    ASSISTMENTS: "ASSISTments export (2009, 2012 or 2017)",
    PYKT: "pyKT's sequences of six lines, or DKT's of three",
    DATASHOP: "DataShop transaction export",
    EDNET: "EdNet-KT1, a file for each learner",
    DBE_KT22: "The folder of DBE-KT22, with its questions",
}
# Read under a mapping that may be edited; the others say themselves what their columns mean.
MAPPED = frozenset({CSV})
# Readers that bring the questions themselves; a log alone only names them.
BRINGS_CONTENT = frozenset({DBE_KT22})
