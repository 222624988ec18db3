//! Read points and cursors.

use super::*;
use Direction::{Forward, Reverse};

contracts! {
    a_read_point_never_changes,
    read_points_with_the_same_catalog_timestamp_have_the_same_catalog,
    families_are_apart,
    a_deleted_key_is_gone_at_later_read_points_only,
    a_deleted_range_is_gone_at_later_read_points_only,
    a_cursor_walks_both_ways_within_its_bounds,
    a_cursor_seeks_within_its_bounds_and_back,
    an_empty_range_has_no_entries,
    a_cursor_outlives_its_read_point_and_sees_what_that_saw,
    a_cursor_stays_at_its_end,
    a_cursor_yields_values,
    many_keys_are_visited_in_their_order,
    an_error_of_a_visitor_comes_back,
    a_visitor_may_read_at_the_same_read_point,
    an_empty_value_is_a_value,
    a_large_value_comes_back_whole,
    the_empty_key_is_never_there,
}

fn a_read_point_never_changes(fixture: &Fixture) {
    fixture.fill(&["a"]);
    let old = fixture.view();
    fixture.write(vec![put("a", "2"), put("b", "2")]);
    fixture.write(vec![put("a", "3")]);
    let new = fixture.view();
    assert_eq!((get(&*old, "a"), get(&*old, "b")), (Some("a".into()), None));
    assert_eq!((get(&*new, "a"), get(&*new, "b")), (Some("3".into()), Some("2".into())));
    assert_eq!(keys(&*old, &KeyRange::all(), Forward), "a");
    assert!(old.ts() < new.ts());
}

fn read_points_with_the_same_catalog_timestamp_have_the_same_catalog(fixture: &Fixture) {
    let catalog_ts = || fixture.store.read_only_point().unwrap().catalog_ts();
    let before = catalog_ts();
    assert!(before <= fixture.view().ts());
    fixture.fill(&["a"]);
    assert_eq!(catalog_ts(), before, "a commit of data");
    let old = fixture.view();
    let ts = fixture.write(vec![put("b", "b"), Write::put(Family::Catalog, "a", "a")]);
    assert_eq!((catalog_ts(), old.catalog_ts()), (ts, before), "a commit of a catalog row");
    fixture.fill(&["c"]);
    assert_eq!(catalog_ts(), ts);
    let ts = fixture.write(vec![Write::DeleteRange { family: Family::Catalog, range: KeyRange::prefix(b"a") }]);
    assert_eq!(catalog_ts(), ts, "a commit that removes catalog rows");
}

fn families_are_apart(fixture: &Fixture) {
    let families = || Family::ALL.into_iter().filter(|family| !family.is_kept_by_the_store());
    fixture.write(families().map(|family| Write::put(family, "k", family.name())).collect());
    let view = fixture.view();
    for family in families() {
        assert_eq!(view.get(family, b"k").unwrap().map(text).as_deref(), Some(family.name()));
        let mut cursor = view.cursor(family, &KeyRange::all(), Forward).unwrap();
        assert_eq!(rest(&mut *cursor), "k", "in {}", family.name());
    }
}

fn a_deleted_key_is_gone_at_later_read_points_only(fixture: &Fixture) {
    fixture.fill(&["a", "b"]);
    let before = fixture.view();
    fixture.write(vec![delete("a"), delete("never there")]);
    assert_eq!(fixture.get("a"), None);
    assert_eq!(get(&*before, "a"), Some("a".into()));
    assert_eq!(keys(&*fixture.view(), &KeyRange::all(), Forward), "b");
}

fn a_deleted_range_is_gone_at_later_read_points_only(fixture: &Fixture) {
    fixture.fill(&["a", "b", "c", "d", "e"]);
    let before = fixture.view();
    fixture.write(vec![delete_range("b", Some("d")), delete_range("e", Some("a"))]);
    assert_eq!(keys(&*fixture.view(), &KeyRange::all(), Forward), "a d e");
    fixture.write(vec![delete_range("d", None)]);
    assert_eq!(keys(&*fixture.view(), &KeyRange::all(), Reverse), "a");
    fixture.write(vec![Write::DeleteRange { family: Family::Data, range: KeyRange::all() }]);
    assert_eq!(keys(&*fixture.view(), &KeyRange::all(), Forward), "");
    assert_eq!(keys(&*before, &KeyRange::all(), Forward), "a b c d e");
    assert_eq!(get(&*before, "b"), Some("b".into()));
    fixture.fill(&["b"]);
    assert_eq!(keys(&*fixture.view(), &KeyRange::all(), Forward), "b");
}

fn a_cursor_walks_both_ways_within_its_bounds(fixture: &Fixture) {
    fixture.fill(&["a", "b", "bb", "c", "d"]);
    let view = fixture.view();
    for (start, end, expected) in [
        ("", None, "a b bb c d"),
        ("b", Some("d"), "b bb c"),
        ("aa", Some("bz"), "b bb"),
        ("bb", Some("bb\0"), "bb"),
        ("c", None, "c d"),
        ("e", None, ""),
        ("", Some("a"), ""),
    ] {
        let range = range(start, end);
        let mut reversed: Vec<_> = expected.split(' ').collect();
        reversed.reverse();
        assert_eq!(keys(&*view, &range, Forward), expected, "forward in {range:?}");
        assert_eq!(keys(&*view, &range, Reverse), reversed.join(" "), "in reverse in {range:?}");
    }
}

fn a_cursor_seeks_within_its_bounds_and_back(fixture: &Fixture) {
    fixture.fill(&["a", "b", "c", "d", "e", "f"]);
    let view = fixture.view();
    let bounds = range("b", Some("e"));
    for (direction, seeks) in [
        (Forward, [("c", "c d"), ("bb", "c d"), ("a", "b c d"), ("d", "d"), ("e", ""), ("z", ""), ("b", "b c d")]),
        (Reverse, [("c", "c b"), ("bb", "b"), ("a", ""), ("d", "d c b"), ("e", "d c b"), ("z", "d c b"), ("b", "b")]),
    ] {
        let mut cursor = view.cursor(Family::Data, &bounds, direction).unwrap();
        cursor.next().unwrap();
        for (key, expected) in seeks {
            cursor.seek(key.as_bytes()).unwrap();
            assert_eq!(rest(&mut *cursor), expected, "{direction:?} from {key}");
        }
    }
}

fn an_empty_range_has_no_entries(fixture: &Fixture) {
    fixture.fill(&["a", "b", "c"]);
    let view = fixture.view();
    for (start, end) in [("b", "b"), ("c", "a"), ("b", ""), ("", "")] {
        for direction in [Forward, Reverse] {
            let mut cursor = view.cursor(Family::Data, &range(start, Some(end)), direction).unwrap();
            assert_eq!(rest(&mut *cursor), "", "{direction:?} from {start} to {end}");
            for key in ["", "a", "b", "z"] {
                cursor.seek(key.as_bytes()).unwrap();
                assert_eq!(rest(&mut *cursor), "", "{direction:?} from {start} to {end}, at {key}");
            }
        }
    }
}

fn a_cursor_outlives_its_read_point_and_sees_what_that_saw(fixture: &Fixture) {
    fixture.fill(&["a", "b", "c"]);
    let mut cursor = fixture.view().cursor(Family::Data, &KeyRange::all(), Forward).unwrap();
    assert_eq!(cursor.next().unwrap(), Some((b"a".as_slice(), b"a".as_slice())));
    fixture.write(vec![delete("b"), put("bb", ""), put("c", "new")]);
    assert_eq!(cursor.next().unwrap(), Some((b"b".as_slice(), b"b".as_slice())));
    assert_eq!(cursor.next().unwrap(), Some((b"c".as_slice(), b"c".as_slice())));
    assert_eq!(cursor.next().unwrap(), None);
}

fn a_cursor_stays_at_its_end(fixture: &Fixture) {
    fixture.fill(&["a", "b"]);
    for direction in [Forward, Reverse] {
        let mut cursor = fixture.view().cursor(Family::Data, &range("a", Some("b")), direction).unwrap();
        assert_eq!(rest(&mut *cursor), "a");
        assert_eq!(rest(&mut *cursor), "", "{direction:?}");
    }
}

fn a_cursor_yields_values(fixture: &Fixture) {
    let long = "v".repeat(10_000);
    fixture.write(vec![put("a", ""), put("b", &long), put("c", "short")]);
    let mut cursor = fixture.view().cursor(Family::Data, &KeyRange::all(), Forward).unwrap();
    for value in ["", &long, "short"] {
        assert_eq!(cursor.next().unwrap().unwrap().1, value.as_bytes());
    }
}

fn many_keys_are_visited_in_their_order(fixture: &Fixture) {
    let names: Vec<String> = (0..300).map(|number| format!("{:03}", number * 7 % 300)).collect();
    fixture.write(names.iter().step_by(2).map(|name| put(name, name)).collect());
    let keys: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    let mut visited = Vec::new();
    let visit = &mut |position: usize, value: Option<&[u8]>| {
        visited.push((position, value.map(<[u8]>::to_vec)));
        Ok(())
    };
    fixture.view().visit_many(Family::Data, &keys, visit).unwrap();
    let expected = |position: usize| (position, position.is_multiple_of(2).then(|| keys[position].to_vec()));
    assert_eq!(visited, (0..300).map(expected).collect::<Vec<_>>());
}

fn an_error_of_a_visitor_comes_back(fixture: &Fixture) {
    fixture.fill(&["a"]);
    let view = fixture.view();
    let refuse = || Err(blaze_core::Error::limit_exceeded("enough"));
    let error = view.visit(Family::Data, b"a", &mut |_| refuse()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    let mut calls = 0;
    let visit = &mut |_: usize, _: Option<&[u8]>| {
        calls += 1;
        refuse()
    };
    let error = view.visit_many(Family::Data, &[b"a", b"b"], visit).unwrap_err();
    assert_eq!((error.kind(), calls), (ErrorKind::LimitExceeded, 1));
    assert!(!view.visit(Family::Data, b"b", &mut |_| refuse()).unwrap(), "an absent key is not visited");
}

fn a_visitor_may_read_at_the_same_read_point(fixture: &Fixture) {
    fixture.fill(&["a", "b"]);
    let view = fixture.view();
    let mut inner = None;
    let visit = &mut |_: &[u8]| {
        inner = Some((get(&*view, "b"), keys(&*view, &KeyRange::all(), Forward)));
        fixture.write(vec![put("c", "c")]);
        Ok(())
    };
    assert!(view.visit(Family::Data, b"a", visit).unwrap());
    assert_eq!(inner, Some((Some("b".into()), "a b".into())));
}

fn an_empty_value_is_a_value(fixture: &Fixture) {
    fixture.write(vec![put("a", ""), Write::put(Family::Index, "a", "")]);
    let view = fixture.view();
    assert_eq!(get(&*view, "a"), Some(String::new()));
    assert!(
        view.visit(Family::Index, b"a", &mut |value| {
            assert!(value.is_empty());
            Ok(())
        })
        .unwrap()
    );
}

fn a_large_value_comes_back_whole(fixture: &Fixture) {
    let large: Vec<u8> = (0..5_000_000u32).map(|byte| (byte * 31 % 251) as u8).collect();
    fixture.write(vec![Write::put(Family::Data, "large", large.clone())]);
    assert!(fixture.view().get(Family::Data, b"large").unwrap() == Some(large));
}

fn the_empty_key_is_never_there(fixture: &Fixture) {
    fixture.fill(&["a"]);
    for family in Family::ALL {
        for write in [Write::put(family, "", "value"), Write::delete(family, "")] {
            let result = fixture.store.commit(CommitRequest { writes: vec![write], ..CommitRequest::default() });
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Invalid);
        }
        if !family.is_kept_by_the_store() {
            fixture.write(vec![Write::DeleteRange { family, range: range("", Some("\0")) }]);
        }
        let view = fixture.view();
        assert_eq!(view.get(family, b"").unwrap(), None);
        view.visit_many(family, &[b""], &mut |_, value| {
            assert_eq!(value, None);
            Ok(())
        })
        .unwrap();
        for (direction, bounds) in [(Forward, KeyRange::all()), (Reverse, range("", Some("\0")))] {
            let mut cursor = view.cursor(family, &bounds, direction).unwrap();
            cursor.seek(b"").unwrap();
            assert_eq!(rest(&mut *cursor), if family == Family::Data && direction == Forward { "a" } else { "" });
        }
    }
}
