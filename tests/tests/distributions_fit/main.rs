//! Values are distributed as their spec says: goodness of fit for every generator, modifier and fan-out that draws.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod numbers;
mod choices;
mod calendars;
mod bounded;
mod fanouts;
mod effects;
mod modifiers;
mod nulls;
