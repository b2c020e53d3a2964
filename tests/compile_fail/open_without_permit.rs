// error: E0061
//! Nothing opens an original without a permit.
use knik::ledger::Recorded;
use knik::seal::SealedOriginal;

pub fn f(_recorded: Recorded, sealed: SealedOriginal) {
    let _ = knik::seal::open(_recorded, sealed);
}
