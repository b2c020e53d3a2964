//! The recorded one does.
use knik::access::Permit;
use knik::ledger::Recorded;
use knik::seal::SealedOriginal;

pub fn f(permit: Permit, recorded: Recorded, sealed: SealedOriginal) {
    let _ = knik::seal::open(permit, recorded, sealed);
}
