//! Thirty-four things that people do with a document database, and how they are done here.
//!
//! Each is a whole program but for the line that opens a database; [`Database::temporary`](crate::Database::temporary) stands
//! for `Database::open("films.blaze")`.
//!
//! # Writing
//!
//! **1. Store a struct under an id of its own.** The field marked with `#[blaze(id)]` is the id.
//!
//! ```
//! use blaze::{Database, Document};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, Document)]
//! struct Film {
//!     #[blaze(id)]
//!     #[serde(rename = "_id")]
//!     id: String,
//!     title: String,
//! }
//!
//! let db = Database::temporary()?;
//! let films = db.collection::<Film>("films")?;
//! films.insert(&Film { id: "solaris".into(), title: "Solaris".into() })?;
//! assert_eq!(films.get("solaris")?.unwrap().title, "Solaris");
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **2. Store what has no type of its own.** [`Document`](struct@crate::Document) keeps any fields in their order.
//!
//! ```
//! use blaze::{Database, Document};
//!
//! let db = Database::temporary()?;
//! let notes = db.collection::<Document>("notes")?;
//! let id = notes.insert(&Document::from_json(r#"{"text": "see Solaris", "tags": ["film"]}"#)?)?;
//! assert_eq!(notes.get(&id)?.unwrap().to_json()?, r#"{"text":"see Solaris","tags":["film"]}"#);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **3. Insert many at once**, all or none.
//!
//! ```
//! # use blaze::{Database, Document};
//! # let db = Database::temporary()?;
//! let numbers = db.collection::<Document>("numbers")?;
//! let ids = numbers.insert_many((0..1_000).map(|n| Document::new().with("n", n)))?;
//! assert_eq!(ids.len(), 1_000);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **4. Load a large set with its indexes**, past the log, in bounded memory, shown by one commit.
//!
//! ```
//! # use blaze::{Database, Document, Index};
//! # let db = Database::temporary()?;
//! let mut loader = db.load_collection("numbers").ensure_index(Index::on("n")).begin()?;
//! for n in 0..10_000 {
//!     loader.insert_with_id(n, &Document::new().with("n", n * 7 % 10_000))?;
//! }
//! assert_eq!(loader.finish()?, 10_000);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **5. Change some fields.** Several changes are made together or not at all.
//!
//! ```
//! # use blaze::{Database, Document, inc, push, set};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.insert_with_id(1, &Document::new().with("title", "Solaris"))?;
//! films.update(1, set("director.name", "Tarkovsky").and(inc("views", 1)).and(push("tags", "space")))?;
//! assert_eq!(films.get(1)?.unwrap().get("views"), Some(&1.into()));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **6. Change elements of an array**, those that match.
//!
//! ```
//! # use blaze::{Database, Document, field, set};
//! # let db = Database::temporary()?;
//! # let orders = db.collection::<Document>("orders")?;
//! orders.insert_with_id(1, &Document::from_json(r#"{"lines": [{"sku": 7, "sent": false}, {"sku": 9, "sent": false}]}"#)?)?;
//! orders.update(1, set("lines.$[line].sent", true).array_filter("line", field("sku").eq(9)))?;
//! assert_eq!(orders.find(field("lines.sent").eq(true)).count()?, 1);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **7. Count something that may not be there yet** with an upsert.
//!
//! ```
//! # use blaze::{Database, Document, inc};
//! # let db = Database::temporary()?;
//! let views = db.collection::<Document>("views")?;
//! for page in ["/", "/films", "/"] {
//!     views.upsert(page, inc("count", 1))?;
//! }
//! assert_eq!(views.get("/")?.unwrap().get("count"), Some(&2.into()));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **8. Change all that match.**
//!
//! ```
//! # use blaze::{Database, Document, field, set};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.insert_many((1970..1980).map(|year| Document::new().with("year", year)))?;
//! let report = films.update_many(field("year").lt(1975), set("decade", "early seventies"))?;
//! assert_eq!((report.matched, report.modified), (5, 5));
//! assert_eq!(films.delete_many(field("year").ge(1975))?, 5);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **9. Take the first job of a queue**, so that nobody else takes it.
//!
//! ```
//! # use blaze::{Database, Document, asc, field, set};
//! # let db = Database::temporary()?;
//! # let jobs = db.collection::<Document>("jobs")?;
//! jobs.insert_many((0..3).map(|n| Document::new().with("due", n).with("state", "waiting")))?;
//! let taken = jobs.find(field("state").eq("waiting")).sort(asc("due")).update_first(set("state", "taken")).return_after();
//! assert_eq!(taken.run()?.unwrap().get("due"), Some(&0.into()));
//! assert_eq!(jobs.find(field("state").eq("waiting")).count()?, 2);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **10. Save what a user has edited, unless somebody else was faster.**
//!
//! ```
//! # use blaze::{Database, Document, ErrorKind, set};
//! # let db = Database::temporary()?;
//! # let notes = db.collection::<Document>("notes")?;
//! notes.insert_with_id(1, &Document::new().with("text", "draft"))?;
//! let mut open = notes.get(1)?.unwrap();
//! open.value.insert("text", "mine");
//! notes.update(1, set("text", "theirs"))?;
//! assert_eq!(notes.save(&open).unwrap_err().kind(), ErrorKind::VersionMismatch);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! # Asking
//!
//! **11. Find, sort, limit**, by an index.
//!
//! ```
//! # use blaze::{Database, Document, Index, desc, field};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.ensure_index(Index::on("genre").then("year"))?;
//! films.insert_many((1950..2000).map(|year| Document::new().with("genre", "drama").with("year", year)))?;
//! let latest = films.find(field("genre").eq("drama").and(field("year").le(1980))).sort(desc("year")).limit(3);
//! let years: Vec<_> = latest.run()?.iter().map(|film| film.get("year").cloned().unwrap()).collect();
//! assert_eq!(years, [1980.into(), 1979.into(), 1978.into()]);
//! assert_eq!(latest.explain()?.documents_examined, 3);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **12. Misspell no field**: the derive macro gives typed names.
//!
//! ```
//! # use blaze::{Database, Document};
//! # use serde::{Deserialize, Serialize};
//! #[derive(Serialize, Deserialize, Document)]
//! struct Film {
//!     title: String,
//!     year: i32,
//! }
//!
//! let db = Database::temporary()?;
//! let films = db.collection::<Film>("films")?;
//! films.insert(&Film { title: "Solaris".into(), year: 1972 })?;
//! let found = films.find(Film::FIELDS.year.between(1970, 1979)).first()?; // `Film::FIELDS.yaer` would not compile
//! assert_eq!(found.unwrap().title, "Solaris");
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **13. Look into arrays.** An index has an entry for each element.
//!
//! ```
//! # use blaze::{Database, Document, Index, Value, field};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.ensure_index(Index::on("genres"))?;
//! films.insert(&Document::new().with("genres", vec![Value::from("drama"), "mystery".into()]))?;
//! assert_eq!(films.find(field("genres").contains("mystery")).explain()?.index(), Some("genres"));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **14. Take a filter from a request**, in MongoDB's form.
//!
//! ```
//! # use blaze::{Database, Document, Filter};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.insert(&Document::new().with("year", 1972))?;
//! let filter = Filter::from_json(r#"{"year": {"$gte": 1970, "$lt": 1980}}"#)?;
//! assert_eq!(films.find(filter).count()?, 1);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **15. Page through an answer.** A token names the place, whatever was written since.
//!
//! ```
//! # use blaze::{Database, Document, PageToken, asc};
//! # let db = Database::temporary()?;
//! # let numbers = db.collection::<Document>("numbers")?;
//! numbers.insert_many((0..25).map(|n| Document::new().with("n", n)))?;
//! let query = numbers.find_all().sort(asc("n"));
//! let first = query.page(10, None)?;
//! let link = first.next.unwrap().to_string(); // in an address, say
//! let second = query.page(10, Some(&link.parse::<PageToken>()?))?;
//! assert_eq!(second.rows[0].get("n"), Some(&10.into()));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **16. Read only some fields** of large documents.
//!
//! ```
//! # use blaze::{Database, Document};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.insert(&Document::new().with("title", "Solaris").with("script", "a long one"))?;
//! let rows = films.find_all().select(["title"]).run()?;
//! assert_eq!(rows[0].fields, Document::new().with("title", "Solaris"));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **17. List the values of a field.**
//!
//! ```
//! # use blaze::{Database, Document, Index};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.ensure_index(Index::on("country"))?;
//! films.insert_many(["FR", "SU", "FR"].map(|country| Document::new().with("country", country)))?;
//! assert_eq!(films.find_all().distinct("country")?, ["FR".into(), "SU".into()]);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **18. Ask why a query is slow.**
//!
//! ```
//! # use blaze::{Database, Document, field};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.insert_many((0..100).map(|n| Document::new().with("n", n)))?;
//! let explain = films.find(field("n").eq(7)).explain()?;
//! assert_eq!((explain.index(), explain.documents_examined, explain.rows), (None, 100, 1)); // an index would help
//! println!("{explain}");
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **19. Group and sum.**
//!
//! ```
//! use blaze::pipeline::{avg, count};
//! # use blaze::{Database, Document, desc, field};
//! # let db = Database::temporary()?;
//! # let orders = db.collection::<Document>("orders")?;
//! let order = |city: &str, total: i32| Document::new().with("city", city).with("total", total);
//! orders.insert_many([order("Oslo", 10), order("Wien", 50), order("Oslo", 20), order("Bern", 1)])?;
//! let cities = orders
//!     .pipeline()
//!     .filter(field("total").ge(5))
//!     .group("city", [count().named("orders"), avg("total").named("mean")])
//!     .sort(desc("orders"))
//!     .run()?;
//! assert_eq!(cities[0], Document::new().with("city", "Oslo").with("orders", 2).with("mean", 15.0));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **20. Join two collections** at one moment.
//!
//! ```
//! use blaze::pipeline::Lookup;
//! # use blaze::{Database, Document};
//! # let db = Database::temporary()?;
//! # let (people, films) = (db.collection::<Document>("people")?, db.collection::<Document>("films")?);
//! people.insert_with_id(1, &Document::new().with("name", "Tarkovsky"))?;
//! films.insert(&Document::new().with("title", "Solaris").with("director", 1))?;
//! let rows = films.pipeline().lookup(Lookup::from("people").by_id("director").named("directors")).run()?;
//! assert_eq!(rows[0].get("directors").and_then(|all| all.as_array()).map(<[_]>::len), Some(1));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! # Keeping it right
//!
//! **21. Allow each address once.**
//!
//! ```
//! # use blaze::{Database, Document, ErrorKind, Index};
//! # let db = Database::temporary()?;
//! # let users = db.collection::<Document>("users")?;
//! users.ensure_index(Index::on("email").unique())?;
//! users.insert(&Document::new().with("email", "a@example.com"))?;
//! let error = users.insert(&Document::new().with("email", "a@example.com")).unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::AlreadyExists);
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **22. Index only what is asked for.**
//!
//! ```
//! # use blaze::{Database, Document, Index, field};
//! # let db = Database::temporary()?;
//! # let jobs = db.collection::<Document>("jobs")?;
//! jobs.ensure_index(Index::on("due").only(field("state").eq("open")).named("open jobs"))?;
//! jobs.insert(&Document::new().with("due", 7).with("state", "open"))?;
//! let due = jobs.find(field("state").eq("open").and(field("due").le(10)));
//! assert_eq!(due.explain()?.index(), Some("open jobs"));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **23. Have sessions go away by themselves.**
//!
//! ```
//! use std::time::Duration;
//! # use blaze::{Database, Document, Index, Time};
//! # let db = Database::temporary()?;
//! # let sessions = db.collection::<Document>("sessions")?;
//! sessions.ensure_index(Index::on("seen").expire_after(Duration::from_secs(3_600)))?;
//! sessions.insert(&Document::new().with("seen", "2026-01-01T00:00:00Z".parse::<Time>()?))?; // removed before long
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **24. Refuse what does not look right.**
//!
//! ```
//! use blaze::schema::{int, string};
//! # use blaze::{Database, Document, Schema, Validation};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! let schema = Schema::new().required("title", string().min_length(1)).optional("year", int().between(1888, 2100));
//! films.set_schema(&schema, Validation::Strict)?;
//! let error = films.insert(&Document::new().with("title", "Solaris").with("year", "1972")).unwrap_err();
//! assert!(error.to_string().contains("year: expected int"), "{error}");
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **25. Change the form of all documents** when the program changes; it goes on where it was cut short.
//!
//! ```
//! # use blaze::{Database, Document, Migrations};
//! # let db = Database::temporary()?;
//! # let people = db.collection::<Document>("people")?;
//! people.insert_with_id(1, &Document::new().with("name", "Andrei"))?;
//! let migrations = Migrations::new().step(1, "name becomes first", |person| {
//!     if let Some(name) = person.remove("name") {
//!         person.insert("first", name);
//!     }
//!     Ok(())
//! });
//! assert_eq!(people.migrate_dry_run(&migrations)?.changed, 1);
//! people.migrate(&migrations)?;
//! assert!(people.get(1)?.unwrap().contains_key("first"));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **26. Move money**: several documents, one transaction, tried again when another gets in the way.
//!
//! ```
//! # use blaze::{Database, Document, Error, inc};
//! # let db = Database::temporary()?;
//! # let accounts = db.collection::<Document>("accounts")?;
//! accounts.insert_many_with_ids([("a", Document::new().with("cents", 500)), ("b", Document::new().with("cents", 0))])?;
//! db.transaction(|tx| {
//!     let accounts = tx.collection::<Document>("accounts")?;
//!     let has = accounts.get("a")?.and_then(|account| account.get("cents")?.as_i64()).unwrap_or(0);
//!     if has < 200 {
//!         return Err(Error::invalid("not enough money"));
//!     }
//!     accounts.update("a", inc("cents", -200))?;
//!     accounts.update("b", inc("cents", 200))
//! })?;
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! # Looking back, in and out
//!
//! **27. See it as it was.**
//!
//! ```
//! # use blaze::{Database, Document, History, set};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.set_history(History::Forever)?;
//! films.insert_with_id(1, &Document::new().with("title", "Solyaris"))?;
//! let before = db.snapshot()?.read_ts();
//! films.update(1, set("title", "Solaris"))?;
//! let then = db.as_of(before)?.collection::<Document>("films")?.get(1)?.unwrap();
//! assert_eq!(then.get("title"), Some(&"Solyaris".into()));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **28. Follow the changes**, from where one left off.
//!
//! ```
//! # use blaze::{Database, Document, Feed};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.set_feed(Feed::Images)?;
//! let mut changes = films.changes(films.feed_start()?.unwrap())?;
//! films.insert_with_id(1, &Document::new().with("title", "Solaris"))?;
//! let set = changes.next().unwrap()?;
//! assert_eq!(set.changes.len(), 1); // `set.ts` is where to go on
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **29. Import and export** lines of JSON, or CSV.
//!
//! ```
//! # use blaze::{Database, Document, OnError};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! let lines = "{\"_id\": 1, \"title\": \"Solaris\"}\nnot JSON\n";
//! let report = films.import_json_lines(lines.as_bytes()).on_error(OnError::Skip).run()?;
//! assert_eq!((report.documents, report.first_bad_lines[0].line), (1, 2));
//! let mut text = Vec::new();
//! films.export_csv(&mut text).run()?;
//! assert_eq!(text, b"_id,title\n1,Solaris\n");
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **30. Make sure of all of it**: checksums, documents, entries of indexes, counts.
//!
//! ```
//! # use blaze::{Database, Document, Index};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.ensure_index(Index::on("year"))?;
//! films.insert(&Document::new().with("year", 1972))?;
//! assert!(db.verify()?.is_healthy()); // if not, `db.repair()` makes the indexes anew of the documents
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! # Searching
//!
//! **31. Search texts** as people write what they look for: any of the words, `"a phrase"`, `+required`, `-forbidden`,
//! `title:dune`, `oper*`, `solarus~`. The best come first, with what was found marked.
//!
//! ```
//! # use blaze::{Analyzer, Database, Document, Index, Language, field};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! let english = Analyzer::standard().language(Language::English);
//! films.ensure_index(Index::text(["title", "plot"]).analyzer(english).field_boost("title", 2.0))?;
//! films.insert(&Document::new().with("title", "Solaris").with("plot", "An ocean that thinks").with("year", 1972))?;
//! let hits = films.search().text("oceans -musical").filter(field("year").lt(1980)).highlight("plot").run()?;
//! assert_eq!(hits[0].highlights[0].snippets[0].text, "An <mark>ocean</mark> that thinks");
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **32. Search by words and by meaning at once**, at one read point: hits that both find come first.
//!
//! ```
//! # use blaze::{Database, Document, Index, Vector};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.ensure_index(Index::text(["title"]))?;
//! films.ensure_index(Index::vector("mood", 2))?;
//! for (title, mood) in [("Dune", [0.9, 0.1]), ("Dune Buggy", [0.0, 1.0]), ("Solaris", [1.0, 0.2])] {
//!     films.insert(&Document::new().with("title", title).with("mood", Vector::F32(mood.to_vec())))?;
//! }
//! let hits = films.search().text("dune").nearest("mood", &[1.0, 0.1]).run()?;
//! assert_eq!(hits[0].get("title").unwrap().as_str(), Some("Dune"));
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **33. Complete what somebody types**, by the words that most documents have.
//!
//! ```
//! # use blaze::{Database, Document, Index};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.ensure_index(Index::text(["title"]))?;
//! films.insert_many(["Space Opera", "Space Station"].map(|title| Document::new().with("title", title)))?;
//! assert_eq!(films.suggest("title", "spa").run()?[0].text, "space");
//! assert_eq!(films.suggest("title", "space o").run()?[0].text, "space opera");
//! # Ok::<(), blaze::Error>(())
//! ```
//!
//! **34. Show more like this**, and how many hits there are of each kind.
//!
//! ```
//! # use blaze::{Database, Document, Index, Value};
//! # let db = Database::temporary()?;
//! # let films = db.collection::<Document>("films")?;
//! films.ensure_index(Index::text(["plot"]))?;
//! for (title, plot, genre) in [("Alien", "monster in space", "horror"), ("Life", "monster on a station", "horror")] {
//!     films.insert_with_id(title, &Document::new().with("plot", plot).with("genre", genre))?;
//! }
//! assert_eq!(films.search().more_like(["Alien"]).run()?[0].id.to_string(), "Life");
//! assert_eq!(films.search().text("monster").facet("genre", 10)?, [(Value::from("horror"), 2)]);
//! # Ok::<(), blaze::Error>(())
//! ```
