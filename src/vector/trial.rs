//! Trying a new graph: whether its codes tell its vectors apart.
//!
//! A code divides what a vector spans into equal steps from one centre for all. Where vectors stand in heaps that are tiny
//! beside the distances between them, as places in cities all over the world, no step is fine enough within a heap: then
//! the graph proposes anything of it, and all rows had better be looked at. (Measured 2026-11-21: of 50,000 places in 50
//! cities, a hundred proposals held a third of the ten nearest.)

use std::thread;

use blaze_core::{Direction, Error, Family, KeyRange, ReadPoint, Result};
use blaze_vector::{Graph, Nearest, Query, SlotSet, VectorBuffer, VectorSource};

use super::build::Rows;
use super::ids::Ids;
use crate::catalog::prefixed;
use crate::index::scan_range;

/// Vectors that are looked for among all others.
const QUERIES: usize = 64;
const WANTED: usize = 10;

/// Candidates that are kept by the first half of the codes, and that are compared in full.
const KEPT: usize = 100;
const COMPARED: usize = 23;

/// The part of the nearest below which the codes are of no use.
const RECALL_MIN: f64 = 0.8;

/// Keys by which rows are divided among threads, for each thread.
const KEYS_PER_THREAD: usize = 64;

/// Refuses a graph whose codes do not tell which vectors are nearest, however many of them are looked at.
pub(super) fn check_codes(graph: &Graph, rows: &Rows<'_>, point: &dyn ReadPoint, threads: usize) -> Result<()> {
    let recall = recall_of_codes(graph, rows, point, threads)?;
    match recall >= RECALL_MIN {
        true => Ok(()),
        false => Err(Error::unsupported(format!(
            "codes cannot tell these vectors apart, they find {:.0} % of the nearest: there are heaps of them that are small beside \
             their distances",
            recall * 100.0
        ))),
    }
}

fn recall_of_codes(graph: &Graph, rows: &Rows<'_>, point: &dyn ReadPoint, threads: usize) -> Result<f64> {
    let mut buffer = VectorBuffer::default();
    let mut queries: Vec<Query> = Vec::with_capacity(QUERIES);
    let all: SlotSet = (0..graph.slots() as u32).filter(|slot| graph.contains(*slot)).collect();
    let slots = (0..graph.slots() as u32).filter(|slot| graph.contains(*slot));
    for slot in slots.step_by((graph.len() / QUERIES).max(1)).take(QUERIES) {
        queries.push(rows.form.query(rows.vector(slot as usize, &mut buffer)?)?);
    }
    let nearest = nearest_rows(&queries, point, &ranges(rows.index, rows.ids, graph.slots(), threads.max(1)))?;
    let (mut found, count, mut numbers) = (0, queries.len(), Vec::new());
    for (query, nearest) in queries.iter().zip(nearest) {
        let farthest = nearest.bound(); // copies of it are as good
        let proposed = graph.scan(&graph.query(query.as_stored(&mut numbers))?, KEPT, COMPARED, &all).candidates;
        let mut near = 0;
        for candidate in proposed {
            let distance = query.distance(rows.vector(candidate.slot as usize, &mut buffer)?)?;
            near += usize::from(distance <= farthest);
        }
        found += near.min(WANTED);
    }
    Ok(found as f64 / (count * WANTED).max(1) as f64)
}

/// The keys of the rows in so many ranges, of about as many rows each.
fn ranges(index: u32, ids: &Ids, slots: usize, count: usize) -> Vec<KeyRange> {
    let step = (slots / (count * KEYS_PER_THREAD)).max(1);
    let mut keys: Vec<&[u8]> = (0..slots as u32).step_by(step).filter_map(|slot| ids.key(slot)).collect();
    keys.sort_unstable();
    let begins = (1..count).filter_map(|part| keys.get(part * keys.len() / count));
    let all = scan_range(index);
    let mut ranges = Vec::with_capacity(count);
    let mut start = all.start().to_vec();
    for key in begins.map(|key| prefixed(index, key)) {
        ranges.push(KeyRange::new(std::mem::replace(&mut start, key.clone()), Some(key)));
    }
    ranges.push(KeyRange::new(start, all.end().map(<[u8]>::to_vec)));
    ranges
}

/// What is nearest to each query of the rows in all ranges, each of which a thread reads.
fn nearest_rows(queries: &[Query], point: &dyn ReadPoint, ranges: &[KeyRange]) -> Result<Vec<Nearest<()>>> {
    let none = || queries.iter().map(|query| Nearest::new(query.clone(), WANTED)).collect::<Vec<_>>();
    let nearest_in = |range: &KeyRange| -> Result<Vec<Nearest<()>>> {
        let mut searches = none();
        let mut cursor = point.cursor(Family::Vector, range, Direction::Forward)?;
        while let Some((_, row)) = cursor.next()? {
            searches.iter_mut().try_for_each(|nearest| nearest.offer_stored(row, || Ok(())))?;
        }
        Ok(searches)
    };
    let mut all = none();
    thread::scope(|scope| {
        let read = |range| thread::Builder::new().spawn_scoped(scope, move || nearest_in(range));
        let reading: Vec<_> = ranges.iter().skip(1).map(read).collect();
        let parts = ranges.iter().zip(std::iter::once(None).chain(reading.into_iter().map(Result::ok)));
        for (range, thread) in parts {
            let part = match thread {
                Some(thread) => {
                    thread.join().unwrap_or_else(|_| Err(Error::internal("a thread that reads rows panicked")))
                }
                None => nearest_in(range), // the first one, and where the system gives no thread
            };
            for (all, part) in all.iter_mut().zip(part?) {
                part.into_sorted().into_iter().try_for_each(|hit| all.offer_at(hit.distance, || Ok(())))?;
            }
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: u32 = 7;

    fn ids(count: u32) -> Ids {
        let mut ids = Ids::new();
        // In no order, as after a build that was interrupted.
        (0..count).for_each(|slot| ids.set(slot, &(slot.wrapping_mul(0x9E37_79B1)).to_be_bytes()));
        ids
    }

    #[test]
    fn the_ranges_of_all_threads_follow_one_another_and_have_about_as_many_rows() {
        const ROWS: u32 = 10_000;
        let ids = ids(ROWS);
        for count in [1, 2, 3, 16] {
            let ranges = ranges(INDEX, &ids, ROWS as usize, count);
            assert_eq!(ranges.len(), count);
            let all = scan_range(INDEX);
            assert_eq!((ranges[0].start(), ranges[count - 1].end()), (all.start(), all.end()));
            assert!(ranges.windows(2).all(|pair| pair[0].end() == Some(pair[1].start())), "{ranges:?}");
            let fair = ROWS as usize / count;
            for range in ranges {
                let keys = (0..ROWS).filter_map(|slot| ids.key(slot));
                let rows = keys.filter(|key| range.contains(&prefixed(INDEX, key))).count();
                assert!((fair / 2..=fair * 2).contains(&rows), "{rows} rows of {ROWS} for one of {count} threads");
            }
        }
    }

    #[test]
    fn few_rows_or_none_are_in_the_ranges_as_well() {
        for rows in 0..5 {
            let (ids, all) = (ids(rows), scan_range(INDEX));
            let ranges = ranges(INDEX, &ids, rows as usize, 4);
            assert_eq!(ranges.last().map(KeyRange::end), Some(all.end()));
            for slot in 0..rows {
                let key = prefixed(INDEX, ids.key(slot).unwrap());
                assert_eq!(ranges.iter().filter(|range| range.contains(&key)).count(), 1, "row {slot} of {rows}");
            }
        }
    }
}
