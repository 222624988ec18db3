//! What is kept of a graph in the database: its head with how far it is complete, and its blocks.
//!
//! Everything here is derived. What is damaged or missing costs the time to make the graph again, and never an answer.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;

use blaze_core::{Direction, Error, ErrorKind, Family, ReadPoint, Result, Timestamp};
use blaze_vector::{BLOCK_NODES, BlockKind, GraphReader};

use super::form::Form;
use super::ids::Ids;
use super::layout;
use super::linked::Linked;
use crate::seal::{CHECKSUM_BYTES, seal, unseal};

/// The form in which the header is written.
const VERSION: u8 = 1;

/// How far a graph is complete that was never written whole.
pub(super) const NOTHING: Timestamp = Timestamp::ZERO;

/// The kind of the blocks of keys, beside those of the graph.
pub(super) const KEYS: u8 = 3;

/// Blocks that are read before others are taken in, some megabytes; fewer are read by who takes them in.
const BLOCKS_AHEAD: usize = 16;

/// What is known of the blocks before they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Every commit up to here is in them.
    pub(super) complete: Timestamp,
    /// True while blocks are written: some may be of later commits, and more may be there than are counted.
    pub(super) is_flushing: bool,
    /// True for a graph that is only being made: some of the vectors of these commits have no node yet.
    pub(super) is_begun: bool,
    /// How many blocks there are.
    pub(super) blocks: u32,
    /// What the graph says of itself.
    pub(super) head: Vec<u8>,
}

impl Header {
    pub(super) fn to_bytes(&self, index: u32) -> Vec<u8> {
        let state = u8::from(self.is_flushing) | u8::from(self.is_begun) << 1;
        let mut bytes = vec![VERSION, state];
        bytes.extend_from_slice(&self.complete.to_bits().to_be_bytes());
        bytes.extend_from_slice(&self.blocks.to_be_bytes());
        bytes.extend_from_slice(&self.head);
        seal(&layout::header_key(index), &mut bytes);
        bytes
    }

    pub(super) fn from_bytes(index: u32, bytes: &[u8]) -> Result<Header> {
        let body = unseal(&layout::header_key(index), bytes)?;
        let damaged = || Error::corruption("the header of a stored graph does not parse");
        let ([version, state @ 0..=3], rest) = body.split_first_chunk::<2>().ok_or_else(damaged)? else {
            return Err(damaged());
        };
        let (complete, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
        let (blocks, head) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        if *version != VERSION {
            return Err(Error::corruption(format!("a stored graph has the form {version}, {VERSION} can be read")));
        }
        Ok(Header {
            complete: Timestamp::from_bits(u64::from_be_bytes(*complete)),
            is_flushing: state & 1 == 1,
            is_begun: state & 2 == 2,
            blocks: u32::from_be_bytes(*blocks),
            head: head.to_vec(),
        })
    }
}

/// What is in the database of the blocks of a graph that is in memory: their checksums.
#[derive(Debug, Default)]
pub(super) struct Flushed {
    /// How far the header says they are complete; none if there is no header.
    pub(super) complete: Option<Timestamp>,
    /// Whether it says that the graph is only being made.
    pub(super) is_begun: bool,
    pub(super) checksums: HashMap<(u8, u32), u32>,
}

/// The blocks that a graph has now, in the order in which they are written.
pub(super) fn blocks_of(linked: &Linked) -> Vec<(u8, u32)> {
    let of = |kind: BlockKind| linked.graph.block_numbers(kind).into_iter().map(move |number| (kind as u8, number));
    let keys = (0..linked.graph.slots().div_ceil(BLOCK_NODES) as u32).map(|number| (KEYS, number));
    keys.chain(BlockKind::ALL.into_iter().flat_map(of)).collect()
}

/// A block, and its checksum.
pub(super) fn write_block(linked: &Linked, index: u32, (kind, number): (u8, u32), bytes: &mut Vec<u8>) -> u32 {
    bytes.clear();
    match BlockKind::of(kind) {
        Some(kind) => linked.graph.write_block(kind, number, bytes),
        None => linked.ids.write_block(number, bytes),
    }
    seal(&layout::block_key(index, kind, number), bytes)
}

/// The header of a stored graph, if there is one that can be read.
pub(super) fn header(point: &dyn ReadPoint, index: u32) -> Result<Option<Header>> {
    let Some(bytes) = point.get(Family::Vector, &layout::header_key(index))? else { return Ok(None) };
    Ok(Some(Header::from_bytes(index, &bytes)?).filter(|header| header.complete != NOTHING))
}

/// The graph that is stored for an index, be it whole or begun; none if there is none, or none that can be read, which is told
/// by a warning.
pub(super) fn load(point: &dyn ReadPoint, index: u32, form: &Form) -> Result<Option<Linked>> {
    match try_load(point, index, form) {
        Err(error) if error.kind() == ErrorKind::Corruption => {
            tracing::warn!(index, %error, "the stored graph of a vector index is damaged: it is made again");
            Ok(None)
        }
        loaded => loaded,
    }
}

fn try_load(point: &dyn ReadPoint, index: u32, form: &Form) -> Result<Option<Linked>> {
    let Some(header) = header(point, index)? else { return Ok(None) };
    let _span = tracing::info_span!("load graph", index).entered();
    let mut reader = GraphReader::new(form.options.clone(), &header.head)?;
    let mut ids = Ids::new();
    let (complete, is_begun) = (Some(header.complete), header.is_begun);
    let mut flushed = Flushed { complete, is_begun, checksums: HashMap::new() };
    let mut take = |(kind, number): (u8, u32), sealed: &[u8]| {
        let Some((body, checksum)) = sealed.split_last_chunk::<CHECKSUM_BYTES>() else { return Ok(()) };
        flushed.checksums.insert((kind, number), u32::from_be_bytes(*checksum));
        match BlockKind::of(kind) {
            Some(kind) => reader.read_block(kind, number, body),
            None if kind == KEYS => ids.read_block(number, body),
            None => Err(Error::corruption(format!("a stored graph has a block of the kind {kind}"))),
        }
    };
    match header.blocks as usize {
        0..=BLOCKS_AHEAD => for_each_block(point, index, &mut take)?,
        _ => for_each_block_ahead(point, index, &mut take)?,
    }
    if !header.is_flushing && flushed.checksums.len() != header.blocks as usize {
        let (found, expected) = (flushed.checksums.len(), header.blocks);
        return Err(Error::corruption(format!("a stored graph has {found} blocks of {expected}")));
    }
    Ok(Some(Linked::restore(form.clone(), reader.finish(), ids, header.complete, flushed)))
}

/// Takes in a block, with its checksum behind it.
type TakeBlock<'a> = dyn FnMut((u8, u32), &[u8]) -> Result<()> + 'a;

/// Tells the blocks of a graph in their order, each with its checksum, which is right.
fn for_each_block(point: &dyn ReadPoint, index: u32, take: &mut TakeBlock<'_>) -> Result<()> {
    let mut cursor = point.cursor(Family::Vector, &layout::blocks_range(index), Direction::Forward)?;
    while let Some((key, value)) = cursor.next()? {
        unseal(key, value)?;
        take(layout::block_of(key)?, value)?;
    }
    Ok(())
}

/// The same, while a thread reads ahead: of the time to load a million vectors, a third is for reading.
fn for_each_block_ahead(point: &dyn ReadPoint, index: u32, take: &mut TakeBlock<'_>) -> Result<()> {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel::<((u8, u32), Vec<u8>)>(BLOCKS_AHEAD);
        let read = move || {
            for_each_block(point, index, &mut |block, sealed| {
                let sent = sender.send((block, sealed.to_vec()));
                sent.map_err(|_| Error::internal("who takes in the blocks of a graph has ended"))
            })
        };
        match thread::Builder::new().name("blaze-graph-load".to_owned()).spawn_scoped(scope, read) {
            Ok(reading) => {
                let taken = receiver.iter().try_for_each(|(block, sealed)| take(block, &sealed));
                drop(receiver); // so that who reads ends
                let read = reading.join().map_err(|_| Error::internal("the thread that reads a graph panicked"));
                taken.and_then(|()| read.flatten())
            }
            Err(_) => for_each_block(point, index, take), // the system gives no thread
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_header_is_read_as_it_was_written_and_no_other_bytes_pass(
            complete: u64, is_flushing: bool, is_begun: bool, blocks: u32, head: Vec<u8>, index: u32, flip: prop::sample::Index, bytes: Vec<u8>,
        ) {
            let header = Header { complete: Timestamp::from_bits(complete), is_flushing, is_begun, blocks, head };
            let mut written = header.to_bytes(index);
            prop_assert_eq!(Header::from_bytes(index, &written).unwrap(), header);
            prop_assert!(Header::from_bytes(index ^ 1, &written).is_err(), "of another index");
            let at = flip.index(written.len());
            written[at] ^= 0x10;
            prop_assert!(Header::from_bytes(index, &written).is_err());
            prop_assert!(Header::from_bytes(index, &bytes).is_err());
            let mut sealed = bytes;
            seal(&layout::header_key(index), &mut sealed);
            if let Ok(header) = Header::from_bytes(index, &sealed) {
                prop_assert_eq!(header.to_bytes(index), sealed, "what passes is a header");
            }
        }
    }
}
