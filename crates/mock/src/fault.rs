//! What goes wrong, and how often: faults by name and by share of the calls. Pure.

use crate::error::OptionError;

macro_rules! faults {
    ($($variant:ident $name:literal $describes:literal;)*) => {
        /// One way in which a call goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $(#[doc = $describes] $variant,)*
        }

        impl Fault {
            /// All faults.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in options, headers and after a model's name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What happens, without a full stop.
            pub const fn describes(self) -> &'static str {
                match self { $(Self::$variant => $describes,)* }
            }
        }
    };
}

faults! {
    Timeout "timeout" "the answer is made and charged, and never sent";
    Reset "reset" "the answer is made and charged, and the connection is reset";
    HalfBody "half_body" "the answer is charged, and the connection ends in the middle of it";
    Slow "slow" "the answer takes ten times as long, and at least two seconds";
    ServerError "server_error" "500, nothing is charged";
    Unavailable "unavailable" "503, nothing is charged";
    Overloaded "overloaded" "529 where the provider has it, else 503; nothing is charged";
    RateLimited "rate_limited" "429 that does not say when to come back";
    SpendLimit "spend_limit" "the account's own spending limit is reached";
    Unauthorized "unauthorized" "the key is refused";
    Html "html" "502 with a page of HTML";
    ErrorBody "error_body" "200 with the body of an error, nothing is charged";
    Refusal "refusal" "the model refuses";
    Truncated "truncated" "the answer ends half-way as if its token limit were reached";
    Fenced "fenced" "the answer stands in a fenced block";
    Prose "prose" "there are sentences around the answer";
    WrongJson "wrong_json" "the answer is JSON that breaks the schema";
    InvalidJson "invalid_json" "the answer is no JSON";
    Control "control" "there are control characters in the answer";
    Huge "huge" "the answer is 10 MiB long";
}

impl Fault {
    /// The fault called `name`.
    ///
    /// # Errors
    /// When there is none; the error names the nearest.
    pub fn from_name(name: &str) -> Result<Self, OptionError> {
        let found = Self::ALL.iter().copied().find(|fault| fault.name() == name);
        found.ok_or_else(|| {
            let near = |fault: &&Self| strsim::damerau_levenshtein(fault.name(), name);
            let suggestion = Self::ALL.iter().min_by_key(near).filter(|fault| near(fault) <= 3);
            let known = Self::ALL.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ");
            let suggestion = suggestion.map(|fault| fault.name().to_owned());
            OptionError::Fault { name: name.to_owned(), suggestion, known }
        })
    }

    /// Whether it changes the text of an answer, and so means nothing where there is none.
    pub(crate) fn changes_the_text(self) -> bool {
        self >= Self::Refusal
    }
}

/// Calls in a million.
const MILLION: u64 = 1_000_000;

/// Which share of the calls meets which fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Each fault with the calls in a million that meet it.
    shares: Vec<(Fault, u64)>,
}

impl Faults {
    /// Reads `timeout:1%,reset:0.5%`; nothing where nothing goes wrong.
    ///
    /// # Errors
    /// When a name or a share is not understood, or all shares come to more than 100 %.
    pub fn read(text: &str) -> Result<Self, OptionError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let shares = parts.map(share).collect::<Result<Vec<_>, _>>()?;
        let sum: u64 = shares.iter().map(|(_, share)| share).sum();
        if sum > MILLION {
            return Err(OptionError::Shares { percent: sum.div_ceil(MILLION / 100) });
        }
        Ok(Self { shares })
    }

    /// The fault of the call that drew `bits`.
    pub(crate) fn draw(&self, bits: u64) -> Option<Fault> {
        let mut left = shardmill_engine::random::key::below(bits, MILLION);
        for (fault, share) in &self.shares {
            match left.checked_sub(*share) {
                Some(rest) => left = rest,
                None => return Some(*fault),
            }
        }
        None
    }
}

fn share(part: &str) -> Result<(Fault, u64), OptionError> {
    let (name, share) = part.split_once(':').unwrap_or((part, ""));
    let (name, share) = (name.trim(), share.trim());
    let fault = Fault::from_name(name)?;
    let percent = share.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    match percent.filter(|percent| (0.0..=100.0).contains(percent)) {
        Some(percent) => Ok((fault, (percent * (MILLION / 100) as f64).round() as u64)),
        None => Err(OptionError::Share { name: name.to_owned(), share: share.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shardmill_engine::random::key::Key;

    #[test]
    fn shares_are_kept() {
        let faults = Faults::read("timeout:1%, reset:0.5%,wrong_json:20%").expect("right");
        let key = Key::from_words(1, 2);
        let mut counts = [0u32; 3];
        for row in 0..100_000 {
            match faults.draw(key.draw(row)) {
                Some(Fault::Timeout) => counts[0] += 1,
                Some(Fault::Reset) => counts[1] += 1,
                Some(Fault::WrongJson) => counts[2] += 1,
                Some(other) => panic!("{other:?} was not asked for"),
                None => {}
            }
        }
        for (count, expected) in counts.into_iter().zip([1_000, 500, 20_000]) {
            assert!(count.abs_diff(expected) < expected / 5, "{counts:?}");
        }
        assert_eq!(Faults::read("html:100%").expect("right").draw(u64::MAX), Some(Fault::Html));
        assert_eq!(Faults::read(" ").expect("right").draw(0), None);
    }

    #[test]
    fn what_is_wrong_is_named_with_a_remedy() {
        for (text, part) in [
            ("timeuot:1%", "did you mean `timeout`"),
            ("earthquake:1%", "the faults are timeout, reset"),
            ("reset", "such as `reset:1%`"),
            ("reset:1", "expected a percentage"),
            ("reset:101%", "expected a percentage"),
            ("reset:60%,html:60%", "come to 120 %"),
        ] {
            let error = Faults::read(text).expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn every_name_is_its_own() {
        for fault in Fault::ALL {
            assert_eq!(Fault::from_name(fault.name()), Ok(*fault));
        }
        assert!(Fault::Control.changes_the_text() && !Fault::ErrorBody.changes_the_text());
    }
}
