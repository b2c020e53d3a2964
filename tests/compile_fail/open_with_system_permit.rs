// error: E0308
//! The permit of a system act does not open an original for a person.
use knik::access::SystemPermit;
use knik::ledger::Recorded;
use knik::seal::SealedOriginal;

pub fn f(permit: SystemPermit, recorded: Recorded, sealed: SealedOriginal) {
    let _ = knik::seal::open(permit, recorded, sealed);
}
