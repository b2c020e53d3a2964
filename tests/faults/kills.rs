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
    let (kills, folders) = (AtomicU32::new(0), AtomicU32::new(0));
    some_at_once(chains(&reached), |chain| {
        let mut places = chain.places.as_slice();
        while !places.is_empty() {
            let killed = die_and_recover(chain.moment, places, &whole);
            assert!(killed > 0, "{:?} {:?} was not reached", chain.moment, places[0]);
            folders.fetch_add(1, Relaxed);
            kills.fetch_add(u32::try_from(killed).unwrap(), Relaxed);
            places = &places[killed..];
        }
    });
    let (kills, folders) = (kills.into_inner(), folders.into_inner());
    assert!(kills >= KILLS_LEAST, "{kills} kills");
    assert_eq!(kills as usize, Effect::ALL.len() * 2 * KILLS_EACH);
    println!(
        "faults: {kills} kills at {} moments, in {folders} folders one after the other, all recovered: 0 lost, 0 doubled",
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

/// Kills one process after the other in a new folder, and returns how many: the next place may not be come by any more, because what
/// comes after a kill takes another way. It is then the first of another folder.
fn die_and_recover(moment: Moment, places: &[Place], whole: &Whole) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::default();
    for (killed, at) in places.iter().enumerate() {
        let kill = Order::Kill { run: killed as u64, moment, at: at.clone() };
        let ended = run(folder.path(), &kill, &acknowledged, &[]);
        if ended.is_whole() {
            assert_eq!(&ended.whole(), whole, "{kill:?} after {acknowledged:?}");
            return killed;
        }
        assert!(ended.was_killed(), "{kill:?} after {acknowledged:?}: {}", ended.told());
        acknowledged = acknowledged.then(ended.acknowledged());
    }
    let what = format!("{moment:?} {:?}", places.last());
    recover_after(folder.path(), places.len() as u64, &acknowledged, whole, &what);
    places.len()
}
