//! Who has the floor in a room: asked by each sound frame, under a lock of the room's own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use visita_protocol::{
    control::{RelayMessage, Role},
    id::MemberId,
    sound::Level,
    speakers::{Speaker, Speakers},
    time::Now,
};

use crate::{
    outlet::{Body, Outlet},
    seat::Dirty,
};

/// Who speaks in one room, and everybody who is told.
#[derive(Default)]
pub(crate) struct Floor {
    /// Held while members are told, so that each is told in the order in which it happens. It may be
    /// taken under the hub's lock and under a seat's; under it only outlets' are.
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    speakers: Speakers,
    members: Vec<(MemberId, Arc<Outlet>)>,
}

impl Floor {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody came, and knows that it is in the room.
    pub(crate) fn joined(
        &self,
        member: MemberId,
        role: Role,
        outlet: &Arc<Outlet>,
        dirty: &mut Dirty,
    ) {
        let mut inner = self.lock();
        inner.speakers.joined(member, role);
        inner.members.push((member, outlet.clone()));
        inner.tell_one(outlet, dirty);
    }

    /// Somebody went.
    pub(crate) fn left(&self, now: Now, member: MemberId, dirty: &mut Dirty) {
        let mut inner = self.lock();
        inner.members.retain(|(known, _)| *known != member);
        let speaker = inner.speakers.left(now, member);
        inner.tell(speaker, dirty);
    }

    /// Somebody's microphone is off.
    pub(crate) fn muted(&self, now: Now, member: MemberId, dirty: &mut Dirty) {
        let mut inner = self.lock();
        let speaker = inner.speakers.muted(now, member);
        inner.tell(speaker, dirty);
    }

    /// A sound frame came. Returns whether it is forwarded.
    pub(crate) fn heard(
        &self,
        now: Now,
        member: MemberId,
        level: Option<Level>,
        dirty: &mut Dirty,
    ) -> bool {
        let mut inner = self.lock();
        let heard = inner.speakers.heard(now, member, level);
        inner.tell(heard.speaker, dirty);
        heard.forward
    }

    /// Does what time alone brings.
    pub(crate) fn tick(&self, now: Now, dirty: &mut Dirty) {
        let mut inner = self.lock();
        let speaker = inner.speakers.tick(now);
        inner.tell(speaker, dirty);
    }

    /// Tells one who was told the room anew.
    pub(crate) fn tell_again(&self, outlet: &Arc<Outlet>, dirty: &mut Dirty) {
        self.lock().tell_one(outlet, dirty);
    }

    /// Whether nobody is in the room.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().speakers.is_empty()
    }
}

impl Inner {
    fn tell(&self, speaker: Option<Speaker>, dirty: &mut Dirty) {
        if let Some(Speaker(member)) = speaker {
            let outlets = self.members.iter().map(|(_, outlet)| outlet);
            tell(outlets, member, dirty);
        }
    }

    /// Tells one who was just told of a room in which nobody speaks yet.
    fn tell_one(&self, outlet: &Arc<Outlet>, dirty: &mut Dirty) {
        if let Some(member) = self.speakers.active() {
            tell([outlet], Some(member), dirty);
        }
    }
}

fn tell<'o>(
    outlets: impl IntoIterator<Item = &'o Arc<Outlet>>,
    member: Option<MemberId>,
    dirty: &mut Dirty,
) {
    let body = Body::from(&RelayMessage::Speaker { member });
    for outlet in outlets {
        dirty.add(outlet.send(&body));
    }
}
