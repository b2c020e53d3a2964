//! A process that is killed before or after every durable effect loses nothing that it said was done, doubles nothing, and
//! leaves nothing half.

use super::child::{self, Order, Place, recover_after, run, some_at_once, undisturbed};
use super::life::{Acknowledged, Whole};
use knik::store::effect::{Effect, Moment};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Kills at each moment of each effect.
const KILLS_EACH: usize = 5;
const KILLS_LEAST: u32 = 300;

/// Kills of processes that live in one folder, one after the other: each finds what the one before it left.
struct Chain {
    moment: Moment,
    places: Vec<Place>,
}

#[test]
fn every_kill_is_recovered_from() {
    if child::is_child() {
        return;
    }
    let lived = undisturbed();
    let (reached, whole) = (lived.reached(), lived.whole());
    let effects: BTreeSet<&str> = reached.iter().map(|place| place.effect.as_str()).collect();
    for effect in Effect::ALL {
        assert!(effects.contains(format!("{effect:?}").as_str()), "no step reaches {effect:?}");
    }
    let (kills, alone) = (AtomicU32::new(0), AtomicU32::new(0));
    some_at_once(chains(&reached), |chain| {
        let left = die_and_recover(&chain, &whole);
        alone.fetch_add(u32::try_from(left.len()).unwrap(), Relaxed);
        // Each by itself.
        for place in &left {
            let by_itself = Chain { moment: chain.moment, places: vec![place.clone()] };
            assert_eq!(die_and_recover(&by_itself, &whole), [], "{:?} was not reached", chain.moment);
        }
        kills.fetch_add(u32::try_from(chain.places.len()).unwrap(), Relaxed);
    });
    let (kills, alone) = (kills.into_inner(), alone.into_inner());
    assert!(kills >= KILLS_LEAST, "{kills} kills");
    assert_eq!(kills as usize, Effect::ALL.len() * 2 * KILLS_EACH);
    println!(
        "faults: {kills} kills at {} moments ({alone} of them by themselves), all recovered: 0 lost, 0 doubled",
        Effect::ALL.len() * 2
    );
}

/// In each chain one place of every effect, at one of its moments, in the order in which a life comes by them; at different places
/// where an effect is reached more than once.
fn chains(reached: &[Place]) -> Vec<Chain> {
    let mut of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, place) in reached.iter().enumerate() {
        of.entry(place.effect.as_str()).or_default().push(number);
    }
    let chain = |nth: usize, moment| {
        let mut numbers: Vec<usize> = of.values().map(|numbers| numbers[nth % numbers.len()]).collect();
        numbers.sort_unstable();
        Chain { moment, places: numbers.into_iter().map(|number| reached[number].clone()).collect() }
    };
    let each = (0..KILLS_EACH).flat_map(|nth| [Moment::Before, Moment::After].map(|moment| (nth, moment)));
    each.map(|(nth, moment)| chain(nth, moment)).collect()
}

/// Returns the places that were not come by any more, because what comes after a kill takes another way.
fn die_and_recover(chain: &Chain, whole: &Whole) -> Vec<Place> {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::default();
    for (run_before, at) in (0_u64..).zip(&chain.places) {
        let kill = Order::Kill { run: run_before, moment: chain.moment, at: at.clone() };
        let ended = run(folder.path(), &kill, &acknowledged, &[]);
        if ended.is_whole() {
            assert_eq!(&ended.whole(), whole, "{kill:?} after {acknowledged:?}");
            return chain.places[usize::try_from(run_before).unwrap()..].to_vec();
        }
        assert!(ended.was_killed(), "{kill:?} after {acknowledged:?}: {}", ended.told());
        acknowledged = acknowledged.then(ended.acknowledged());
    }
    let what = format!("{:?} {:?}", chain.moment, chain.places.last());
    recover_after(folder.path(), chain.places.len() as u64, &acknowledged, whole, &what);
    Vec::new()
}
