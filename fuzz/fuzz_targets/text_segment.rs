//! Rows of documents, and segments one page of which, or what is known of it, is not as it was written: arbitrary bytes never
//! panic, and what is read is of one form.
//!
//! The first byte says what is replaced: a page of a stream, with a checksum that is right, or what is known of the segment.

#![no_main]

use std::sync::LazyLock;

use blaze_core::Result;
use blaze_text::{
    DeltaLeaf, DocumentBuilder, DocumentPostings, DocumentTerms, END, FoldedChange, MemoryPages, MergePart, Node,
    Pages, Postings, Searcher, Segment, SegmentLeaf, SegmentMeta, SegmentWriter, Stream, TermKey, check, fold, merge,
};
use libfuzzer_sys::fuzz_target;

/// A segment of documents long enough for blocks.
static SEGMENT: LazyLock<(SegmentMeta, MemoryPages)> = LazyLock::new(|| {
    let changes = (0_u32..140).map(|document| {
        let mut builder = DocumentBuilder::new(1);
        for position in 0..4 {
            let term = [b'a' + (document * position % 7) as u8];
            builder.add(0, &term, position).expect("a term");
        }
        FoldedChange { id: Box::new(document.to_be_bytes()), before: None, after: Some(builder.finish()) }
    });
    let mut pages = MemoryPages::default();
    let mut sink = |stream, number, page| pages.put(stream, number, page);
    let meta = fold(changes.collect(), SegmentWriter::new(1, &mut sink)).expect("sound changes");
    (meta, pages)
});

fn read_all(meta: SegmentMeta, pages: &dyn Pages) -> Result<()> {
    let segment = Segment::open(meta, pages)?;
    let mut terms = segment.terms(pages, &TermKey::new(0, ""))?;
    while let Some((_, entry)) = terms.next()? {
        let Ok(mut postings) = segment.postings(pages, &entry) else { continue };
        let mut positions = Vec::new();
        while postings.document() != END {
            postings.block(postings.document())?;
            postings.positions(&mut positions)?;
            postings.next()?;
        }
    }
    check(&segment, pages)
}

/// Finds words and phrases, and makes another segment of it.
fn use_it(meta: SegmentMeta, pages: &dyn Pages) -> Result<()> {
    let segment = Segment::open(meta, pages)?;
    let is_dead = |document| document % 3 == 1;
    let searcher = Searcher::new(vec![SegmentLeaf::new(&segment, pages, &is_dead)], Vec::<DeltaLeaf>::new());
    let keys = ["a", "c", "e"].map(|term| TermKey::new(0, term)).to_vec();
    let _ = searcher.top(&Node::AnyOf { keys, boost: 1.0 }, 5, None);
    let parts = [(0, "b"), (1, "d")].map(|(at, term)| (at, vec![Box::from(term.as_bytes())])).to_vec();
    let _ = searcher.top(&Node::Phrase { field: 0, parts, beginnings: Vec::new(), slop: 1, boost: 1.0 }, 5, None);
    let _ = searcher.count(&Node::Prefix { field: 0, prefix: Box::default(), boost: 1.0 });
    let part = MergePart { segment: &segment, pages, is_dead: &is_dead };
    let mut made = MemoryPages::default();
    let mut sink = |stream, number, page| made.put(stream, number, page);
    merge(&[part], SegmentWriter::new(1, &mut sink)).map(drop)
}

fn read_and_use(meta: &SegmentMeta, pages: &MemoryPages) {
    let _ = read_all(meta.clone(), pages);
    let _ = use_it(meta.clone(), pages);
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[kind, split], rest)) = bytes.split_first_chunk::<2>() else { return };
    let (meta, pages) = &*SEGMENT;
    let Some(stream) = Stream::ALL.get(usize::from(kind)).copied() else {
        if let Ok(terms) = DocumentTerms::from_bytes(rest) {
            assert_eq!(terms.to_bytes(), rest);
        }
        let (terms, occurrences) = rest.split_at(rest.len().min(usize::from(split)));
        if let Ok(document) = DocumentPostings::read(terms, occurrences) {
            assert_eq!(
                (document.terms().to_bytes().as_slice(), document.occurrences().as_slice()),
                (terms, occurrences)
            );
        }
        if let Ok(read) = SegmentMeta::from_bytes(rest) {
            assert_eq!(read.to_bytes(), rest);
            read_and_use(&read, pages);
            read_and_use(&read, &MemoryPages::default());
        }
        return;
    };
    let mut sealed = rest.to_vec();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(rest);
    hasher.update(&[stream as u8]);
    hasher.update(&0_u32.to_le_bytes());
    sealed.extend_from_slice(&hasher.finalize().to_le_bytes());
    let mut pages = pages.clone();
    if pages.put(stream, 0, sealed).is_ok() {
        read_and_use(meta, &pages);
    }
});
