//! What a search asks of the documents that have a term.

use blaze_core::Result;

use crate::Batch;

/// The document after the last one.
pub const END: u32 = u32::MAX;

/// How often a term is in a document at most, and how many tokens the field of that document has at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impact {
    /// How often the term is there.
    pub frequency: u32,
    /// Tokens of the field.
    pub length: u32,
}

/// The documents of one leaf that have a term, in ascending order: a cursor that begins at the first one.
pub trait Postings {
    /// The document where the cursor is; [`END`] behind the last one.
    fn document(&self) -> u32;

    /// Moves to the next document and answers it.
    ///
    /// # Errors
    /// What reading a page answers; [`Corruption`](blaze_core::ErrorKind::Corruption) for what does not parse.
    fn next(&mut self) -> Result<u32>;

    /// Moves to the first document that is not before `target`, which is not before the current one, and answers it.
    ///
    /// # Errors
    /// As [`next`](Postings::next).
    fn seek(&mut self, target: u32) -> Result<u32>;

    /// How often the term is in the current document.
    ///
    /// # Errors
    /// As [`next`](Postings::next).
    fn frequency(&mut self) -> Result<u32>;

    /// Where the term is in the current document, ascending, in place of what is in `positions`.
    ///
    /// # Errors
    /// As [`next`](Postings::next).
    fn positions(&mut self, positions: &mut Vec<u32>) -> Result<()>;

    /// Goes past the documents from the current one to `last`, as many as are at hand but at least one if there is one, and takes
    /// those that have the term at least so often in place of what is in `batch`. Stays at the last of them, or goes to the one
    /// behind it, whichever is less work.
    ///
    /// # Errors
    /// As [`next`](Postings::next).
    fn batch(&mut self, last: u32, least_frequency: u32, batch: &mut Batch) -> Result<()> {
        batch.clear();
        let mut document = self.document();
        while document <= last && document != END && batch.push(document, self.frequency()?, least_frequency) {
            document = self.next()?;
        }
        Ok(())
    }

    /// How many documents there are, those that are deleted included.
    fn len(&self) -> u32;

    /// True if there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks ahead, without moving and without decoding: the last document of the block in which `target` is or would be
    /// ([`END`] - 1 behind the last block), and impacts of which one is at least as good as that of any document of the block.
    ///
    /// # Errors
    /// As [`next`](Postings::next).
    fn block(&mut self, target: u32) -> Result<(u32, &[Impact])>;

    /// The first block from that of `target` on, looked at as by [`block`](Postings::block), of which an impact is worth it: from
    /// which document on it is, and its last one; both are [`END`] if there is none.
    ///
    /// # Errors
    /// As [`next`](Postings::next).
    fn find_block(&mut self, target: u32, is_worth: impl Fn(Impact) -> bool) -> Result<(u32, u32)>
    where
        Self: Sized,
    {
        let mut target = target;
        while target != END {
            let (last, impacts) = self.block(target)?;
            let last = last.max(target); // whatever a damaged block says, searches go on
            if impacts.iter().any(|impact| is_worth(*impact)) {
                return Ok((target, last.min(END - 1)));
            }
            target = last.saturating_add(1);
        }
        Ok((END, END))
    }

    /// Impacts of which one is at least as good as that of any document of all; none if nothing is known of that.
    fn impacts(&self) -> &[Impact] {
        &[]
    }
}
