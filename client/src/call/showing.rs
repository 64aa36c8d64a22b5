//! Everybody else's pictures on their last step: put when their sound is heard.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::sleep};
use visita_media::Picture;
use visita_protocol::id::MemberId;

use super::{ears::Ears, lips::Lips};
use crate::{
    clock::now,
    pictures::{Pictures, Whose},
    report::Offset,
    trace::{Stamp, Trace},
};

pub(super) struct Showing {
    lips: Mutex<Lips<Picture>>,
    held: Notify,
    pictures: Pictures,
    ears: Ears,
    trace: Option<Trace>,
}

impl Showing {
    /// To be joined by [`Showing::run`].
    pub(super) fn new(pictures: Pictures, ears: Ears, trace: Option<Trace>) -> Arc<Self> {
        Arc::new(Self {
            lips: Mutex::default(),
            held: Notify::new(),
            pictures,
            ears,
            trace,
        })
    }

    /// A member's picture was decoded just now.
    pub(super) fn decoded(&self, member: MemberId, picture: Picture) {
        let size = picture.size();
        let bytes = size.area() as usize * 3 / 2;
        let mut lips = self.lips();
        lips.decoded(now(), member, picture.time(), bytes, picture);
        self.look(&mut lips, member);
        let holds = lips.next().is_some();
        drop(lips);
        if holds {
            self.held.notify_one();
        }
    }

    /// A member muted itself, or its sound ended otherwise.
    pub(super) fn muted(&self, member: MemberId) {
        let mut lips = self.lips();
        lips.muted(member);
        self.look(&mut lips, member);
    }

    /// A member's camera is off, or the member is gone.
    pub(super) fn forget(&self, member: MemberId) {
        let mut lips = self.lips();
        lips.forget(member);
        self.pictures.forget(Whose::Member(member));
    }

    /// How far a member's pictures were from its sound.
    pub(super) fn offset(&self, member: MemberId) -> Option<Offset> {
        self.lips().offsets(member).and_then(Offset::of)
    }

    /// Puts what was held, for as long as the call lasts.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            let next = {
                let mut lips = self.lips();
                for member in lips.due(now()) {
                    self.look(&mut lips, member);
                }
                lips.next()
            };
            match next {
                None => self.held.notified().await,
                Some(next) => {
                    tokio::select! {
                        () = sleep(next.since(now())) => {}
                        () = self.held.notified() => {}
                    }
                }
            }
        }
    }

    /// Puts what is due. The lock is kept meanwhile, so that nobody is put again who was forgotten.
    fn look(&self, lips: &mut Lips<Picture>, member: MemberId) {
        let heard = self.ears.playing(member);
        if let Some(picture) = lips.look(now(), member, heard) {
            if let Some(trace) = &self.trace {
                trace.stamp(Stamp::Shown {
                    from: member,
                    picture: picture.clone(),
                });
            }
            self.pictures.put(Whose::Member(member), picture);
        }
    }

    fn lips(&self) -> MutexGuard<'_, Lips<Picture>> {
        self.lips.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
