//! Values are distributed as their spec says: goodness of fit for every generator, modifier and fan-out that draws.

mod bounded;
mod fanouts;
mod effects;
