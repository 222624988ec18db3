//! How the graph of an index is made, and how its rows are read.

use blaze_core::{Error, Result};
use blaze_vector::{Copies, GraphOptions, Query, RecallTarget, VectorBuffer, VectorRef, write_vector};

use crate::index::VectorFields;

/// How the graph of an index is made, and how its rows are read.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(super) options: GraphOptions,
    /// The recall that its searches are to reach, if any was asked for.
    pub(super) recall: Option<RecallTarget>,
    pub(super) copies: Copies,
}

impl Form {
    pub(crate) fn of(fields: &VectorFields) -> Form {
        Form { options: fields.graph_options(), recall: fields.target(), copies: fields.copies }
    }

    /// Bytes of a row.
    pub(super) fn row_bytes(&self) -> usize {
        let GraphOptions { dimension, metric, .. } = self.options;
        if metric.is_binary() { dimension / 8 } else { self.copies.bytes(dimension) }
    }

    /// A query for what is near to a vector.
    pub(super) fn query(&self, vector: VectorRef<'_>) -> Result<Query> {
        Ok(Query::new(self.options.metric, vector)?.over(self.copies))
    }

    /// What tells it from others, apart from the recall: searches of graphs that were made alike find alike.
    pub(super) fn checksum(&self) -> u32 {
        let GraphOptions { metric, dimension, code, m, ef_construction, seed } = &self.options;
        let made = format!("{metric} {dimension} {code} {m} {ef_construction} {seed} {}", self.copies.name());
        crc32fast::hash(made.as_bytes())
    }

    /// Appends the vector of a query, in full precision.
    pub(super) fn write_query(query: &Query, bytes: &mut Vec<u8>) {
        write_vector(query.vector(), bytes);
    }

    /// The query of a vector that [`write_query`](Form::write_query) has written.
    pub(super) fn query_of_bytes(&self, bytes: &[u8]) -> Result<Query> {
        let mut buffer = VectorBuffer::default();
        let written = Form { copies: Copies::F32, ..self.clone() };
        self.query(written.read(bytes, &mut buffer)?).map_err(|error| Error::corruption(error.to_string()))
    }

    /// The vector of a row, which is read into the buffer.
    ///
    /// # Errors
    /// [`Corruption`](blaze_core::ErrorKind::Corruption) if the row is none of the index.
    pub(super) fn read<'a>(&self, row: &[u8], buffer: &'a mut VectorBuffer) -> Result<VectorRef<'a>> {
        let GraphOptions { dimension, metric, .. } = self.options;
        if !metric.is_binary() {
            self.copies.read(row, dimension, &mut buffer.numbers)?;
            return Ok(VectorRef::F32(&buffer.numbers));
        }
        if row.len() * 8 != dimension {
            let (found, needed) = (row.len(), dimension / 8);
            return Err(Error::corruption(format!("a stored vector has {found} bytes, not {needed}")));
        }
        buffer.bits.clear();
        buffer.bits.extend_from_slice(row);
        Ok(VectorRef::Bits(&buffer.bits))
    }
}
