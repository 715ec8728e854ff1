//! `faker`: believable words and numbers of a locale; columns of one row agree with each other. Pure.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use shardmill_shared::spec::{Fields, Place, Value};

use super::{Generator, Info, Param, Read};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::frame::Source;
use crate::random::key::Key;
use crate::random::permutation::Permutation;
use crate::semantic::{Argument, Locale, METHODS, Method, Output, Semantic, Shares, Slots};
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "faker",
    about: "believable words and numbers; name and e-mail, city and postcode of one row agree",
    params: &[
        Param {
            name: "method",
            takes: "a semantic type",
            default: "",
            about: "what is made; the list of semantic types has all",
        },
        Param { name: "locale", takes: "locale such as de_DE", default: "en_US", about: "the language and country" },
        Param {
            name: "locale_from",
            takes: "column of country codes, country names or cities",
            default: "none",
            about: "takes each row's locale from that column; unknown places are en_US",
        },
    ],
    bare: Some("method"),
    example: "{type: string, faker: {method: email, locale: de_DE}}",
    build,
};

#[derive(Debug)]
struct Words {
    slots: Slots,
    locale: Locality,
    unique: Option<Uniqueness>,
    is_unique: bool,
    kind: Type,
}

#[derive(Debug)]
enum Locality {
    One(Box<Semantic>),
    /// The locale of each row; all locales are prepared, because any may come.
    From {
        column: Source,
        all: Vec<Semantic>,
    },
}

/// The slots that rows of a group are permuted into, when one column of the group is unique.
#[derive(Clone, Copy, Debug)]
struct Uniqueness {
    key: Key,
    slots: u64,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let method_place = fields.need("method")?;
    let method = method(&method_place)?;
    let arguments = arguments(&fields, method)?;
    let locale = locale(&fields)?;
    let from = fields.get("locale_from");
    fields.finish();
    let prepare = |locale: Locale| match Semantic::new(method, locale, &arguments) {
        Ok(semantic) => Some(semantic),
        Err(error) => place.problem(error.to_string(), "arguments that fit the method"),
    };
    let unique = uniqueness(&method_place, (method, locale), site, &prepare)?;
    let locale = match from {
        None => Locality::One(Box::new(prepare(locale)?)),
        Some(from) => {
            if unique.is_some() {
                return from.problem(
                    "values of several locales could be equal",
                    "one `locale` where values of the row's group are unique",
                );
            }
            let column = site.own(&from, from.text()?)?;
            site.type_of(site.table, column)?;
            let all = Locale::ALL.iter().map(|locale| prepare(*locale));
            Locality::From { column: Source::Own(column), all: all.collect::<Option<_>>()? }
        }
    };
    let kind = match method.output() {
        Output::Text | Output::Words => Type::Text,
        Output::Int => Type::Int,
        Output::Float => Type::Float,
        Output::Bool => Type::Bool,
    };
    let slots = Slots {
        person: site.role("person"),
        place: site.role("place"),
        company: site.role("company"),
        own: site.key(),
    };
    Some(Box::new(Words { slots, locale, unique, is_unique: site.unique, kind }))
}

fn method(place: &Place<'_>) -> Option<Method> {
    let name = place.text()?;
    match Method::from_name(name) {
        Ok(method) => Some(method),
        Err(_) => {
            let known = METHODS.iter().flat_map(|info| std::iter::once(info.name).chain(info.aliases.iter().copied()));
            place.unknown("faker method", name, known)
        }
    }
}

fn arguments(fields: &Fields<'_>, method: Method) -> Option<Vec<(String, Argument)>> {
    let mut arguments = Vec::new();
    for name in method.info().parameters {
        let Some(place) = fields.get(name) else { continue };
        let argument = match &place.node.value {
            Value::Text(text) => Argument::Text(text.clone()),
            _ => Argument::Int(place.int()?),
        };
        arguments.push(((*name).to_owned(), argument));
    }
    Some(arguments)
}

fn locale(fields: &Fields<'_>) -> Option<Locale> {
    let Some(place) = fields.get("locale") else { return Some(Locale::EnUs) };
    let name = place.text()?;
    match Locale::from_name(name) {
        Ok(locale) => Some(locale),
        Err(_) => place.unknown("locale", name, Locale::ALL.iter().map(|locale| locale.name())),
    }
}

/// The slots of the column's group: those of its unique column with the fewest.
fn uniqueness(
    place: &Place<'_>,
    (method, locale): (Method, Locale),
    site: &Site<'_, '_>,
    prepare: &dyn Fn(Locale) -> Option<Semantic>,
) -> Option<Option<Uniqueness>> {
    let own = match site.unique {
        true => match prepare(locale)?.slots() {
            Some(slots) => Some(slots),
            None => return place.problem(
                format!("values of `{}` repeat", method.name()),
                "`email`, `user_name`, `uuid4`, `phone_number` or another identifying method where values are unique",
            ),
        },
        false => None,
    };
    if method.shares() == Shares::Own {
        let Some(slots) = own else { return Some(None) };
        site.enough(place, slots)?;
        return Some(Some(Uniqueness { key: site.key(), slots }));
    }
    let others = site.unique_nodes("faker").into_iter().filter_map(|node| {
        let Value::Text(name) = &node.get("method")?.value else { return None };
        let method_of = Method::from_name(name).ok().filter(|other| other.shares() == method.shares())?;
        let locale = match node.get("locale").map(|locale| &locale.value) {
            Some(Value::Text(name)) => Locale::from_name(name).ok()?,
            _ => Locale::EnUs,
        };
        Semantic::new(method_of, locale, &[]).ok()?.slots()
    });
    match own.into_iter().chain(others).min() {
        Some(slots) => {
            site.enough(place, slots)?;
            Some(Some(Uniqueness { key: site.role(&format!("slot:{:?}", method.shares())), slots }))
        }
        None => Some(None),
    }
}

impl Words {
    fn fill(&self, semantic: &Semantic, draw: &Draw<'_, '_>) -> ArrayRef {
        let rows = &draw.frame.rows;
        let slots = Slots { own: draw.key(self.slots.own, 0), ..self.slots };
        match self.unique {
            Some(Uniqueness { key, slots: domain }) => {
                let permutation = Permutation::new(key, domain);
                semantic.fill_at_slots(&slots, rows.map(|row| (row, permutation.apply(row))).into_iter())
            }
            None => semantic.fill(&slots, rows.map(|row| row).into_iter()),
        }
    }

    /// Each row in the locale of its place.
    fn by_place(&self, places: &ArrayRef, all: &[Semantic], draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let places = cast(places, &DataType::Utf8)?;
        let places = places.as_string::<i32>();
        let mut known: HashMap<&str, usize> = HashMap::new();
        let locales: Vec<usize> = (0..places.len())
            .map(|at| {
                let place = if places.is_valid(at) { places.value(at) } else { "" };
                *known.entry(place).or_insert_with(|| {
                    let locale = Locale::from_place(place);
                    all.iter().position(|semantic| semantic.locale() == locale).expect("every locale is prepared")
                })
            })
            .collect();
        let slots = Slots { own: draw.key(self.slots.own, 0), ..self.slots };
        let rows = draw.frame.rows.map(|row| row).into_iter().zip(locales);
        Ok(Semantic::fill_mixed(all, &slots, rows))
    }
}

impl Generator for Words {
    fn kind(&self) -> Type {
        self.kind
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        match &self.locale {
            Locality::One(semantic) => Ok(self.fill(semantic, draw)),
            Locality::From { column, all } => self.by_place(&draw.frame.read(*column)?, all, draw),
        }
    }

    fn reads(&self) -> Vec<Read> {
        match &self.locale {
            Locality::From { column, .. } => vec![Read::Column(*column)],
            Locality::One(_) => Vec::new(),
        }
    }

    fn is_unique(&self) -> bool {
        self.is_unique
    }
}
