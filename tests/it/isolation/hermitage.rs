//! The anomalies of Hermitage (Martin Kleppmann, github.com/ept/hermitage), as scripts of two or three transactions.
//!
//! Serializable prevents all ten. Snapshot prevents all but the two write skews, G2-item and G2.

use super::*;

#[test]
fn g0_the_writes_of_two_transactions_do_not_interleave() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        first.put(1, 11);
        second.put(1, 12);
        first.put(2, 21);
        first.commit().unwrap();
        assert_eq!(committed(db), [(1, 11), (2, 21)], "{isolation:?}");
        second.put(2, 22);
        match second.commit() {
            Ok(_) => assert_eq!(committed(db), [(1, 12), (2, 22)], "{isolation:?}"),
            Err(_) => assert_eq!(committed(db), [(1, 11), (2, 21)], "{isolation:?}"),
        }
    }
}

#[test]
fn g1a_what_is_rolled_back_is_never_read() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        first.put(1, 101);
        assert_eq!(second.all(), [(1, 10), (2, 20)], "{isolation:?}");
        first.rollback();
        assert_eq!(second.all(), [(1, 10), (2, 20)], "{isolation:?}");
        second.commit().unwrap();
    }
}

#[test]
fn g1b_what_is_overwritten_before_its_commit_is_never_read() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        first.put(1, 101);
        assert_eq!(second.get(1), Some(10), "{isolation:?}");
        first.put(1, 11);
        first.commit().unwrap();
        assert_eq!(second.get(1), Some(10), "{isolation:?}");
        assert_eq!(Actor::begin(db, isolation).get(1), Some(11), "{isolation:?}");
        rows(db).put("1", "10").unwrap();
    }
}

#[test]
fn g1c_two_transactions_never_read_from_each_other() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        first.put(1, 11);
        second.put(2, 22);
        let read = (first.get(2), second.get(1));
        assert_eq!(read, (Some(20), Some(10)), "{isolation:?}");
        first.commit().unwrap();
        match isolation {
            Serializable => refused(second.commit()),
            Snapshot => drop(second.commit().unwrap()),
        }
        rows(db).put("1", "10").unwrap();
        rows(db).put("2", "20").unwrap();
    }
}

#[test]
fn otv_an_observed_transaction_never_vanishes() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        first.put(1, 11);
        first.put(2, 19);
        second.put(1, 12);
        first.commit().unwrap();
        let third = Actor::begin(db, isolation);
        assert_eq!(third.get(1), Some(11), "{isolation:?}");
        second.put(2, 18);
        assert_eq!(third.get(2), Some(19), "{isolation:?}");
        drop(second.commit());
        assert_eq!(third.all(), [(1, 11), (2, 19)], "{isolation:?}");
        third.commit().unwrap();
    }
}

#[test]
fn pmp_a_predicate_finds_the_same_rows_again() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        assert_eq!(first.filter(|value| value == 30), [], "{isolation:?}");
        second.put(3, 30);
        second.commit().unwrap();
        assert_eq!(first.filter(|value| value % 3 == 0), [], "{isolation:?}");
        first.commit().unwrap();
        rows(db).delete("3").unwrap();
    }
}

#[test]
fn pmp_a_write_by_a_predicate_does_not_miss_what_has_changed() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        first.all().into_iter().for_each(|(key, value)| first.put(key, value + 10));
        second.filter(|value| value == 20).into_iter().for_each(|(key, _)| second.delete(key));
        first.commit().unwrap();
        refused(second.commit());
        assert_eq!(committed(db), [(1, 20), (2, 30)], "{isolation:?}");
        rows(db).put("1", "10").unwrap();
        rows(db).put("2", "20").unwrap();
    }
}

#[test]
fn p4_no_update_is_lost() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        assert_eq!((first.get(1), second.get(1)), (Some(10), Some(10)), "{isolation:?}");
        first.put(1, 11);
        second.put(1, 12);
        first.commit().unwrap();
        refused(second.commit());
        assert_eq!(committed(db), [(1, 11), (2, 20)], "{isolation:?}");
        rows(db).put("1", "10").unwrap();
    }
}

#[test]
fn g_single_reads_are_of_one_moment() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        assert_eq!(first.get(1), Some(10), "{isolation:?}");
        second.put(1, 12);
        second.put(2, 18);
        second.commit().unwrap();
        assert_eq!(first.get(2), Some(20), "{isolation:?}");
        first.commit().unwrap();
        rows(db).put("1", "10").unwrap();
        rows(db).put("2", "20").unwrap();
    }
}

#[test]
fn g_single_predicates_are_of_one_moment() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        assert_eq!(first.filter(|value| value % 5 == 0), [(1, 10), (2, 20)], "{isolation:?}");
        second.filter(|value| value == 10).into_iter().for_each(|(key, _)| second.put(key, 12));
        second.commit().unwrap();
        assert_eq!(first.filter(|value| value % 3 == 0), [], "{isolation:?}");
        first.commit().unwrap();
        rows(db).put("1", "10").unwrap();
    }
}

#[test]
fn g_single_who_wrote_by_an_outdated_view_and_rolls_back_is_in_nobodys_way() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        assert_eq!(first.get(1), Some(10), "{isolation:?}");
        assert_eq!(second.all(), [(1, 10), (2, 20)], "{isolation:?}");
        second.put(1, 12);
        first.filter(|value| value == 20).into_iter().for_each(|(key, _)| first.delete(key));
        second.put(2, 18);
        first.rollback();
        second.commit().unwrap();
        assert_eq!(committed(db), [(1, 12), (2, 18)], "{isolation:?}");
        rows(db).put("1", "10").unwrap();
        rows(db).put("2", "20").unwrap();
    }
}

#[test]
fn g_single_what_is_written_by_an_outdated_view_is_refused() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        assert_eq!(first.get(1), Some(10), "{isolation:?}");
        second.put(1, 12);
        second.put(2, 18);
        second.commit().unwrap();
        first.filter(|value| value == 20).into_iter().for_each(|(key, _)| first.delete(key));
        refused(first.commit());
        assert_eq!(committed(db), [(1, 12), (2, 18)], "{isolation:?}");
        rows(db).put("1", "10").unwrap();
        rows(db).put("2", "20").unwrap();
    }
}

#[test]
fn g2_item_write_skew_is_prevented_under_serializable_only() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        for actor in [&first, &second] {
            assert_eq!((actor.get(1), actor.get(2)), (Some(10), Some(20)), "{isolation:?}");
        }
        first.put(1, 11);
        second.put(2, 21);
        first.commit().unwrap();
        match isolation {
            Serializable => refused(second.commit()),
            Snapshot => drop(second.commit().unwrap()),
        }
        rows(db).put("1", "10").unwrap();
        rows(db).put("2", "20").unwrap();
    }
}

#[test]
fn g2_write_skew_by_a_predicate_is_prevented_under_serializable_only() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        for actor in [&first, &second] {
            assert_eq!(actor.filter(|value| value % 3 == 0), [], "{isolation:?}");
        }
        first.put(3, 30);
        second.put(4, 42);
        first.commit().unwrap();
        match isolation {
            Serializable => refused(second.commit()),
            Snapshot => drop(second.commit().unwrap()),
        }
        rows(db).delete_range("3"..="4").unwrap();
    }
}

#[test]
fn g2_two_edges_a_reader_that_shows_the_skew_is_believed_under_serializable_only() {
    for (db, isolation) in databases().iter().flat_map(|db| BOTH.map(|isolation| (db, isolation))) {
        let (first, second) = (Actor::begin(db, isolation), Actor::begin(db, isolation));
        assert_eq!(first.all(), [(1, 10), (2, 20)], "{isolation:?}");
        second.put(2, second.get(2).unwrap() + 5);
        second.commit().unwrap();
        let third = Actor::begin(db, isolation);
        assert_eq!(third.all(), [(1, 10), (2, 25)], "{isolation:?}");
        third.commit().unwrap();
        first.put(1, 0);
        match isolation {
            Serializable => refused(first.commit()),
            Snapshot => drop(first.commit().unwrap()),
        }
        rows(db).put("1", "10").unwrap();
        rows(db).put("2", "20").unwrap();
    }
}
