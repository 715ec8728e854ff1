//! A column without a generator gets one from its name, then from its type. Pure.

use shardmill_shared::spec::{Node, Place, Value};

use super::columns::ColumnDraft;
use super::draft::Drafts;
use super::site::Site;
use crate::generators::{self, Generator};
use crate::semantic::{Method, Output};
use crate::value::Type;

/// A generator and its parameters, in the words of a spec.
struct Choice {
    generator: &'static str,
    params: Vec<(&'static str, Value)>,
}

impl Choice {
    fn new(generator: &'static str, params: Vec<(&'static str, Value)>) -> Option<Self> {
        Some(Self { generator, params })
    }

    fn with(generator: &'static str, name: &'static str, value: &str) -> Option<Self> {
        Self::new(generator, vec![(name, Value::Text(value.to_owned()))])
    }
}

/// The generator that the name and type of a column ask for.
pub fn generator(draft: &ColumnDraft<'_>, is_key: bool, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let Some(choice) = choose(draft, is_key, site.builder.drafts) else {
        return draft.place.problem(
            format!("nothing says how `{}` is made, and its name is not known", draft.name),
            "a generator, as in `{faker: email}`, or at least a `type`",
        );
    };
    let line = draft.place.node.line;
    let entries = choice.params.into_iter().map(|(name, value)| (name.to_owned(), Node { value, line })).collect();
    let node = Node { value: Value::Map(entries), line };
    let place = Place { node: &node, path: draft.place.path.clone(), report: draft.place.report };
    let info = generators::find(choice.generator).expect("only registered generators are chosen");
    (info.build)(&place, site)
}

/// What [`generator`] chooses, for people: `faker email (from its name)`.
pub fn describes(draft: &ColumnDraft<'_>, is_key: bool, drafts: &Drafts<'_>) -> String {
    let Some(choice) = choose(draft, is_key, drafts) else { return String::new() };
    let params: Vec<&str> = choice
        .params
        .iter()
        .filter_map(|(_, value)| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    format!("{} {} (inferred)", choice.generator, params.join(" ")).replace("  ", " ")
}

fn choose(draft: &ColumnDraft<'_>, is_key: bool, drafts: &Drafts<'_>) -> Option<Choice> {
    if is_key {
        return match draft.declared {
            None | Some(Type::Int) => Choice::new("sequence", Vec::new()),
            Some(_) => Choice::new("uuid", Vec::new()),
        };
    }
    by_reference(draft, drafts).or_else(|| by_name(draft, drafts)).or_else(|| by_type(draft, drafts))
}

/// `user_id` is the key of `user` or `users`, when there is such a table.
fn by_reference(draft: &ColumnDraft<'_>, drafts: &Drafts<'_>) -> Option<Choice> {
    let stem = draft.name.strip_suffix("_id")?;
    let plural =
        [stem.to_owned(), format!("{stem}s"), format!("{stem}es"), format!("{}ies", stem.trim_end_matches('y'))];
    let table = drafts.tables.iter().find(|table| plural.contains(&table.name))?;
    let key = &table.columns[table.key?].name;
    Choice::with("lookup", "from", &format!("{}.{key}", table.name))
}

fn by_name(draft: &ColumnDraft<'_>, drafts: &Drafts<'_>) -> Option<Choice> {
    let name = draft.name.to_lowercase();
    let is_date = name == "date" || name.ends_with("_date") || name.ends_with("_on") || name == "birthday";
    let is_time = name == "timestamp" || name.ends_with("_at") || name.ends_with("_time");
    if draft.declared.is_none_or(Type::is_temporal) && (is_date || is_time) && drafts.timeframe.is_some() {
        return Choice::with("datetime_series", "within", "timeframe");
    }
    let method = Method::infer(&draft.name)?;
    let fits = match (draft.declared, method.output()) {
        (None | Some(Type::Text), _) => true,
        (Some(kind), Output::Int | Output::Float) => kind.is_number(),
        (Some(Type::Bool), Output::Bool) => true,
        _ => false,
    };
    if fits { Choice::with("faker", "method", method.name()) } else { None }
}

fn by_type(draft: &ColumnDraft<'_>, drafts: &Drafts<'_>) -> Option<Choice> {
    let uniform = |high: i128| {
        let ends = vec![("low", Value::Int(0)), ("high", Value::Int(high))];
        let mut params = vec![("type", Value::Text("uniform".to_owned()))];
        params.extend(ends);
        Choice::new("distribution", params)
    };
    match draft.declared? {
        Type::Int => uniform(1_000_000),
        Type::Float | Type::Decimal { .. } => uniform(1_000),
        Type::Bool => Choice::with("distribution", "type", "bernoulli"),
        Type::Text => Choice::with("faker", "method", "word"),
        Type::Time | Type::Date if drafts.timeframe.is_some() => Choice::with("datetime_series", "within", "timeframe"),
        Type::Time | Type::Date | Type::Struct => None,
    }
}
