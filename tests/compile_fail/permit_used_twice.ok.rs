//! Two permits are good for two.
use knik::access::Permit;
use knik::ledger::Recorded;
use knik::seal::SealedOriginal;

pub fn f(permits: [Permit; 2], recorded: [Recorded; 2], sealed: [SealedOriginal; 2]) {
    let [permit, another] = permits;
    let [first, second] = recorded;
    let [one, other] = sealed;
    let _ = knik::seal::open(permit, first, one);
    let _ = knik::seal::open(another, second, other);
}
