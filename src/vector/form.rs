//! How the graph of an index is made, and how its rows are read.

use blaze_core::{Error, Result};
use blaze_vector::{Copies, GraphOptions, Query, VectorBuffer, VectorRef};

use crate::index::VectorFields;

/// How the graph of an index is made, and how its rows are read.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) options: GraphOptions,
    copies: Copies,
}

impl Form {
    pub(super) fn of(fields: &VectorFields) -> Form {
        Form { options: fields.graph_options(), copies: fields.copies }
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
