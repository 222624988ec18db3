//! The schema of a collection.

use std::ops::ControlFlow;

use blaze_core::schema::InferredSchema;
use blaze_core::{Error, Result, Schema};

use super::{Collection, walk};
use crate::catalog;
use crate::validation::{self, SchemaInfo, SchemaProgress, Validation};

impl<T> Collection<T> {
    /// Sets what documents have to look like, in place of an earlier schema. Every write is checked from then on, and as
    /// [`Validation`] says the documents that are there.
    ///
    /// Other threads may go on reading and writing meanwhile: what they write is checked by this schema and by the one
    /// before it.
    ///
    /// ```
    /// use blaze::schema::{Schema, int, string};
    /// use blaze::{Database, Document, Validation};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// let schema = Schema::new().required("title", string().min_length(1)).optional("year", int());
    /// films.set_schema(&schema, Validation::Strict)?;
    /// let error = films.insert_with_id(1, &Document::new().with("year", "1972")).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "document 1 does not fit the schema: \
    ///      title: expected string, found nothing; year: expected int, found string \"1972\"",
    /// );
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the schema is not well-formed, when documents do not fit it, of which the
    /// first ones are named, when it is changed meanwhile, or, if documents are to be checked, in a transaction that is not
    /// serializable; [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is too large or too deep. The schema before
    /// it is in force then. Else as [`insert`](Collection::insert).
    pub fn set_schema(&self, schema: &Schema, validation: Validation) -> Result<()> {
        self.set_schema_with(schema, validation, |_| ControlFlow::Continue(()))
    }

    /// As [`set_schema`](Collection::set_schema), telling how far it has come; with [`ControlFlow::Break`] it ends.
    /// In a transaction, what `progress` writes to that transaction from its own thread, which is waiting for it, is refused as
    /// [`Invalid`](crate::ErrorKind::Invalid).
    ///
    /// # Errors
    /// As [`set_schema`](Collection::set_schema); [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn set_schema_with(
        &self,
        schema: &Schema,
        validation: Validation,
        mut progress: impl FnMut(SchemaProgress) -> ControlFlow<()>,
    ) -> Result<()> {
        validation::set(&self.scope, self.name(), schema, validation, &mut progress)
            .map_err(|error| error.context(format!("collection {:?}", self.name())))
    }

    /// The schema, if there is one.
    ///
    /// # Errors
    /// As [`count`](Collection::count).
    pub fn schema(&self) -> Result<Option<SchemaInfo>> {
        self.read(|_, definition| Ok(definition.schema.as_ref().map(|schema| schema.info())))
    }

    /// Removes the schema; says whether there was one.
    ///
    /// # Errors
    /// As [`insert`](Collection::insert).
    pub fn remove_schema(&self) -> Result<bool> {
        validation::remove(&self.scope, self.name())
    }

    /// What the documents have in common: their fields with types and how often they are there. Reads all of them.
    ///
    /// ```
    /// use blaze::{Database, Document, Validation};
    ///
    /// let db = Database::temporary()?;
    /// let films = db.collection::<Document>("films")?;
    /// films.insert_with_id(1, &Document::new().with("title", "Solaris").with("year", 1972))?;
    /// films.insert_with_id(2, &Document::new().with("title", "Stalker"))?;
    /// let inferred = films.infer_schema()?;
    /// assert!(inferred.to_string().contains("year   int, in 1 of 2, 1972 to 1972"));
    /// films.set_schema(&inferred.to_schema(), Validation::Strict)?;
    /// # Ok::<(), blaze::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get`](Collection::get).
    pub fn infer_schema(&self) -> Result<InferredSchema> {
        self.infer(None)
    }

    /// As [`infer_schema`](Collection::infer_schema), from about so many documents at even distances, at least 1. What others
    /// have is not seen.
    ///
    /// # Errors
    /// As [`infer_schema`](Collection::infer_schema); [`Invalid`](crate::ErrorKind::Invalid) when the number is 0.
    pub fn infer_schema_from_sample(&self, documents: u64) -> Result<InferredSchema> {
        match documents {
            0 => Err(Error::invalid("a sample of 0 documents says nothing, at least 1 is needed")),
            documents => self.infer(Some(documents)),
        }
    }

    fn infer(&self, sample: Option<u64>) -> Result<InferredSchema> {
        self.read(|session, definition| {
            let distance = match sample {
                None => 1,
                Some(wanted) => catalog::count(session, definition)?.div_ceil(wanted).max(1),
            };
            let (mut inferred, mut place) = (InferredSchema::default(), 0_u64);
            walk(session, definition, None, None, &mut |walked| {
                if place.is_multiple_of(distance) {
                    inferred.observe(&walked.document);
                }
                place += 1;
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(inferred)
        })
    }
}
