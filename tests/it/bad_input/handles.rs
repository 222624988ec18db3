//! Handles whose time is over, or that may only read.

use blaze::{Collection, Database, Document, Error, ErrorKind, Index, Keyspace, Result, inc};

use super::{Fixture, contents, film, refused};

/// What each way of writing answers.
fn writes(films: &Collection<Document>, settings: &Keyspace) -> Vec<(&'static str, Result<()>)> {
    let document = film("Mirror", 1975);
    vec![
        ("insert", films.insert(&document).map(drop)),
        ("insert_with_id", films.insert_with_id("mirror", &document)),
        ("insert_many", films.insert_many([document.clone()]).map(drop)),
        ("bulk", films.bulk().insert([document.clone()]).map(drop)),
        ("put", films.put("solaris", &document)),
        ("replace", films.replace("solaris", &document)),
        ("update", films.update("solaris", inc("year", 1))),
        ("delete", films.delete("solaris").map(drop)),
        ("ensure_index", films.ensure_index(Index::on("title"))),
        ("drop_index", films.drop_index("year").map(drop)),
        ("key put", settings.put("theme", "light")),
        ("key delete", settings.delete("theme")),
        ("key delete_range", settings.delete_range("a".."z")),
        ("key delete_range of nothing", settings.delete_range("z".."a")),
    ]
}

/// What each way of reading answers.
fn reads(films: &Collection<Document>, settings: &Keyspace) -> Vec<(&'static str, Result<()>)> {
    vec![
        ("get", films.get("solaris").map(drop)),
        ("get_many", films.get_many(["solaris"]).map(drop)),
        ("contains", films.contains("solaris").map(drop)),
        ("count", films.count().map(drop)),
        ("indexes", films.indexes().map(drop)),
        ("find", films.find_all().run().map(drop)),
        ("find iter", films.find_all().iter().map(drop)),
        ("find first", films.find_all().first().map(drop)),
        ("find count", films.find_all().count().map(drop)),
        ("find explain", films.find_all().explain().map(drop)),
        ("search", films.search().nearest("embedding", &[1.0, 0.0, 0.0]).run().map(drop)),
        ("key get", settings.get("theme").map(drop)),
        ("key get_with", settings.get_with("theme", <[u8]>::len).map(drop)),
        ("key get_many", settings.get_many(["theme"]).map(drop)),
        ("key contains", settings.contains("theme").map(drop)),
        ("key iter", settings.iter().map(drop)),
        ("key range", settings.range("a"..).map(drop)),
        ("key range_reverse", settings.range_reverse("a"..).map(drop)),
        ("key prefix", settings.prefix("t").map(drop)),
        ("key count", settings.count().map(drop)),
    ]
}

#[track_caller]
fn all_answer(kind: ErrorKind, word: &str, calls: Vec<(&'static str, Result<()>)>) {
    for (call, result) in calls {
        let error = result.expect_err(call);
        assert_eq!(error.kind(), kind, "{call}: {error}");
        assert!(error.to_string().contains(word), "{call}: {error}");
    }
}

#[test]
fn a_snapshot_refuses_every_write() {
    let fixture = Fixture::new();
    let view = fixture.db.snapshot().unwrap();
    let (films, settings) = (view.collection("films").unwrap(), view.keyspace("settings").unwrap());
    all_answer(ErrorKind::Invalid, "snapshot", writes(&films, &settings));
    for (call, result) in reads(&films, &settings) {
        result.expect(call);
    }
    fixture.refuses(view.collection::<Document>("absent"), ErrorKind::NotFound, &["no collection \"absent\""]);
    fixture.refuses(view.keyspace("absent"), ErrorKind::NotFound, &["no keyspace \"absent\""]);
}

#[test]
fn the_handles_of_a_transaction_that_has_ended_are_closed() {
    let fixture = Fixture::new();
    let ends: [fn(blaze::Transaction); 3] = [|tx| assert!(tx.commit().is_ok()), blaze::Transaction::rollback, drop];
    for end in ends {
        let tx = fixture.db.begin().unwrap();
        let (films, settings) = (tx.collection("films").unwrap(), tx.keyspace("settings").unwrap());
        end(tx);
        all_answer(ErrorKind::Closed, "transaction has ended", writes(&films, &settings));
        all_answer(ErrorKind::Closed, "transaction has ended", reads(&films, &settings));
        assert_eq!(contents(&fixture.db), fixture.before);
    }
}

#[test]
fn the_handles_of_a_closed_database_are_closed() {
    let directory = tempfile::tempdir().unwrap();
    for db in [Database::in_memory().unwrap(), Database::open(directory.path().join("db")).unwrap()] {
        let (films, settings) = (db.collection("films").unwrap(), db.keyspace("settings").unwrap());
        films.insert_with_id("solaris", &film("Solaris", 1972)).unwrap();
        settings.put("theme", "dark").unwrap();
        let (tx, view) = (db.begin().unwrap(), db.snapshot().unwrap());
        let (mut rows, mut keys) = (films.find_all().iter().unwrap(), settings.iter().unwrap());
        let old = (view.collection("films").unwrap(), view.keyspace("settings").unwrap());
        let own = (tx.collection::<Document>("films").unwrap(), tx.keyspace("settings").unwrap());
        own.1.put("theme", "light").unwrap();
        db.close().unwrap();
        db.close().unwrap();

        all_answer(ErrorKind::Closed, "closed", writes(&films, &settings));
        all_answer(ErrorKind::Closed, "closed", reads(&films, &settings));
        all_answer(ErrorKind::Closed, "closed", reads(&old.0, &old.1));
        refused(own.0.get("solaris"), ErrorKind::Closed, &["closed"]);
        refused(tx.commit(), ErrorKind::Closed, &["closed"]);
        refused(rows.next().unwrap(), ErrorKind::Closed, &["closed"]);
        assert!(rows.next().is_none(), "after an error the iterator ends");
        refused(keys.next().unwrap(), ErrorKind::Closed, &["closed"]);
        assert!(keys.next().is_none(), "after an error the iterator ends");
        all_answer(ErrorKind::Closed, "closed", calls_of(&db));
    }
    let db = Database::open(directory.path().join("db")).unwrap();
    assert_eq!(db.keyspace("settings").unwrap().get("theme").unwrap().unwrap(), b"dark");
}

fn calls_of(db: &Database) -> Vec<(&'static str, Result<()>)> {
    vec![
        ("collection", db.collection::<Document>("films").map(drop)),
        ("keyspace", db.keyspace("settings").map(drop)),
        ("collections", db.collections().map(drop)),
        ("keyspaces", db.keyspaces().map(drop)),
        ("drop_collection", db.drop_collection("films").map(drop)),
        ("drop_keyspace", db.drop_keyspace("settings").map(drop)),
        ("transaction", db.transaction(|_| Ok(()))),
        ("begin", db.begin().map(drop)),
        ("snapshot", db.snapshot().map(drop)),
        ("sync", db.sync()),
        ("bytes_used", db.bytes_used().map(drop)),
    ]
}

#[test]
fn the_handles_of_what_was_dropped_find_nothing() {
    let fixture = Fixture::new();
    let (films, settings) = (fixture.films(), fixture.settings());
    assert!(fixture.db.drop_collection("films").unwrap() && fixture.db.drop_keyspace("settings").unwrap());
    all_answer(ErrorKind::NotFound, "there is no", writes(&films, &settings));
    all_answer(ErrorKind::NotFound, "there is no", reads(&films, &settings));
    assert_eq!(contents(&fixture.db), "");
}

#[test]
fn a_transaction_whose_work_fails_is_rolled_back_with_its_error() {
    let fixture = Fixture::new();
    let result = fixture.db.transaction(|tx| {
        tx.collection::<Document>("films")?.delete("solaris")?;
        tx.keyspace("new")?.put("key", "value")?;
        Err::<(), _>(Error::invalid("the price is -3, at least 0 is needed"))
    });
    fixture.refuses(result, ErrorKind::Invalid, &["the price is -3, at least 0 is needed"]);
}
