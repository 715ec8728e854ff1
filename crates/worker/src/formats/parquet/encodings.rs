//! Which Parquet encoding suits a column, judged by its first batch. Pure.
//!
//! The choice is a function of the batch alone, and a shard's batches are the same in every attempt, so it never makes
//! two attempts differ. A choice that later rows do not bear out costs bytes, never correctness.

use std::collections::HashSet;
use std::hash::Hash;

use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};

/// How a column is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnEncoding {
    /// As it is.
    Plain,
    /// Differences to the value before, packed: sequences, ordered times, narrow ranges.
    Delta,
    /// Numbers of distinct values, of which there are few.
    Dictionary,
}

/// Rows looked at per column.
const SAMPLE_ROWS: usize = 4096;

/// Distinct values in the sample up to which a dictionary pays. One byte per row is then the most it takes.
const FEW: usize = 256;

/// The encoding for a column that begins with `array`.
pub(super) fn choose(array: &dyn Array) -> ColumnEncoding {
    match array.data_type() {
        DataType::Dictionary(_, _) => ColumnEncoding::Dictionary,
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            by_repetition(array, |row| texts.value(row))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values();
            by_repetition(array, |row| values[row].to_bits())
        }
        DataType::Int64 => integers::<Int64Type>(array, 64),
        DataType::Timestamp(_, _) if array.as_primitive_opt::<TimestampMicrosecondType>().is_some() => {
            integers::<TimestampMicrosecondType>(array, 64)
        }
        DataType::Date32 => integers::<Date32Type>(array, 32),
        // Up to 9 digits are stored in 32 bits, up to 18 in 64, more in bytes, which cannot be packed.
        DataType::Decimal128(precision, _) if *precision <= 9 => integers::<Decimal128Type>(array, 32),
        DataType::Decimal128(precision, _) if *precision <= 18 => integers::<Decimal128Type>(array, 64),
        DataType::Decimal128(_, _) => {
            let values = array.as_primitive::<Decimal128Type>().values();
            by_repetition(array, |row| values[row])
        }
        _ => ColumnEncoding::Plain,
    }
}

fn by_repetition<T: Eq + Hash>(array: &dyn Array, value: impl Fn(usize) -> T) -> ColumnEncoding {
    if repeats(array, value) { ColumnEncoding::Dictionary } else { ColumnEncoding::Plain }
}

/// Whether rows spread over the whole array share few values: at most `FEW`, and each at least eight times on average.
fn repeats<T: Eq + Hash>(array: &dyn Array, value: impl Fn(usize) -> T) -> bool {
    let step = array.len().div_ceil(SAMPLE_ROWS).max(1);
    let mut distinct = HashSet::new();
    let mut seen = 0_usize;
    for row in (0..array.len()).step_by(step).filter(|&row| array.is_valid(row)) {
        seen += 1;
        distinct.insert(value(row));
        if distinct.len() > FEW {
            return false;
        }
    }
    distinct.len() * 8 <= seen && seen > 0
}

fn integers<T>(array: &dyn Array, physical_bits: u32) -> ColumnEncoding
where
    T: ArrowPrimitiveType,
    T::Native: Into<i128> + Eq + Hash,
{
    let values = array.as_primitive::<T>().values();
    let valid = (0..array.len()).filter(|&row| array.is_valid(row));
    let sample: Vec<i128> = valid.take(SAMPLE_ROWS).map(|row| values[row].into()).collect();
    // Packing a quarter of the bits away already beats plain values in size and in time, with and without compression.
    let narrow = sample.len() > 1 && packed_bits(&sample) <= physical_bits * 3 / 4;
    if narrow && is_ordered(&sample) {
        return ColumnEncoding::Delta;
    }
    match by_repetition(array, |row| values[row]) {
        ColumnEncoding::Plain if narrow => ColumnEncoding::Delta,
        other => other,
    }
}

fn is_ordered(values: &[i128]) -> bool {
    values.is_sorted() || values.iter().rev().is_sorted()
}

/// Bits per value that packed differences take on average. The encoder packs 32 or 64 differences at the width of the
/// largest, counted from the smallest.
fn packed_bits(values: &[i128]) -> u32 {
    let differences: Vec<i128> = values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    let blocks = differences.chunks(32).map(|block| {
        let (low, high) = block.iter().fold((i128::MAX, i128::MIN), |(low, high), &d| (low.min(d), high.max(d)));
        128 - high.wrapping_sub(low).unsigned_abs().leading_zeros()
    });
    let count = differences.len().div_ceil(32).max(1) as u32;
    blocks.sum::<u32>() / count
}

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, Float64Array, Int64Array, StringArray};

    use super::ColumnEncoding::{Delta, Dictionary, Plain};
    use super::*;

    fn scattered(at: i64, bits: u32) -> i64 {
        (at.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64) as u64 >> (64 - bits)) as i64
    }

    fn of_integers(value: impl Fn(i64) -> Option<i64>) -> ColumnEncoding {
        choose(&Int64Array::from_iter((0..10_000).map(value)))
    }

    #[test]
    fn integers_by_order_then_repetition_then_width() {
        assert_eq!(of_integers(Some), Delta);
        assert_eq!(of_integers(|at| Some(-at * 1_000_003)), Delta);
        assert_eq!(of_integers(|at| (at % 2 == 0).then_some(at / 5)), Delta);
        assert_eq!(of_integers(|at| Some(scattered(at, 5))), Dictionary);
        assert_eq!(of_integers(|at| Some(scattered(at, 30))), Delta);
        assert_eq!(of_integers(|at| Some(scattered(at, 64))), Plain);
        assert_eq!(of_integers(|_| None), Plain);
        assert_eq!(choose(&Int64Array::from(vec![i64::MIN, i64::MAX, 0])), Plain);
        assert_eq!(choose(&Int64Array::from(vec![7])), Plain);
    }

    #[test]
    fn decimals_by_their_stored_width() {
        let decimals = |precision, bits| {
            let values = Decimal128Array::from_iter_values((0..10_000).map(|at| i128::from(scattered(at, bits))));
            choose(&values.with_precision_and_scale(precision, 2).unwrap())
        };
        assert_eq!(decimals(9, 20), Delta);
        assert_eq!(decimals(9, 29), Plain);
        assert_eq!(decimals(18, 29), Delta);
        assert_eq!(decimals(19, 29), Plain);
        assert_eq!(decimals(19, 3), Dictionary);
    }

    #[test]
    fn texts_and_floats_by_repetition_over_the_whole_batch() {
        let texts =
            |of: &dyn Fn(i64) -> i64| choose(&StringArray::from_iter_values((0..10_000).map(|at| of(at).to_string())));
        assert_eq!(texts(&|at| at % 100), Dictionary);
        assert_eq!(texts(&|at| at), Plain);
        assert_eq!(texts(&|at| if at < 4096 { 0 } else { at }), Plain);
        assert_eq!(choose(&Float64Array::from_iter_values((0..10_000).map(|at| f64::from(at % 7)))), Dictionary);
        assert_eq!(choose(&Float64Array::from_iter_values((0..10_000).map(f64::from))), Plain);
        assert_eq!(choose(&StringArray::from(Vec::<&str>::new())), Plain);
    }
}
