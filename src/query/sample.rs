//! Random documents.

use blaze_core::limits::SAMPLE_ROWS_MAX;
use blaze_core::{DocumentId, Entropy, Error, Family, Result};
use serde::de::DeserializeOwned;

use super::Query;
use crate::collection::{Found, document_key};

impl<T: DeserializeOwned> Query<T> {
    /// So many documents of the answer, or all if there are fewer: each set of them is as likely as any other. They come in
    /// no particular order.
    ///
    /// Takes time linear in the documents of the answer, of which it decodes those that it returns.
    ///
    /// ```
    /// use blaze::{Database, Document};
    ///
    /// let db = Database::in_memory()?;
    /// let numbers = db.collection::<Document>("numbers")?;
    /// numbers.insert_many((0..100).map(|n| Document::new().with("n", n)))?;
    /// assert_eq!(numbers.find_all().sample(10)?.len(), 10);
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) above
    /// [`SAMPLE_ROWS_MAX`](crate::limits::SAMPLE_ROWS_MAX); else as [`run`](Query::run).
    pub fn sample(&self, documents: usize) -> Result<Vec<Found<T>>> {
        if documents > SAMPLE_ROWS_MAX {
            return Err(Error::limit_exceeded(format!(
                "a sample of {documents} documents was asked for, the limit is {SAMPLE_ROWS_MAX}"
            )));
        }
        self.validate()?;
        self.collection.read(|session, definition| {
            let plan = self.plan(session, definition, false)?;
            let mut records = self.records_of(session, definition, &plan)?;
            let entropy = &*session.core().entropy;
            // Algorithm R (Vitter 1985): the n-th id takes a place with the chance documents / n.
            let (mut chosen, mut met): (Vec<DocumentId>, u64) = (Vec::new(), 0);
            while documents > 0
                && let Some(id) = records.next_id()?
            {
                met += 1;
                if chosen.len() < documents {
                    chosen.push(id);
                } else if let Ok(place) = usize::try_from(below(entropy, met))
                    && let Some(there) = chosen.get_mut(place)
                {
                    *there = id;
                }
            }
            let mut found = Vec::with_capacity(chosen.len());
            for id in chosen {
                match session.get(Family::Data, &document_key(definition.id, &id))? {
                    Some(record) => found.push(Found::decode(session, definition.id, id, &record)?),
                    None if session.is_read_only() => {
                        return Err(Error::corruption(format!(
                            "an index has an entry for document {id:?}, which is not there"
                        )));
                    }
                    None => {} // deleted by the transaction itself, meanwhile
                }
            }
            Ok(found)
        })
    }
}

/// A number below `bound`, each as likely as any other.
fn below(entropy: &dyn Entropy, bound: u64) -> u64 {
    let even = u64::MAX - u64::MAX % bound;
    loop {
        let number = entropy.next_u64();
        if number < even {
            return number % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use blaze_core::SeededEntropy;

    use super::*;

    #[test]
    fn every_number_below_the_bound_is_as_likely() {
        let entropy = SeededEntropy::new(3);
        let mut counts = [0_u32; 7];
        (0..70_000).for_each(|_| counts[below(&entropy, 7) as usize] += 1);
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        assert_eq!(below(&entropy, 1), 0);
    }
}
