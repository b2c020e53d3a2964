//! It opens a batch, as a system act.
use knik::access::SystemPermit;
use knik::ledger::Recorded;
use knik::seal::SealedOriginal;

pub fn f(permit: SystemPermit, recorded: Recorded, sealed: SealedOriginal) {
    let _ = knik::seal::open_system(permit, recorded, vec![sealed]);
}
