//! A process that is killed before or after every durable effect loses nothing that it said was done, doubles nothing, and
//! leaves nothing half.

use super::child::{self, Order, recover, run, some_at_once, undisturbed};
use super::life::{Acknowledged, Whole};
use knik::store::effect::Effect;
use std::collections::BTreeMap;

/// Kills at each moment of each effect.
const KILLS_EACH: u32 = 5;
const KILLS_LEAST: usize = 300;

#[test]
fn every_kill_is_recovered_from() {
    if child::is_child() {
        return;
    }
    let lived = undisturbed();
    let (reached, whole) = (lived.reached(), lived.whole());
    for effect in Effect::ALL {
        assert!(reached.contains_key(&format!("{effect:?}")), "no step reaches {effect:?}");
    }
    let kills = kills(&reached);
    let total = kills.len();
    assert!(total >= KILLS_LEAST, "{total} kills");
    some_at_once(kills, |kill| kill_and_recover(&kill, &whole));
    println!("faults: {total} kills at {} moments, all recovered: 0 lost, 0 doubled", Effect::ALL.len() * 2);
}

/// Both moments of every effect, at different times that it is reached where it is reached more than once.
fn kills(reached: &BTreeMap<String, u32>) -> Vec<Order> {
    let mut kills = Vec::new();
    for (effect, times) in reached {
        for moment in ["Before", "After"] {
            for kill in 0..KILLS_EACH {
                kills.push(Order::Kill { effect: effect.clone(), moment, nth: kill % times + 1 });
            }
        }
    }
    kills
}

fn kill_and_recover(kill: &Order, whole: &Whole) {
    let folder = tempfile::tempdir().unwrap();
    let killed = run(folder.path(), kill, &Acknowledged::default(), &[]);
    assert!(killed.was_killed(), "{kill:?} was not reached: {}", killed.told());
    recover(folder.path(), &killed, whole, &format!("{kill:?}"));
}
