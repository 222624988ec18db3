use std::fs;
use std::sync::Arc;

use blaze_core::{ErrorKind, ManualClock, Store as _};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::{LsmOptions, LsmStore};

type OwnedRow = (Family, Vec<u8>, Vec<u8>);

fn store(path: &Path) -> LsmStore {
    LsmStore::open(path, LsmOptions::new(Arc::new(ManualClock::at_ms(1)))).unwrap()
}

fn read_all(mut rows: SortedRows) -> Vec<OwnedRow> {
    let mut all = Vec::new();
    while let Some((family, key, value)) = rows.next().unwrap() {
        all.push((family, key.to_vec(), value.to_vec()));
    }
    all
}

fn read_parts(parts: &[SortedPart]) -> Vec<OwnedRow> {
    let rows = |part: &SortedPart| -> Vec<_> {
        let rows = part.rows().map(|(key, value)| (part.family(), key.to_vec(), value.to_vec()));
        rows.collect()
    };
    parts.iter().flat_map(rows).collect()
}

fn files(path: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.file_name().unwrap().to_string_lossy().starts_with("LOAD-")).collect()
}

fn push_numbers(sorter: &mut RowSorter, count: u32) {
    for n in 0..count {
        let key = n.wrapping_mul(2_654_435_761).to_be_bytes();
        sorter.push(Family::Data, &key, b"value").unwrap();
    }
}

#[test]
fn more_runs_than_are_merged_at_once_are_merged_in_several_rounds() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let mut sorter = store.sorter(200).unwrap();
    push_numbers(&mut sorter, 5_000);
    assert!(files(directory.path()).len() > RUNS_AT_ONCE * 4);
    let sorted = read_all(sorter.into_sorted(&mut || Ok(())).unwrap());
    assert_eq!(sorted.len(), 5_000);
    assert!(sorted.is_sorted());
    assert!(files(directory.path()).is_empty(), "files go with the sorter");
}

#[test]
fn many_rows_are_sorted_by_two_threads_and_equal_keys_stay_in_one_part() {
    let mut sorter = RowSorter::in_memory();
    for n in 0..40_000_u32 {
        let value = [7; 50];
        let key = [[0, 0, 0, (n % 3) as u8], (n.wrapping_mul(2_654_435_761) % 9_000).to_be_bytes()].concat();
        sorter.push(if n % 5 == 0 { Family::Index } else { Family::Data }, &key, &value).unwrap();
    }
    let parts = sorter.into_sorted(&mut || Ok(())).unwrap().into_parts(64).unwrap();
    assert_eq!(parts.len(), 6, "three prefixes in two families, and no part is smaller than a file should be");
    let rows = read_parts(&parts);
    assert_eq!(rows.len(), 40_000);
    assert!(rows.is_sorted());

    let mut sorter = RowSorter::in_memory();
    for n in 0..40_000_u32 {
        sorter.push(Family::Data, &[[0; 4], (n / 1_000).to_be_bytes()].concat(), &[7; 100]).unwrap();
    }
    let parts = sorter.into_sorted(&mut || Ok(())).unwrap().into_parts(4).unwrap();
    assert_eq!(parts.len(), 4);
    for pair in parts.windows(2) {
        let (last, first) = (pair[0].rows().last().unwrap(), pair[1].rows().next().unwrap());
        assert!(last.0 < first.0);
    }
    assert_eq!(read_parts(&parts).len(), 40_000);
}

#[test]
fn rows_of_which_one_was_answered_are_not_parted() {
    let mut sorter = RowSorter::in_memory();
    push_numbers(&mut sorter, 10);
    let mut rows = sorter.into_sorted(&mut || Ok(())).unwrap();
    let first = rows.next().unwrap().map(|(_, key, _)| key.to_vec());
    let mut rows = rows.into_parts(2).unwrap_err();
    assert!(first < rows.next().unwrap().map(|(_, key, _)| key.to_vec()));
    assert_eq!(read_all(rows).len(), 8);
}

#[test]
fn a_sort_is_ended_by_its_caller_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let mut sorter = store.sorter(200).unwrap();
    push_numbers(&mut sorter, 5_000 * 4);
    let ended = sorter.into_sorted(&mut || Err(Error::cancelled("enough"))).unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::Cancelled);
    assert!(files(directory.path()).is_empty());
}

#[test]
fn a_run_that_was_changed_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    for position in [0, 3, 7, 12, 15] {
        let mut sorter = store.sorter(200).unwrap();
        push_numbers(&mut sorter, 20);
        let file = files(directory.path()).remove(0);
        let mut bytes = fs::read(&file).unwrap();
        bytes[position] ^= 0x40;
        fs::write(&file, bytes).unwrap();
        let outcome = sorter.into_sorted(&mut || Ok(())).and_then(|mut rows| {
            while rows.next()?.is_some() {}
            Ok(())
        });
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Corruption, "byte {position}");
    }
}

#[test]
fn a_run_takes_less_space_than_its_rows_and_rows_go_on_from_block_to_block() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let mut sorter = store.sorter(300_000).unwrap();
    let value = |n: u32| format!("{n} ").repeat(2_000);
    let mut pushed = 0_u32;
    while files(directory.path()).is_empty() {
        sorter.push(Family::Data, &pushed.to_be_bytes(), value(pushed).as_bytes()).unwrap();
        pushed += 1;
    }
    let run = fs::metadata(&files(directory.path())[0]).unwrap().len();
    assert!(run < 100_000, "{run} bytes for rows of about 300,000");
    let sorted = read_all(sorter.into_sorted(&mut || Ok(())).unwrap());
    let expected = (0..pushed).map(|n| (Family::Data, n.to_be_bytes().to_vec(), value(n).into_bytes()));
    assert!(sorted.into_iter().eq(expected));
}

#[test]
fn a_store_that_is_closed_ends_the_sort() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let mut sorter = store.sorter(200).unwrap();
    push_numbers(&mut sorter, 20);
    store.close().unwrap();
    let error = (0..20_u32).find_map(|n| sorter.push(Family::Data, &n.to_be_bytes(), b"value").err());
    assert_eq!(error.unwrap().kind(), ErrorKind::Closed);
    assert_eq!(sorter.into_sorted(&mut || Ok(())).unwrap_err().kind(), ErrorKind::Closed);
    self::store(directory.path()).close().unwrap();
    assert!(files(directory.path()).is_empty(), "the next opening removes what is left");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn rows_go_out_in_order_whatever_the_memory(
        rows in vec((prop::sample::select(Family::ALL.to_vec()), vec(any::<u8>(), 0..6), vec(any::<u8>(), 0..40)), 0..200),
        memory_bytes in 0_usize..2_000,
        parts in 0_usize..9,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        let mut expected = rows.clone();
        expected.sort();
        for mut sorter in [store.sorter(memory_bytes).unwrap(), RowSorter::in_memory()] {
            for (family, key, value) in &rows {
                sorter.push(*family, key, value).unwrap();
            }
            prop_assert_eq!(sorter.rows(), rows.len() as u64);
            let sorted = match sorter.into_sorted(&mut || Ok(())).unwrap().into_parts(parts) {
                Ok(parts) => read_parts(&parts),
                Err(rows) => read_all(rows),
            };
            prop_assert!(sorted.is_sorted_by_key(|(family, key, _)| (*family, key.clone())));
            let mut sorted = sorted;
            sorted.sort(); // rows with the same key may come in any order
            prop_assert_eq!(&sorted, &expected);
        }
    }
}
