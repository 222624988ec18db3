//! Updates of stored documents, with operators beyond set, unset and inc.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::sync::Arc;

use blaze::filter::element;
use blaze::{
    Collection, Database, Document, ErrorKind, Index, ManualClock, Push, Time, Update, Value, field, inc, pull_where,
    push, push_each, rename, set, set_now,
};

const NOW_MS: u64 = 1_700_000_000_000;

fn players() -> (Database, Collection<Document>) {
    let db = Database::builder().clock(Arc::new(ManualClock::at_ms(NOW_MS))).in_memory().unwrap();
    let players = db.collection::<Document>("players").unwrap();
    let game = |points: i64, level: &str| Document::new().with("points", points).with("level", level);
    let kelvin = Document::new()
        .with("name", "Kelvin")
        .with("scores", [7, 9, 3])
        .with("games", [game(10, "easy"), game(20, "hard"), game(30, "easy")]);
    players.insert_with_id("kelvin", &kelvin).unwrap();
    (db, players)
}

fn stored(players: &Collection<Document>) -> Document {
    players.get("kelvin").unwrap().unwrap().into_value()
}

#[test]
fn operators_and_array_filters_change_what_is_stored() {
    let (_db, players) = players();
    let update = push_each("scores", Push::new([8]).at(0).keep_first(3))
        .and(inc("games.$[easy].points", 5))
        .and(rename("name", "names.last"))
        .and(set_now("seen"))
        .array_filter("easy", field("level").eq("easy"));
    players.update("kelvin", update).unwrap();
    let game = |points: i64, level: &str| Document::new().with("points", points).with("level", level);
    let expected = Document::new()
        .with("scores", [8, 7, 9])
        .with("games", [game(15, "easy"), game(20, "hard"), game(35, "easy")])
        .with("names", Document::new().with("last", "Kelvin"))
        .with("seen", Time::from_millis(NOW_MS));
    assert_eq!(stored(&players), expected);
}

#[test]
fn indexes_follow_what_updates_do_to_arrays() {
    let (_db, players) = players();
    players.ensure_index(Index::on("best")).unwrap();
    players.update("kelvin", push("best", 1).and(pull_where("scores", element().lt(8)))).unwrap();
    players.update("kelvin", rename("best", "worst").and(rename("scores", "best.of"))).unwrap_err();
    players.update("kelvin", set("best", 9)).unwrap();
    let query = players.find(field("best").eq(9));
    assert_eq!(query.explain().unwrap().index(), Some("best"));
    assert_eq!(query.run().unwrap().len(), 1);
    players.update("kelvin", rename("best", "former")).unwrap();
    assert_eq!(players.find(field("best").eq(9)).count().unwrap(), 0);
    assert_eq!(stored(&players).get("scores"), Some(&Value::from([9])));
}

#[test]
fn an_update_that_fails_leaves_the_document_and_the_transaction_as_they_were() {
    let (db, players) = players();
    let before = stored(&players);
    let failing = || push("scores", 1).and(inc("games.$[].level", 1));
    let error = players.update("kelvin", failing()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let message = "inc games.$[].level: \"easy\" is a string, not a number";
    assert!(error.to_string().ends_with(message), "{error}");
    assert_eq!(stored(&players), before);

    let tx = db.begin().unwrap();
    let own = tx.collection::<Document>("players").unwrap();
    own.update("kelvin", set("name", "Kris")).unwrap();
    own.update("kelvin", failing()).unwrap_err();
    tx.commit().unwrap();
    assert_eq!(stored(&players), before.with("name", "Kris"));
}

#[test]
fn an_update_read_from_json_does_the_same() {
    let (_db, players) = players();
    let json =
        r#"{"$pull": {"games": {"points": {"$lt": 25}}}, "$pop": {"scores": -1}, "$mul": {"games.2.points": 2}}"#;
    let error = Update::from_document(&serde_json::from_str(json).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "at the top level: two changes overlap in one update: games and games.2.points");
    let json = r#"{"$pull": {"games": {"points": {"$lt": 25}}}, "$pop": {"scores": -1}, "$max": {"best": 9}}"#;
    players.update("kelvin", Update::from_document(&serde_json::from_str(json).unwrap()).unwrap()).unwrap();
    let document = stored(&players);
    assert_eq!(document.get("scores"), Some(&Value::from([9, 3])));
    assert_eq!(document.get("games").and_then(Value::as_array).map(<[Value]>::len), Some(1));
    assert_eq!(document.get("best"), Some(&Value::from(9)));
}
