use std::time::Duration;

use doorward_auth::ports::Rng;

use crate::SeededRng;

/// Draws that are the same for the same seed and purpose, whoever else draws in between.
pub(super) struct Dice(SeededRng);

impl Dice {
    /// The dice of a purpose, which a few numbers name.
    pub(super) fn of(seed: u64, purpose: &[u64]) -> Self {
        Self(SeededRng::new(purpose.iter().fold(mix(seed), |mixed, number| mix(mixed ^ mix(*number)))))
    }

    pub(super) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }

    pub(super) fn number(&self) -> u64 {
        u64::from_be_bytes(self.bytes())
    }

    /// From zero up to and without `end`.
    pub(super) fn below(&self, end: usize) -> usize {
        usize::try_from(self.number() % (end.max(1) as u64)).unwrap_or_default()
    }

    /// Whether something of so many percent happens.
    pub(super) fn percent(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn millis(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.number() % (to.saturating_sub(from) + 1))
    }
}

/// One round of SplitMix64.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
