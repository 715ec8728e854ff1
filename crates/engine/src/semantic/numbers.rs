//! Numbers and flags, and how they are written. Pure.

use super::cell::Cell;
use super::method::Method;
use crate::random::key::below;

/// A whole number of units of a power of ten: exact until the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scaled {
    /// How many units.
    pub(super) units: i64,
    /// How many decimals a unit has.
    pub(super) decimals: u32,
}

impl Scaled {
    /// The nearest float.
    pub(super) fn float(self) -> f64 {
        self.units as f64 / 10u64.pow(self.decimals) as f64
    }

    /// Appends the number with all its decimals.
    pub(super) fn write(self, out: &mut String) {
        if self.units < 0 {
            out.push('-');
        }
        let unit = 10u64.pow(self.decimals);
        digits(self.units.unsigned_abs() / unit, out);
        if self.decimals > 0 {
            out.push('.');
            padded(self.units.unsigned_abs() % unit, self.decimals as usize, out);
        }
    }
}

/// The number of a cell whose type gives numbers.
pub(super) fn number(cell: &Cell<'_>) -> Scaled {
    let settings = &cell.semantic.settings;
    let whole = |units| Scaled { units, decimals: 0 };
    let near = |degrees_e6: i64, number| Scaled {
        units: degrees_e6 + below(cell.local(number), 2 * NEAR_E6 + 1) as i64 - NEAR_E6 as i64,
        decimals: 6,
    };
    match cell.semantic.method {
        Method::Latitude => near(cell.city().latitude_e6, 5),
        Method::Longitude => near(cell.city().longitude_e6, 6),
        Method::Rating => Scaled { units: rating(cell.own(0)), decimals: 1 },
        Method::Percentage => Scaled { units: below(cell.own(0), 1001) as i64, decimals: 1 },
        Method::Age => whole(within(cell.personal(3), settings.min, settings.max)),
        Method::RandomInt => whole(within(cell.own(0), settings.min, settings.max)),
        Method::RandomDigit => whole(below(cell.own(0), 10) as i64),
        Method::PortNumber => whole(1024 + below(cell.own(0), 64_512) as i64),
        _ => whole(STATUSES[below(cell.own(0), STATUSES.len() as u64) as usize]),
    }
}

/// How far a point lies from the centre of its city at most, in millionths of a degree: about five kilometres.
const NEAR_E6: u64 = 45_000;

/// HTTP statuses, as often as they stand here.
const STATUSES: [i64; 16] = [200, 200, 200, 200, 200, 200, 200, 201, 204, 301, 302, 304, 400, 401, 404, 500];

/// The better of two dice from 10 to 50 tenths.
fn rating(bits: u64) -> i64 {
    let die = |bits: u64| 10 + below(bits, 41) as i64;
    die(bits).max(die(bits << 32))
}

/// A number from `min` to `max`, both included.
fn within(bits: u64, min: i64, max: i64) -> i64 {
    let span = max.abs_diff(min);
    let offset = if span == u64::MAX { bits } else { below(bits, span + 1) };
    min.wrapping_add_unsigned(offset)
}

/// The flag of a cell whose type gives flags.
pub(super) fn flag(cell: &Cell<'_>) -> bool {
    cell.own(0) >> 63 == 1
}

/// Appends `number` in decimal.
#[inline]
pub(super) fn digits(number: u64, out: &mut String) {
    let width = number.checked_ilog10().unwrap_or(0) as usize + 1;
    padded(number, width, out);
}

/// Appends the last `width` decimal digits of `number`.
#[inline]
pub(super) fn padded(mut number: u64, width: usize, out: &mut String) {
    let mut buffer = [b'0'; 20];
    for place in buffer[20 - width..].iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.push_str(std::str::from_utf8(&buffer[20 - width..]).expect("digits are text"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_full() {
        let text = |units, decimals| {
            let mut out = String::new();
            Scaled { units, decimals }.write(&mut out);
            out
        };
        assert_eq!(text(-130_005, 6), "-0.130005");
        assert_eq!(text(40_710_000, 6), "40.710000");
        assert_eq!(text(i64::MIN, 0), "-9223372036854775808");
        assert_eq!(Scaled { units: 47, decimals: 1 }.float(), 4.7);
    }

    #[test]
    fn bounds_are_included_and_kept() {
        assert_eq!((within(0, -3, 3), within(u64::MAX, -3, 3)), (-3, 3));
        assert_eq!((within(0, i64::MIN, i64::MAX), within(u64::MAX, i64::MIN, i64::MAX)), (i64::MIN, i64::MAX));
    }
}
