// error: E0308
//! An intent that was not recorded opens nothing.
use knik::access::Permit;
use knik::ledger::Pending;
use knik::seal::SealedOriginal;

pub fn f(permit: Permit, recorded: Pending, sealed: SealedOriginal) {
    let _ = knik::seal::open(permit, recorded, sealed);
}
