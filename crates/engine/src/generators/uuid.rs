//! `uuid`: version 4 or 7 shaped identifiers, unique by construction. Pure.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use shardmill_shared::spec::Place;

use super::{Generator, Info, Param, Read};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::frame::Source;
use crate::measure::measure;
use crate::random::key::Key;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "uuid",
    about: "identifiers shaped like UUIDs (RFC 9562), different in every row",
    params: &[
        Param {
            name: "version",
            takes: "4 or 7",
            default: "4",
            about: "7 begins with a time, so that identifiers sort by it",
        },
        Param {
            name: "time",
            takes: "datetime column",
            default: "start of the timeframe",
            about: "version 7: whose milliseconds are used",
        },
    ],
    bare: Some("version"),
    example: "{type: string, uuid: {version: 4}}",
    build,
};

#[derive(Debug)]
struct Uuid {
    key: Key,
    version: Version,
}

#[derive(Debug)]
enum Version {
    Four,
    Seven { time: Option<Source>, start_ms: i64 },
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let version = fields.get("version").map_or(Some(4), |place| match place.int() {
        Some(4 | 7) => place.int(),
        Some(other) => place.problem(format!("version {other} is not made"), "4 or 7"),
        None => None,
    });
    let time = fields.get("time");
    fields.finish();
    let version = match (version?, time) {
        (4, None) => Version::Four,
        (4, Some(time)) => return time.problem("version 4 holds no time", "`version: 7`"),
        (_, Some(time)) => Version::Seven { time: Some(Source::Own(site.own_time(&time)?)), start_ms: 0 },
        (_, None) => Version::Seven { time: None, start_ms: site.timeframe(place)?.start / 1_000 },
    };
    Some(Box::new(Uuid { key: site.key(), version }))
}

impl Generator for Uuid {
    fn kind(&self) -> Type {
        Type::Text
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let rows = &draw.frame.rows;
        let times = match &self.version {
            Version::Seven { time: Some(source), .. } => Some(measure(&draw.frame.read_plain(*source)?)?),
            _ => None,
        };
        // One draw is a bijection of the row: all its bits go into the value, so no two rows are alike.
        let (first, second) = (self.key, self.key.number(1));
        let mut text = [0u8; 36];
        let mut out = StringBuilder::with_capacity(rows.len(), rows.len() * 36);
        for at in 0..rows.len() {
            let row = rows.at(at);
            let (unique, more) = (first.draw(row), second.draw(row));
            let value = match &self.version {
                Version::Four => version_4(unique, more),
                Version::Seven { start_ms, .. } => {
                    let ms =
                        times.as_ref().filter(|t| t.is_valid(at)).map_or(*start_ms, |t| (t.value(at) / 1e3) as i64);
                    version_7(ms, unique, more)
                }
            };
            out.append_value(format(value, &mut text));
        }
        Ok(Arc::new(out.finish()))
    }

    fn reads(&self) -> Vec<Read> {
        match &self.version {
            Version::Seven { time: Some(source), .. } => vec![Read::Column(*source)],
            _ => Vec::new(),
        }
    }

    fn is_unique(&self) -> bool {
        true
    }
}

/// 48 bits, version, 12 bits, variant, 62 bits: 64 of the 122 free bits are `unique`.
const fn version_4(unique: u64, more: u64) -> u128 {
    let high = (unique & 0xFFFF_FFFF_FFFF_0000) | 0x4000 | (more & 0x0FFF);
    let low = 0x8000_0000_0000_0000 | ((more >> 12 & 0x3FFF_FFFF_FFFF) << 16) | (unique & 0xFFFF);
    (high as u128) << 64 | low as u128
}

/// 48 bits of milliseconds since 1970, version, 12 bits, variant, 62 bits: 64 of the 74 free bits are `unique`.
const fn version_7(ms: i64, unique: u64, more: u64) -> u128 {
    let high = ((ms as u64 & 0xFFFF_FFFF_FFFF) << 16) | 0x7000 | (unique >> 52);
    let low = 0x8000_0000_0000_0000 | ((unique & 0x000F_FFFF_FFFF_FFFF) << 10) | (more & 0x3FF);
    (high as u128) << 64 | low as u128
}

fn format(value: u128, text: &mut [u8; 36]) -> &str {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut at = 0;
    for (byte, bits) in value.to_be_bytes().iter().enumerate() {
        if matches!(byte, 4 | 6 | 8 | 10) {
            text[at] = b'-';
            at += 1;
        }
        text[at] = HEX[usize::from(bits >> 4)];
        text[at + 1] = HEX[usize::from(bits & 15)];
        at += 2;
    }
    std::str::from_utf8(text).expect("hexadecimal digits are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_variant_stand_where_rfc_9562_puts_them() {
        let mut text = [0; 36];
        assert_eq!(format(version_4(u64::MAX, u64::MAX), &mut text), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(format(version_4(0, 0), &mut text), "00000000-0000-4000-8000-000000000000");
        assert_eq!(format(version_7(0x0190_1234_5678, u64::MAX, 0), &mut text), "01901234-5678-7fff-bfff-fffffffffc00");
    }
}
