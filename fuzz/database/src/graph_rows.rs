//! The rows that a graph of vectors is kept in, and those of texts that wait for vectors: as the database's own modules read them.

use std::collections::BTreeMap;

use blaze_core::{Cursor, Direction, Entry, Error, Family, KeyRange, Path, ReadPoint, Result, Timestamp, VisitMany};
use blaze_vector::{BlockKind, Code, Copies, Graph, GraphOptions, Metric, VectorBuffer};

use super::backlog::Pending;
use super::form::Form;
use super::stored::Header;
use super::{layout, stored};
use crate::index::{OnMismatch, VectorFields};
use crate::seal::seal;
use crate::vector::{self, stored_calibration};

const INDEX: u32 = 7;

/// Bytes before the checksum of the form that a calibration is of, and of that.
const BEFORE_FORM: usize = 2;
const FORM_BYTES: usize = 4;

/// Reads bytes as each of these rows, and as a whole graph.
pub(crate) fn read(bytes: &[u8]) {
    keys(bytes);
    header(bytes);
    calibration(bytes);
    given_queries(bytes);
    let pending = Pending::from_value(bytes);
    if pending.failures > 0 {
        assert_eq!(pending.to_value(), bytes, "an entry of the backlog reads back as another");
    }
    graph(bytes);
}

fn keys(bytes: &[u8]) {
    let index = layout::split(bytes).map_or(0, |(index, _)| index);
    if let Ok(entry) = layout::marked_entry(bytes) {
        assert_eq!(layout::mark_key(index, entry), bytes, "the key of a mark reads back as another");
    }
    if let Ok((kind, number)) = layout::block_of(bytes) {
        assert_eq!(layout::block_key(index, kind, number), bytes, "the key of a block reads back as another");
    }
    if let Ok(ts) = layout::marked_ts(bytes) {
        assert_eq!(ts.to_bits().to_be_bytes(), bytes, "a mark reads back as another");
    }
    let _ = layout::is_of_graph(bytes);
}

fn header(bytes: &[u8]) {
    let _ = Header::from_bytes(INDEX, bytes);
    let sealed = sealed(&layout::header_key(INDEX), bytes);
    if let Ok(header) = Header::from_bytes(INDEX, &sealed) {
        assert_eq!(header.to_bytes(INDEX), sealed, "the header of a graph reads back as another");
    }
}

/// What was measured of a graph, of its form and of any.
fn calibration(bytes: &[u8]) {
    let fields = VectorFields {
        path: Path::from("v"),
        several: false,
        dimension: 2,
        metric: Metric::L2,
        model: None,
        sources: Vec::new(),
        on_mismatch: OnMismatch::Fail,
        copies: Copies::F32,
        code: None,
        m: 16,
        ef_construction: 200,
        ef: None,
        recall: None,
    };
    let mut of_the_form = bytes.to_vec();
    if let Some(form) = of_the_form.get_mut(BEFORE_FORM..BEFORE_FORM + FORM_BYTES) {
        form.copy_from_slice(&Form::of(&fields).checksum().to_be_bytes());
    }
    let key = layout::calibration_key(INDEX);
    for row in [bytes.to_vec(), sealed(&key, bytes), sealed(&key, &of_the_form)] {
        let rows = Rows(BTreeMap::from([(key.clone(), row)]));
        stored_calibration(&rows, INDEX, &vector::Form::of(&fields)).expect("damage is told by a warning");
    }
}

fn given_queries(bytes: &[u8]) {
    for metric in Metric::ALL {
        let dimension = if metric.is_binary() { bytes.len() * 8 } else { bytes.len() / 4 };
        let form = Form { options: GraphOptions::new(metric, dimension), copies: Copies::F16, recall: None };
        let Ok(query) = form.query_of_bytes(bytes) else { continue };
        let mut written = Vec::new();
        Form::write_query(&query, &mut written);
        // By the cosine, a query is made one of length one.
        assert!(metric == Metric::Cosine || written == bytes, "a given query reads back as another");
        form.query_of_bytes(&written).expect("a query that was written");
    }
}

/// A graph whose header says how many blocks there are, which follow one another: kind, level, number, length, and bytes.
fn graph(bytes: &[u8]) {
    let Some((&[state, blocks], mut rest)) = bytes.split_first_chunk::<2>() else { return };
    let options = GraphOptions { code: Code::Four, m: 2, ef_construction: 4, ..GraphOptions::new(Metric::L2, 2) };
    let form = Form { options, copies: Copies::F32, recall: None };
    let mut head = Vec::new();
    Graph::new(form.options.clone()).expect("valid options").write_head(&mut head);
    let (is_flushing, is_begun) = (state & 1 == 1, state & 2 == 2);
    let header = Header { complete: Timestamp::from_ms(1), is_flushing, is_begun, blocks: u32::from(blocks), head };
    let mut rows = BTreeMap::from([(layout::header_key(INDEX), header.to_bytes(INDEX))]);
    while let Some(([kind, level, number, high, low], behind)) = rest.split_first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
        let (block, behind) = behind.split_at(length);
        rest = behind;
        let key = layout::block_key(INDEX, kind % 5, u32::from(*level) << 24 | u32::from(*number));
        let row = sealed(&key, block);
        rows.insert(key, row);
    }
    let Some(linked) = stored::load(&Rows(rows), INDEX, &form).expect("damage is told by a warning") else { return };
    linked.graph.check().expect("a graph that was read holds together");
    let query = linked.graph.query(&[1.0, 2.0]).expect("a vector");
    let found = linked.graph.search(&query, 8, 4, |slot| !linked.is_removed(slot, Timestamp::MAX));
    for candidate in found.candidates {
        if let Some(key) = linked.ids.key(candidate.slot) {
            assert_eq!(linked.ids.slot(key), Some(candidate.slot), "a key has one node that is not deleted");
        }
    }
    let mut row = Vec::new();
    Copies::F32.write(&[1.0, 2.0], &mut row);
    assert!(linked.prepare_or_warn(INDEX, &row).is_some(), "a row of the index");
    let _ = form.read(bytes, &mut VectorBuffer::default());
    for kind in BlockKind::ALL {
        for number in linked.graph.block_numbers(kind) {
            stored::write_block(&linked, INDEX, (kind as u8, number), &mut Vec::new());
        }
    }
}

fn sealed(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut row = bytes.to_vec();
    seal(key, &mut row);
    row
}

/// Rows of the family of vectors, and nothing else.
#[derive(Clone, Debug)]
struct Rows(BTreeMap<Vec<u8>, Vec<u8>>);

/// A walk over some of them, forwards.
struct Walk {
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    next: usize,
}

impl ReadPoint for Rows {
    fn ts(&self) -> Timestamp {
        Timestamp::MAX
    }

    fn catalog_ts(&self) -> Timestamp {
        Timestamp::ZERO
    }

    fn visit(&self, _: Family, key: &[u8], visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let row = self.0.get(key);
        row.map_or(Ok(()), |row| visit(row))?;
        Ok(row.is_some())
    }

    fn visit_many(&self, _: Family, keys: &[&[u8]], visit: &mut VisitMany<'_>) -> Result<()> {
        keys.iter().enumerate().try_for_each(|(at, key)| visit(at, self.0.get(*key).map(Vec::as_slice)))
    }

    fn cursor(&self, _: Family, range: &KeyRange, direction: Direction) -> Result<Box<dyn Cursor>> {
        if direction != Direction::Forward {
            return Err(Error::internal("a graph is read forwards"));
        }
        let there = self.0.iter().filter(|(key, _)| range.contains(key));
        Ok(Box::new(Walk { rows: there.map(|(key, row)| (key.clone(), row.clone())).collect(), next: 0 }))
    }
}

impl Cursor for Walk {
    fn next(&mut self) -> Result<Option<Entry<'_>>> {
        let row = self.rows.get(self.next);
        self.next += 1;
        Ok(row.map(|(key, row)| (key.as_slice(), row.as_slice())))
    }

    fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.next = self.rows.partition_point(|(there, _)| there.as_slice() < key);
        Ok(())
    }
}
