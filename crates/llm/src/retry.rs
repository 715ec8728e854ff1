//! Whether and when a failed call is tried again, as a table. Pure.

use crate::error::{CallError, Class};
use crate::limits::{TRIES_MAX, WAIT_MS_MAX};

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The same again, after so many milliseconds.
    Again {
        /// How long to wait.
        after_ms: u64,
    },
    /// Not here and not now: the next provider of the chain, or later.
    GiveUp,
    /// Not at all: asking again, here or elsewhere, changes nothing.
    Never,
}

/// What was tried so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tried {
    /// Tries, the one that just failed included.
    pub(crate) tries: u32,
    /// All waits so far.
    pub(crate) waited_ms: u64,
}

/// How often and how slowly a class is tried again.
struct Row {
    tries: u32,
    first_ms: u64,
    most_ms: u64,
}

/// The table. A class that is not tried again has no row.
fn row(class: Class) -> Option<Row> {
    let row = |tries, first_ms, most_ms| Some(Row { tries, first_ms, most_ms });
    match class {
        Class::RateLimited | Class::Overloaded => row(TRIES_MAX, 1_000, 60_000),
        Class::Server => row(5, 500, 30_000),
        Class::Unreachable => row(4, 500, 10_000),
        // These may have been charged, and every try counts as spent: fewer of them.
        Class::Network | Class::Timeout | Class::Malformed => row(3, 500, 10_000),
        _ => None,
    }
}

/// What to do after `error`, given what was tried and a draw of 0 to 2^64 − 1 that spreads the callers.
///
/// A time that the provider names is kept to, never undercut: the spread comes on top. Without one the wait doubles
/// from try to try, and a half of it is drawn.
pub(crate) fn next(error: &CallError, tried: Tried, draw: u64) -> Next {
    let class = error.class();
    let Some(row) = row(class) else {
        let is_elsewhere_fine = matches!(class, Class::Authentication | Class::Spending | Class::ContextTooLong);
        return if is_elsewhere_fine { Next::GiveUp } else { Next::Never };
    };
    if tried.tries >= row.tries {
        return Next::GiveUp;
    }
    let backoff = row.first_ms.saturating_mul(1 << tried.tries.saturating_sub(1).min(20)).min(row.most_ms);
    let after_ms = match error.after_ms() {
        Some(named) => named.saturating_add(scaled(row.first_ms, draw)),
        None => backoff / 2 + scaled(backoff / 2, draw),
    };
    match tried.waited_ms.checked_add(after_ms) {
        Some(waited_ms) if waited_ms <= WAIT_MS_MAX => Next::Again { after_ms },
        _ => Next::GiveUp,
    }
}

/// The share `draw / 2^64` of `most`.
fn scaled(most: u64, draw: u64) -> u64 {
    u64::try_from((u128::from(most) * u128::from(draw)) >> 64).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(after_ms: Option<u64>) -> CallError {
        CallError::RateLimited { after_ms, message: String::new() }
    }

    fn waits(error: &CallError, draw: u64) -> Vec<u64> {
        let mut tried = Tried::default();
        let mut waits = Vec::new();
        loop {
            tried.tries += 1;
            let Next::Again { after_ms } = next(error, tried, draw) else { return waits };
            tried.waited_ms += after_ms;
            waits.push(after_ms);
        }
    }

    #[test]
    fn waits_double_up_to_a_bound_and_end() {
        assert_eq!(waits(&limited(None), 0), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
        let most = waits(&limited(None), u64::MAX);
        assert!(
            most.iter().zip([1_000, 2_000, 4_000]).all(|(wait, bound)| *wait <= bound && wait + 2 > bound),
            "{most:?}"
        );
        assert_eq!(waits(&CallError::Timeout { seconds: 1 }, 0), [250, 500]);
        assert_eq!(waits(&CallError::Unreachable(String::new()), 0).len(), 3);
    }

    #[test]
    fn a_time_that_is_named_is_never_undercut_and_the_sum_is_bounded() {
        assert_eq!(waits(&limited(Some(7_000)), 0), [7_000; 7]);
        assert!(waits(&limited(Some(7_000)), u64::MAX).iter().all(|wait| (7_000..=8_000).contains(wait)));
        assert_eq!(waits(&limited(Some(250_000)), 0), [250_000; 2]);
        assert_eq!(waits(&limited(Some(u64::MAX)), 1), Vec::<u64>::new());
    }

    #[test]
    fn what_a_wait_does_not_mend_is_not_waited_for() {
        let text = String::new;
        for (error, wanted) in [
            (CallError::Spending(text()), Next::GiveUp),
            (CallError::Authentication(text()), Next::GiveUp),
            (CallError::ContextTooLong(text()), Next::GiveUp),
            (CallError::BadRequest(text()), Next::Never),
            (CallError::Refused(text()), Next::Never),
            (CallError::SchemaRefused(text()), Next::Never),
        ] {
            assert_eq!(next(&error, Tried { tries: 1, waited_ms: 0 }, 0), wanted, "{error:?}");
        }
    }
}
