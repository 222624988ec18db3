//! Which commits are refused, and which never are.

use super::*;
use Isolation::{Serializable, Snapshot};
use blaze_core::{Feed, Tracking};

contracts! {
    a_changed_key_that_was_read_is_a_conflict,
    an_absent_key_that_was_read_and_appeared_is_a_conflict,
    a_deleted_key_that_was_read_is_a_conflict,
    an_unchanged_key_is_none,
    a_phantom_is_a_conflict,
    an_empty_range_that_was_filled_is_a_conflict,
    a_write_beside_a_range_is_none,
    a_deleted_range_conflicts_with_what_was_in_it,
    write_skew_is_refused_under_serializable,
    write_skew_is_allowed_under_snapshot,
    a_lost_update_is_refused_under_both,
    a_range_delete_over_a_changed_key_is_refused_under_snapshot,
    blind_writes_never_conflict,
    a_touched_key_that_was_read_is_a_conflict,
    a_touch_is_a_change_to_who_guards_or_overwrites_it,
    a_touch_is_not_validated_itself,
    a_touched_key_is_as_it_was,
    touches_alone_are_no_commit,
    guards_are_validated_under_both,
    a_request_without_writes_never_conflicts,
    families_do_not_conflict_with_each_other,
    what_was_written_before_the_read_point_is_no_conflict,
    a_refused_commit_writes_nothing,
}

fn a_changed_key_that_was_read_is_a_conflict(fixture: &Fixture) {
    fixture.fill(&["a"]);
    let transaction = fixture.begin(Serializable).read("a").write(put("x", "1"));
    fixture.write(vec![put("a", "2")]);
    assert_conflict(transaction.commit());
}

fn an_absent_key_that_was_read_and_appeared_is_a_conflict(fixture: &Fixture) {
    let transaction = fixture.begin(Serializable).read("a").write(put("x", "1"));
    fixture.write(vec![put("a", "2")]);
    assert_conflict(transaction.commit());
}

fn a_deleted_key_that_was_read_is_a_conflict(fixture: &Fixture) {
    fixture.fill(&["a"]);
    let transaction = fixture.begin(Serializable).read("a").write(put("x", "1"));
    fixture.write(vec![delete("a")]);
    assert_conflict(transaction.commit());
}

fn an_unchanged_key_is_none(fixture: &Fixture) {
    fixture.fill(&["a", "b"]);
    let transaction = fixture.begin(Serializable).read("a").read("absent").write(put("x", "1"));
    fixture.write(vec![put("b", "2")]);
    assert_committed(transaction.commit());
}

fn a_phantom_is_a_conflict(fixture: &Fixture) {
    fixture.fill(&["a", "c"]);
    let transaction = fixture.begin(Serializable).read_range("a", Some("d")).write(put("x", "1"));
    fixture.write(vec![put("b", "new")]);
    assert_conflict(transaction.commit());
}

fn an_empty_range_that_was_filled_is_a_conflict(fixture: &Fixture) {
    let bounded = fixture.begin(Serializable).read_range("a", Some("d")).write(put("x", "1"));
    let unbounded = fixture.begin(Serializable).read_range("a", None).write(put("x", "1"));
    fixture.write(vec![put("b", "new")]);
    assert_conflict(bounded.commit());
    assert_conflict(unbounded.commit());
}

fn a_write_beside_a_range_is_none(fixture: &Fixture) {
    let transaction = fixture.begin(Serializable).read_range("b", Some("d")).read_range("z", Some("a"));
    let transaction = transaction.write(put("b", "its own"));
    fixture.write(vec![put("a", "below"), put("d", "at the end"), put("e", "above")]);
    assert_committed(transaction.commit());
}

fn a_deleted_range_conflicts_with_what_was_in_it(fixture: &Fixture) {
    fixture.fill(&["a", "b", "c"]);
    let point = fixture.begin(Serializable).read("b").write(put("x", "1"));
    let range = fixture.begin(Serializable).read_range("b", Some("bb")).write(put("x", "1"));
    let lost_update = fixture.begin(Snapshot).write(put("b", "1"));
    let beside = fixture.begin(Serializable).read("c").read_range("c", None).write(put("y", "1"));
    fixture.write(vec![delete_range("a", Some("c"))]);
    assert_conflict(point.commit());
    assert_conflict(range.commit());
    assert_conflict(lost_update.commit());
    assert_committed(beside.commit());
}

fn write_skew_is_refused_under_serializable(fixture: &Fixture) {
    fixture.fill(&["a", "b"]);
    let first = fixture.begin(Serializable).read("a").read("b").write(put("a", "off"));
    let second = fixture.begin(Serializable).read("a").read("b").write(put("b", "off"));
    assert_committed(first.commit());
    assert_conflict(second.commit());
}

fn write_skew_is_allowed_under_snapshot(fixture: &Fixture) {
    fixture.fill(&["a", "b"]);
    let first = fixture.begin(Snapshot).read("a").read("b").write(put("a", "off"));
    let second = fixture.begin(Snapshot).read("a").read("b").read_range("", None).write(put("b", "off"));
    assert_committed(first.commit());
    assert_committed(second.commit());
}

fn a_lost_update_is_refused_under_both(fixture: &Fixture) {
    for isolation in [Serializable, Snapshot] {
        fixture.fill(&["a"]);
        let first = fixture.begin(isolation).read("a").write(put("a", "1"));
        let second = fixture.begin(isolation).read("a").write(put("a", "1"));
        assert_committed(first.commit());
        assert_conflict(second.commit());
    }
}

fn a_range_delete_over_a_changed_key_is_refused_under_snapshot(fixture: &Fixture) {
    fixture.fill(&["a", "c"]);
    let over = fixture.begin(Snapshot).write(delete_range("a", Some("c")));
    let beside = fixture.begin(Snapshot).write(delete_range("c", None));
    fixture.write(vec![put("b", "new")]);
    assert_conflict(over.commit());
    assert_committed(beside.commit());
}

fn blind_writes_never_conflict(fixture: &Fixture) {
    fixture.fill(&["a"]);
    let blind = fixture.begin(Serializable).write(put("a", "1")).write(delete_range("b", None));
    let other = fixture.begin(Serializable).write(put("a", "2"));
    fixture.write(vec![put("a", "3"), put("b", "3")]);
    assert_committed(blind.commit());
    assert_committed(other.commit());
    assert_eq!((fixture.get("a"), fixture.get("b")), (Some("2".into()), None));
}

fn a_touched_key_that_was_read_is_a_conflict(fixture: &Fixture) {
    fixture.fill(&["a"]);
    for touched in ["a", "absent"] {
        let point = fixture.begin(Serializable).read(touched).write(put("x", "1"));
        let range = fixture.begin(Serializable).read_range("a", Some("b")).write(put("x", "1"));
        let beside = fixture.begin(Serializable).read("b").read_range("b", Some("c")).write(put("y", "1"));
        fixture.write(vec![touch(touched), put("other", "1")]);
        assert_conflict(point.commit());
        assert_conflict(range.commit());
        assert_committed(beside.commit());
        assert_committed(fixture.begin(Serializable).read(touched).read_range("a", None).write(put("x", "1")).commit());
    }
}

fn a_touch_is_a_change_to_who_guards_or_overwrites_it(fixture: &Fixture) {
    let guard = fixture.begin(Snapshot).guard("a").write(put("x", "1"));
    let update = fixture.begin(Snapshot).write(put("a", "1"));
    let removal = fixture.begin(Snapshot).write(delete_range("a", Some("b")));
    fixture.write(vec![touch("a"), put("other", "1")]);
    assert_conflict(guard.commit());
    assert_conflict(update.commit());
    assert_conflict(removal.commit());
}

fn a_touch_is_not_validated_itself(fixture: &Fixture) {
    for isolation in [Serializable, Snapshot] {
        let first = fixture.begin(isolation).write(touch("a")).write(put("x", "1"));
        let second = fixture.begin(isolation).write(touch("a")).write(put("y", "1"));
        fixture.write(vec![put("a", "1")]);
        assert_committed(first.commit());
        assert_committed(second.commit());
    }
}

fn a_touched_key_is_as_it_was(fixture: &Fixture) {
    fixture.fill(&["a"]);
    let tracked = vec![Tracking { prefix: *b"term", history: true, feed: Feed::Images, dropped: false }];
    let writes = vec![put("term a", "1"), touch("term a"), touch("term b"), touch("a"), touch("b")];
    let request = CommitRequest { writes, tracked, ..CommitRequest::default() };
    let ts = fixture.store.commit(request).unwrap();
    let view = fixture.view();
    assert_eq!((get(&*view, "a"), get(&*view, "b")), (Some("a".into()), None));
    assert_eq!(get(&*view, "term a"), Some("1".into()));
    assert_eq!(keys(&*view, &KeyRange::all(), Direction::Forward), "a term a");
    assert_eq!(fixture.store.versions(&view, b"term b").unwrap().count(), 0);
    assert_eq!(fixture.store.changes(&view, Timestamp::ZERO).unwrap().count(), 1, "that of the put");
    assert_eq!(fixture.store.read_point_at(ts).unwrap().get(Family::Data, b"term b").unwrap(), None);
    let add = || Write::Add { family: Family::Data, key: b"n".to_vec(), delta: 1 };
    fixture.write(vec![add(), touch("n"), add(), touch("n")]);
    let sum = fixture.view().get(Family::Data, b"n").unwrap().unwrap();
    assert_eq!(counter::decode(&sum).unwrap(), 2);
}

fn touches_alone_are_no_commit(fixture: &Fixture) {
    fixture.fill(&["a"]);
    let before = fixture.view().ts();
    let reader = fixture.begin(Serializable).read("a").write(put("x", "1"));
    let touching = fixture.begin(Serializable).read("a").write(touch("a"));
    assert_eq!(touching.commit().unwrap(), before);
    assert_eq!(fixture.view().ts(), before);
    assert_committed(reader.commit());
    let refused = fixture.begin(Serializable).write(touch("")).commit().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

fn guards_are_validated_under_both(fixture: &Fixture) {
    for isolation in [Serializable, Snapshot] {
        let changed = fixture.begin(isolation).guard("catalog").write(put("x", "1"));
        let unchanged = fixture.begin(isolation).guard("absent").write(put("y", "1"));
        fixture.write(vec![put("catalog", "new")]);
        assert_conflict(changed.commit());
        assert_committed(unchanged.commit());
    }
}

fn a_request_without_writes_never_conflicts(fixture: &Fixture) {
    fixture.fill(&["a"]);
    let reader = fixture.begin(Serializable).read("a").read_range("", None).guard("a");
    let read_ts = reader.view.ts();
    fixture.write(vec![put("a", "2")]);
    assert_eq!(reader.commit().unwrap(), read_ts);
}

fn families_do_not_conflict_with_each_other(fixture: &Fixture) {
    let transaction = fixture.begin(Serializable).read("a").read_range("", None).write(put("x", "1"));
    fixture.write(vec![
        Write::put(Family::Index, "a", ""),
        Write::DeleteRange { family: Family::Vector, range: KeyRange::all() },
    ]);
    assert_committed(transaction.commit());
}

fn what_was_written_before_the_read_point_is_no_conflict(fixture: &Fixture) {
    let older_reader = fixture.view();
    fixture.fill(&["a"]);
    fixture.write(vec![delete_range("b", None)]);
    assert_committed(fixture.begin(Serializable).read("a").read_range("", None).write(put("x", "1")).commit());
    assert_eq!(get(&*older_reader, "a"), None);
}

fn a_refused_commit_writes_nothing(fixture: &Fixture) {
    let transaction = fixture.begin(Serializable).read("a").write(put("x", "1")).write(delete("a"));
    fixture.fill(&["a"]);
    let before = fixture.view().ts();
    assert_conflict(transaction.commit());
    assert_eq!((fixture.get("x"), fixture.get("a")), (None, Some("a".into())));
    assert_eq!(fixture.view().ts(), before);
}
