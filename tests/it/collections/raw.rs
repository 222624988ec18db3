//! Documents that are read and not decoded.

use blaze::{Database, Document, ErrorKind, Value, asc, field};

use super::{Movie, movie};

#[test]
fn a_raw_document_reads_as_the_decoded_one() {
    for db in [Database::in_memory().unwrap(), Database::temporary().unwrap()] {
        let movies = db.collection::<Movie>("movies").unwrap();
        movies.insert_with_id("solaris", &movie("Solaris", 1972)).unwrap();
        let found = movies.get("solaris").unwrap().unwrap();
        let raw = movies.get_raw("solaris").unwrap().unwrap();
        assert_eq!((&raw.id, raw.version), (&found.id, found.version));
        assert_eq!(raw.to::<Movie>().unwrap(), found.value);
        assert_eq!(raw.decode().unwrap().keys().collect::<Vec<_>>(), ["title", "releaseYear", "kinds"]);
        assert_eq!(raw.get("kinds.0").unwrap(), Some(Value::from("Drama")));
        assert_eq!(raw.get_as::<i32>("releaseYear").unwrap(), Some(1972));
        assert_eq!(raw.get_as::<Vec<String>>("kinds").unwrap(), Some(vec!["Drama".to_owned()]));
        assert_eq!((raw.get("absent").unwrap(), raw.get("kinds.1").unwrap()), (None, None));
        assert!(movies.get_raw("absent").unwrap().is_none());
        let wrong = raw.get_as::<String>("releaseYear").unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Invalid);
        assert!(
            wrong.to_string().contains("document \"solaris\"") && wrong.to_string().contains("releaseYear"),
            "{wrong}"
        );
        assert_eq!(raw.get("a..b").unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[test]
fn a_query_gives_its_rows_raw_whatever_their_type_and_in_order() {
    let db = Database::in_memory().unwrap();
    let movies = db.collection::<Movie>("movies").unwrap();
    movies.insert_many([movie("Stalker", 1979), movie("Solaris", 1972)]).unwrap();
    movies.typed::<Document>().insert(&Document::new().with("releaseYear", "unknown")).unwrap();
    assert!(movies.find_all().run().is_err(), "one is no movie");
    let query = movies.find(field("releaseYear").exists(true)).sort(asc("releaseYear"));
    let years = query.iter_raw().unwrap().map(|raw| raw.unwrap().get("releaseYear").unwrap().unwrap());
    assert_eq!(years.collect::<Vec<_>>(), [Value::from(1972), Value::from(1979), Value::from("unknown")]);
    let own = db.begin().unwrap();
    let films = own.collection::<Movie>("movies").unwrap();
    films.insert_with_id(1, &movie("Mirror", 1975)).unwrap();
    assert_eq!(films.find(field("title").eq("Mirror")).iter_raw().unwrap().count(), 1);
    assert_eq!(films.get_raw(1).unwrap().unwrap().get_as::<String>("title").unwrap().as_deref(), Some("Mirror"));
}
