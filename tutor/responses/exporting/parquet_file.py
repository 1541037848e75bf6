"""The log as Parquet: the columns of the CSV with types, in row groups, and described inside."""

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from tutor.responses.exporting.columns import Column
from tutor.responses.exporting.csv_file import Facts
from tutor.responses.exporting.records import Record
from tutor.responses.exporting.selectors import batched

ROWS_IN_GROUP = 65_536
# The key under which the file's own metadata tell where it comes from, as JSON.
KEY = "tutor.export"
_TYPES = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "datetime": pa.timestamp("us", tz="UTC"),
}


def write_parquet(
    file: BinaryIO,
    *,
    columns: Sequence[Column],
    batches: Iterable[list[Record]],
    facts: Facts,
) -> None:
    """Write the rows, and `facts` among the metadata."""
    schema = _schema(columns)
    records = itertools.chain.from_iterable(batches)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in batched(records, ROWS_IN_GROUP):
            writer.write_table(_table(schema, group), row_group_size=ROWS_IN_GROUP)
        text = json.dumps(facts(), ensure_ascii=False, sort_keys=True)
        writer.add_key_value_metadata({KEY: text})


def _schema(columns: Sequence[Column]) -> pa.Schema:
    return pa.schema(
        pa.field(
            column.name,
            _TYPES[column.type],
            nullable=not column.constraints.get("required", False),
            metadata={"description": column.description},
        )
        for column in columns
    )


def _table(schema: pa.Schema, group: list[Record]) -> pa.Table:
    values = zip(*group, strict=True)
    return pa.table(
        [pa.array(own, type=field.type) for own, field in zip(values, schema, strict=True)],
        schema=schema,
    )
