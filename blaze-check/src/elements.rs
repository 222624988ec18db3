//! Who wrote an element.

use blaze_core::{Error, Result};

use crate::history::{Element, History, Key, Operation};

/// An element with who appended it, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer {
    pub(crate) element: Element,
    pub(crate) key: Key,
    /// By its place in the history.
    pub(crate) transaction: u32,
}

/// All elements that were appended, sorted.
#[derive(Debug)]
pub(crate) struct Elements(Vec<Writer>);

impl Elements {
    /// # Errors
    /// `Invalid` when an element was appended twice.
    pub(crate) fn of(history: &History) -> Result<Elements> {
        let mut writers = Vec::new();
        for (index, transaction) in history.transactions.iter().enumerate() {
            for operation in &transaction.operations {
                if let Operation::Append { key, element, .. } = operation {
                    writers.push(Writer { element: *element, key: *key, transaction: index as u32 });
                }
            }
        }
        writers.sort_unstable_by_key(|writer| writer.element);
        match writers.windows(2).find(|pair| pair[0].element == pair[1].element) {
            Some(pair) => {
                let [first, second] =
                    [pair[0], pair[1]].map(|writer| history.transactions[writer.transaction as usize].id);
                let element = pair[0].element;
                Err(Error::invalid(format!("element {element} was appended by transaction {first} and by {second}")))
            }
            None => Ok(Elements(writers)),
        }
    }

    pub(crate) fn writer(&self, element: Element) -> Option<Writer> {
        let at = self.0.binary_search_by_key(&element, |writer| writer.element).ok()?;
        Some(self.0[at])
    }
}
