//! Durable effects by name: each place where something becomes lasting stands in [`Effect`], and passes through
//! [`Effect::of`]. What runs there in production is the work alone; a test of faults may [`watch`] every place and
//! stop the process before or after it, so that no place is forgotten.

use std::sync::OnceLock;

/// A place where something becomes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// A sealed segment stands in object storage.
    SegmentWritten,
    /// An orphan is gone from object storage.
    SegmentSwept,
    /// A capture is known, open.
    CaptureOpened,
    /// Rows, names, decisions, outbox and entries of a batch.
    BatchCommitted,
    /// A capture is closed.
    CaptureClosed,
    /// A conversation that was computed anew, with what must go down for it.
    ConversationRefreshed,
    /// Something was put in the outbox by itself.
    OutboxFilled,
    /// What went down is off the outbox.
    OutboxTaken,
    /// Conversations stand in the reading room.
    RoomConversations,
    /// A grant stands in the reading room.
    RoomGrant,
    /// Projections are gone from the reading room.
    RoomWithdrawal,
    /// A grant is revoked in the reading room.
    RoomRevocation,
    /// The reading room said what it did.
    InboxAppended,
    /// The vault took up what the reading room said.
    InboxTakenUp,
    /// An entry of its own is durable.
    EntryRecorded,
    /// Entries are numbered, the head is signed.
    EntriesNumbered,
    /// A copy of the head stands in the second place.
    CheckpointCopied,
    /// A grant is approved.
    GrantAdded,
    /// A grant is revoked.
    GrantRevoked,
    /// A token, a subject or a person is revoked, or no longer.
    IdentityRevoked,
    /// The reading room knows of it.
    RoomIdentityRevoked,
    /// Someone is appointed.
    AppointmentMade,
    /// An appointment is ended.
    AppointmentEnded,
    /// A step of a request for copies is taken.
    RequestStepTaken,
    /// What a researcher sees of a request stands in the reading room.
    RoomRequest,
    /// The end of a grant is another in the reading room.
    RoomGrantUntil,
    /// A step of an export is taken: what is in it and who gets it stand with it.
    ExportStepTaken,
    /// Where an export stands is known in the reading room.
    RoomExport,
    /// What the vault made for a grant stands in the reading room.
    RoomValues,
    /// What an export is prepared of stands in the reading room, and what its rows show less.
    RoomExportPrepared,
    /// A part of an export is built.
    ExportPartBuilt,
    /// A piece of a file stands in the airlock.
    AirlockFilled,
    /// The files of an export are gone from the airlock.
    AirlockEmptied,
    /// A piece of a released package stands in the reading room.
    RoomPackagePut,
    /// The package of an export is gone from the reading room.
    RoomPackageGone,
    /// A package is consumed.
    ExportConsumed,
    /// The vault was told that a package is consumed.
    ExportConsumedTold,
    /// An opening is announced.
    DisclosureIntended,
    /// An opening is concluded.
    DisclosureConcluded,
    /// An organisation is known.
    OrganisationAdded,
    /// A channel is declared, or a fact of one.
    ChannelAdded,
    /// The body of an entry is erased.
    BodyErased,
    /// Flags are judged.
    FlagsJudged,
    /// A person answered a step, with the decision that follows.
    StepAnswered,
    /// A record is decided anew because a fact changed, and waits for it no longer.
    DecisionChanged,
    /// A record waits no longer: it comes out as it was.
    AnewSettled,
    /// A formal message is registered or forwarded, and waits to be decided anew.
    FormalHandled,
    /// Letters are linked or confirmed, and what is confirmed waits to be decided anew.
    LettersWritten,
    /// It is known that a segment was read back.
    SegmentChecked,
    /// It is known when the archive was verified, read back or backed up.
    MilestoneReached,
    /// The end of an epoch is asked for.
    TurnAsked,
    /// Segment keys are wrapped under the epoch in force.
    SegmentKeysRewrapped,
    /// Keys of sealed bodies are wrapped under the epoch in force.
    BodiesRewrapped,
    /// A turn of keys is done and recorded.
    EpochEnded,
    /// The keys of destroyed records are gone from the key table.
    RecordsDestroyed,
    /// A new master key is there.
    MasterKeyWritten,
    /// A master key is gone.
    MasterKeyDestroyed,
    /// A new epoch key is there.
    EpochKeyWritten,
    /// An epoch key is gone.
    EpochKeyDestroyed,
}

impl Effect {
    /// Every effect.
    pub const ALL: [Self; 59] = [
        Self::SegmentWritten,
        Self::SegmentSwept,
        Self::CaptureOpened,
        Self::BatchCommitted,
        Self::CaptureClosed,
        Self::ConversationRefreshed,
        Self::OutboxFilled,
        Self::OutboxTaken,
        Self::RoomConversations,
        Self::RoomGrant,
        Self::RoomWithdrawal,
        Self::RoomRevocation,
        Self::InboxAppended,
        Self::InboxTakenUp,
        Self::EntryRecorded,
        Self::EntriesNumbered,
        Self::CheckpointCopied,
        Self::GrantAdded,
        Self::GrantRevoked,
        Self::IdentityRevoked,
        Self::RoomIdentityRevoked,
        Self::AppointmentMade,
        Self::AppointmentEnded,
        Self::RequestStepTaken,
        Self::RoomRequest,
        Self::RoomGrantUntil,
        Self::ExportStepTaken,
        Self::RoomExport,
        Self::RoomValues,
        Self::RoomExportPrepared,
        Self::ExportPartBuilt,
        Self::AirlockFilled,
        Self::AirlockEmptied,
        Self::RoomPackagePut,
        Self::RoomPackageGone,
        Self::ExportConsumed,
        Self::ExportConsumedTold,
        Self::DisclosureIntended,
        Self::DisclosureConcluded,
        Self::OrganisationAdded,
        Self::ChannelAdded,
        Self::BodyErased,
        Self::FlagsJudged,
        Self::StepAnswered,
        Self::DecisionChanged,
        Self::AnewSettled,
        Self::FormalHandled,
        Self::LettersWritten,
        Self::SegmentChecked,
        Self::MilestoneReached,
        Self::TurnAsked,
        Self::SegmentKeysRewrapped,
        Self::BodiesRewrapped,
        Self::EpochEnded,
        Self::RecordsDestroyed,
        Self::MasterKeyWritten,
        Self::MasterKeyDestroyed,
        Self::EpochKeyWritten,
        Self::EpochKeyDestroyed,
    ];

    /// The same place for every caller: `work` makes the effect durable.
    pub async fn of<T>(self, work: impl Future<Output = T>) -> T {
        self.reached(Moment::Before);
        let done = work.await;
        self.reached(Moment::After);
        done
    }

    /// As [`of`](Self::of), for work that waits by itself.
    pub fn blocking<T>(self, work: impl FnOnce() -> T) -> T {
        self.reached(Moment::Before);
        let done = work();
        self.reached(Moment::After);
        done
    }

    fn reached(self, moment: Moment) {
        if let Some(watcher) = WATCHER.get() {
            watcher(self, moment);
        }
    }
}

/// On which side of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Nothing is durable yet.
    Before,
    /// It is durable, or failed; nobody was told yet.
    After,
}

/// Hears of every effect of this process.
pub type Watcher = Box<dyn Fn(Effect, Moment) + Send + Sync>;

static WATCHER: OnceLock<Watcher> = OnceLock::new();

/// Has `watcher` hear of every effect from now on; `false` when another does already. The program never calls this.
pub fn watch(watcher: Watcher) -> bool {
    WATCHER.set(watcher).is_ok()
}
