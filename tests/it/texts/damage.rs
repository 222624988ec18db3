//! Indexes on text that do not agree with their documents.

use blaze_core::{Family, Write};

use super::*;
use crate::verify::{entry, tamper};

/// A database with an index on text whose entries come first in the family `text`.
fn filled(path: &Path) {
    let db = open(path);
    let films = films(&db);
    films.ensure_index(index()).unwrap();
    fill(&films, 0..200);
    db.close().unwrap();
}

/// What is written to a store to damage it.
type Damage<'a> = dyn Fn(&blaze_lsm::LsmStore) -> Vec<Write> + 'a;

#[test]
fn damaged_entries_are_found_and_the_index_is_built_anew() {
    let directory = tempfile::tempdir().unwrap();
    let missing = |store: &blaze_lsm::LsmStore| vec![Write::delete(Family::Text, entry(store, Family::Text, 5).0)];
    let wrong = |store: &blaze_lsm::LsmStore| {
        let (key, _) = entry(store, Family::Text, 5);
        vec![Write::put(Family::Text, key, entry(store, Family::Text, 6).1)]
    };
    let stray = |store: &blaze_lsm::LsmStore| {
        let (mut key, value) = entry(store, Family::Text, 5);
        *key.last_mut().unwrap() = 0xF0;
        vec![Write::put(Family::Text, key, value)]
    };
    let damages: [(&str, &Damage<'_>, &str); 3] = [
        ("missing", &missing, "has no entry"),
        ("wrong", &wrong, "another value"),
        ("stray", &stray, "which is not there"),
    ];
    for (name, damage, message) in damages {
        let path = directory.path().join(name);
        filled(&path);
        tamper(&path, damage);
        let db = open(&path);
        let report = db.verify().unwrap();
        assert_eq!(report.problem_count, 1, "{name}: {:?}", report.problems);
        assert_eq!(report.problems[0].index.as_deref(), Some("text"));
        assert!(report.problems[0].message.contains(message), "{name}: {:?}", report.problems);
        let repaired = db.repair().unwrap();
        assert_eq!(repaired.problem_count, 0, "{name}: {:?}", repaired.problems);
        assert!(repaired.indexes.iter().any(|repair| repair.index == "text" && repair.is_rebuilt), "{name}");
        assert_healthy(&db);
        films(&db).put(1, &film(3)).unwrap();
        assert_healthy(&db);
    }
}
