//! Single values of a column: as text, and as fingerprints by which equal values are found. Pure.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};

use crate::civil::{DAY_US, SECOND_US, show_time};
use crate::error::Result;

/// The characters of a value that reports show.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// The column with its values in place of dictionary indexes.
pub fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Dictionary(_, values) => Ok(cast(array, values)?),
        _ => Ok(ArrayRef::clone(array)),
    }
}

/// The value of a plain column at a row as a spec would write it; numbers without needless zeros.
pub fn text(array: &dyn Array, row: usize) -> String {
    if array.is_null(row) {
        return "null".to_owned();
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => (array.as_primitive::<Float64Type>().value(row) + 0.0).to_string(),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Timestamp(..) => time_text(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::Date32 => {
            let day = i64::from(array.as_primitive::<Date32Type>().value(row));
            show_time(day * DAY_US).trim_end_matches("T00:00:00Z").to_owned()
        }
        DataType::Decimal128(..) => {
            let text = array.as_primitive::<Decimal128Type>().value_as_string(row);
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
        other => format!("a value of type {other}"),
    }
}

/// As [`text`], cut where it is longer than a report should show.
pub fn shown(array: &dyn Array, row: usize) -> String {
    let text = text(array, row);
    match text.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn time_text(time_us: i64) -> String {
    let whole = show_time(time_us);
    match time_us.rem_euclid(SECOND_US) {
        0 => whole,
        fraction => format!("{}.{fraction:06}Z", whole.trim_end_matches('Z')),
    }
}

/// What makes two values equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The value itself; for columns of one type.
    Native,
    /// How a spec would write it; for columns of several types.
    Text,
}

/// 128 bits for each value of a plain column, `None` for nulls. Equal values have equal fingerprints; of unequal ones
/// whole numbers, times and dates never share one, other values with a chance of about 2^-128.
pub fn fingerprints(array: &ArrayRef, form: Form) -> Vec<Option<u128>> {
    let of_row = |row: usize| match (form, array.data_type()) {
        (Form::Native, DataType::Boolean) => of_word(u64::from(array.as_boolean().value(row))),
        (Form::Native, DataType::Int64) => of_word(array.as_primitive::<Int64Type>().value(row) as u64),
        (Form::Native, DataType::Float64) => of_word((array.as_primitive::<Float64Type>().value(row) + 0.0).to_bits()),
        (Form::Native, DataType::Timestamp(..)) => {
            of_word(array.as_primitive::<TimestampMicrosecondType>().value(row) as u64)
        }
        (Form::Native, DataType::Date32) => of_word(array.as_primitive::<Date32Type>().value(row) as u64),
        (Form::Native, DataType::Decimal128(..)) => {
            of_bytes(&array.as_primitive::<Decimal128Type>().value(row).to_le_bytes())
        }
        (_, DataType::Utf8) => of_bytes(array.as_string::<i32>().value(row).as_bytes()),
        _ => of_bytes(text(array, row).as_bytes()),
    };
    (0..array.len()).map(|row| array.is_valid(row).then(|| of_row(row))).collect()
}

/// Odd constants without a pattern: the first digits of the square roots of 2 and 3.
const LANES: [u64; 2] = [0x6A09_E667_F3BC_C909, 0xBB67_AE85_84CA_A73B];

/// Both lanes are bijections of the word, so no two words share a fingerprint.
const fn of_word(word: u64) -> u128 {
    (scatter(word ^ LANES[0]) as u128) << 64 | scatter(word.wrapping_mul(LANES[1])) as u128
}

fn of_bytes(bytes: &[u8]) -> u128 {
    let [high, low] = LANES.map(|lane| {
        let start = lane ^ (bytes.len() as u64).wrapping_mul(LANES[0]);
        let state = bytes.chunks(8).fold(start, |state, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            scatter(state ^ u64::from_le_bytes(word)).wrapping_mul(lane).rotate_left(23)
        });
        scatter(state)
    });
    u128::from(high) << 64 | u128::from(low)
}

/// A bijection in which each bit of the input changes about half of the output's.
const fn scatter(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};

    use super::*;
    use crate::measure::{dates, decimals, ints, times};

    #[test]
    fn values_are_written_as_specs_write_them() {
        let cases: [(ArrayRef, &str); 7] = [
            (ints(vec![-3]), "-3"),
            (Arc::new(Float64Array::from(vec![1.0])), "1"),
            (decimals(vec![150], 9, 2).unwrap(), "1.5"),
            (decimals(vec![100], 9, 0).unwrap(), "100"),
            (times(vec![1_500_000]), "1970-01-01T00:00:01.500000Z"),
            (dates(vec![19_782]), "2024-02-29"),
            (Arc::new(Int64Array::from(vec![None])), "null"),
        ];
        for (array, expected) in cases {
            assert_eq!(text(&array, 0), expected);
        }
        let long: ArrayRef = Arc::new(StringArray::from(vec!["ä".repeat(100)]));
        assert_eq!(shown(&long, 0).chars().count(), SHOWN_CHARACTERS_MAX + 1);
    }

    #[test]
    fn fingerprints_tell_values_apart() {
        let words = fingerprints(&ints((-50_000..50_000).collect()), Form::Native);
        assert_eq!(words.iter().collect::<HashSet<_>>().len(), 100_000);
        let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..100_000).map(|i| format!("name {i:09}"))));
        assert_eq!(fingerprints(&names, Form::Native).iter().collect::<HashSet<_>>().len(), 100_000);
        let zeros: ArrayRef = Arc::new(StringArray::from(vec!["", "\0", "\0\0", "\0\0\0\0\0\0\0\0"]));
        assert_eq!(fingerprints(&zeros, Form::Native).iter().collect::<HashSet<_>>().len(), 4);
    }

    #[test]
    fn equal_values_of_several_types_meet_as_text() {
        let two: [ArrayRef; 3] =
            [ints(vec![2]), Arc::new(Float64Array::from(vec![2.0])), decimals(vec![200], 9, 2).unwrap()];
        let found: HashSet<_> = two.iter().map(|array| fingerprints(array, Form::Text)).collect();
        assert_eq!(found.len(), 1);
        let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0]));
        let found = fingerprints(&zeros, Form::Native);
        assert_eq!(found[0], found[1]);
    }
}
