//! Values on their way through serde, where single precision is still told from double.

use crate::limits::VECTOR_DIMENSIONS_MAX;
use crate::value::{Value, Vector};

/// A value, or a number of single precision that may become part of a vector.
#[derive(Debug)]
pub(super) enum Node {
    F32(f32),
    Value(Value),
}

impl Node {
    pub(super) fn into_value(self) -> Value {
        match self {
            Node::F32(number) => Value::from(number),
            Node::Value(value) => value,
        }
    }
}

/// True for the dimensions that a sequence of single-precision numbers must have to be a vector.
pub(super) fn is_vector_dimension(dimension: usize) -> bool {
    (1..=VECTOR_DIMENSIONS_MAX).contains(&dimension)
}

/// A sequence that grows: a vector as long as only single-precision numbers have come.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    numbers: Vec<f32>,
    values: Vec<Value>,
}

impl Sequence {
    /// The hint may come from a hostile source, so that it is followed up to a point only.
    pub(super) fn with_capacity(hint: Option<usize>) -> Sequence {
        Sequence { numbers: Vec::new(), values: Vec::with_capacity(hint.unwrap_or(0).min(64)) }
    }

    pub(super) fn push(&mut self, node: Node) {
        match node {
            Node::F32(number) if self.values.is_empty() && self.numbers.len() < VECTOR_DIMENSIONS_MAX => {
                self.numbers.push(number);
            }
            node => {
                self.values.extend(self.numbers.drain(..).map(Value::from));
                self.values.push(node.into_value());
            }
        }
    }

    pub(super) fn into_value(self) -> Value {
        if is_vector_dimension(self.numbers.len()) {
            Value::Vector(Vector::F32(self.numbers))
        } else {
            Value::Array(self.values)
        }
    }
}
