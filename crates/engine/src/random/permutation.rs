//! A keyed shuffle of `0..domain` that can be asked for one place at a time, in both directions. Pure.
//!
//! Tiny domains hold a real shuffle. Larger ones use a Feistel network over two digits whose product just covers the
//! domain; what falls outside is sent through again until it falls inside, which keeps the map a bijection.

use super::key::{Key, below};

/// Up to this size every order of the domain is equally likely.
const TABLE: usize = 64;
/// Two more than pairs of neighbours need to look independent also at the smallest domains.
const ROUNDS: usize = 8;
/// The largest domain: two digits of it still multiply within 64 bits.
pub const MAX_DOMAIN: u64 = 1 << 63;

/// A bijection of `0..domain` chosen by a key. Small and without heap, so it can be made for a single row.
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    domain: u64,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Table { forward: [u8; TABLE], backward: [u8; TABLE] },
    Feistel { high_radix: u64, low_radix: u64, keys: [u64; ROUNDS] },
}

impl Permutation {
    /// The permutation of `0..domain` that belongs to `key`. A domain of 0 counts as 1, one above 2^63 as 2^63.
    pub fn new(key: Key, domain: u64) -> Self {
        let domain = domain.clamp(1, MAX_DOMAIN);
        let form = if domain <= TABLE as u64 { shuffled(key, domain as usize) } else { network(key, domain) };
        Self { domain, form }
    }

    /// How many places there are.
    pub fn domain(&self) -> u64 {
        self.domain
    }

    /// The slot of `index`, both below the domain.
    #[inline]
    pub fn apply(&self, index: u64) -> u64 {
        debug_assert!(index < self.domain, "index {index} is outside a domain of {}", self.domain);
        match &self.form {
            Form::Table { forward, .. } => u64::from(forward[index as usize % TABLE]),
            Form::Feistel { high_radix, low_radix, keys } => {
                let mut slot = index;
                loop {
                    slot = forwards(slot, (*high_radix, *low_radix), keys);
                    if slot < self.domain {
                        return slot;
                    }
                }
            }
        }
    }

    /// The index whose slot is `slot`: what `apply` does, undone.
    #[inline]
    pub fn invert(&self, slot: u64) -> u64 {
        debug_assert!(slot < self.domain, "slot {slot} is outside a domain of {}", self.domain);
        match &self.form {
            Form::Table { backward, .. } => u64::from(backward[slot as usize % TABLE]),
            Form::Feistel { high_radix, low_radix, keys } => {
                let mut index = slot;
                loop {
                    index = backwards(index, (*high_radix, *low_radix), keys);
                    if index < self.domain {
                        return index;
                    }
                }
            }
        }
    }
}

/// Fisher and Yates' shuffle.
fn shuffled(key: Key, domain: usize) -> Form {
    let mut forward: [u8; TABLE] = std::array::from_fn(|i| i as u8);
    for last in (1..domain).rev() {
        let other = key.below(last as u64, last as u64 + 1) as usize;
        forward.swap(last, other);
    }
    let mut backward = [0; TABLE];
    for (index, slot) in forward.iter().enumerate() {
        backward[usize::from(*slot)] = index as u8;
    }
    Form::Table { forward, backward }
}

fn network(key: Key, domain: u64) -> Form {
    let root = domain.isqrt();
    let high_radix = if root * root < domain { root + 1 } else { root };
    let low_radix = domain.div_ceil(high_radix);
    Form::Feistel { high_radix, low_radix, keys: std::array::from_fn(|round| key.draw(round as u64)) }
}

#[inline]
fn forwards(value: u64, (high_radix, low_radix): (u64, u64), keys: &[u64; ROUNDS]) -> u64 {
    let (mut high, mut low) = (value / low_radix, value % low_radix);
    for [first, second] in keys.as_chunks().0 {
        high = add(high, digit(low, *first, high_radix), high_radix);
        low = add(low, digit(high, *second, low_radix), low_radix);
    }
    high * low_radix + low
}

#[inline]
fn backwards(value: u64, (high_radix, low_radix): (u64, u64), keys: &[u64; ROUNDS]) -> u64 {
    let (mut high, mut low) = (value / low_radix, value % low_radix);
    for [first, second] in keys.as_chunks().0.iter().rev() {
        low = add(low, low_radix - digit(high, *second, low_radix), low_radix);
        high = add(high, high_radix - digit(low, *first, high_radix), high_radix);
    }
    high * low_radix + low
}

/// `a + b` modulo `radix`, for `a` below it and `b` not above it.
#[inline]
fn add(a: u64, b: u64, radix: u64) -> u64 {
    let sum = a + b;
    // A subtraction that wraps gives the larger of the two, so this needs no jump.
    sum.min(sum.wrapping_sub(radix))
}

/// The round function: a keyed hash of one digit, below `radix`. Weaker than a draw and twice as fast; there are eight.
#[inline]
fn digit(value: u64, key: u64, radix: u64) -> u64 {
    let mixed = (value ^ key).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0x94D0_49BB_1331_11EB);
    below(mixed, radix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Key {
        Key::from_words(0x1357_9BDF_0246_8ACE, 0x0F1E_2D3C_4B5A_6978).number(number)
    }

    /// A key as unlike its neighbours as BLAKE3 makes real ones.
    fn fresh_key(number: u64) -> Key {
        Key::from_words(key(1).draw(number), key(2).draw(number))
    }

    /// How many standard deviations the counts are from equal shares.
    fn surprise(counts: &[u64]) -> f64 {
        let cells = counts.len() as f64;
        let expected = counts.iter().sum::<u64>() as f64 / cells;
        let square: f64 = counts.iter().map(|n| (*n as f64 - expected) * (*n as f64 - expected) / expected).sum();
        (square - (cells - 1.0)) / (2.0 * (cells - 1.0)).sqrt()
    }

    #[test]
    fn every_small_domain_is_mapped_onto_itself() {
        for domain in (1..300).chain([1000, 4096, 65_537]) {
            let permutation = Permutation::new(key(domain), domain);
            let mut seen = vec![false; domain as usize];
            for index in 0..domain {
                let slot = permutation.apply(index);
                assert!(!std::mem::replace(&mut seen[slot as usize], true), "{domain}: {slot} twice");
                assert_eq!(permutation.invert(slot), index, "{domain}");
            }
        }
    }

    #[test]
    fn large_domains_can_be_undone() {
        for domain in [100_000_000, 1_000_000_000_000, (1 << 62) + 12_345, MAX_DOMAIN] {
            let permutation = Permutation::new(key(domain), domain);
            for row in 0..20_000 {
                let index = key(9).below(row, domain);
                let slot = permutation.apply(index);
                assert!(slot < domain);
                assert_eq!(permutation.invert(slot), index, "{domain}");
            }
            assert!(permutation.apply(domain - 1) < domain && permutation.apply(0) < domain);
        }
    }

    #[test]
    fn a_domain_that_cannot_be_is_the_nearest_that_can() {
        assert_eq!(Permutation::new(key(0), 0).domain(), 1);
        assert_eq!(Permutation::new(key(0), u64::MAX).domain(), MAX_DOMAIN);
    }

    #[test]
    fn over_keys_the_first_two_slots_take_every_pair_alike() {
        for (domain, keys) in [(2, 20_000), (3, 20_000), (10, 100_000), (64, 200_000), (65, 200_000), (82, 200_000)] {
            let mut counts = vec![0; (domain * (domain - 1)) as usize];
            for number in 0..keys {
                let permutation = Permutation::new(fresh_key(number), domain);
                let (a, b) = (permutation.apply(0), permutation.apply(1));
                counts[(a * (domain - 1) + b - u64::from(b > a)) as usize] += 1;
            }
            assert!(surprise(&counts).abs() < 4.5, "{domain}: {}", surprise(&counts));
        }
    }

    #[test]
    fn over_keys_the_last_two_slots_of_one_digit_take_every_pair_alike() {
        // 100 = 10 · 10: indexes 90 and 99 share the high digit and differ in the low one; 9 and 99 the other way.
        for (one, other) in [(90, 99), (9, 99), (50, 51)] {
            let mut counts = vec![0; 9900];
            for number in 0..400_000 {
                let permutation = Permutation::new(fresh_key(number), 100);
                let (a, b) = (permutation.apply(one), permutation.apply(other));
                counts[(a * 99 + b - u64::from(b > a)) as usize] += 1;
            }
            assert!(surprise(&counts).abs() < 4.5, "{one} {other}: {}", surprise(&counts));
        }
    }

    #[test]
    fn within_one_key_neighbours_and_first_images_are_spread() {
        for (number, domain) in [100_000, 1_000_000, 1_000_000_007, 1 << 40].into_iter().enumerate() {
            let permutation = Permutation::new(fresh_key(number as u64), domain);
            let cell = |slot: u64| (u128::from(slot) * 64 / u128::from(domain)) as usize;
            let (mut pairs, mut steps) = (vec![0; 64 * 64], vec![0; 64]);
            for index in 0..domain.min(400_000) - 1 {
                let (a, b) = (permutation.apply(index), permutation.apply(index + 1));
                pairs[cell(a) * 64 + cell(b)] += 1;
                steps[cell((b + domain - a) % domain)] += 1;
            }
            assert!(surprise(&pairs).abs() < 4.5, "{domain}: pairs {}", surprise(&pairs));
            assert!(surprise(&steps).abs() < 4.5, "{domain}: steps {}", surprise(&steps));
            let mut first = vec![0; 64];
            for index in 0..10_000 {
                first[cell(permutation.apply(index))] += 1;
            }
            assert!(surprise(&first).abs() < 4.5, "{domain}: first images {}", surprise(&first));
        }
    }

    #[test]
    fn slots_are_fixed_for_all_time() {
        let mut hasher = blake3::Hasher::new();
        for domain in [1, 2, 3, 10, 63, 64, 65, 1000, 1_000_000_000, 1 << 40, MAX_DOMAIN] {
            let permutation = Permutation::new(key(domain), domain);
            for row in 0..200 {
                hasher.update(&permutation.apply(key(7).below(row, domain)).to_le_bytes());
            }
        }
        assert_eq!(hasher.finalize().to_hex()[..32], *"b3e962745f3acb64121f95507a9bbd44");
    }
}
