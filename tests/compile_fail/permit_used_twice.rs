// error: E0382
//! A permit is good for one opening.
use knik::access::Permit;
use knik::ledger::Recorded;
use knik::seal::SealedOriginal;

pub fn f(permit: Permit, recorded: [Recorded; 2], sealed: [SealedOriginal; 2]) {
    let [first, second] = recorded;
    let [one, other] = sealed;
    let _ = knik::seal::open(permit, first, one);
    let _ = knik::seal::open(permit, second, other);
}
