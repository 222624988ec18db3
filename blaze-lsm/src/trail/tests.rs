//! Following the requests of a group must leave behind what following them one by one does.

use std::collections::BTreeMap;
use std::sync::Arc;

use blaze_core::limits::RANGE_HISTORY_BYTES_MAX;
use blaze_core::{
    Change, CommitRequest, ErrorKind, Expiry, Family, Feed, KeyRange, Marks, Result, Timestamp, Tracking, UndoKey,
    Write,
};
use proptest::collection::vec;
use proptest::prelude::*;

use super::overlay::VisitEntry;
use super::*;

/// The data of a database.
#[derive(Clone, Debug, Default)]
struct Data(BTreeMap<Vec<u8>, Vec<u8>>);

impl Latest for Data {
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, range: &KeyRange, visit: &mut VisitEntry<'_>) -> Result<()> {
        self.0.iter().filter(|(key, _)| range.contains(key)).try_for_each(|(key, value)| visit(key, value))
    }
}

impl Data {
    fn apply(&mut self, writes: &[Write]) {
        for write in writes {
            match write {
                Write::Put { key, value, .. } => drop(self.0.insert(key.clone(), value.clone())),
                Write::Delete { key, .. } => drop(self.0.remove(key)),
                Write::DeleteRange { range, .. } => self.0.retain(|key, _| !range.contains(key)),
                Write::Add { .. } => unreachable!("a put by now"),
                Write::Touch { .. } => {}
            }
        }
    }
}

fn trail() -> Trail {
    Trail::new(Marks::default(), Arc::default())
}

fn tracking(history: bool, feed: Feed) -> Tracking {
    Tracking { prefix: *b"pref", history, feed, dropped: false }
}

fn request(writes: Vec<Write>) -> CommitRequest {
    CommitRequest { writes, tracked: vec![tracking(true, Feed::Images)], ..CommitRequest::default() }
}

fn ts(bits: u64) -> Timestamp {
    Timestamp::from_bits(bits)
}

fn write() -> impl Strategy<Value = Write> {
    let key = || prop_oneof![4 => "pref[ab]{0,2}", 1 => "oth[ae]r"].prop_map(String::into_bytes);
    prop_oneof![
        4 => (key(), "[xy]{0,2}").prop_map(|(key, value)| Write::put(Family::Data, key, value)),
        2 => key().prop_map(|key| Write::delete(Family::Data, key)),
        1 => key().prop_map(|key| Write::Touch { family: Family::Data, key }),
        1 => (key(), key()).prop_map(|(start, end)| {
            Write::DeleteRange { family: Family::Data, range: KeyRange::new(start, Some(end)) }
        }),
    ]
}

proptest! {
    #[test]
    fn a_group_leaves_behind_what_its_requests_do_one_by_one(before in vec(write(), 0..6), requests in vec(vec(write(), 1..5), 1..6)) {
        let mut data = Data::default();
        data.apply(&before);
        let untouched = data.clone();
        let (alone, together) = (trail(), trail());
        let mut group = Overlay::default();
        for (number, writes) in requests.into_iter().enumerate() {
            let (request, ts) = (request(writes), ts(number as u64 + 1));
            let one = alone.follow(&data, &mut Overlay::default(), &request, ts).unwrap();
            let grouped = together.follow(&untouched, &mut group, &request, ts).unwrap();
            prop_assert_eq!(one.writes, grouped.writes);
            prop_assert_eq!(one.fed, grouped.fed);
            data.apply(&request.writes);
        }
    }
}

#[test]
fn a_request_without_tracking_costs_nothing() {
    let request = CommitRequest { writes: vec![Write::put(Family::Data, "pref", "")], ..CommitRequest::default() };
    let followed = trail().follow(&Data::default(), &mut Overlay::default(), &request, ts(1)).unwrap();
    assert!(followed.writes.is_empty() && followed.fed.is_empty());
}

#[test]
fn a_refused_request_changes_nothing_for_its_group() {
    let (trail, mut group, mut data) = (trail(), Overlay::default(), Data::default());
    for number in 0..=8_u8 {
        data.0.insert([b"pref".as_slice(), &[number]].concat(), vec![0; RANGE_HISTORY_BYTES_MAX / 8]);
    }
    let all = Write::DeleteRange { family: Family::Data, range: KeyRange::prefix(b"pref") };
    let refused =
        trail.follow(&data, &mut group, &request(vec![Write::put(Family::Data, "pref\0", "lost"), all]), ts(1));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert_eq!(*trail.marks(), Marks::default());
    let followed =
        trail.follow(&data, &mut group, &request(vec![Write::delete(Family::Data, "pref\x01")]), ts(2)).unwrap();
    let undo = Write::put(
        Family::History,
        UndoKey::bytes(*b"pref", &[1], ts(2)),
        UndoKey::value(Some(&vec![0; RANGE_HISTORY_BYTES_MAX / 8])),
    );
    assert!(followed.writes.contains(&undo));
    assert_eq!(followed.fed, [*b"pref"]);
}

#[test]
fn the_filter_goes_by_durable_floors_and_never_passes_a_reader() {
    let trail = Arc::new(trail());
    trail
        .follow(&Data::default(), &mut Overlay::default(), &request(vec![Write::put(Family::Data, "pref", "")]), ts(1))
        .unwrap();
    let floor = || trail.drop_floors.get().of(*b"pref");
    let expire = |to: u64, at: u64| {
        let expiry = Expiry { history: vec![(*b"pref", ts(to))], feed: None };
        let request = CommitRequest { expiry: expiry.clone(), ..CommitRequest::default() };
        trail.follow(&Data::default(), &mut Overlay::default(), &request, ts(at)).unwrap();
        expiry
    };
    let (_, reader) = trail.register(|_| Ok(ts(5))).unwrap();
    let expiry = expire(8, 10);
    assert_eq!(trail.marks().history_from(*b"pref"), Some(ts(8)), "new readers are refused at once");
    assert_eq!(floor(), Timestamp::ZERO, "nothing is dropped before that is durable");
    trail.use_floors(&expiry, ts(10));
    assert_eq!(floor(), ts(5));
    drop(reader);
    trail.use_floors(&expire(7, 11), ts(11));
    assert_eq!(floor(), ts(7));
    trail.use_floors(&expire(100, 12), ts(12));
    assert_eq!(floor(), ts(12));
}

#[test]
fn truncation_removes_the_rows_up_to_the_floor_and_no_mark() {
    let expiry = Expiry { history: Vec::new(), feed: Some(ts(3)) };
    let request = CommitRequest { expiry, ..CommitRequest::default() };
    let followed = trail().follow(&Data::default(), &mut Overlay::default(), &request, ts(9)).unwrap();
    let ranges = followed.writes.iter().filter_map(|write| match write {
        Write::DeleteRange { family: Family::Feed, range } => Some(range.clone()),
        _ => None,
    });
    let ranges: Vec<_> = ranges.collect();
    assert_eq!(ranges, [Change::range_through(ts(3))]);
    assert!(!ranges[0].contains(MARKS_KEY));
}
