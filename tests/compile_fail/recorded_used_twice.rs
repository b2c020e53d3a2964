// error: E0382
//! Evidence is good for one opening.
use knik::access::Permit;
use knik::ledger::Recorded;
use knik::seal::SealedOriginal;

pub fn f(permits: [Permit; 2], recorded: Recorded, sealed: [SealedOriginal; 2]) {
    let [permit, another] = permits;
    let [one, other] = sealed;
    let _ = knik::seal::open(permit, recorded, one);
    let _ = knik::seal::open(another, recorded, other);
}
