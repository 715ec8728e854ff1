//! Functions of text. Positions and lengths count characters, the first is 1. Pure.

use arrow::array::ArrayRef;
use arrow::datatypes::Int64Type;

use super::FunctionInfo;
use crate::expression::cast::show;
use crate::expression::operand::{CELL_BYTES_MAX, Call, Refusal, within};

/// The group's functions.
pub(super) const FUNCTIONS: [FunctionInfo; 17] = [
    FunctionInfo::new("lower", "lower(text: string) -> string", "In small letters.", |call| change(call, lower))
        .example("lower('ABC')", "abc"),
    FunctionInfo::new("upper", "upper(text: string) -> string", "In capitals.", |call| change(call, upper))
        .example("upper('abc')", "ABC"),
    FunctionInfo::new("trim", "trim(text: string) -> string", "Without blanks at its ends.", |call| {
        change(call, |text, out| out.push_str(text.trim()))
    })
    .example("trim('  a b ')", "a b"),
    FunctionInfo::new(
        "slug",
        "slug(text: string) -> string",
        "In small letters and digits with hyphens between, as in web addresses.",
        |call| change(call, slug),
    )
    .example("slug('Crème Brûlée, 2 pcs')", "creme-brulee-2-pcs"),
    FunctionInfo::new(
        "initials",
        "initials(text: string) -> string",
        "The first letter of each word, in capitals.",
        |call| change(call, initials),
    )
    .example("initials('Ada de Lovelace')", "ADL"),
    FunctionInfo::new(
        "concat",
        "concat(values...: any) -> string",
        "All values as text, one after the other; null if one is null.",
        concat,
    )
    .example("concat('A-', 7)", "A-7"),
    FunctionInfo::new("length", "length(text: string) -> int", "The number of characters.", length)
        .example("length('šest')", "4"),
    FunctionInfo::new(
        "substr",
        "substr(text: string, start: int, length?: int) -> string",
        "From a position on, the first being 1, so many characters or all.",
        substr,
    )
    .example("substr('abcdef', 2, 3)", "bcd"),
    FunctionInfo::new("left", "left(text: string, n: int) -> string", "The first characters.", left)
        .example("left('abcdef', 2)", "ab"),
    FunctionInfo::new("right", "right(text: string, n: int) -> string", "The last characters.", right)
        .example("right('abcdef', 2)", "ef"),
    FunctionInfo::new(
        "replace",
        "replace(text: string, old: string, new: string) -> string",
        "With every `old` made `new`.",
        replace,
    )
    .example("replace('a-b-c', '-', '+')", "a+b+c"),
    FunctionInfo::new("contains", "contains(text: string, part: string) -> bool", "Whether a part is in it.", |call| {
        test(call, |text, part| text.contains(part))
    })
    .example("contains('abcdef', 'cd')", "true"),
    FunctionInfo::new(
        "starts_with",
        "starts_with(text: string, part: string) -> bool",
        "Whether it starts with a part.",
        |call| test(call, |text, part| text.starts_with(part)),
    )
    .example("starts_with('abcdef', 'ab')", "true"),
    FunctionInfo::new(
        "ends_with",
        "ends_with(text: string, part: string) -> bool",
        "Whether it ends with a part.",
        |call| test(call, |text, part| text.ends_with(part)),
    )
    .example("ends_with('abcdef', 'ab')", "false"),
    FunctionInfo::new(
        "lpad",
        "lpad(text: string, length: int, fill?: string) -> string",
        "Filled up on the left (with blanks) or cut to a length.",
        |call| pad(call, Side::Left),
    )
    .example("lpad('7', 3, '0')", "007"),
    FunctionInfo::new(
        "rpad",
        "rpad(text: string, length: int, fill?: string) -> string",
        "Filled up on the right (with blanks) or cut to a length.",
        |call| pad(call, Side::Right),
    )
    .example("rpad('ab', 4, '.')", "ab.."),
    FunctionInfo::new(
        "split_part",
        "split_part(text: string, separator: string, n: int) -> string",
        "The part of that number, the first being 1; empty if there is none.",
        split_part,
    )
    .example("split_part('a,b,c', ',', 2)", "b"),
];

fn change(call: &Call<'_>, change: fn(&str, &mut String)) -> Result<ArrayRef, Refusal> {
    let texts = call.texts(0);
    call.write(|row, out| Ok(texts.get(row).map(|text| change(text, out))))
}

fn lower(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_lowercase();
    } else {
        out.push_str(&text.to_lowercase());
    }
}

fn upper(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_uppercase();
    } else {
        out.push_str(&text.to_uppercase());
    }
}

fn test(call: &Call<'_>, test: fn(&str, &str) -> bool) -> Result<ArrayRef, Refusal> {
    let (texts, parts) = (call.texts(0), call.texts(1));
    Ok(call.test(|row| Some(test(texts.get(row)?, parts.get(row)?))))
}

/// All operands as text, one after the other.
pub(in crate::expression) fn concat(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    call.write(|row, out| {
        for at in 0..call.operands.len() {
            if show(call, at, row, out).is_none() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })
}

fn length(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let texts = call.texts(0);
    Ok(call.map::<Int64Type>(|row| Some(texts.get(row)?.chars().count() as i64)))
}

/// The byte at which the character of a number (from 0) starts, or the end.
fn byte_of(text: &str, character: i64) -> usize {
    let Ok(character) = usize::try_from(character) else { return 0 };
    text.char_indices().nth(character).map_or(text.len(), |(byte, _)| byte)
}

fn first(text: &str, count: i64) -> &str {
    &text[..byte_of(text, count)]
}

fn substr(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (texts, starts) = (call.texts(0), call.cells::<Int64Type>(1));
    let counts = (call.operands.len() == 3).then(|| call.cells::<Int64Type>(2));
    call.write(|row, out| {
        let (Some(text), Some(start)) = (texts.get(row), starts.get(row)) else { return Ok(None) };
        let rest = &text[byte_of(text, start.saturating_sub(1))..];
        let part = match &counts {
            None => rest,
            Some(counts) => match counts.get(row) {
                None => return Ok(None),
                // Places before the first count too, as in SQL.
                Some(count) => first(rest, count.saturating_add(start.saturating_sub(1).min(0))),
            },
        };
        out.push_str(part);
        Ok(Some(()))
    })
}

fn left(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (texts, counts) = (call.texts(0), call.cells::<Int64Type>(1));
    call.write(|row, out| Ok(texts.get(row).zip(counts.get(row)).map(|(text, count)| out.push_str(first(text, count)))))
}

fn right(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (texts, counts) = (call.texts(0), call.cells::<Int64Type>(1));
    call.write(|row, out| {
        Ok(texts.get(row).zip(counts.get(row)).map(|(text, count)| {
            let skipped = (text.chars().count() as i64).saturating_sub(count.max(0));
            out.push_str(&text[byte_of(text, skipped)..]);
        }))
    })
}

fn replace(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (texts, olds, news) = (call.texts(0), call.texts(1), call.texts(2));
    call.write(|row, out| {
        let (Some(text), Some(old), Some(new)) = (texts.get(row), olds.get(row), news.get(row)) else {
            return Ok(None);
        };
        if old.is_empty() {
            out.push_str(text);
            return Ok(Some(()));
        }
        let found = text.matches(old).count();
        within(text.len() + found * new.len() - found * old.len(), CELL_BYTES_MAX, "one text")?;
        for (at, part) in text.split(old).enumerate() {
            if at > 0 {
                out.push_str(new);
            }
            out.push_str(part);
        }
        Ok(Some(()))
    })
}

/// Where a text is filled up.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

fn pad(call: &Call<'_>, side: Side) -> Result<ArrayRef, Refusal> {
    let (texts, lengths) = (call.texts(0), call.cells::<Int64Type>(1));
    let fills = (call.operands.len() == 3).then(|| call.texts(2));
    call.write(|row, out| {
        let (Some(text), Some(length)) = (texts.get(row), lengths.get(row)) else { return Ok(None) };
        let Some(fill) = fills.as_ref().map_or(Some(" "), |fills| fills.get(row)) else { return Ok(None) };
        let text = first(text, length.max(0));
        let missing = usize::try_from(length).unwrap_or(0).saturating_sub(text.chars().count());
        within(missing, CELL_BYTES_MAX, "one text")?;
        if matches!(side, Side::Right) {
            out.push_str(text);
        }
        out.extend(fill.chars().cycle().take(missing));
        if matches!(side, Side::Left) {
            out.push_str(text);
        }
        Ok(Some(()))
    })
}

fn split_part(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (texts, separators, numbers) = (call.texts(0), call.texts(1), call.cells::<Int64Type>(2));
    call.write(|row, out| {
        let (Some(text), Some(separator), Some(number)) = (texts.get(row), separators.get(row), numbers.get(row))
        else {
            return Ok(None);
        };
        let at = usize::try_from(number - 1).map_err(|_| format!("counts parts from 1, found {number}"))?;
        // An empty separator separates nothing.
        let part = if separator.is_empty() { Some(text).filter(|_| at == 0) } else { text.split(separator).nth(at) };
        out.push_str(part.unwrap_or(""));
        Ok(Some(()))
    })
}

fn initials(text: &str, out: &mut String) {
    for word in text.split_whitespace() {
        out.extend(word.chars().next().into_iter().flat_map(char::to_uppercase));
    }
}

/// Latin letters with marks, and what they are written as without.
const UNMARKED: [(&str, &str); 22] = [
    ("àáâãäåāăą", "a"),
    ("æ", "ae"),
    ("çćčĉċ", "c"),
    ("ďđð", "d"),
    ("èéêëēĕėęě", "e"),
    ("ĝğġģ", "g"),
    ("ĥħ", "h"),
    ("ìíîïĩīĭįı", "i"),
    ("ĵ", "j"),
    ("ķ", "k"),
    ("ĺļľŀł", "l"),
    ("ñńņňŉ", "n"),
    ("òóôõöøōŏő", "o"),
    ("œ", "oe"),
    ("ŕŗř", "r"),
    ("śŝşšș", "s"),
    ("ß", "ss"),
    ("ţťŧþț", "t"),
    ("ùúûüũūŭůűų", "u"),
    ("ŵ", "w"),
    ("ýÿŷ", "y"),
    ("źżž", "z"),
];

fn slug(text: &str, out: &mut String) {
    let mut gap = false;
    for character in text.chars().flat_map(char::to_lowercase) {
        let plain = UNMARKED.into_iter().find(|(marked, _)| marked.contains(character)).map(|(_, plain)| plain);
        if plain.is_none() && !character.is_ascii_alphanumeric() {
            // An apostrophe and a combining mark belong to their word.
            gap |= !matches!(character, '\'' | '’' | '\u{300}'..='\u{36f}');
            continue;
        }
        if gap && !out.is_empty() {
            out.push('-');
        }
        gap = false;
        match plain {
            Some(plain) => out.push_str(plain),
            None => out.push(character),
        }
    }
}
