//! What is described is what the readers take: key by key, by asking them.

use std::collections::BTreeSet;

use shardmill_shared::spec::document::{Node, Value, parse};
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Report, Spec};

use super::keys::{self, DISTRIBUTIONS, GROUPS, Group};
use super::sample::{compiled, spec_of};
use super::values::alternatives;
use crate::compile::{ENGINES, compile, desugar};
use crate::generators::{GENERATORS, Param};
use crate::modifiers::MODIFIERS;
use crate::semantic::METHODS;

const KNOWN: Known<'static> =
    Known { kinds: &["tables"], formats: &["parquet", "csv"], compressions: &["zstd", "none"], engines: ENGINES };

const RICH: &str = "
shardmill: 1
name: rich
output: {format: csv}
budget: {usd: 5}
timeframe: {start: 2024-01-01, end: 2024-12-31}
tables:
  promotions:
    kind: vocab
    columns:
      first_day: {type: date, enum_list: ['2024-03-01']}
      last_day: {type: date, enum_list: ['2024-03-31']}
      factor: {enum_list: [1.2]}
  users:
    rows: 10
    columns:
      id: {sequence: 1}
      at: {datetime_series: {within: {start: 2024-01-01, end: 2024-02-01}, pattern: {dimension: dow, weights: [1, 1, 1, 1, 1, 1, 1]}}}
      until: {datetime_series: {}}
      plan: {choice: [a, b], constraints: {enum: [a, b]}}
      score:
        constant: 1.0
        modifiers:
          - {trend: {type: logarithmic, params: {a: 1}}}
          - {effect: {effect_table: promotions, window: {start_col: first_day, end_col: last_day}, map: {field: factor}}}
  texts:
    rows: 3
    columns:
      verdict:
        llm_judge:
          model: provider/model
          prompt: How good is it?
          rubric: {good: {about: how good it is}}
          examples: [{input: Nice., output: {good_reason: It is nice., good: 5}}]
  orders:
    parent: users
    fanout: {distribution: poisson, lambda: 2}
    columns:
      user_id: {lookup: users.id}
constraints:
  foreign_keys: [{from: orders.user_id, to: users.id}]
  ranges: [{attr: users.score, min: 0}]
  inequalities: [{left: users.at, op: <, right: users.until}]
  pattern: [{attr: users.plan, regex: '[ab]'}]
  enum: [{attr: users.plan, values: [a, b]}]
targets:
  weekend_share: {table: users, timestamp: at, min: 0, max: 1}
  mean_in_range: {table: users, column: score, min: 0, max: 9}
  composite_effect:
    table: users
    influences: [{kind: seasonality, dimension: dow, weights: [1, 1, 1, 1, 1, 1, 1]}]
    tolerance: {mae: 1}
";

const BARE: &str = "
version: '1.0'
metadata: {name: bare}
nodes: [{id: users, columns: [{name: id, type: int, generator: {sequence: {}}}]}]
";

fn at<'n>(node: &'n mut Node, path: &str) -> &'n mut Node {
    path.split('.').filter(|part| !part.is_empty()).fold(node, |node, part| match &mut node.value {
        Value::Map(entries) => {
            &mut entries.iter_mut().find(|(key, _)| key == part).unwrap_or_else(|| panic!("{path}")).1
        }
        Value::List(items) => &mut items[part.parse::<usize>().unwrap()],
        _ => panic!("nothing below {part} of {path}"),
    })
}

/// The problems of a spec after a change in its long form.
fn problems(text: &str, change: impl FnOnce(&mut Node)) -> Vec<shardmill_shared::spec::Problem> {
    let report = Report::strict();
    let mut document = desugar::long_form(&parse(text, &report).unwrap_or_else(|| panic!("{text}")));
    change(&mut document);
    if let Some(spec) = Spec::read(&document, &KNOWN, &report) {
        compile(&spec, &report);
    }
    report.into_problems()
}

/// The keys that the reader of the map at a path takes, as it says when it meets another. Those that it only knows in
/// order to refuse them are left out.
fn taken(text: &str, path: &str) -> BTreeSet<String> {
    let with = |key: &str| problems(text, |document| at(document, path).insert(key, Node::synthetic(Value::Int(1))));
    let found = with("bogus_key");
    let unknown = found.iter().find(|problem| problem.message == "unknown key `bogus_key`");
    let unknown = unknown.unwrap_or_else(|| panic!("no reader complains at `{path}` of\n{text}\n{found:#?}"));
    let expected = unknown.expected.as_deref().unwrap_or_default();
    let listed = expected.strip_prefix("one of ").unwrap_or_default().split(", ");
    let is_refused = |key: &str| with(key).iter().any(|problem| problem.message.contains("is not supported yet"));
    listed.filter(|key| !is_refused(key)).map(str::to_owned).collect()
}

fn names(keys: &[Param]) -> BTreeSet<String> {
    keys.iter().map(|key| key.name.to_owned()).collect()
}

/// Name, example, parameters and where they stand.
fn described() -> Vec<(&'static str, String, &'static [Param], String)> {
    let column = "tables.examples.columns.value";
    let generators =
        GENERATORS.iter().map(|info| (info.name, info.example, info.params, format!("{column}.{}", info.name)));
    let modifiers =
        MODIFIERS.iter().map(|info| (info.name, info.example, info.params, format!("{column}.modifiers.0.args")));
    let all = generators.chain(modifiers);
    all.map(|(name, example, params, path)| (name, spec_of(name, example), params, path)).collect()
}

#[test]
fn generators_and_modifiers_take_the_parameters_they_describe() {
    for (name, spec, params, path) in described() {
        assert_eq!(taken(&spec, &path), names(params), "{name}");
    }
}

#[test]
fn a_parameter_without_a_default_must_be_given() {
    for (name, spec, params, path) in described() {
        let found = problems(&spec, |document| at(document, &path).value = Value::Map(Vec::new()));
        let missing =
            |key: &&Param| found.iter().any(|problem| problem.message == format!("`{}` is missing", key.name));
        for param in params {
            assert_eq!(missing(&param), param.default.is_empty(), "{name}: {}: {found:#?}", param.name);
        }
    }
}

#[test]
fn methods_take_the_arguments_they_describe() {
    for info in METHODS {
        let mut wanted = names(crate::generators::faker::INFO.params);
        wanted.extend(info.parameters.iter().map(|name| (*name).to_owned()));
        let spec = spec_of("faker", &format!("{{faker: {{method: {}}}}}", info.name));
        assert_eq!(taken(&spec, "tables.examples.columns.value.faker"), wanted, "{}", info.name);
    }
}

#[test]
fn distributions_take_the_parameters_they_describe() {
    let types = GENERATORS.iter().find(|info| info.name == "distribution").unwrap().params[0].takes;
    let listed: Vec<&str> = types.split(", ").flat_map(|part| part.split(" or ")).collect();
    assert_eq!(listed, DISTRIBUTIONS.iter().map(|group| group.name).collect::<Vec<_>>());
    for group in DISTRIBUTIONS {
        let spec = spec_of("distribution", &format!("{{distribution: {{type: {}, params: {{}}}}}}", group.name));
        let mut all = taken(&spec, "tables.examples.columns.value.distribution.params");
        if group.name == "exponential" {
            // The reader asks for the mean only where there is no rate.
            all.insert("rate".to_owned());
        }
        assert_eq!(all, names(group.keys), "{}", group.name);
    }
}

/// A group, where one of its maps stands in the spec above, and keys that it takes beyond its own.
fn places() -> Vec<(Group, &'static str, Vec<String>)> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let generators: Vec<&str> = GENERATORS.iter().map(|info| info.name).collect();
    let plain = |group, path| (group, path, Vec::new());
    vec![
        (keys::SPEC, "", owned(&["nodes"])),
        plain(keys::OUTPUT, "output"),
        plain(keys::BUDGET, "budget"),
        plain(keys::TIMEFRAME, "timeframe"),
        plain(keys::TABLE, "tables.users"),
        (keys::COLUMN, "tables.users.columns.id", owned(&generators)),
        plain(keys::CONSTRAINTS, "constraints"),
        plain(keys::FOREIGN_KEY, "constraints.foreign_keys.0"),
        plain(keys::RANGE, "constraints.ranges.0"),
        plain(keys::INEQUALITY, "constraints.inequalities.0"),
        plain(keys::PATTERN_RULE, "constraints.pattern.0"),
        plain(keys::ENUM_RULE, "constraints.enum.0"),
        plain(keys::COLUMN_CONSTRAINTS, "tables.users.columns.plan.constraints"),
        plain(keys::TARGETS, "targets"),
        plain(keys::WEEKEND_SHARE, "targets.weekend_share"),
        plain(keys::MEAN_IN_RANGE, "targets.mean_in_range"),
        plain(keys::COMPOSITE_EFFECT, "targets.composite_effect"),
        plain(keys::INFLUENCE, "targets.composite_effect.influences.0"),
        plain(keys::TOLERANCE, "targets.composite_effect.tolerance"),
        plain(keys::WINDOW, "tables.users.columns.at.datetime_series.within"),
        plain(keys::PATTERN, "tables.users.columns.at.datetime_series.pattern"),
        plain(keys::TREND_PARAMS, "tables.users.columns.score.modifiers.0.args.params"),
        plain(keys::EFFECT_WINDOW, "tables.users.columns.score.modifiers.1.args.window"),
        plain(keys::CRITERION, "tables.texts.columns.verdict.llm_judge.rubric.good"),
        plain(keys::EXAMPLE, "tables.texts.columns.verdict.llm_judge.examples.0"),
        plain(keys::EFFECT_MAP, "tables.users.columns.score.modifiers.1.args.map"),
    ]
}

#[test]
fn every_group_has_the_keys_that_its_reader_takes() {
    for text in [RICH, BARE] {
        compiled(text, &KNOWN).unwrap_or_else(|problems| panic!("{problems}"));
    }
    let mut seen = BTreeSet::from([keys::BARE.name, keys::METADATA.name, keys::FANOUT.name]);
    for (group, path, extra) in places() {
        let mut wanted = names(group.keys);
        wanted.extend(extra);
        assert_eq!(taken(RICH, path), wanted, "{}", group.name);
        seen.insert(group.name);
    }
    let mut wanted = names(keys::SPEC.keys);
    wanted.extend(names(keys::BARE.keys));
    assert_eq!(taken(BARE, ""), wanted);
    assert_eq!(taken(BARE, "metadata"), names(keys::METADATA.keys));
    assert_eq!(seen, GROUPS.iter().map(|group| group.name).collect());
}

#[test]
fn the_keys_of_fan_outs_are_those_of_their_distributions() {
    let fanout = |text: &str| taken(&RICH.replace("{distribution: poisson, lambda: 2}", text), "tables.orders.fanout");
    let poisson = fanout("{distribution: poisson, lambda: 2}");
    let uniform = fanout("{distribution: uniform, min: 1, max: 2}");
    let constant = fanout("{distribution: constant, value: 2}");
    let all: BTreeSet<String> = poisson.into_iter().chain(uniform).chain(constant).collect();
    assert_eq!(all, names(keys::FANOUT.keys));
}

#[test]
fn every_word_for_what_a_key_takes_has_a_meaning_in_the_schema() {
    let params = GENERATORS.iter().flat_map(|info| info.params).chain(MODIFIERS.iter().flat_map(|info| info.params));
    let groups = GROUPS.iter().chain(DISTRIBUTIONS).flat_map(|group| group.keys);
    for param in params.chain(groups) {
        assert!(!alternatives(param.takes, &KNOWN).is_empty(), "{}: {}", param.name, param.takes);
    }
}
