//! Rows of documents and pages of text segments: arbitrary bytes never panic, and what is read is of one form.

#![no_main]

use std::sync::LazyLock;

use blaze_core::Result;
use blaze_text::{
    DocumentBuilder, DocumentPostings, DocumentTerms, END, FoldedChange, MemoryPages, Pages, Postings, Segment, SegmentMeta,
    SegmentWriter, Stream, TermKey, check, fold,
};
use libfuzzer_sys::fuzz_target;

/// A segment of documents long enough for blocks.
static SEGMENT: LazyLock<(SegmentMeta, MemoryPages)> = LazyLock::new(segment);

fn segment() -> (SegmentMeta, MemoryPages) {
    let changes = (0_u32..200).map(|document| {
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
}

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

fuzz_target!(|bytes: &[u8]| {
    if let Ok(terms) = DocumentTerms::from_bytes(bytes) {
        assert_eq!(terms.to_bytes(), bytes);
    }
    if let Ok(meta) = SegmentMeta::from_bytes(bytes) {
        assert_eq!(meta.to_bytes(), bytes);
        let _ = read_all(meta, &MemoryPages::default());
    }
    let Some((&[stream, split], rest)) = bytes.split_first_chunk::<2>() else { return };
    let (terms, occurrences) = rest.split_at(rest.len().min(usize::from(split)));
    if let Ok(document) = DocumentPostings::read(terms, occurrences) {
        assert_eq!((document.terms().to_bytes().as_slice(), document.occurrences().as_slice()), (terms, occurrences));
    }
    // One page of a sound segment is replaced, with a checksum that is right.
    let (meta, mut pages) = SEGMENT.clone();
    let stream = Stream::ALL[usize::from(stream) % Stream::ALL.len()];
    let mut sealed = rest.to_vec();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(rest);
    hasher.update(&[stream as u8]);
    hasher.update(&0_u32.to_le_bytes());
    sealed.extend_from_slice(&hasher.finalize().to_le_bytes());
    if pages.put(stream, 0, sealed).is_ok() {
        let _ = read_all(meta, &pages);
    }
});
