//! Removing documents whose time has come: found by an index, decided by the document.

use blaze_core::fault::{self, Point};
use blaze_core::key::{self, Order};
use blaze_core::record::Record;
use blaze_core::traverse;
use blaze_core::{Direction, Document, DocumentId, Durability, Family, Isolation, KeyRange, Path, Result, Time, Value};

use super::reaper::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, Reaper};
use crate::catalog::{self, Definition, Kind, prefixed};
use crate::collection::{document_key, write_document};
use crate::index::{Entries, IndexDefinition, IndexFields, read_id};
use crate::session::{Session, commit_alone};

/// An index by which documents of a collection expire.
pub(super) struct Expiring<'a> {
    collection: &'a str,
    pub(super) index: &'a IndexDefinition,
    path: &'a Path,
    order: Order,
    after_ms: u64,
}

/// What one transaction has done.
#[derive(Default)]
struct Batch {
    entries: u64,
    reaped: u64,
    /// The key of the last entry; none if there was none.
    last: Option<Vec<u8>>,
}

impl<'a> Expiring<'a> {
    /// The complete indexes by which documents expire.
    pub(super) fn of((collection, definition): &'a (String, Definition)) -> impl Iterator<Item = Expiring<'a>> {
        definition.indexes.iter().filter(|index| index.ready).filter_map(|index| {
            let after_ms = index.expire_after_ms()?;
            // One that is damaged is told to whoever uses it.
            let Ok(IndexFields::Fields(fields)) = index.parts() else { return None };
            let (path, order) = fields.first()?;
            Some(Expiring { collection, index, path, order: *order, after_ms })
        })
    }

    /// The last time in a field whose document has expired.
    fn last_expired(&self, until_ms: u64) -> Time {
        let micros = (i128::from(until_ms) - i128::from(self.after_ms)) * 1_000;
        Time::from_micros(i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX }))
    }

    /// When a document with this time in its field expires, in milliseconds since 1970.
    fn expiry_ms(&self, time: Time) -> u64 {
        let expiry_micros = i128::from(time.micros()) + i128::from(self.after_ms) * 1_000;
        u64::try_from(expiry_micros.max(0) as u128).map_or(u64::MAX, |micros| micros.div_ceil(1_000))
    }

    /// The entries of times, as fields and as elements, that are up to `last`, and those that are above it.
    fn ranges(&self, last: Time) -> [(KeyRange, KeyRange); 2] {
        [false, true].map(|is_element| {
            let value = Value::Time(last);
            let (mut tags, mut encoding) = (Vec::new(), Vec::new());
            if is_element {
                tags.push(key::element_tag(self.order));
                key::write_element(&mut encoding, &value, self.order);
            } else {
                key::write_value(&mut encoding, &value, self.order);
            }
            let class = key::class_range(&value, self.order);
            let key = |rest: &[u8]| prefixed(self.index.id, rest);
            let start = key(&[tags.as_slice(), &[class.start]].concat());
            let end = key(&[tags.as_slice(), &[class.end]].concat());
            let point = KeyRange::prefix(&key(&encoding));
            let after = point.end().map(<[u8]>::to_vec);
            match self.order {
                Order::Ascending => {
                    (KeyRange::new(start, after.clone()), KeyRange::new(after.unwrap_or_default(), Some(end)))
                }
                Order::Descending => {
                    (KeyRange::new(point.start(), Some(end)), KeyRange::new(start, Some(point.start().to_vec())))
                }
            }
        })
    }

    /// The earliest time that the field of a document holds.
    fn time_of(&self, document: &Document) -> Option<Time> {
        let mut earliest: Option<Time> = None;
        traverse::visit(document, self.path, &mut |value| {
            for value in value.as_array().unwrap_or(std::slice::from_ref(value)) {
                if let Value::Time(time) = value {
                    earliest = Some(earliest.map_or(*time, |earliest| earliest.min(*time)));
                }
            }
        });
        earliest
    }
}

impl Reaper<'_> {
    /// Removes what has expired by one index. Whoever is interrupted can begin again.
    pub(super) fn reap_documents(&mut self, expiring: &Expiring<'_>) -> Result<()> {
        let last = expiring.last_expired(self.until_ms);
        let position = self.positions.remove(&expiring.index.id);
        for (due, later) in expiring.ranges(last) {
            let from = position.clone().filter(|position| due.contains(position));
            if self.reap_range(expiring, last, &due, from)? {
                return Ok(()); // the next run goes on
            }
            self.note_next(expiring, &later)?;
        }
        Ok(())
    }

    /// Removes what is due in one range; true if it was cut short.
    fn reap_range(
        &mut self,
        expiring: &Expiring<'_>,
        last: Time,
        due: &KeyRange,
        from: Option<Vec<u8>>,
    ) -> Result<bool> {
        let mut rest = from.map_or_else(|| due.clone(), |from| due.intersect(&KeyRange::new(from, None)));
        loop {
            if rest.is_empty() {
                return Ok(false);
            }
            if self.entries_left == 0 {
                let first = first_key(self, &rest)?;
                return Ok(first.is_some_and(|first| {
                    self.next_ms = Some(0);
                    self.positions.insert(expiring.index.id, first);
                    true
                }));
            }
            let entries_max = self.entries_left.min(BATCH_ENTRIES_MAX);
            // The record that decides is written: one that is changed meanwhile is a conflict under snapshot isolation, too.
            let batch = commit_alone(self.core, Isolation::Snapshot, Durability::Buffered, |session| {
                reap_batch(session, expiring, last, &rest, entries_max)
            })?;
            fault::reached(Point::DocumentsRemoved);
            self.reaped_documents += batch.reaped;
            self.entries_left -= batch.entries;
            let Some(reached) = batch.last else { return Ok(false) };
            rest = due.intersect(&KeyRange::new([reached.as_slice(), &[0]].concat(), None));
        }
    }

    /// Notes when the first document of a range expires.
    fn note_next(&mut self, expiring: &Expiring<'_>, later: &KeyRange) -> Result<()> {
        let direction = match expiring.order {
            Order::Ascending => Direction::Forward,
            Order::Descending => Direction::Reverse,
        };
        let session = Session::read_only(self.core)?;
        let mut cursor = session.cursor(Family::Index, later, direction)?;
        if let Some((entry, _)) = cursor.next()?
            && let Ok(Some(Value::Time(time))) =
                key::read_value(&mut entry.get(4..).unwrap_or_default(), expiring.order)
        {
            self.next_ms = self.next_ms.into_iter().chain([expiring.expiry_ms(time)]).min();
        }
        Ok(())
    }
}

fn first_key(reaper: &Reaper<'_>, range: &KeyRange) -> Result<Option<Vec<u8>>> {
    let session = Session::read_only(reaper.core)?;
    let mut cursor = session.cursor(Family::Index, range, Direction::Forward)?;
    Ok(cursor.next()?.map(|(key, _)| key.to_vec()))
}

/// Removes the documents of the first entries of a range: not those whose time has moved ahead, or that cannot be read.
fn reap_batch(
    session: &Session,
    expiring: &Expiring<'_>,
    last: Time,
    due: &KeyRange,
    entries_max: u64,
) -> Result<Batch> {
    let mut batch = Batch::default();
    let Some(definition) = catalog::find(session, expiring.collection, Kind::Collection)? else { return Ok(batch) };
    let Some(index) = definition.indexes.iter().find(|index| index.id == expiring.index.id) else { return Ok(batch) };
    let IndexFields::Fields(fields) = index.parts()? else { return Ok(batch) };
    let mut bytes = 0;
    let mut cursor = session.cursor(Family::Index, due, Direction::Forward)?;
    while batch.entries < entries_max
        && bytes < BATCH_BYTES_MAX
        && let Some((entry, value)) = cursor.next()?
    {
        batch.entries += 1;
        batch.last = Some(entry.to_vec());
        let Ok((_, id)) = read_id(entry, value, fields) else { continue };
        let Some((document, length)) = read(session, &definition, &id)? else { continue };
        let is_indexed = Entries::of(index, &id, &document).is_ok_and(|entries| entries.has(entry));
        if is_indexed && expiring.time_of(&document).is_some_and(|time| time <= last) {
            write_document(session, &definition, &id, Some(&document), None)?;
            batch.reaped += 1;
            bytes += length;
        }
    }
    Ok(batch)
}

/// The document under an id and how many bytes it takes; none if it is not there or damaged.
fn read(session: &Session, definition: &Definition, id: &DocumentId) -> Result<Option<(Document, usize)>> {
    let Some(bytes) = session.get(Family::Data, &document_key(definition.id, id))? else { return Ok(None) };
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    let document = Record::open(&bytes, &dictionary).and_then(|record| record.decode());
    Ok(document.ok().map(|document| (document, bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;

    fn with(index: &Index, check: impl FnOnce(&Expiring<'_>)) {
        let mut definition = Definition::new(Kind::Collection, 2);
        definition.indexes.push(index.define(7).unwrap().complete_under(7));
        let collection = (String::from("sessions"), definition);
        check(&Expiring::of(&collection).next().unwrap());
    }

    #[test]
    fn a_document_has_expired_when_its_life_is_over_and_not_a_microsecond_before() {
        with(&Index::on("seen").expire_after(std::time::Duration::from_millis(10)), |expiring| {
            assert_eq!(expiring.last_expired(15), Time::from_micros(5_000));
            assert_eq!(
                (expiring.expiry_ms(Time::from_micros(5_000)), expiring.expiry_ms(Time::from_micros(5_001))),
                (15, 16)
            );
            assert_eq!(expiring.last_expired(3), Time::from_micros(-7_000));
            assert_eq!(expiring.last_expired(u64::MAX), Time::from_micros(i64::MAX));
            assert_eq!(expiring.expiry_ms(Time::from_micros(i64::MIN)), 0);
        });
    }

    #[test]
    fn the_earliest_of_several_times_counts_and_nothing_else_is_one() {
        with(&Index::on_desc("a.t").expire_after(std::time::Duration::ZERO), |expiring| {
            let time = |micros| Value::Time(Time::from_micros(micros));
            let a = |t: Value| Value::Map(Document::new().with("t", t));
            let times = vec![a(vec![time(7), time(3)].into()), a(time(5)), a(4.into())];
            assert_eq!(expiring.time_of(&Document::new().with("a", times)), Some(Time::from_micros(3)));
            assert_eq!(expiring.time_of(&Document::new().with("a", a(3.into()))), None);
        });
    }
}
