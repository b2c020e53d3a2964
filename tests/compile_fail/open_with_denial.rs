// error: E0308
//! A denial is no permit.
use knik::access::Denial;
use knik::ledger::Recorded;
use knik::seal::SealedOriginal;

pub fn f(permit: Denial, recorded: Recorded, sealed: SealedOriginal) {
    let _ = knik::seal::open(permit, recorded, sealed);
}
