//! The shapes of structs, remembered by where their keys are.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::dictionary::{Dictionary, Shape};

/// The shapes of structs, whose keys need not be compared letter by letter: each is the same piece of memory every time.
#[derive(Debug, Default)]
pub(super) struct KnownShapes(Vec<KnownShape>);

#[derive(Debug)]
struct KnownShape {
    /// Where the keys are, and how long.
    addresses: Vec<(usize, usize)>,
    number: u32,
    /// The keys as the dictionary has them, by which that is known again.
    shape: Shape,
}

/// Shapes that are remembered by address.
const KNOWN_SHAPES_MAX: usize = 16;

impl KnownShapes {
    pub(super) fn find(&mut self, keys: &[Cow<'static, str>], dictionary: &Dictionary) -> Option<u32> {
        let address = |key: &Cow<'static, str>| match key {
            Cow::Borrowed(key) => Some((key.as_ptr().addr(), key.len())),
            Cow::Owned(_) => None,
        };
        for known in &self.0 {
            let is_same = known.addresses.len() == keys.len()
                && known.addresses.iter().zip(keys).all(|(known, key)| address(key) == Some(*known));
            if is_same && dictionary.shape(known.number).is_some_and(|shape| Arc::ptr_eq(shape, &known.shape)) {
                return Some(known.number);
            }
        }
        let number = dictionary.shape_of_keys(keys.iter().map(|key| &**key))?;
        let addresses: Option<Vec<_>> = keys.iter().map(address).collect();
        if let (Some(addresses), Some(shape)) = (addresses, dictionary.shape(number)) {
            if self.0.len() >= KNOWN_SHAPES_MAX {
                self.0.clear(); // another dictionary, or more shapes than are worth looking through
            }
            self.0.push(KnownShape { addresses, number, shape: Arc::clone(shape) });
        }
        Some(number)
    }
}
