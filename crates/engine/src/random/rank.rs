//! A skewed choice of one rank among many, by one draw: rank 0 is the most popular. Pure.
//!
//! Every kind inverts its cumulative shares, so a larger draw never gives a smaller rank. Up to 65 536 ranks are an exact
//! table; what follows is one run of the table, inside which the continuous power law is inverted.

use super::key::below;
use super::weighted::Weighted;
use crate::math::exp::{exp, exp_m1, ln, ln_1p, pow};
use thiserror::Error;

/// How many ranks have their exact share; the law behind them is smooth to 1e-10.
const EXACT_RANKS: u64 = 65_536;
/// The most ranks: four steps of the tail's draw per rank.
pub const MAX_RANKS: u64 = 1 << 44;
/// The tail's draw has this many steps: far wider than the rounding of its formulas, so these cannot reverse two ranks.
const TAIL_STEPS: f64 = (1u64 << 46) as f64;
/// 2^64.
const ALL: f64 = (1u128 << 64) as f64;

/// How the shares fall with the rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Skew {
    /// All alike.
    Uniform,
    /// Rank r, counted from 1, has a share in proportion to r^-`alpha`.
    Zipf {
        /// Above 0.
        alpha: f64,
    },
    /// The first fifth of the ranks, at least one, has `head_share` in equal parts; the rest follows Zipf's law anew.
    HeadTail {
        /// Between 0 and 1, both excluded.
        head_share: f64,
        /// Above 0.
        tail_alpha: f64,
    },
}

/// Why ranks cannot be drawn.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum RankError {
    /// There is nothing to choose from.
    #[error("there are no ranks")]
    Empty,
    /// More ranks than draws are fine enough for.
    #[error("{ranks} ranks are more than {MAX_RANKS}")]
    TooMany {
        /// How many were asked for.
        ranks: u64,
    },
    /// An exponent that is not above 0.
    #[error("exponent {alpha} is not a finite number above 0")]
    Alpha {
        /// The exponent.
        alpha: f64,
    },
    /// A share that is not between 0 and 1.
    #[error("head share {head_share} is not between 0 and 1")]
    HeadShare {
        /// The share.
        head_share: f64,
    },
}

/// A distribution over the ranks 0, 1, 2, …
#[derive(Clone, Debug)]
pub struct Rank {
    ranks: u64,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Uniform,
    Zipf(Zipf),
    HeadTail { head: u64, split: u64, tail: Zipf },
}

impl Rank {
    /// The distribution of `kind` over `ranks` ranks.
    ///
    /// # Errors
    /// There are no ranks or more than `MAX_RANKS`, or a parameter is outside its range.
    pub fn new(kind: Skew, ranks: u64) -> Result<Self, RankError> {
        match ranks {
            0 => return Err(RankError::Empty),
            1..=MAX_RANKS => {}
            _ => return Err(RankError::TooMany { ranks }),
        }
        let form = match kind {
            Skew::Uniform => Form::Uniform,
            Skew::Zipf { alpha } => Form::Zipf(Zipf::new(alpha, ranks)?),
            Skew::HeadTail { head_share, tail_alpha } => head_tail(head_share, tail_alpha, ranks)?,
        };
        Ok(Self { ranks, form })
    }

    /// How many ranks there are.
    pub fn ranks(&self) -> u64 {
        self.ranks
    }

    /// The rank, from 0, that the draw `bits` chooses.
    #[inline]
    pub fn pick(&self, bits: u64) -> u64 {
        match &self.form {
            Form::Uniform => below(bits, self.ranks),
            Form::Zipf(zipf) => zipf.pick(bits),
            Form::HeadTail { head, split, .. } if bits < *split => {
                let unit = bits as f64 / *split as f64;
                ((unit * *head as f64) as u64).min(head - 1)
            }
            Form::HeadTail { head, split, tail } => {
                let unit = (bits - split) as f64 / (ALL - *split as f64);
                head + tail.pick((unit * ALL) as u64)
            }
        }
    }

    /// The probability of `rank`, from 0.
    pub fn share(&self, rank: u64) -> f64 {
        if rank >= self.ranks {
            return 0.0;
        }
        match &self.form {
            Form::Uniform => 1.0 / self.ranks as f64,
            Form::Zipf(zipf) => zipf.share(rank),
            Form::HeadTail { head, split, .. } if rank < *head => *split as f64 / ALL / *head as f64,
            Form::HeadTail { head, split, tail } => (1.0 - *split as f64 / ALL) * tail.share(rank - head),
        }
    }
}

fn head_tail(head_share: f64, tail_alpha: f64, ranks: u64) -> Result<Form, RankError> {
    if !(head_share > 0.0 && head_share < 1.0) {
        return Err(RankError::HeadShare { head_share });
    }
    let head = (ranks / 5).max(1);
    let tail = Zipf::new(tail_alpha, (ranks - head).max(1))?;
    if head == ranks {
        return Ok(Form::Uniform);
    }
    let split = ((head_share * ALL) as u64).max(1);
    Ok(Form::HeadTail { head, split, tail })
}

/// Zipf's law over any number of ranks.
#[derive(Clone, Debug)]
struct Zipf {
    alpha: f64,
    /// The shares of the exact ranks and, as the last item, that of all others together.
    exact: Weighted,
    tail: Option<Tail>,
}

impl Zipf {
    fn new(alpha: f64, ranks: u64) -> Result<Self, RankError> {
        if !(alpha > 0.0 && alpha.is_finite()) {
            return Err(RankError::Alpha { alpha });
        }
        let mut weights: Vec<f64> = (1..=ranks.min(EXACT_RANKS)).map(|rank| pow(rank as f64, -alpha)).collect();
        let law = PowerLaw::new(alpha, ranks.max(EXACT_RANKS));
        let mass = law.mass();
        weights.push(mass);
        let exact = Weighted::new(&weights).expect("weights are finite and the first is 1");
        // A steep law leaves nothing to be drawn behind the exact ranks, nor do few ranks.
        let run = if mass > 0.0 { exact.run(EXACT_RANKS as usize) } else { None };
        let tail = run.map(|(start, _)| Tail { start, mass, law, ranks });
        Ok(Self { alpha, exact, tail })
    }

    #[inline]
    fn pick(&self, bits: u64) -> u64 {
        match &self.tail {
            Some(tail) if bits >= tail.start => tail.pick(bits),
            _ => self.exact.pick(bits) as u64,
        }
    }

    fn share(&self, rank: u64) -> f64 {
        match &self.tail {
            Some(tail) if rank >= EXACT_RANKS => {
                self.exact.share(EXACT_RANKS as usize) * pow(rank as f64 + 1.0, -self.alpha) / tail.mass
            }
            _ => self.exact.share(rank as usize),
        }
    }
}

/// The ranks behind the exact ones.
#[derive(Clone, Debug)]
struct Tail {
    /// The first draw that falls here.
    start: u64,
    mass: f64,
    law: PowerLaw,
    ranks: u64,
}

impl Tail {
    #[inline]
    fn pick(&self, bits: u64) -> u64 {
        let unit = (bits - self.start) as f64 / (ALL - self.start as f64);
        let step = ((unit * TAIL_STEPS) as u64 as f64).min(TAIL_STEPS - 1.0);
        let rank = (self.law.quantile((step + 0.5) / TAIL_STEPS) + 0.5) as u64;
        rank.clamp(EXACT_RANKS + 1, self.ranks) - 1
    }
}

/// The density x^-alpha from half a rank behind the exact ranks to half a rank behind the last: the middles of its unit
/// intervals are the ranks.
#[derive(Clone, Debug)]
struct PowerLaw {
    from: f64,
    /// ln of the last point divided by the first.
    span: f64,
    /// 1 - alpha.
    power: f64,
    /// e^(power · span) - 1.
    growth: f64,
}

impl PowerLaw {
    fn new(alpha: f64, ranks: u64) -> Self {
        let from = EXACT_RANKS as f64 + 0.5;
        let span = ln((ranks as f64 + 0.5) / from);
        let power = 1.0 - alpha;
        Self { from, span, power, growth: exp_m1(power * span) }
    }

    /// The integral.
    fn mass(&self) -> f64 {
        let ratio = if self.power == 0.0 { self.span } else { self.growth / self.power };
        pow(self.from, self.power) * ratio
    }

    /// The point that has the part `unit` of the mass on its left.
    #[inline]
    fn quantile(&self, unit: f64) -> f64 {
        let exponent = if self.power == 0.0 { unit * self.span } else { ln_1p(unit * self.growth) / self.power };
        self.from * exp(exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::key::Key;

    const KINDS: [Skew; 7] = [
        Skew::Uniform,
        Skew::Zipf { alpha: 0.3 },
        Skew::Zipf { alpha: 1.0 },
        Skew::Zipf { alpha: 1.000_000_001 },
        Skew::Zipf { alpha: 2.5 },
        Skew::HeadTail { head_share: 0.8, tail_alpha: 1.2 },
        Skew::HeadTail { head_share: 0.1, tail_alpha: 0.5 },
    ];

    fn rank(kind: Skew, ranks: u64) -> Rank {
        Rank::new(kind, ranks).expect("the parameters are good")
    }

    #[test]
    fn bad_parameters_are_named() {
        let zipf = |alpha| Rank::new(Skew::Zipf { alpha }, 10).map(|_| ());
        let head = |head_share| Rank::new(Skew::HeadTail { head_share, tail_alpha: 1.0 }, 10).map(|_| ());
        assert_eq!(Rank::new(Skew::Uniform, 0).map(|_| ()), Err(RankError::Empty));
        let ranks = MAX_RANKS + 1;
        assert_eq!(Rank::new(Skew::Uniform, ranks).map(|_| ()), Err(RankError::TooMany { ranks }));
        assert_eq!(zipf(0.0), Err(RankError::Alpha { alpha: 0.0 }));
        assert_eq!(zipf(f64::INFINITY), Err(RankError::Alpha { alpha: f64::INFINITY }));
        assert!(zipf(f64::NAN).is_err() && head(f64::NAN).is_err());
        assert_eq!(head(1.0), Err(RankError::HeadShare { head_share: 1.0 }));
        assert_eq!(zipf(-1.0).expect_err("negative").to_string(), "exponent -1 is not a finite number above 0");
    }

    #[test]
    fn shares_sum_to_one() {
        for kind in KINDS {
            for ranks in [1, 2, 3, 4, 5, 100, 65_536, 65_537, 100_000] {
                let rank = rank(kind, ranks);
                let sum: f64 = (0..ranks).map(|r| rank.share(r)).sum();
                assert!((sum - 1.0).abs() < 1e-9, "{kind:?} {ranks}: {sum}");
                assert_eq!((rank.share(ranks), rank.ranks()), (0.0, ranks));
            }
        }
    }

    #[test]
    fn zipf_shares_are_those_of_the_whole_sum() {
        for alpha in [0.3, 1.0, 1.5] {
            let ranks = 1_000_000;
            let sum: f64 = (1..=ranks).rev().map(|r| pow(r as f64, -alpha)).sum();
            let rank = rank(Skew::Zipf { alpha }, ranks);
            for r in [0, 1, 77, 65_535, 65_536, 999_999] {
                let expected = pow(r as f64 + 1.0, -alpha) / sum;
                assert!((rank.share(r) / expected - 1.0).abs() < 1e-9, "{alpha} {r}");
            }
        }
    }

    #[test]
    fn draws_fit_the_shares() {
        let key = Key::from_words(21, 22);
        let draws = 400_000;
        for (number, kind) in KINDS.into_iter().enumerate() {
            for ranks in [3, 40, 90_000] {
                let rank = rank(kind, ranks);
                // Forty cells that each get wider with the rank; the cell of the last ranks is the widest.
                let cell = |r: u64| (40.0 * ln(r as f64 + 1.0) / ln(ranks as f64 + 1.0)) as usize;
                let (mut seen, mut expected) = (vec![0.0; 41], vec![0.0; 41]);
                for row in 0..draws {
                    seen[cell(rank.pick(key.number(number as u64).draw(row)))] += 1.0;
                }
                for r in 0..ranks {
                    expected[cell(r)] += rank.share(r) * draws as f64;
                }
                let used = expected.iter().zip(&seen).filter(|(e, _)| **e > 5.0);
                let (square, cells) = used.fold((0.0, 0.0), |(square, cells), (e, s): (&f64, &f64)| {
                    (square + (s - e) * (s - e) / e, cells + 1.0)
                });
                assert!(square < cells + 5.0 * f64::sqrt(2.0 * cells), "{kind:?} {ranks}: {square} in {cells}");
            }
        }
    }

    #[test]
    fn a_larger_draw_never_gives_a_smaller_rank() {
        let key = Key::from_words(31, 32);
        let mut draws: Vec<u64> = (0..60_000).map(|row| key.draw(row)).collect();
        // Neighbours, also at the finest step that the tail tells apart.
        draws.extend(draws.clone().iter().flat_map(|d| [d.saturating_add(1), d.saturating_add(1 << 18)]));
        draws.extend([0, 1, u64::MAX - 1, u64::MAX]);
        draws.sort_unstable();
        for kind in KINDS {
            for ranks in [1, 2, 7, 65_536, 65_537, 1_000_000, 1_000_000_000_000, MAX_RANKS] {
                let rank = rank(kind, ranks);
                let mut last = 0;
                for draw in &draws {
                    let next = rank.pick(*draw);
                    assert!(next >= last && next < ranks, "{kind:?} {ranks}: {draw} gives {next} after {last}");
                    last = next;
                }
                assert_eq!(rank.pick(0), 0, "{kind:?} {ranks}");
            }
        }
    }

    #[test]
    fn the_far_tail_is_reached_in_proportion() {
        // Of rank^-½ over n ranks, the ranks behind n / 4 have half of the mass.
        let ranks = 1_000_000_000_000;
        let rank = rank(Skew::Zipf { alpha: 0.5 }, ranks);
        let middle = rank.pick(1 << 63) as f64;
        assert!((middle / (ranks as f64 / 4.0) - 1.0).abs() < 1e-5, "{middle}");
        assert!(rank.pick(u64::MAX) >= ranks - 2);
    }

    #[test]
    fn the_head_is_a_fifth_but_never_nothing() {
        let kind = Skew::HeadTail { head_share: 0.8, tail_alpha: 1.0 };
        assert_eq!(rank(kind, 1).share(0), 1.0);
        for (ranks, head) in [(2, 1), (9, 1), (10, 2), (1000, 200)] {
            let rank = rank(kind, ranks);
            assert!((rank.share(head - 1) - 0.8 / head as f64).abs() < 1e-15, "{ranks}");
            assert!((rank.share(0) - rank.share(head - 1)).abs() < 1e-15, "{ranks}");
            assert!(rank.share(head) < 0.2 + 1e-12, "{ranks}");
        }
    }

    #[test]
    fn a_steep_law_has_no_tail() {
        let rank = rank(Skew::Zipf { alpha: 400.0 }, 1_000_000);
        assert_eq!([rank.pick(0), rank.pick(u64::MAX)], [0, 0]);
        assert_eq!(rank.share(999_999), 0.0);
    }

    #[test]
    fn ranks_are_fixed_for_all_time() {
        let key = Key::from_words(41, 42);
        let mut hasher = blake3::Hasher::new();
        for kind in KINDS {
            for ranks in [1, 10, 1000, 100_000, 1_000_000_000_000] {
                let rank = rank(kind, ranks);
                for row in 0..200 {
                    hasher.update(&rank.pick(key.draw(row)).to_le_bytes());
                }
            }
        }
        assert_eq!(hasher.finalize().to_hex()[..32], *"08920af6b2351d12e9e82a67e3bb3a53");
    }
}
