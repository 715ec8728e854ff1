//! The keys of everything around generators and modifiers, as the readers in `compile` and `shared` take them. Data. Pure.

use crate::generators::Param;

/// A map with known keys.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Its name: of its section in the documentation and of its definition in the schema.
    pub name: &'static str,
    /// Its keys. A key whose default is empty must be given.
    pub keys: &'static [Param],
}

const fn key(name: &'static str, takes: &'static str, default: &'static str, about: &'static str) -> Param {
    Param { name, takes, default, about }
}

/// A spec in its usual form.
pub const SPEC: Group = Group {
    name: "spec",
    keys: &[
        key("shardmill", "1", "", "the version of the spec language"),
        key("kind", "a kind", "tables", "what is made"),
        key("name", "name", "", "the dataset: letters, digits, `_`, `-`, `.`; at most 100 bytes"),
        key("seed", "int, not negative", "42", "another seed gives other rows"),
        key(
            "engine",
            "int, at least 1",
            "the newest",
            "the engine version: within one, a seed always gives the same rows",
        ),
        key("output", "{output}", "Parquet", "how rows are written; it changes no value"),
        key("budget", "{budget}", "the configured default", "what the job may spend on models"),
        key("timeframe", "{timeframe}", "none", "the time that the whole spec is about"),
        key("tables", "map of table to {table}", "", "the tables; columns are written in the order of the spec"),
        key("constraints", "{constraints}", "none", "what must hold"),
        key("targets", "{targets}", "none", "figures that are checked on the finished dataset"),
        key("dag", "list of lists of tables", "none", "checked when written; the order follows from the columns"),
    ],
};

/// What a bare document has instead of `shardmill` and `tables`.
pub const BARE: Group = Group {
    name: "bare",
    keys: &[
        key("version", "\"1.0\"", "", "the version of the schema"),
        key("metadata", "{metadata}", "none", "holds the name; a `name` at the top comes before it"),
        key("nodes", "list of {table}", "", "the tables, each with its `id`"),
    ],
};

/// The version and name of a bare document.
pub const METADATA: Group = Group {
    name: "metadata",
    keys: &[
        key("name", "text", "none", "the dataset; blanks become `_`"),
        key("version", "any value", "none", "not used"),
    ],
};

/// How rows are written.
pub const OUTPUT: Group = Group {
    name: "output",
    keys: &[
        key("format", "a format", "parquet", "the file format"),
        key("compression", "a compression", "the format's own", "Parquet takes all; a level may follow: `zstd:3`"),
        key("shard_rows", "int, at least 1", "1000000", "rows of each file; it changes no value"),
        key("delimiter", "one ASCII character", ",", "CSV: between fields"),
        key("header", "true or false", "true", "CSV: whether the first line names the columns"),
    ],
};

/// What a job may spend.
pub const BUDGET: Group = Group {
    name: "budget",
    keys: &[key("usd", "dollars, or text", "", "in dollars, like 5 or 0.25; a table that models fill needs some")],
};

/// The time that a spec is about.
pub const TIMEFRAME: Group = Group {
    name: "timeframe",
    keys: &[
        key("start", "date or time", "", "the first moment"),
        key("end", "date or time", "", "the last moment, included; a date alone is its first moment"),
        key("freq", "frequency", "S", "the grid of `datetime_series` columns without one of their own"),
    ],
};

/// A table.
pub const TABLE: Group = Group {
    name: "table",
    keys: &[
        key("id", "name", "its key in `tables`", "the name, where tables stand in a list"),
        key(
            "kind",
            "entity, fact or vocab",
            "fact with parents, else entity",
            "things, what happens to them, or a fixed list",
        ),
        key("rows", "int, at least 1", "1000", "only for tables without parents that are no vocabulary"),
        key("parents", "table, or list of tables", "none", "the first gives the table its rows: see Fan-out"),
        key("parent", "table, or list of tables", "none", "the same as `parents`"),
        key("fanout", "int, or {fanout}", "1", "how many rows each parent has here"),
        key("columns", "map of column to {column}, or list of them", "", "at least one"),
        key("modifiers", "list of effects", "none", "`effect` scales the number of children"),
        key(
            "duplicates",
            "share from 0 to 1",
            "0",
            "how many rows repeat an earlier one, but for keys and unique columns",
        ),
        key("pk", "column", "the column `id`", "the primary key: unique, never null"),
        key("key", "column", "none", "the same as `pk`"),
    ],
};

/// A column; its generator stands beside these keys or below `generator`.
pub const COLUMN: Group = Group {
    name: "column",
    keys: &[
        key("name", "name", "its key in `columns`", "the name, where columns stand in a list"),
        key("type", "a type", "that of the generator", "`decimal(p,s)` for money"),
        key("generator", "{generator}", "by name and type", "one generator: `{faker: email}`"),
        key("modifiers", "list of modifiers", "none", "change values in the order listed"),
        key("null_rate", "share from 0 to 1", "0", "how many values are null"),
        key("nullable", "true or false", "whether there can be nulls", "false is checked"),
        key("unique", "true or false", "false", "no value twice, by construction; refused where it cannot be promised"),
        key("constraints", "{column constraints}", "none", "what its values must satisfy"),
    ],
};

/// How many children each parent has; the rest depends on the distribution.
pub const FANOUT: Group = Group {
    name: "fanout",
    keys: &[
        key("distribution", "poisson, uniform or constant", "none", "how the number is drawn"),
        key("type", "poisson, uniform or constant", "none", "the same as `distribution`"),
        key("lambda", "number above 0", "none", "poisson: the mean"),
        key("mean", "number above 0", "none", "the same as `lambda`"),
        key("value", "int, not negative", "none", "constant: the number"),
        key("count", "int, not negative", "none", "the same as `value`"),
        key("min", "int, not negative", "0", "uniform: the least, included; else numbers below are set to it"),
        key("max", "int, not negative", "none", "uniform: the greatest, included; else numbers above are set to it"),
        key("clamp", "[min, max]", "none", "the same as `min` and `max`, for poisson and constant"),
        key("iid", "true or false", "false", "every parent draws for itself: see Fan-out"),
    ],
};

/// What must hold.
pub const CONSTRAINTS: Group = Group {
    name: "constraints",
    keys: &[
        key("unique", "list of table.column", "none", "no value twice"),
        key("foreign_keys", "list of {foreign key}", "none", "every value has its row"),
        key("ranges", "list of {range}", "none", "holds by construction for drawn columns"),
        key("inequalities", "list of {inequality}", "none", "holds by construction where one side is drawn"),
        key("pattern", "list of {pattern rule}", "none", "checked"),
        key("enum", "list of {enum rule}", "none", "checked"),
    ],
};

/// A foreign key.
pub const FOREIGN_KEY: Group = Group {
    name: "foreign key",
    keys: &[
        key("from", "table.column", "", "the column that refers"),
        key("to", "table.column", "", "the column it refers to"),
    ],
};

/// A range.
pub const RANGE: Group = Group {
    name: "range",
    keys: &[
        key("attr", "table.column", "", "a numeric or datetime column"),
        key("min", "number or time", "none", "the least value"),
        key("max", "number or time", "none", "the greatest value"),
    ],
};

/// An order between two columns of one table.
pub const INEQUALITY: Group = Group {
    name: "inequality",
    keys: &[
        key("left", "table.column", "", "one column"),
        key("op", "a comparison", "", "how they compare"),
        key("right", "table.column", "", "another column of the same table"),
    ],
};

/// A regular expression that whole values match.
pub const PATTERN_RULE: Group = Group {
    name: "pattern rule",
    keys: &[
        key("attr", "table.column", "", "the column"),
        key("regex", "text", "", "a regular expression for the whole value"),
    ],
};

/// The values that may occur.
pub const ENUM_RULE: Group = Group {
    name: "enum rule",
    keys: &[
        key("attr", "table.column", "", "the column"),
        key("values", "list of values", "none", "either the values"),
        key("enum_ref", "table.column", "none", "or a column that has them all"),
    ],
};

/// Constraints written at a column.
pub const COLUMN_CONSTRAINTS: Group = Group {
    name: "column constraints",
    keys: &[
        key("pattern", "text", "none", "a regular expression for the whole value"),
        key("enum", "list of values", "none", "the values that may occur"),
        key("enum_ref", "table.column", "none", "a column that has all values that may occur"),
        key("min", "number or time", "none", "the least value"),
        key("max", "number or time", "none", "the greatest value"),
    ],
};

/// Figures that are checked.
pub const TARGETS: Group = Group {
    name: "targets",
    keys: &[
        key("weekend_share", "{weekend share}, or a list of them", "none", "how many rows fall on Saturday or Sunday"),
        key("mean_in_range", "{mean in range}, or a list of them", "none", "the mean of a column"),
        key("composite_effect", "{composite effect}, or a list of them", "none", "when rows occur, against seasons"),
    ],
};

/// A share of rows at weekends.
pub const WEEKEND_SHARE: Group = Group {
    name: "weekend share",
    keys: &[
        key("table", "table", "", "the table"),
        key("timestamp", "datetime column", "", "the time of a row"),
        key("min", "number", "", "the least share"),
        key("max", "number", "", "the greatest share"),
    ],
};

/// The mean of a column.
pub const MEAN_IN_RANGE: Group = Group {
    name: "mean in range",
    keys: &[
        key("table", "table", "", "the table"),
        key("column", "column", "", "a numeric column"),
        key("min", "number", "", "the least mean"),
        key("max", "number", "", "the greatest mean"),
    ],
};

/// When rows occur, against the product of seasonal weights.
pub const COMPOSITE_EFFECT: Group = Group {
    name: "composite effect",
    keys: &[
        key("table", "table", "", "the table"),
        key("metric", "text", "none", "a remark"),
        key("influences", "list of {influence}", "", "what shapes the histogram"),
        key("tolerance", "{tolerance}", "mae 0.05, mape 10", "how far it may be off"),
        key("timestamp", "datetime column", "the first one", "the time of a row"),
    ],
};

/// One influence; only seasonality has keys of its own that are checked.
pub const INFLUENCE: Group = Group {
    name: "influence",
    keys: &[
        key(
            "kind",
            "seasonality, effect or outliers",
            "",
            "effects and outliers do not move rows and are not compared",
        ),
        key("dimension", "hour, dow or month", "none", "seasonality: which part of the calendar"),
        key("weights", "list of numbers", "none", "seasonality: 24, 7 or 12 numbers"),
    ],
};

/// How far a histogram may be off.
pub const TOLERANCE: Group = Group {
    name: "tolerance",
    keys: &[
        key("mae", "number", "0.05", "mean absolute error of the shares"),
        key("mape", "number", "10", "mean absolute percentage error, in percent"),
    ],
};

/// A window of time.
pub const WINDOW: Group = Group {
    name: "window",
    keys: &[key("start", "date or time", "", "the first moment"), key("end", "date or time", "", "the last moment")],
};

/// Weights of a part of the calendar.
pub const PATTERN: Group = Group {
    name: "pattern",
    keys: &[
        key("dimension", "hour, dow or month", "", "which part of the calendar"),
        key("weights", "list of numbers", "", "24 hours, 7 weekdays from Monday or 12 months"),
    ],
};

/// The columns of an effect table between which a row's time must lie.
pub const EFFECT_WINDOW: Group = Group {
    name: "effect window",
    keys: &[key("start_col", "column", "", "their first moment"), key("end_col", "column", "", "their last moment")],
};

/// What an effect does with what it finds.
pub const EFFECT_MAP: Group = Group {
    name: "effect map",
    keys: &[
        key("field", "column", "", "their numeric column"),
        key("op", "mul or add", "mul", "how it is applied"),
        key("default", "number", "1 (add: 0)", "what is applied where nothing matches"),
    ],
};

/// The parameters of a logarithmic trend.
pub const TREND_PARAMS: Group = Group {
    name: "trend params",
    keys: &[key("a", "number", "0.1", "the height"), key("b", "number above 0", "1", "the speed")],
};

/// What a model scores.
pub const CRITERION: Group = Group {
    name: "criterion",
    keys: &[
        key("about", "text", "", "what is scored, in words for the model"),
        key("from", "int", "1", "the lowest score"),
        key("to", "int", "5", "the highest score"),
    ],
};

/// A question and its answer, shown to a model.
pub const EXAMPLE: Group = Group {
    name: "example",
    keys: &[
        key("input", "text", "", "the question, as the prompt would be"),
        key("output", "any value", "", "the answer: a text, a choice, or a map that fits the schema"),
    ],
};

/// Every group.
pub const GROUPS: &[Group] = &[
    SPEC,
    BARE,
    METADATA,
    OUTPUT,
    BUDGET,
    TIMEFRAME,
    TABLE,
    COLUMN,
    FANOUT,
    CONSTRAINTS,
    FOREIGN_KEY,
    RANGE,
    INEQUALITY,
    PATTERN_RULE,
    ENUM_RULE,
    COLUMN_CONSTRAINTS,
    TARGETS,
    WEEKEND_SHARE,
    MEAN_IN_RANGE,
    COMPOSITE_EFFECT,
    INFLUENCE,
    TOLERANCE,
    WINDOW,
    PATTERN,
    EFFECT_WINDOW,
    EFFECT_MAP,
    TREND_PARAMS,
    CRITERION,
    EXAMPLE,
];

/// The parameters of each distribution: below `params`, or beside `type`.
pub const DISTRIBUTIONS: &[Group] = &[
    Group {
        name: "normal",
        keys: &[
            key("mean", "number", "0", "the mean"),
            key("mu", "number", "none", "the same as `mean`"),
            key("std", "number, not negative", "1", "the standard deviation"),
            key("sigma", "number, not negative", "none", "the same as `std`"),
            key("stddev", "number, not negative", "none", "the same as `std`"),
        ],
    },
    Group {
        name: "lognormal",
        keys: &[
            key("mean", "number", "0", "the mean of the logarithm: the median is e to the power of it"),
            key("mu", "number", "none", "the same as `mean`"),
            key("sigma", "number, not negative", "1", "the standard deviation of the logarithm"),
            key("std", "number, not negative", "none", "the same as `sigma`"),
        ],
    },
    Group {
        name: "uniform",
        keys: &[
            key("low", "number", "0", "the least value"),
            key("min", "number", "none", "the same as `low`"),
            key("high", "number", "1", "the greatest value; whole numbers and decimals include it"),
            key("max", "number", "none", "the same as `high`"),
        ],
    },
    Group {
        name: "poisson",
        keys: &[
            key("lambda", "number above 0", "1", "the mean"),
            key("mean", "number above 0", "none", "the same as `lambda`"),
        ],
    },
    Group {
        name: "exponential",
        keys: &[
            key("mean", "number above 0", "1", "the mean"),
            key("scale", "number above 0", "none", "the same as `mean`"),
            key("rate", "number above 0", "none", "instead of the mean: 1 / mean"),
        ],
    },
    Group {
        name: "gamma",
        keys: &[
            key("shape", "number above 0", "1", "the shape"),
            key("k", "number above 0", "none", "the same as `shape`"),
            key("scale", "number above 0", "1", "the scale; the mean is shape times scale"),
            key("theta", "number above 0", "none", "the same as `scale`"),
        ],
    },
    Group {
        name: "beta",
        keys: &[
            key("alpha", "number above 0", "1", "the first shape"),
            key("a", "number above 0", "none", "the same as `alpha`"),
            key("beta", "number above 0", "1", "the second shape"),
            key("b", "number above 0", "none", "the same as `beta`"),
            key("low", "number", "0", "the least value"),
            key("min", "number", "none", "the same as `low`"),
            key("high", "number", "1", "the greatest value"),
            key("max", "number", "none", "the same as `high`"),
        ],
    },
    Group {
        name: "truncated_normal",
        keys: &[
            key("mean", "number", "0", "the mean before truncation"),
            key("mu", "number", "none", "the same as `mean`"),
            key("std", "number above 0", "1", "the standard deviation before truncation"),
            key("sigma", "number above 0", "none", "the same as `std`"),
            key("low", "number", "none", "no value lies below"),
            key("min", "number", "none", "the same as `low`"),
            key("high", "number", "none", "no value lies above"),
            key("max", "number", "none", "the same as `high`"),
        ],
    },
    Group { name: "bernoulli", keys: &[key("p", "share from 0 to 1", "0.5", "how many values are true, or 1")] },
    Group { name: "constant", keys: &[key("value", "number", "0", "the value")] },
];
