"""Reads every file of a folder with pyarrow, DuckDB, pandas and polars and compares it with what was written.

The folder holds files.json (file, table, format) and TABLE.expected (columns with name, type and values as text).
Each reader is used the way its users would: Parquet and Arrow files say their types, so nothing is told; from text
DuckDB must infer what text can show (all but decimals), the others are told the types. A reader's known limits are
written down where they are allowed for, and printed.
"""

import datetime
import decimal
import json
import pathlib
import sys

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.json
import pyarrow.parquet

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
decimal.getcontext().prec = 60


class Table:
    """What a file must hold."""

    def __init__(self, columns):
        self.names = [column["name"] for column in columns]
        self.types = {column["name"]: column["type"] for column in columns}
        self.values = {
            column["name"]: [parse(column["type"], value) for value in column["values"]] for column in columns
        }

    def arrow_schema(self):
        return pa.schema([(name, arrow_type(self.types[name])) for name in self.names])

    def polars_schema(self):
        return {name: polars_type(self.types[name]) for name in self.names}


def parse(kind, text):
    """A value of the expected file."""
    if text is None or kind == "text":
        return text
    if kind == "int":
        return int(text)
    if kind == "bool":
        return {"true": True, "false": False}[text]
    if kind == "float":
        return float(text)
    if kind == "time":
        return datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)
    if kind == "date":
        return datetime.date.fromisoformat(text)
    return decimal.Decimal(text)


def precision_and_scale(kind):
    return tuple(int(number) for number in kind.removeprefix("decimal(").removesuffix(")").split(","))


def arrow_type(kind):
    simple = {
        "int": pa.int64(),
        "bool": pa.bool_(),
        "float": pa.float64(),
        "text": pa.string(),
        "time": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
    }
    return simple[kind] if kind in simple else pa.decimal128(*precision_and_scale(kind))


def polars_type(kind):
    simple = {
        "int": pl.Int64,
        "bool": pl.Boolean,
        "float": pl.Float64,
        "text": pl.String,
        "time": pl.Datetime("us", "UTC"),
        "date": pl.Date,
    }
    return simple[kind] if kind in simple else pl.Decimal(*precision_and_scale(kind))


def duckdb_type(kind):
    simple = {
        "int": "BIGINT",
        "bool": "BOOLEAN",
        "float": "DOUBLE",
        "text": "VARCHAR",
        "time": "TIMESTAMP WITH TIME ZONE",
        "date": "DATE",
    }
    return simple[kind] if kind in simple else "DECIMAL({},{})".format(*precision_and_scale(kind))


def compare(table, names, values, limits=()):
    """Names and values; `limits` are (type prefix, change to both sides) for what a reader cannot hold."""
    assert list(names) == table.names, f"names {list(names)}"
    for name in table.names:
        kind, expected, found = table.types[name], table.values[name], list(values[name])
        for prefix, change in limits:
            if kind.startswith(prefix):
                expected, found = [change(value) for value in expected], [change(value) for value in found]
        assert len(found) == len(expected), f"{name}: {len(found)} rows instead of {len(expected)}"
        for row, (left, right) in enumerate(zip(expected, found)):
            assert type(left) is type(right) and left == right, f"{name}, row {row}: {right!r} instead of {left!r}"


# pyarrow


def read_pyarrow(path, form, table):
    if form == "parquet":
        # Dictionaries must not show: the file says plain string.
        found = pa.parquet.read_table(path)
    elif form == "arrow":
        found = pa.feather.read_table(path, memory_map=False)
    elif form == "csv":
        convert = pa.csv.ConvertOptions(
            column_types=table.arrow_schema(), strings_can_be_null=True, quoted_strings_can_be_null=False
        )
        parse_options = pa.csv.ParseOptions(newlines_in_values=True)
        found = pa.csv.read_csv(path, parse_options=parse_options, convert_options=convert)
    elif form == "jsonl":
        if not table.values["id"]:
            return "pyarrow does not read JSON Lines without lines"
        # Its JSON reader takes decimals only from text, and dates only from numbers.
        kinds = {name: "text" if kind == "date" else without_decimals(kind) for name, kind in table.types.items()}
        schema = pa.schema([(name, arrow_type(kinds[name])) for name in table.names])
        options = pa.json.ParseOptions(explicit_schema=schema)
        with pa.input_stream(path) as stream:
            found = pa.json.read_json(stream, parse_options=options)
        assert found.schema.equals(schema), f"types {found.schema}"
        compare(table, found.column_names, found.to_pydict(), [("decimal", as_float), ("date", as_text)])
        return None
    else:
        return "pyarrow does not read JSON arrays"
    assert found.schema.types == table.arrow_schema().types, f"types {found.schema}"
    compare(table, found.column_names, found.to_pydict())
    return None


# DuckDB


def read_duckdb(path, form, table):
    decimals = {name: duckdb_type(kind) for name, kind in table.types.items() if kind.startswith("decimal")}
    every = {name: duckdb_type(kind) for name, kind in table.types.items()}
    rows, limits = len(table.values["id"]), []
    if form == "parquet":
        query, given = "from read_parquet(?)", []
    elif form == "csv":
        # A file without rows shows no types.
        query = "from read_csv(?, allow_quoted_nulls = false, types = ?)"
        given = [decimals if rows else every]
    elif form in ("jsonl", "json"):
        # Told the decimals only, it would read no other column; so all are told, and what it infers is checked below.
        style = "newline_delimited" if form == "jsonl" else "array"
        query = f"from read_json(?, format = '{style}', columns = {duckdb_struct(every)})"
        given = []
        # It reads JSON numbers as floats on their way to a decimal, so that only some 15 digits arrive.
        limits = [("decimal(38", as_float)]
    else:
        return "DuckDB needs an extension for Arrow files"
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    relation = connection.sql(query, params=[str(path), *given])
    types = [str(kind) for kind in relation.types]
    assert types == list(every.values()), f"types {types}"
    columns = relation.to_arrow_table().to_pydict()
    compare(table, relation.columns, {name: [as_utc(value) for value in columns[name]] for name in columns}, limits)
    if form in ("jsonl", "json") and rows:
        check_inferred_json(connection, path, table)
    return None


def check_inferred_json(connection, path, table):
    """Without being told, instants and dates come out of JSON as such. Integers of both signs are widened."""
    relation = connection.sql("from read_json_auto(?)", params=[str(path)])
    found = dict(zip(relation.columns, map(str, relation.types)))
    for name, kind in table.types.items():
        widened = kind == "int" and found[name] == "HUGEINT"
        right = kind.startswith("decimal") or widened or found[name] == duckdb_type(kind)
        assert right, f"{name}: inferred {found[name]}"


def duckdb_struct(types):
    quoted = ", ".join("'{}': '{}'".format(name.replace("'", "''"), kind) for name, kind in types.items())
    return "{" + quoted + "}"


def as_utc(value):
    return value.astimezone(UTC) if isinstance(value, datetime.datetime) else value


# pandas


def read_pandas(path, form, table):
    arrow_types = {name: pd.ArrowDtype(arrow_type(kind)) for name, kind in table.types.items()}
    limits = []
    if form == "parquet":
        found = pd.read_parquet(path, dtype_backend="pyarrow")
    elif form == "arrow":
        found = pd.read_feather(path, dtype_backend="pyarrow")
    elif form == "csv":
        # pandas does not tell a quoted empty text from a null, and makes decimals by a function only.
        limits = [("text", lambda value: value or None)]
        decimals = [name for name, kind in table.types.items() if kind.startswith("decimal")]
        others = {name: kind for name, kind in arrow_types.items() if name not in decimals}
        make = {name: lambda text: decimal.Decimal(text) if text else None for name in decimals}
        found = pd.read_csv(path, dtype=others, converters=make, keep_default_na=False, na_values=[""])
        found = found.astype({name: arrow_types[name] for name in decimals})
    else:
        # Its JSON parser makes floats of decimals before any type is applied.
        limits = [("decimal", as_float)]
        found = pd.read_json(
            path, lines=form == "jsonl", dtype=False, dtype_backend="pyarrow", precise_float=True
        )
        if not len(found):
            return "pandas knows no columns of an empty JSON file"
        for name, kind in table.types.items():
            found[name] = found[name].astype(pd.ArrowDtype(arrow_type(without_decimals(kind))))
    if form not in ("json", "jsonl"):
        kinds = {name: str(kind) for name, kind in found.dtypes.items()}
        expected = {name: str(kind) for name, kind in arrow_types.items()}
        assert kinds == expected, f"types {kinds}"
    columns = {name: pa.array(found[name]).to_pylist() for name in found.columns}
    compare(table, found.columns, columns, limits)
    return None


# polars


def read_polars(path, form, table):
    limits, expected = [], table.polars_schema()
    if form == "parquet":
        found = pl.read_parquet(path)
    elif form == "arrow":
        found = pl.read_ipc(path)
    elif form == "csv":
        # polars leaves the doubled quotes of a name in the header doubled.
        doubled = {name.replace('"', '""'): name for name in table.names}
        found = pl.read_csv(path, schema_overrides={name: expected[doubled[name]] for name in doubled})
        found = found.rename(doubled)
    else:
        # Its JSON parser makes floats of decimals before any type is applied.
        limits = [("decimal", as_float)]
        expected = {name: polars_type(without_decimals(kind)) for name, kind in table.types.items()}
        found = (pl.read_ndjson if form == "jsonl" else pl.read_json)(path, schema=expected)
    assert dict(found.schema) == expected, f"types {found.schema}"
    compare(table, found.columns, found.to_dict(as_series=False), limits)
    return None


def as_float(value):
    return None if value is None else float(value)


def as_text(value):
    return None if value is None else str(value)


def without_decimals(kind):
    return "float" if kind.startswith("decimal") else kind


READERS = {"pyarrow": read_pyarrow, "duckdb": read_duckdb, "pandas": read_pandas, "polars": read_polars}


def main(folder):
    files = json.loads((folder / "files.json").read_text())
    tables = {}
    failures, limits, passed = [], {}, 0
    for entry in files:
        name = entry["table"]
        if name not in tables:
            tables[name] = Table(json.loads((folder / f"{name}.expected").read_text())["columns"])
        for reader, read in READERS.items():
            try:
                limit = read(folder / entry["file"], entry["format"], tables[name])
            except Exception as error:  # every reader has its own errors, and all failures are to be told at once
                failures.append(f"{reader} {entry['file']}: {type(error).__name__}: {error}")
                continue
            if limit:
                limits[limit] = limits.get(limit, 0) + 1
            else:
                passed += 1
    for limit, count in limits.items():
        print(f"not read: {limit} ({count} files)")
    print(f"{passed} readings of {len(files)} files are right")
    if failures or not passed:
        print("\n".join(failures), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
