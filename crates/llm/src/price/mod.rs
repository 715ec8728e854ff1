//! What calls cost: rates from a dated file that users can override, the most a call can cost, what it did cost. Pure.

mod rates;
mod book;

pub use book::{BandConfig, PriceConfig, PriceLine, Prices};
pub use rates::{Band, Price, Rates};
