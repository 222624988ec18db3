//! A whole database some of whose rows are not as they were written, with checksums that are wrong or right: whatever is asked of
//! it, it answers or refuses.
//!
//! The input is a list of damages, each of them to one row: see [`damage`].

#![no_main]

use std::sync::{Arc, LazyLock};

use blaze::{
    Database, Document, Durability, Expires, Feed, Filter, History, Index, ManualClock, Metric, SeededEntropy,
    Validation, Value, field, inside,
};
use blaze_core::record::{Dictionary, Record};
use blaze_core::{CommitRequest, Direction, Family, KeyRange, Write};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

type Row = (Family, Vec<u8>, Vec<u8>);

/// The rows of a database that has something of everything.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let db = empty();
    fill(&db).expect("a sound database");
    rows(&db).expect("what was written can be read")
});

fn empty() -> Database {
    let (clock, entropy) = (ManualClock::at_ms(1_000_000), SeededEntropy::new(7));
    Database::builder().clock(Arc::new(clock)).entropy(Arc::new(entropy)).in_memory().expect("memory")
}

fn film(number: i64) -> Document {
    let words = ["space", "opera", "river", "moon", "star", "night"];
    let word = |at: i64| words[(number + at) as usize % words.len()];
    Document::new()
        .with("title", format!("{} {}", word(0), word(1)))
        .with("year", 1900 + number)
        .with("tags", vec![Value::from(word(2)), Value::from(word(3))])
        .with("near", blaze::Vector::F32(vec![number as f32, 1.0]))
        .with("email", format!("{number}@b.c"))
}

fn fill(db: &Database) -> blaze::Result<()> {
    let films = db.collection::<Document>("films")?;
    films.ensure_index(Index::on("year").then_desc("title"))?;
    films.ensure_index(Index::on("tags"))?;
    films.ensure_index(Index::on("email").unique().only(field("year").gt(0)))?;
    films.ensure_index(Index::vector("near", 2).metric(Metric::L2))?;
    films.ensure_index(Index::text(["title", "tags"]))?;
    films.set_history(History::Forever)?;
    films.set_feed(Feed::Images)?;
    for number in 0..12 {
        films.insert_with_id(number, &film(number))?;
    }
    films.delete(3)?;
    db.settle()?;
    films.put(4, &film(40))?;
    let schema = blaze::Schema::new().optional("year", blaze::schema::int());
    films.set_schema(&schema, Validation::Strict)?;
    let cast = films.subcollection::<Document>(1, "cast")?;
    cast.insert_with_id("harey", &Document::new().with("as", "Hari"))?;
    let sessions = db.expiring_keyspace("sessions")?;
    sessions.put_expiring("a", "value", Expires::Never)?;
    db.keyspace("settings")?.put("colour", "blue")?;
    let mut object = db.objects("posters")?.create("solaris")?;
    std::io::Write::write_all(&mut object, &[7; 100]).expect("memory");
    object.finish()?;
    db.drop_keyspace("gone").map(drop)
}

fn rows(db: &Database) -> blaze::Result<Vec<Row>> {
    let point = inside::store(db).read_point()?;
    let mut rows = Vec::new();
    for family in Family::ALL.into_iter().filter(|family| !family.is_kept_by_the_store()) {
        let mut cursor = point.cursor(family, &KeyRange::all(), Direction::Forward)?;
        while let Some((key, value)) = cursor.next()? {
            rows.push((family, key.to_vec(), value.to_vec()));
        }
    }
    Ok(rows)
}

/// Changes the key or the value of a row, or removes it; its checksum may be made right again.
fn damage(source: &mut Unstructured<'_>, rows: &mut Vec<Row>) -> Result<()> {
    let at = source.int_in_range(0..=rows.len() - 1)?;
    let (_, key, value) = &mut rows[at];
    match source.int_in_range(0..=9)? {
        0 => change(source, key)?,
        1 => drop(rows.remove(at)),
        2 => {
            let copy = rows[source.int_in_range(0..=rows.len() - 1)?].2.clone();
            rows[at].2 = copy;
        }
        3..=4 => change(source, value)?,
        _ if inside::unseal(key, value).is_some() => {
            value.truncate(value.len() - 4);
            change(source, value)?;
            inside::seal(key, value);
        }
        _ if Record::open(value, &Dictionary::default()).is_ok() => {
            let mut body = value.split_off(13);
            change(source, &mut body)?;
            value.truncate(9);
            value.extend(crc32fast::hash(&body).to_be_bytes());
            value.extend(body);
        }
        _ => change(source, value)?,
    }
    Ok(())
}

fn change(source: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> Result<()> {
    let at = source.int_in_range(0..=bytes.len())?;
    match source.int_in_range(0..=3)? {
        0 => bytes.truncate(at),
        1 => drop(bytes.splice(at..at, source.arbitrary::<Vec<u8>>()?)),
        2 => bytes.drain(at..(at + source.int_in_range(0..=8)?).min(bytes.len())).for_each(drop),
        _ => {
            let new: [u8; 4] = source.arbitrary()?;
            let count = source.int_in_range(1..=4)?;
            bytes.iter_mut().skip(at).zip(&new[..count]).for_each(|(byte, new)| *byte = *new);
        }
    }
    Ok(())
}

/// A database of these rows.
fn database(rows: Vec<Row>) -> blaze::Result<Database> {
    let db = empty();
    let store = inside::store(&db);
    let point = store.read_point()?;
    let mut request =
        CommitRequest { read_ts: point.ts(), durability: Durability::Buffered, ..CommitRequest::default() };
    request.writes = rows
        .into_iter()
        .filter(|(_, key, _)| !key.is_empty())
        .map(|(family, key, value)| Write::put(family, key, value))
        .collect();
    store.commit(request)?;
    Ok(db)
}

/// Asks for everything; what is refused is refused.
fn ask(db: &Database) {
    for name in db.collections().unwrap_or_default() {
        let Ok(films) = db.collection::<Document>(&name) else { continue };
        let _ = (films.count(), films.indexes(), films.get(4), films.history_start(), films.find_all().run());
        for filter in [field("year").gt(1905), field("tags").eq("moon"), field("email").eq("5@b.c")] {
            let _ = films.find(filter).sort(blaze::asc("year")).limit(5).run();
        }
        let nearest = || films.search().nearest("near", vec![3.0_f32, 1.0]);
        let _ = (nearest().run(), nearest().exact().filter(field("year").gt(1903)).run());
        let _ = (films.search().text("space river").run(), films.search().text("\"moon star\"~2").count());
        let _ = films.suggest("title", "s").run();
        let _ = (films.put(50, &film(50)), films.update(5, blaze::inc("year", 1)), films.delete(6));
        let _ = films.update_many(Filter::everything(), blaze::set("seen", true));
        if let Ok(cast) = films.subcollection::<Document>(1, "cast") {
            let _ = cast.find_all().run();
        }
    }
    for name in db.keyspaces().unwrap_or_default() {
        let _ = db.keyspace(&name).and_then(|pairs| pairs.iter().map(|pairs| pairs.take(50).for_each(drop)));
        let _ = db.expiring_keyspace(&name).and_then(|pairs| pairs.iter().map(|pairs| pairs.take(50).for_each(drop)));
    }
    for name in db.object_stores().unwrap_or_default() {
        let Ok(objects) = db.objects(&name) else { continue };
        let _ = (objects.info("solaris"), objects.read_range("solaris", ..), objects.delete("solaris"));
    }
    let _ = db.verify();
    let _ = db.repair();
    let _ = (db.apply_retention(), db.settle(), db.compact(), db.bytes_used());
    for name in db.collections().unwrap_or_default() {
        let _ = db.drop_collection(&name);
    }
}

fn check(bytes: &[u8]) -> Result<()> {
    let mut rows = ROWS.clone();
    let mut source = Unstructured::new(bytes);
    for _ in 0..source.int_in_range(1..=4)? {
        damage(&mut source, &mut rows)?;
    }
    if let Ok(db) = database(rows) {
        ask(&db);
    }
    Ok(())
}

fuzz_target!(|bytes: &[u8]| {
    let _ = check(bytes); // too few bytes say of no damage
});
