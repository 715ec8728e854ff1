//! Numbers, dates and times as text, appended to a byte buffer. Pure.

use super::blocks::append_block;

/// "00" to "99".
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [b'0' + (at / 10) as u8, b'0' + (at % 10) as u8];
        at += 1;
    }
    pairs
};

/// Appends `value` in decimal.
#[inline]
pub(super) fn append_integer(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    append_unsigned(value.unsigned_abs(), out);
}

/// Appends `value` in decimal.
#[inline]
fn append_unsigned(value: u64, out: &mut Vec<u8>) {
    // Digits are made from the right and end at byte 20; the bytes after them fill the block that is copied.
    let mut digits = [0_u8; 40];
    let mut at = 20;
    let mut rest = value;
    while rest >= 100 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    if rest >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[rest as usize]);
    } else {
        at -= 1;
        digits[at] = b'0' + rest as u8;
    }
    let block = digits[at..].first_chunk::<20>().expect("digits start at or before byte 20 of 40");
    append_block(block, 20 - at, out);
}

/// The digits after the point of a decimal column, and the power of ten that splits them off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    digits: usize,
    power: u128,
}

impl Scale {
    /// The scale of a Decimal128 type; `None` for a negative one, which our types never have.
    pub(super) fn new(scale: i8) -> Option<Self> {
        let digits = u32::try_from(scale).ok()?;
        Some(Self { digits: digits as usize, power: 10_u128.checked_pow(digits)? })
    }
}

/// Appends the scaled integer `value` with exactly the scale's digits after the point.
#[inline]
pub(super) fn append_decimal(value: i128, scale: Scale, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let magnitude = value.unsigned_abs();
    match (u64::try_from(magnitude), u64::try_from(scale.power)) {
        (Ok(magnitude), Ok(power)) => {
            append_unsigned(magnitude / power, out);
            append_fraction(u128::from(magnitude % power), scale.digits, out);
        }
        _ => {
            append_wide(magnitude / scale.power, out);
            append_fraction(magnitude % scale.power, scale.digits, out);
        }
    }
}

/// Appends `value`, which may need more digits than a u64 has.
fn append_wide(value: u128, out: &mut Vec<u8>) {
    const HALF: u128 = 10_u128.pow(19);
    match u64::try_from(value) {
        Ok(value) => append_unsigned(value, out),
        Err(_) => {
            append_wide(value / HALF, out);
            append_padded(value % HALF, 19, out);
        }
    }
}

/// Appends the point and `digits` digits of `fraction`; nothing for a scale of 0.
#[inline]
fn append_fraction(fraction: u128, digits: usize, out: &mut Vec<u8>) {
    match digits {
        0 => {}
        2 => {
            let [tens, ones] = PAIRS[fraction as usize];
            out.extend_from_slice(&[b'.', tens, ones]);
        }
        _ => {
            out.push(b'.');
            append_padded(fraction, digits, out);
        }
    }
}

/// Appends the lowest `digits` digits of `value`, with leading zeros.
fn append_padded(value: u128, digits: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + digits, b'0');
    let mut rest = value;
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

/// Appends the day `days` after 1970-01-01 as `YYYY-MM-DD`.
#[inline]
pub(super) fn append_date(days: i32, out: &mut Vec<u8>) {
    let (year, month, day) = civil(i64::from(days));
    append_year(year, out);
    let mut block = *b"-00-00";
    block[1..3].copy_from_slice(&PAIRS[month as usize]);
    block[4..6].copy_from_slice(&PAIRS[day as usize]);
    out.extend_from_slice(&block);
}

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// Appends the instant `micros` microseconds after the epoch as `YYYY-MM-DDTHH:MM:SS.ffffff`. The shape is the same
/// for every value, so that a reader infers one type whatever rows it sees first.
#[inline]
pub(super) fn append_timestamp(micros: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(micros.div_euclid(DAY_MICROS));
    append_year(year, out);
    let of_day = micros.rem_euclid(DAY_MICROS) as u64;
    let (seconds, fraction) = ((of_day / 1_000_000) as usize, (of_day % 1_000_000) as usize);
    let mut block = *b"-00-00T00:00:00.000000";
    let pairs = [
        (1, month as usize),
        (4, day as usize),
        (7, seconds / 3600),
        (10, seconds / 60 % 60),
        (13, seconds % 60),
        (16, fraction / 10_000),
        (18, fraction / 100 % 100),
        (20, fraction % 100),
    ];
    for (at, value) in pairs {
        block[at..at + 2].copy_from_slice(&PAIRS[value]);
    }
    out.extend_from_slice(&block);
}

/// Appends a year with at least four digits; outside 0 to 9999 with a sign, as ISO 8601 asks.
#[inline]
fn append_year(year: i64, out: &mut Vec<u8>) {
    if (0..=9999).contains(&year) {
        let [[a, b], [c, d]] = [PAIRS[(year / 100) as usize], PAIRS[(year % 100) as usize]];
        out.extend_from_slice(&[a, b, c, d]);
        return;
    }
    out.push(if year < 0 { b'-' } else { b'+' });
    let magnitude = year.unsigned_abs();
    append_padded(u128::from(magnitude), magnitude.to_string().len().max(4), out);
}

/// Year, month and day of the proleptic Gregorian calendar, `days` after 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year, in eras of 400 years, which all have
/// 146 097 days.
#[inline]
fn civil(days: i64) -> (i64, u32, u32) {
    const ERA_DAYS: i64 = 146_097;
    // Days from 0000-03-01 to 1970-01-01.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(ERA_DAYS);
    let day_of_era = shifted.rem_euclid(ERA_DAYS) as u32;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // 153 days make five months from March on: 31, 30, 31, 30, 31.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + i64::from(year_of_era) + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, Date32Array, Decimal128Array, TimestampMicrosecondArray};
    use arrow::util::display::{ArrayFormatter, FormatOptions};
    use proptest::prelude::*;

    use super::*;

    fn text(append: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        append(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn arrow_text(array: &dyn Array) -> String {
        let options = FormatOptions::default().with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.6f"));
        ArrayFormatter::try_new(array, &options).unwrap().value(0).to_string()
    }

    #[test]
    fn edges_of_every_kind() {
        for value in [0, 9, 10, 99, 100, -1, -100, i64::MAX, i64::MIN] {
            assert_eq!(text(|out| append_integer(value, out)), value.to_string());
        }
        let cases = [(0, 2, "0.00"), (-5, 2, "-0.05"), (-12_345, 2, "-123.45"), (7, 0, "7"), (1, 5, "0.00001")];
        for (value, scale, expected) in cases {
            assert_eq!(text(|out| append_decimal(value, Scale::new(scale).unwrap(), out)), expected);
        }
        assert!(Scale::new(-1).is_none());
        assert_eq!(text(|out| append_timestamp(-1, out)), "1969-12-31T23:59:59.999999");
        assert_eq!(text(|out| append_date(-719_529, out)), "-0001-12-31");
        assert_eq!(text(|out| append_date(2_932_897, out)), "+10000-01-01");
    }

    proptest! {
        #[test]
        fn integers_as_the_standard_library(value: i64, shift in 0_u32..64) {
            let value = value >> shift;
            prop_assert_eq!(text(|out| append_integer(value, out)), value.to_string());
        }

        #[test]
        fn decimals_as_arrow(value: i128, shift in 0_u32..128, scale in 0_i8..=38) {
            let value = (value >> shift) % 10_i128.pow(38);
            let array = Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap();
            prop_assert_eq!(text(|out| append_decimal(value, Scale::new(scale).unwrap(), out)), arrow_text(&array));
        }

        #[test]
        fn dates_as_arrow(days in -719_000_i32..2_900_000) {
            prop_assert_eq!(text(|out| append_date(days, out)), arrow_text(&Date32Array::from(vec![days])));
        }

        #[test]
        fn instants_as_arrow(micros in -62_000_000_000_000_000_i64..250_000_000_000_000_000) {
            let array = TimestampMicrosecondArray::from(vec![micros]);
            prop_assert_eq!(text(|out| append_timestamp(micros, out)), arrow_text(&array));
        }
    }
}
