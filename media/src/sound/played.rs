//! What is really played, on its way to the echo canceller.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::BLOCK;

/// Half a second: a publisher that doesn't take what is played has no use for older sound.
const MOST_WAITING: usize = 50;

/// Joins the listener that plays with the publisher that hears the same room: both are given a
/// clone. What is put in is bounded, and nothing waits.
#[derive(Clone, Debug, Default)]
pub struct Played(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    blocks: VecDeque<[f32; BLOCK]>,
    delay_us: u64,
}

impl Played {
    /// Nothing is played yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// This block will be heard after so many microseconds.
    pub fn put(&self, block: &[f32; BLOCK], delay_us: u64) {
        let mut state = self.lock();
        if state.blocks.len() == MOST_WAITING {
            state.blocks.pop_front();
        }
        state.blocks.push_back(*block);
        state.delay_us = delay_us;
    }

    /// The oldest block that wasn't taken, and the playback's delay in microseconds.
    pub fn take(&self) -> Option<([f32; BLOCK], u64)> {
        let mut state = self.lock();
        let block = state.blocks.pop_front()?;
        Some((block, state.delay_us))
    }

    /// Forgets what waits: another device plays now.
    pub fn clear(&self) {
        self.lock().blocks.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_takes_is_bounded_and_the_newest_stays() {
        let played = Played::new();
        for number in 0..1000 {
            played.put(&[number as f32; BLOCK], number);
        }
        let mut taken = Vec::new();
        while let Some((block, delay)) = played.take() {
            taken.push(block[0]);
            assert_eq!(delay, 999);
        }
        assert_eq!(taken.len(), MOST_WAITING);
        assert!((taken[0] - 950.0).abs() < 0.5);
    }
}
