//! Directories that cannot be opened, created or written to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use blaze::{Database, Document, ErrorKind};
use tempfile::TempDir;

use super::{contents, refused};

/// All files of a directory with their bytes.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect()
}

/// A directory with a database in it, which is closed.
fn database() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let db = Database::open(&path).unwrap();
    db.collection::<Document>("films").unwrap().insert_with_id(1, &Document::new().with("n", 1)).unwrap();
    db.close().unwrap();
    (directory, path)
}

/// The marker of a database in this format and with these features.
fn marker(format: u32, read_features: u64, write_features: u64) -> Vec<u8> {
    let mut bytes = b"BLAZE-DB".to_vec();
    bytes.extend(format.to_be_bytes());
    bytes.extend(read_features.to_be_bytes());
    bytes.extend(write_features.to_be_bytes());
    let bit = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    let crc = !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit));
    bytes.extend(crc.to_be_bytes());
    bytes
}

#[test]
fn a_directory_of_something_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("notes.txt"), "mine").unwrap();
    let before = files(directory.path());
    let name = directory.path().display().to_string();
    refused(Database::open(directory.path()), ErrorKind::Invalid, &[&name, "not a Blaze database"]);
    refused(Database::builder().must_be_new().open(directory.path()), ErrorKind::Invalid, &["not a Blaze database"]);
    refused(Database::builder().must_exist().open(directory.path()), ErrorKind::Invalid, &["not a Blaze database"]);
    fs::write(directory.path().join("BLAZE"), "a song").unwrap();
    refused(Database::open(directory.path()), ErrorKind::Invalid, &[&name, "not a Blaze database"]);
    fs::remove_file(directory.path().join("BLAZE")).unwrap();
    assert_eq!(files(directory.path()), before);
}

#[test]
fn a_path_that_is_a_file_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "mine").unwrap();
    refused(Database::open(&path), ErrorKind::Invalid, &["file", "not a directory"]);
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    refused(Database::open(path.join("below")), ErrorKind::Unavailable, &["file"]);
    refused(Database::open(""), ErrorKind::Unavailable, &[]);
}

#[test]
fn a_newer_format_and_unknown_features_are_left_alone() {
    let (_directory, path) = database();
    let original = fs::read(path.join("BLAZE")).unwrap();
    assert_eq!(original, marker(1, 0, 0), "the marker is as this test thinks");
    let cases: [(Vec<u8>, ErrorKind, &[&str]); 4] = [
        (marker(2, 0, 0), ErrorKind::Invalid, &["format 2", "newer", "(1)"]),
        (marker(1, 4, 0), ErrorKind::Invalid, &["features 0x4", "not know"]),
        (marker(1, 0, 8), ErrorKind::Invalid, &["features 0x8", "not know", "open it read-only"]),
        (original[..20].to_vec(), ErrorKind::Corruption, &["BLAZE is damaged"]),
    ];
    for (bytes, kind, words) in cases {
        fs::write(path.join("BLAZE"), bytes).unwrap();
        let before = files(&path);
        refused(Database::open(&path), kind, words);
        match Database::builder().read_only().open(&path) {
            Ok(db) => {
                assert!(words.contains(&"open it read-only"), "{words:?}");
                assert_eq!(db.collection::<Document>("films").unwrap().count().unwrap(), 1);
            }
            refusal => refused(refusal, kind, words),
        }
        assert_eq!(files(&path), before, "{words:?}");
    }
    fs::write(path.join("BLAZE"), original).unwrap();
    assert_eq!(Database::open(&path).unwrap().collection::<Document>("films").unwrap().count().unwrap(), 1);
}

#[test]
fn a_database_whose_files_were_lost_is_left_alone() {
    let (_directory, path) = database();
    fs::remove_file(path.join("CURRENT")).unwrap();
    let before = files(&path);
    refused(Database::open(&path), ErrorKind::Corruption, &["CURRENT is missing"]);
    assert_eq!(files(&path), before);
}

#[test]
fn a_database_is_opened_once() {
    let (_directory, path) = database();
    let db = Database::open(&path).unwrap();
    let name = path.display().to_string();
    refused(Database::open(&path), ErrorKind::Locked, &[&name, "open already"]);
    refused(Database::builder().must_exist().open(&path), ErrorKind::Locked, &[&name, "open already"]);
    db.collection::<Document>("films").unwrap().insert(&Document::new()).unwrap();
    db.close().unwrap();
    assert_eq!(Database::open(&path).unwrap().collection::<Document>("films").unwrap().count().unwrap(), 2);
}

#[test]
fn must_exist_and_must_be_new_hold() {
    let (directory, path) = database();
    let absent = directory.path().join("absent");
    let name = absent.display().to_string();
    refused(Database::builder().must_exist().open(&absent), ErrorKind::NotFound, &["no Blaze database", &name]);
    assert!(!absent.exists());
    fs::create_dir(&absent).unwrap();
    refused(Database::builder().must_exist().open(&absent), ErrorKind::NotFound, &["no Blaze database", &name]);
    assert!(files(&absent).is_empty());
    let before = files(&path);
    let name = path.display().to_string();
    refused(Database::builder().must_be_new().open(&path), ErrorKind::AlreadyExists, &[&name, "already"]);
    assert_eq!(files(&path), before);
    Database::builder().must_be_new().open(&absent).unwrap();
    Database::builder().must_exist().open(&absent).unwrap();
}

#[test]
fn a_checkpoint_goes_to_a_place_where_nothing_is() {
    let (directory, path) = database();
    let db = Database::open(&path).unwrap();
    let (file, empty, copy) =
        (directory.path().join("file"), directory.path().join("empty"), directory.path().join("copy"));
    fs::write(&file, "mine").unwrap();
    fs::create_dir(&empty).unwrap();
    refused(db.checkpoint(&file), ErrorKind::AlreadyExists, &[&file.display().to_string()]);
    refused(db.checkpoint(&empty), ErrorKind::AlreadyExists, &[&empty.display().to_string()]);
    refused(db.checkpoint(&path), ErrorKind::AlreadyExists, &[&path.display().to_string()]);
    assert_eq!((fs::read(&file).unwrap(), files(&empty).len()), (b"mine".to_vec(), 0));

    db.checkpoint(&copy).unwrap();
    let before = files(&copy);
    refused(db.checkpoint(&copy), ErrorKind::AlreadyExists, &[&copy.display().to_string()]);
    assert_eq!(files(&copy), before);
    assert_eq!(contents(&Database::open(&copy).unwrap()), contents(&db));

    refused(db.checkpoint(directory.path().join("no").join("where")), ErrorKind::Unavailable, &["where"]);
    db.close().unwrap();
    refused(db.checkpoint(directory.path().join("late")), ErrorKind::Closed, &["closed"]);
    assert!(!directory.path().join("late").exists());
    let memory = Database::in_memory().unwrap();
    refused(memory.checkpoint(directory.path().join("late")), ErrorKind::Invalid, &["in memory", "no files"]);
}
