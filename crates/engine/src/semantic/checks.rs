//! Check digits: Luhn, ISO 7064 (IBAN), EAN, ISBN-10. Pure.

/// The Luhn check digit of `digits` (ASCII), as ASCII.
pub(super) fn luhn(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0');
            if at % 2 == 0 { digit / 5 + digit * 2 % 10 } else { digit }
        })
        .sum();
    digit((10 - sum % 10) % 10)
}

/// The two IBAN check digits for `country` and `account` (ASCII letters and digits).
pub(super) fn iban(country: &str, account: &str) -> u32 {
    98 - mod97(account.bytes().chain(country.bytes()).chain(*b"00"))
}

/// The remainder by 97 of a text where A is 10 and Z is 35.
pub(super) fn mod97(text: impl Iterator<Item = u8>) -> u32 {
    text.fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.to_ascii_uppercase() - b'A') + 10) % 97,
    })
}

/// The check digit of an EAN or ISBN-13 whose other digits are `digits`.
pub(super) fn ean(digits: &str) -> char {
    let weigh = |(at, byte): (usize, u8)| u32::from(byte - b'0') * if at % 2 == 0 { 3 } else { 1 };
    let sum: u32 = digits.bytes().rev().enumerate().map(weigh).sum();
    digit((10 - sum % 10) % 10)
}

/// The check character of an ISBN-10 whose first nine digits are `digits`.
pub(super) fn isbn10(digits: &str) -> char {
    let sum: u32 = digits.bytes().zip(1..).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    if sum % 11 == 10 { 'X' } else { digit(sum % 11) }
}

/// The check character (ninth place) of a vehicle number of 17 characters; what stands in that place is not read.
pub(super) fn vin(number: &str) -> char {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let worth = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'H' => u32::from(byte - b'A') + 1,
        b'J'..=b'R' => u32::from(byte - b'J') + 1,
        b'S'..=b'Z' => u32::from(byte - b'S') + 2,
        _ => 0,
    };
    let sum: u32 = number.bytes().zip(WEIGHTS).map(|(byte, weight)| worth(byte) * weight).sum();
    if sum % 11 == 10 { 'X' } else { digit(sum % 11) }
}

fn digit(value: u32) -> char {
    char::from_digit(value, 10).expect("a remainder by ten is a digit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_check() {
        assert_eq!(luhn("411111111111111"), '1');
        assert_eq!(luhn("37828224631000"), '5');
        assert_eq!(iban("GB", "WEST12345698765432"), 82);
        assert_eq!(iban("DE", "370400440532013000"), 89);
        assert_eq!(ean("400638133393"), '1');
        assert_eq!(ean("978030640615"), '7');
        assert_eq!(isbn10("030640615"), '2');
        assert_eq!(isbn10("080442957"), 'X');
        assert_eq!(vin("1M8GDM9A_KP042788"), 'X');
        assert_eq!(vin("1HGCM82633A004352"), '3');
    }
}
