//! Import and export: what goes out comes back, and what is bad is told by its line.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::fs::File;
use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use blaze::limits::IMPORT_LINE_BYTES_MAX;
use blaze::{
    Collection, CsvTypes, Database, Decimal, Document, DocumentId, ErrorKind, Index, JsonForm, OnDuplicate, OnError,
    Time, Uuid, Value, Vector,
};

fn collection(name: &str) -> (Database, Collection<Document>) {
    let db = Database::in_memory().unwrap();
    let collection = db.collection(name).unwrap();
    (db, collection)
}

/// All documents with their ids, exactly.
fn contents(collection: &Collection<Document>) -> Vec<String> {
    let rows = collection.find_all().run().unwrap();
    rows.iter().map(|row| format!("{:?} {:?}", row.id, row.value)).collect()
}

fn json(collection: &Collection<Document>) -> Vec<u8> {
    let mut text = Vec::new();
    collection.export_json_lines(&mut text).run().unwrap();
    text
}

fn every_type() -> Document {
    Document::new()
        .with("null", Value::Null)
        .with("bool", true)
        .with("int", -1)
        .with("uint", u64::MAX)
        .with("float", 1.0)
        .with("zero", -0.0)
        .with("infinite", f64::NEG_INFINITY)
        .with("decimal", "1.50".parse::<Decimal>().unwrap())
        .with("bytes", [0_u8, 255])
        .with("time", Time::from_micros(-1))
        .with("uuid", Uuid::from_bytes([7; 16]))
        .with("vector", [0.1_f32, -0.0])
        .with("half", Vector::half_precision(&[0.5]))
        .with("bits", Vector::Bits(vec![5]))
        .with("array", vec![Value::from(1), Value::from(Document::new().with("$x", "y"))])
        .with("text", "a\n\"b\"\u{1F600}")
}

#[test]
fn what_is_exported_comes_back_with_ids_and_types() {
    let (_db, original) = collection("original");
    let ids: [DocumentId; 5] =
        [5.into(), u64::MAX.into(), "a \"b\"".into(), vec![1_u8, 2].into(), Uuid::from_bytes([1; 16]).into()];
    for id in ids {
        original.insert_with_id(id, &every_type()).unwrap();
    }
    original.insert(&Document::new()).unwrap();
    for compressed in [false, true] {
        for load in [false, true] {
            let mut text = Vec::new();
            let export = original.export_json_lines(&mut text).id_field("$id");
            let report = if compressed { export.zstd().run() } else { export.run() }.unwrap();
            assert_eq!((report.documents, report.bytes as usize == text.len()), (6, !compressed));
            let (_other, copy) = collection("copy");
            let import = copy.import_json_lines(text.as_slice()).id_field("$id");
            let imported = if load { import.load().run() } else { import.run() }.unwrap();
            assert_eq!((imported.documents, imported.lines, imported.bytes), (6, 6, report.bytes));
            assert_eq!(contents(&copy), contents(&original));
        }
    }
}

#[test]
fn an_export_reads_one_view() {
    let (db, films) = collection("films");
    films.bulk().insert_with_ids((0..3_000).map(|n| (n, Document::new().with("n", n)))).unwrap();
    let mut text = Vec::new();
    let mutate = |_| {
        films.delete(2_999).unwrap();
        films.put(5_000, &Document::new()).unwrap();
        ControlFlow::Continue(())
    };
    films.export_json_lines(&mut text).progress(mutate).run().unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("\"_id\":2999") && !text.contains("\"_id\":5000"));
    let mut none = Vec::new();
    let stop = |_| ControlFlow::Break(());
    assert_eq!(films.export_csv(&mut none).progress(stop).run().unwrap_err().kind(), ErrorKind::Cancelled);
    let mut inside = Vec::new();
    db.transaction(|tx| {
        let films = tx.collection::<Document>("films")?;
        films.put("mine", &Document::new())?;
        films.export_json_lines(&mut inside).run().map(drop)
    })
    .unwrap();
    assert!(String::from_utf8(inside).unwrap().contains("\"_id\":\"mine\""));
}

/// Lines of which each even one is bad in another way.
const BAD: &[u8] = b"\xEF\xBB\xBF{\"_id\":1}\r\n{\"_id\":}\n\n{\"_id\":\"\xFF\"}\n[1]\n{\"_id\":1.5}\n{\"no\":1}\n{\"_id\":\"\"}\n{\"_id\":1}\n{\"$x\":1}\n{\"_id\":2}";

#[test]
fn bad_lines_are_told_by_number_and_the_rest_kept_or_all_refused() {
    let (_db, films) = collection("films");
    let error = films.import_json_lines(BAD).id_field("_id").run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.to_string().contains("nothing was imported: line 2, column 8: expected value; line 4, byte 9:"),
        "{error}"
    );
    assert_eq!(films.count().unwrap(), 0);
    for load in [false, true] {
        let (_db, films) = collection("films");
        let import = films.import_json_lines(BAD).id_field("_id").on_error(OnError::Skip);
        if load {
            let error = import.load().run().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
            assert_eq!(films.count().unwrap(), 0);
            continue;
        }
        let report = import.run().unwrap();
        let told: Vec<(u64, &str)> = report.first_bad_lines.iter().map(|bad| (bad.line, bad.reason.as_str())).collect();
        let expected = [
            (2, "line 2, column 8: expected value"),
            (4, "line 4, byte 9: invalid UTF-8"),
            (5, "line 5, column 1: expected an object, found a value of type array"),
            (6, "line 6: the field \"_id\" is a float, an id is an int, a string, bytes or a uuid"),
            (7, "line 7: there is no field \"_id\", which holds the id"),
            (8, "line 8: document id is empty, at least 1 byte is needed"),
            (9, "line 9: there is a document 1 already"),
            (10, "line 10, column 5: \"$x\" is no type that values have: as a field it is \"$$x\""),
        ];
        assert_eq!(told, expected);
        assert_eq!((report.lines, report.documents, report.bad_lines), (11, 2, 8));
        assert_eq!(contents(&films).len(), 2);
    }
}

#[test]
fn what_the_collection_refuses_is_a_bad_line_too() {
    let (_db, films) = collection("films");
    films.ensure_index(Index::vector("v", 2)).unwrap();
    let text = "{\"v\":{\"$vector\":{\"bits\":\"AQ==\"}}}\n{\"n\":1}\n";
    let error = films.import_json_lines(text.as_bytes()).run().unwrap_err();
    assert!(error.to_string().contains("line 1: "), "{error}");
    assert_eq!(films.count().unwrap(), 0);
    let report = films.import_json_lines(text.as_bytes()).on_error(OnError::Skip).run().unwrap();
    assert_eq!((report.documents, report.bad_lines, report.first_bad_lines[0].line), (1, 1, 1));
}

#[test]
fn duplicates_are_refused_left_out_or_replace() {
    let (_db, films) = collection("films");
    films.insert_with_id(1, &Document::new().with("v", 0)).unwrap();
    let text = "{\"_id\":1,\"v\":1}\n{\"_id\":2,\"v\":2}\n{\"_id\":2,\"v\":3}\n";
    let import =
        |on_duplicate| films.import_json_lines(text.as_bytes()).id_field("_id").on_duplicate(on_duplicate).run();
    assert_eq!(import(OnDuplicate::Refuse).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(films.count().unwrap(), 1);
    let report = import(OnDuplicate::Skip).unwrap();
    assert_eq!((report.documents, report.skipped), (1, 2));
    assert_eq!(films.get(2).unwrap().unwrap().value, Document::new().with("v", 2));
    let report = import(OnDuplicate::Replace).unwrap();
    assert_eq!((report.documents, report.replaced), (3, 3));
    assert_eq!(films.get(2).unwrap().unwrap().value, Document::new().with("v", 3));
    let kept = films.import_json_lines(&b"{\"k\":\"x\"}"[..]).id_field_kept("k").run().unwrap();
    assert_eq!((kept.documents, films.get("x").unwrap().unwrap().value), (1, Document::new().with("k", "x")));
    let automatic = films.import_json_lines(&b""[..]).on_duplicate(OnDuplicate::Skip).run().unwrap_err();
    assert_eq!(automatic.kind(), ErrorKind::Invalid);
}

#[test]
fn an_import_that_is_stopped_or_whose_input_fails_says_what_stays() {
    let lines: String = (0..5_000).map(|n| format!("{{\"_id\":{n}}}\n")).collect();
    let stop = |progress: blaze::ImportProgress| match progress.lines {
        0..3_000 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    for (on_error, load, stays) in
        [(OnError::Refuse, false, 0), (OnError::Skip, true, 0), (OnError::Skip, false, 3_000)]
    {
        let (_db, films) = collection("films");
        let import = films.import_json_lines(lines.as_bytes()).id_field("_id").on_error(on_error).progress(stop);
        let error = if load { import.load().run() } else { import.run() }.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(films.count().unwrap(), stays);
    }
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the cable was pulled"))
        }
    }
    let (_db, films) = collection("films");
    let error = films.import_json_lines(Cursor::new(b"{}\n{}\n").chain(Failing)).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("the cable was pulled"), "{error}");
    assert_eq!(films.count().unwrap(), 0);
    let mut full = [0_u8; 3];
    films.insert(&Document::new()).unwrap();
    assert_eq!(films.export_json_lines(&mut full[..]).run().unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn lines_and_records_are_limited() {
    let long = || {
        Cursor::new(b"{}\n\"").chain(std::io::repeat(b'a').take(IMPORT_LINE_BYTES_MAX as u64)).chain(&b"\"\n{}\n"[..])
    };
    let (_db, films) = collection("films");
    let report = films.import_json_lines(long()).on_error(OnError::Skip).run().unwrap();
    assert_eq!((report.documents, report.bad_lines, report.first_bad_lines[0].line), (2, 1, 2));
    let quote = Cursor::new(b"a\n\"").chain(std::io::repeat(b'a'));
    let error = films.import_csv(quote).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(films.import_json_lines(deep.as_bytes()).run().is_err());
    let bytes = [&[0x28, 0xB5, 0x2F, 0xFD][..], b"no frame"].concat();
    assert_eq!(films.import_json_lines(bytes.as_slice()).run().unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn records_become_documents_and_bad_ones_are_told() {
    let (_db, films) = collection("films");
    let text = "\u{FEFF}id;a.b;a.c;s\r\n1;7;;\"x;\n\"\"y\"\"\"\r\n2;1\r\n\r\n3;true;4.5;007\r\n\n4\n";
    let report =
        films.import_csv(text.as_bytes()).delimiter(b';').id_field("id").on_error(OnError::Skip).run().unwrap();
    assert_eq!((report.documents, report.bad_lines, report.lines), (2, 2, 8));
    assert_eq!(report.first_bad_lines[1].line, 8);
    assert_eq!(report.first_bad_lines[0].reason, "line 4: it has 2 cells, and there are 4 columns");
    assert_eq!(films.get(1).unwrap().unwrap().to_json().unwrap(), r#"{"a":{"b":7},"s":"x;\n\"y\""}"#);
    assert_eq!(films.get(3).unwrap().unwrap().to_json().unwrap(), r#"{"a":{"b":true,"c":4.5},"s":"007"}"#);
    films.import_csv(&b"id,n\nx,\n"[..]).types(CsvTypes::Strings).id_field("id").run().unwrap();
    assert_eq!(films.get("x").unwrap().unwrap().value, Document::new().with("n", ""));
    for (header, reason) in [
        ("a,a", "column 2 has the name \"a\""),
        ("a,a.b", "\"a.b\" leads through"),
        ("a,", "column 2: "),
        ("a..b", "column 1: "),
    ] {
        let error = films.import_csv(header.as_bytes()).run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(reason), "{header} gave: {error}");
    }
    assert_eq!(films.import_csv(&b""[..]).run().unwrap().documents, 0);
}

#[test]
fn records_of_all_fields_come_back() {
    let (_db, films) = collection("films");
    films
        .insert_with_id(1, &Document::from_json(r#"{"title":"a, \"b\"","x":{"y":1,"z":{"w":2.5}}}"#).unwrap())
        .unwrap();
    films.insert_with_id(2, &Document::from_json(r#"{"x":{"y":-3},"seen":true,"tags":["p","q"]}"#).unwrap()).unwrap();
    let mut text = Vec::new();
    assert_eq!(films.export_csv(&mut text).run().unwrap().documents, 2);
    let expected = "_id,title,x.y,x.z.w,seen,tags\n1,\"a, \"\"b\"\"\",1,2.5,,\n2,,-3,,true,\"[\"\"p\"\",\"\"q\"\"]\"\n";
    assert_eq!(String::from_utf8(text.clone()).unwrap(), expected);
    let (_other, copy) = collection("copy");
    copy.import_csv(text.as_slice()).id_field("_id").run().unwrap();
    let mut again = Vec::new();
    copy.export_csv(&mut again).run().unwrap();
    let columns = |text: &[u8]| String::from_utf8(text.to_vec()).unwrap().lines().count();
    assert_eq!(columns(&again), columns(&text));
    assert_eq!(copy.get(1).unwrap().unwrap().value, films.get(1).unwrap().unwrap().value);
    films.insert(&Document::new().with("_id", 3).with("title", "has its id in a field")).unwrap();
    let mut text = Vec::new();
    assert_eq!(films.export_csv(&mut text).columns(["title"]).run().unwrap().documents, 3);
    assert!(String::from_utf8(text).unwrap().ends_with("\n3,has its id in a field\n"));
    assert_eq!(films.export_csv(Vec::new()).run().unwrap().documents, 3);
    assert_eq!(films.export_csv(Vec::new()).id_field("title").run().unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(
        films.export_csv(Vec::new()).without_ids().columns(["x", "x.y"]).run().unwrap_err().kind(),
        ErrorKind::Invalid
    );
}

/// Large files that do not come with the source.
#[expect(clippy::print_stderr, reason = "the tests say what they skip")]
fn data(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["../shared/data", "../../shared/data"].map(|place| root.join(place).join(name));
    let found = places.into_iter().find(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: there is no ../shared/data/{name}");
    }
    found
}

#[test]
fn real_data_goes_round() {
    for name in ["movies.jsonl.zst", "tate-artworks.jsonl.zst"] {
        let Some(path) = data(name) else { continue };
        let (_db, original) = collection("original");
        let file = File::open(path).unwrap();
        let report = original.import_json_lines(file).form(JsonForm::Plain).load().run().unwrap();
        assert_eq!(original.count().unwrap(), report.documents);
        let inferred = original.infer_schema().unwrap();
        original.set_schema(&inferred.to_schema(), blaze::Validation::Strict).unwrap();
        let text = json(&original);
        let (_other, copy) = collection("copy");
        copy.import_json_lines(text.as_slice()).id_field("_id").load().run().unwrap();
        assert!(json(&copy) == text, "{name} came back as something else");
    }
}

#[test]
fn a_field_for_the_id_is_the_id_on_every_way_in_and_out() {
    let (_db, films) = collection("films");
    let line = br#"{"_id": 7, "key": 5, "title": "Solaris"}"#;
    let error = films.import_json_lines(&line[..]).id_field("key").run().unwrap_err();
    assert!(error.to_string().contains("_id is 7"), "{error}");
    assert_eq!(films.count().unwrap(), 0);

    films.import_json_lines(&line[..]).run().unwrap();
    assert_eq!(films.get(7).unwrap().unwrap().get("key"), Some(&5.into()));
    let mut text = Vec::new();
    films.export_json_lines(&mut text).without_ids().run().unwrap();
    assert_eq!(text, b"{\"key\":5,\"title\":\"Solaris\"}\n");
    let mut text = Vec::new();
    films.export_csv(&mut text).without_ids().run().unwrap();
    assert_eq!(text, b"key,title\n5,Solaris\n");
    let (_copies, copy) = collection("copy");
    copy.import_json_lines(json(&films).as_slice()).run().unwrap();
    assert_eq!(contents(&copy), contents(&films));
}
