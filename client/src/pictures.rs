//! The newest picture of everybody, for whoever paints them: a slow painter skips pictures and
//! holds nobody up.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use visita_media::Picture;
use visita_protocol::id::MemberId;

/// Whose picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whose {
    /// One's own camera's, before encoding.
    Own,
    /// A member's.
    Member(MemberId),
}

/// The newest pictures. A clone is the same.
#[derive(Clone, Default)]
pub struct Pictures(Arc<Inner>);

#[derive(Default)]
struct Inner {
    slots: Mutex<BTreeMap<Whose, Slot>>,
    changed: Notify,
}

#[derive(Default)]
struct Slot {
    newest: Option<Picture>,
    taken: bool,
}

impl Pictures {
    /// Waits until somebody has a picture that wasn't taken yet, and takes all of those. For one
    /// painter. Can be cancelled without losing any.
    pub async fn next(&self) -> Vec<(Whose, Picture)> {
        loop {
            let fresh = self.take_fresh();
            if !fresh.is_empty() {
                return fresh;
            }
            self.0.changed.notified().await;
        }
    }

    /// The newest picture, taken or not.
    pub fn newest(&self, whose: Whose) -> Option<Picture> {
        self.locked()
            .get(&whose)
            .and_then(|slot| slot.newest.clone())
    }

    pub(crate) fn put(&self, whose: Whose, picture: Picture) {
        *self.locked().entry(whose).or_default() = Slot {
            newest: Some(picture),
            taken: false,
        };
        self.0.changed.notify_one();
    }

    pub(crate) fn forget(&self, whose: Whose) {
        self.locked().remove(&whose);
    }

    fn take_fresh(&self) -> Vec<(Whose, Picture)> {
        let mut slots = self.locked();
        let fresh = slots.iter_mut().filter(|(_, slot)| !slot.taken);
        fresh
            .filter_map(|(whose, slot)| {
                slot.taken = true;
                slot.newest.clone().map(|picture| (*whose, picture))
            })
            .collect()
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Whose, Slot>> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use visita_media::picture::Draft;
    use visita_protocol::{media::Size, time::MediaTime};

    use super::*;

    fn picture(time: u64) -> Picture {
        Draft::filled(Size::new(2, 2), MediaTime(time), [16; 3])
            .unwrap()
            .finish()
    }

    #[tokio::test]
    async fn the_painter_gets_the_newest_of_each_once() {
        let pictures = Pictures::default();
        let member = Whose::Member(MemberId(1));
        pictures.put(Whose::Own, picture(1));
        pictures.put(member, picture(2));
        pictures.put(member, picture(3));
        let taken: Vec<_> = pictures
            .next()
            .await
            .iter()
            .map(|(w, p)| (*w, p.time().0))
            .collect();
        assert_eq!(taken, [(Whose::Own, 1), (member, 3)]);
        let next = pictures.next();
        pictures.put(Whose::Own, picture(4));
        assert_eq!(next.await.len(), 1);
        assert_eq!(
            pictures.newest(member).map(|p| p.time()),
            Some(MediaTime(3))
        );
        pictures.forget(member);
        assert_eq!(pictures.newest(member), None);
    }
}
