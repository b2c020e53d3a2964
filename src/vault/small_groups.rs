//! Small groups: how many people stand behind each row of an export, over what it tells beside its text; and what is shown less
//! until nobody stands alone.
//!
//! A group is the rows that tell the same time, place (channel and wider values) and kind of account. The organisation's own rows
//! point at nobody. Widening is seen from outside: a group of a wider time that would be small takes its smallest sibling in, so
//! that no small group can be told by what is left; and a conversation is told as exactly as its least exact row, since its order is
//! told: what stands between two days is of one of them.

use crate::model::RecordRef;
use crate::redact::{Precision, QuasiIdentifier, SmallGroup, SmallGroups};
use crate::store::room::ShownLess;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a row tells beside its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which projection, by its number in the reading room.
    pub number: i64,
    /// Of which conversation, as the grant names it.
    pub conversation: RecordRef,
    /// When it was posted, as exactly as the plan tells: empty when not stated.
    pub time: String,
    /// Of which channel.
    pub channel: String,
    /// The wider values that it shows, with a space between.
    pub wider: String,
    /// The keyed digest of its author; `None` for the organisation itself.
    pub person: Option<u64>,
}

/// Why rows cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooFew {
    /// So many groups are small, and the policy is to refuse.
    Small(u64),
    /// Fewer people than that stand behind all of it.
    Everyone,
}

/// What is shown less, by row; rows that are shown as the plan tells are absent.
///
/// # Errors
/// [`TooFew`].
pub fn suppress(
    rows: &[Standing],
    groups: &SmallGroups,
    plan: Precision,
) -> Result<Vec<(i64, ShownLess)>, TooFew> {
    let mut table = Table::of(rows, groups, plan);
    let small = table.groups().values().filter(|group| group.people.len() < table.k).count() as u64;
    if small > 0 && groups.then == SmallGroup::Refuse {
        return Err(TooFew::Small(small));
    }
    while table.widen_once() || table.widen_conversations() {}
    table.leave_out_companions();
    let citizens = || table.rows.iter().filter(|row| row.of.person.is_some());
    if citizens().count() > 0 && citizens().all(|row| row.less.left_out) {
        return Err(TooFew::Everyone);
    }
    let changed = table.rows.into_iter().filter(|row| row.less != shown(plan));
    Ok(changed.map(|row| (row.of.number, row.less)).collect())
}

/// How many groups of fewer than `k` people stand in rows as they are told.
#[must_use]
pub fn small(rows: &[Standing], groups: &SmallGroups) -> u64 {
    let table = Table::of(rows, groups, Precision::Hour);
    table.groups().values().filter(|group| group.people.len() < table.k).count() as u64
}

const fn shown(time: Precision) -> ShownLess {
    ShownLess { left_out: false, time, no_values: false }
}

struct Row<'r> {
    of: &'r Standing,
    less: ShownLess,
}

struct Table<'r> {
    rows: Vec<Row<'r>>,
    over: &'r BTreeSet<QuasiIdentifier>,
    k: usize,
}

/// Time, channel, wider values.
type Key<'r> = (&'r str, &'r str, &'r str);

#[derive(Default)]
struct Group {
    rows: Vec<usize>,
    /// At most `k` of them.
    people: BTreeSet<u64>,
}

impl<'r> Table<'r> {
    fn of(rows: &'r [Standing], groups: &'r SmallGroups, plan: Precision) -> Self {
        let rows = rows.iter().map(|of| Row { of, less: shown(plan) }).collect();
        Self { rows, over: &groups.over, k: groups.k as usize }
    }

    fn key(&self, row: &Row<'r>) -> Key<'r> {
        let told = |one| self.over.contains(&one);
        let of: &'r Standing = row.of;
        let time = if told(QuasiIdentifier::Time) { row.less.time.of(&of.time) } else { "" };
        match (told(QuasiIdentifier::Place), row.less.no_values) {
            (false, _) => (time, "", ""),
            (true, true) => (time, of.channel.as_str(), ""),
            (true, false) => (time, of.channel.as_str(), of.wider.as_str()),
        }
    }

    /// The groups of citizens that are shown.
    fn groups(&self) -> BTreeMap<Key<'r>, Group> {
        let mut found: BTreeMap<Key<'r>, Group> = BTreeMap::new();
        for (n, row) in self.rows.iter().enumerate().filter(|(_, row)| !row.less.left_out) {
            let Some(person) = row.of.person else { continue };
            let group = found.entry(self.key(row)).or_default();
            group.rows.push(n);
            if group.people.len() < self.k {
                group.people.insert(person);
            }
        }
        found
    }

    /// Has every small group shown less, by one step. `false` when there is none.
    fn widen_once(&mut self) -> bool {
        let groups = self.groups();
        let mut wider: Vec<usize> = Vec::new();
        let mut siblings: HashMap<Key<'r>, Vec<Key<'r>>> = HashMap::new();
        for (key, group) in groups.iter().filter(|(_, group)| group.people.len() < self.k) {
            // One that was widened before takes its smallest sibling in; else it goes on itself.
            let finer = siblings.entry(*key).or_insert_with(|| {
                let beneath = |other: &&Key<'r>| {
                    other.0.len() > key.0.len()
                        && other.0.starts_with(key.0)
                        && (other.1, other.2) == (key.1, key.2)
                };
                groups.keys().filter(beneath).copied().collect()
            });
            let smallest =
                finer.iter().filter_map(|other| groups.get(other)).min_by_key(|group| group.rows.len());
            wider.extend(smallest.unwrap_or(group).rows.iter().copied());
        }
        let any = !wider.is_empty();
        for n in wider {
            let with_values = self.over.contains(&QuasiIdentifier::Place);
            let Some(row) = self.rows.get_mut(n) else { continue };
            let less = &mut row.less;
            if with_values && !less.no_values && !row.of.wider.is_empty() {
                less.no_values = true;
            } else if less.time != Precision::None && self.over.contains(&QuasiIdentifier::Time) {
                less.time = less.time.wider();
            } else {
                less.left_out = true;
            }
        }
        any
    }

    /// Has every row of a conversation told as exactly as the least exact of its rows that are shown. `false` when all are.
    fn widen_conversations(&mut self) -> bool {
        if !self.over.contains(&QuasiIdentifier::Time) {
            return false;
        }
        let mut widest: HashMap<RecordRef, Precision> = HashMap::new();
        for row in self.rows.iter().filter(|row| !row.less.left_out) {
            let told = widest.entry(row.of.conversation).or_insert(row.less.time);
            *told = row.less.time.max(*told);
        }
        let mut any = false;
        for row in self.rows.iter_mut().filter(|row| !row.less.left_out) {
            let told = widest.get(&row.of.conversation).copied().unwrap_or(row.less.time);
            any = any || told != row.less.time;
            row.less.time = told;
        }
        any
    }

    /// What is left out must not be told by its number either: fewer people than `k` are joined by the smallest group.
    fn leave_out_companions(&mut self) {
        loop {
            let out: BTreeSet<u64> =
                self.rows.iter().filter(|row| row.less.left_out).filter_map(|row| row.of.person).collect();
            if out.is_empty() || out.len() >= self.k {
                return;
            }
            let groups = self.groups();
            let Some(next) = groups.values().min_by_key(|group| group.rows.len()) else { return };
            for n in &next.rows {
                if let Some(row) = self.rows.get_mut(*n) {
                    row.less.left_out = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn groups(k: u32, then: SmallGroup) -> SmallGroups {
        let over = [QuasiIdentifier::Time, QuasiIdentifier::Place, QuasiIdentifier::AccountKind].into();
        SmallGroups { k, over, then }
    }

    /// A row in a conversation of its own.
    fn row(number: i64, time: &str, wider: &str, person: Option<u64>) -> Standing {
        let (time, wider, channel) = (time.to_owned(), wider.to_owned(), "a".to_owned());
        Standing { number, conversation: thread(number), time, channel, wider, person }
    }

    fn thread(number: i64) -> RecordRef {
        RecordRef::from_uuid(uuid::Uuid::from_u128(u128::from(number.unsigned_abs())))
    }

    /// As they are shown after it.
    fn shown_rows(rows: &[Standing], less: &[(i64, ShownLess)]) -> Vec<Standing> {
        let less: HashMap<i64, &ShownLess> = less.iter().map(|(number, less)| (*number, less)).collect();
        rows.iter()
            .filter(|row| !less.get(&row.number).is_some_and(|less| less.left_out))
            .map(|row| {
                let mut told = row.clone();
                if let Some(less) = less.get(&row.number) {
                    told.time = less.time.of(&row.time).to_owned();
                    if less.no_values {
                        told.wider.clear();
                    }
                }
                told
            })
            .collect()
    }

    #[test]
    fn a_small_day_is_told_by_its_month_and_takes_a_sibling_along() {
        let mut rows: Vec<Standing> = (0..20).map(|n| row(n, "2026-05-04", "", Some(n as u64))).collect();
        rows.extend((20..26).map(|n| row(n, "2026-05-05", "", Some(n as u64))));
        rows.extend((26..40).map(|n| row(n, "2026-05-06", "", Some(n as u64))));
        rows.push(row(99, "2026-05-05", "", None));
        let less = suppress(&rows, &groups(10, SmallGroup::Suppress), Precision::Day).unwrap();
        let told: BTreeSet<i64> = less.iter().map(|(number, _)| *number).collect();
        assert_eq!(
            told,
            (20..40).collect(),
            "the six, and the smaller of their siblings; not the organisation"
        );
        assert!(less.iter().all(|(_, less)| less.time == Precision::Month && !less.left_out));
        assert_eq!(small(&shown_rows(&rows, &less), &groups(10, SmallGroup::Suppress)), 0);
        assert_eq!(suppress(&rows, &groups(10, SmallGroup::Refuse), Precision::Day), Err(TooFew::Small(1)));
    }

    #[test]
    fn ten_rows_of_one_person_are_one_person() {
        let rows: Vec<Standing> = (0..10).map(|n| row(n, "2026-05-04", "", Some(1))).collect();
        assert_eq!(suppress(&rows, &groups(10, SmallGroup::Suppress), Precision::Day), Err(TooFew::Everyone));
    }

    #[test]
    fn wider_values_go_before_times() {
        let mut rows: Vec<Standing> = (0..20).map(|n| row(n, "2026-05-04", "", Some(n as u64))).collect();
        rows.push(row(20, "2026-05-04", "1985", Some(20)));
        let less = suppress(&rows, &groups(10, SmallGroup::Suppress), Precision::Day).unwrap();
        assert_eq!(less, [(20, ShownLess { left_out: false, time: Precision::Day, no_values: true })]);
    }

    #[test]
    fn what_stands_between_two_days_in_a_conversation_does_not_tell_its_own() {
        let mut rows: Vec<Standing> = (0..20).map(|n| row(n, "2026-05-04", "", Some(n as u64))).collect();
        rows.extend((20..45).map(|n| row(n, "2026-05-06", "", Some(n as u64))));
        rows.extend((45..50).map(|n| row(n, "2026-05-05", "", Some(n as u64))));
        // One of the five stands between one of the other days, and one of the organisation.
        for number in [20, 45, 50] {
            if number == 50 {
                rows.push(row(50, "2026-05-06", "", None));
            }
            rows[number as usize].conversation = thread(1_000);
        }
        let less = suppress(&rows, &groups(10, SmallGroup::Suppress), Precision::Day).unwrap();
        let told: HashMap<i64, Precision> = less.iter().map(|(number, less)| (*number, less.time)).collect();
        for number in [20, 45, 50] {
            assert_eq!(told.get(&number), Some(&Precision::Month), "{number}");
        }
        assert!(!told.contains_key(&21), "other conversations are told as they were");
        assert_eq!(small(&shown_rows(&rows, &less), &groups(10, SmallGroup::Suppress)), 0);
    }

    proptest! {
        #[test]
        fn nobody_stands_in_a_small_group_afterwards(
            rows in proptest::collection::vec((0_u64..40, 0_u8..4, 1_u8..20, 0_u8..3), 0..120),
            threads in 1_i64..60,
        ) {
            let rows: Vec<Standing> = rows
                .iter()
                .enumerate()
                .map(|(n, (person, month, day, wider))| {
                    let wider = if *wider == 0 { "1985" } else { "" };
                    let time = format!("2026-{:02}-{day:02}T09", month + 1);
                    let number = i64::try_from(n).unwrap();
                    let of = row(number, &time, wider, (*person > 2).then_some(*person));
                    Standing { conversation: thread(number % threads), ..of }
                })
                .collect();
            let groups = groups(5, SmallGroup::Suppress);
            if let Ok(less) = suppress(&rows, &groups, Precision::Hour) {
                prop_assert_eq!(small(&shown_rows(&rows, &less), &groups), 0);
                let told: HashMap<i64, &ShownLess> = less.iter().map(|(number, less)| (*number, less)).collect();
                let mut exact: HashMap<RecordRef, BTreeSet<Precision>> = HashMap::new();
                for row in &rows {
                    let less = told.get(&row.number);
                    if !less.is_some_and(|less| less.left_out) {
                        let time = less.map_or(Precision::Hour, |less| less.time);
                        exact.entry(row.conversation).or_default().insert(time);
                    }
                }
                prop_assert!(exact.values().all(|exact| exact.len() == 1), "a conversation is told alike");
            }
        }
    }
}
