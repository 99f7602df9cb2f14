//! Chance that can be had again.

use std::env;

/// Names the seed of a run that shall be had again.
const VARIABLE: &str = "PVC_E2E_SEED";

/// A source of chance that is all in its seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// From the seed in `PVC_E2E_SEED`, or a fresh one, which a failed test shows.
    ///
    /// # Panics
    /// When the variable holds no number.
    #[must_use]
    pub fn take() -> Self {
        let seed = match env::var(VARIABLE) {
            Ok(text) => text.parse().expect("PVC_E2E_SEED is a number"),
            Err(_) => uuid::Uuid::new_v4().as_u64_pair().0,
        };
        super::tidy::say(&format!("{VARIABLE}={seed}"));
        Self(seed)
    }

    /// A number below `sides`.
    pub fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }

    /// One of several.
    ///
    /// # Panics
    /// When there is none.
    pub fn one_of<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let index = self.below(from.len() as u64);
        &from[usize::try_from(index).expect("below a length")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_has_the_same_chance() {
        let throw = |mut dice: Dice| (0..20).map(|_| dice.below(6)).collect::<Vec<_>>();
        assert_eq!(throw(Dice(7)), throw(Dice(7)));
        assert_ne!(throw(Dice(7)), throw(Dice(8)));
    }
}
