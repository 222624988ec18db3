//! The keys and shapes that the records of one collection share.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::cursor::{Cursor, damaged};
use super::entry::{Change, DictionaryEntry};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::limits::{DICTIONARY_KEY_BYTES_MAX, DICTIONARY_KEYS_MAX, NESTING_MAX, SHAPE_KEYS_MAX, SHAPES_MAX};
use crate::value::Value;

/// The keys and shapes of one collection. A shape is a list of keys in the order of a map.
///
/// A record holds the number of its shape and then values only, so it can be read only with a dictionary that knows
/// the shape. A dictionary only grows; what it [learns](Dictionary::learn) has to become durable no later than the
/// first record that needs it. What is beyond its limits is spelt out in each record.
///
/// A copy shares the strings, so that a writer can learn in a copy and put it in place once the commit succeeded.
#[derive(Clone, Default)]
pub struct Dictionary {
    keys: Vec<Arc<str>>,
    key_ids: HashMap<Arc<str>, u32>,
    shapes: Vec<Shape>,
    /// Shapes by the hash of their keys; one whose place is taken stands at the next free hash.
    shape_ids: HashMap<u64, u32, BuildHasherDefault<HashedAlready>>,
    /// What each ordinal brought: the position in `keys` or `shapes`.
    learnt: Vec<Learnt>,
    limits: Limits,
}

/// Keys in order.
pub(super) type Shape = Arc<[Arc<str>]>;

#[derive(Clone, Copy)]
enum Learnt {
    Key(u32),
    Shape(u32),
}

/// How many keys and shapes there may be. Only tests set others than the public limits.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) keys: usize,
    pub(super) shapes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { keys: DICTIONARY_KEYS_MAX, shapes: SHAPES_MAX }
    }
}

impl Dictionary {
    /// Adds the keys and shapes that encoding `document` needs, and returns what is new, in order, to be persisted.
    ///
    /// The result is empty when all is known or what is not lies beyond the limits.
    pub fn learn(&mut self, document: &Document) -> Vec<DictionaryEntry> {
        let mut new = Vec::new();
        all_maps(document, 1, &mut |map| {
            if self.can_learn(map) {
                self.learn_map(map, &mut new);
            }
            true
        });
        new
    }

    /// True if [`learn`](Dictionary::learn) would return nothing.
    #[must_use]
    pub fn knows(&self, document: &Document) -> bool {
        all_maps(document, 1, &mut |map| !self.can_learn(map))
    }

    /// Replays an entry that [`learn`](Dictionary::learn) returned. Entries come in the order of their ordinals;
    /// one that was applied already is compared and changes nothing.
    ///
    /// # Errors
    /// [`Corruption`](crate::ErrorKind::Corruption) if the entry leaves a gap, contradicts what is known, or is more
    /// than the limits allow.
    pub fn apply(&mut self, entry: &DictionaryEntry) -> Result<()> {
        let refused = |why: &str| Err(Error::corruption(format!("dictionary entry {}: {why}", entry.ordinal())));
        let ordinal = entry.ordinal() as usize;
        if let Some(learnt) = self.learnt.get(ordinal) {
            let same = match (*learnt, entry.change()) {
                (Learnt::Key(id), Change::Key(key)) => self.keys[id as usize] == *key,
                (Learnt::Shape(id), Change::Shape(ids)) => {
                    self.resolve(ids).as_ref() == Some(&self.shapes[id as usize])
                }
                _ => false,
            };
            return if same { Ok(()) } else { refused("another one is known under this ordinal") };
        }
        if ordinal > self.learnt.len() {
            return refused(&format!("the one before it is missing, {} are known", self.learnt.len()));
        }
        match entry.change() {
            Change::Key(key) => {
                if self.keys.len() >= self.limits.keys || key.len() > DICTIONARY_KEY_BYTES_MAX {
                    return refused("the limit on keys is exceeded");
                }
                if self.key_ids.contains_key(key) {
                    return refused(&format!("the key {key:?} is known already"));
                }
                self.add_key(Arc::clone(key));
            }
            Change::Shape(ids) => {
                if self.shapes.len() >= self.limits.shapes || ids.len() > SHAPE_KEYS_MAX {
                    return refused("the limit on shapes is exceeded");
                }
                let Some(shape) = self.resolve(ids) else { return refused("the shape names an unknown key") };
                let mut sorted = ids.to_vec();
                sorted.sort_unstable();
                if sorted.is_empty() || sorted.windows(2).any(|pair| pair[0] == pair[1]) {
                    return refused("the shape has no keys, or one of them twice");
                }
                if self.find_shape(shape.iter().map(AsRef::as_ref)).is_ok() {
                    return refused("the shape is known already");
                }
                self.add_shape(shape);
            }
        }
        Ok(())
    }

    /// How many entries were learnt: the ordinal of the next one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.learnt.len()
    }

    /// True if nothing was learnt.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.learnt.is_empty()
    }

    /// How many keys are known.
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// How many shapes are known.
    #[must_use]
    pub fn shape_count(&self) -> usize {
        self.shapes.len()
    }

    #[cfg(test)]
    pub(super) fn with_limits(limits: Limits) -> Dictionary {
        Dictionary { limits, ..Dictionary::default() }
    }

    pub(super) fn key_id(&self, key: &str) -> Option<u32> {
        self.key_ids.get(key).copied()
    }

    /// The shape of a map at a cursor, or `None` if its keys are spelt out.
    #[inline]
    pub(super) fn read_shape(&self, cursor: &mut Cursor<'_>) -> Result<Option<&Shape>> {
        let Some(id) = cursor.varint()?.checked_sub(1) else { return Ok(None) };
        self.shape(id).map(Some).ok_or_else(|| damaged(&format!("shape {id} is not in the dictionary")))
    }

    /// A key at a cursor that is spelt out, or known by a number.
    pub(super) fn read_key<'a>(&'a self, cursor: &mut Cursor<'a>) -> Result<&'a str> {
        let Some(id) = cursor.varint()?.checked_sub(1) else { return cursor.string() };
        self.key(id).ok_or_else(|| damaged(&format!("key {id} is not in the dictionary")))
    }

    pub(super) fn key(&self, id: u32) -> Option<&str> {
        self.keys.get(id as usize).map(AsRef::as_ref)
    }

    pub(super) fn shape_of(&self, map: &Document) -> Option<u32> {
        self.shape_of_keys(map.keys())
    }

    pub(super) fn shape_of_keys<'k>(&self, keys: impl ExactSizeIterator<Item = &'k str> + Clone) -> Option<u32> {
        self.find_shape(keys).ok()
    }

    #[inline]
    pub(super) fn shape(&self, id: u32) -> Option<&Shape> {
        self.shapes.get(id as usize)
    }

    /// True if the map has a shape, or a key, that is not known and would fit.
    fn can_learn(&self, map: &Document) -> bool {
        // A map of so many keys is data rather than structure: its keys would crowd out those of others.
        if map.is_empty() || map.len() > SHAPE_KEYS_MAX || self.shape_of(map).is_some() {
            return false;
        }
        let room = self.limits.keys - self.keys.len();
        let unknown = || map.keys().filter(|key| !self.key_ids.contains_key(*key));
        let shape_fits = self.shapes.len() < self.limits.shapes
            && unknown().count() <= room
            && unknown().all(|key| key.len() <= DICTIONARY_KEY_BYTES_MAX);
        shape_fits || room > 0 && unknown().any(|key| key.len() <= DICTIONARY_KEY_BYTES_MAX)
    }

    fn learn_map(&mut self, map: &Document, new: &mut Vec<DictionaryEntry>) {
        let mut ids = Vec::with_capacity(map.len());
        for key in map.keys() {
            if let Some(id) = self.key_id(key) {
                ids.push(id);
            } else if key.len() <= DICTIONARY_KEY_BYTES_MAX && self.keys.len() < self.limits.keys {
                let key: Arc<str> = key.into();
                new.push(DictionaryEntry::new(self.learnt.len() as u32, Change::Key(Arc::clone(&key))));
                ids.push(self.add_key(key));
            }
        }
        if ids.len() < map.len() || self.shapes.len() >= self.limits.shapes {
            return;
        }
        if let Some(shape) = self.resolve(&ids) {
            new.push(DictionaryEntry::new(self.learnt.len() as u32, Change::Shape(ids.into())));
            self.add_shape(shape);
        }
    }

    fn add_key(&mut self, key: Arc<str>) -> u32 {
        let id = self.keys.len() as u32;
        self.learnt.push(Learnt::Key(id));
        self.key_ids.insert(Arc::clone(&key), id);
        self.keys.push(key);
        id
    }

    fn add_shape(&mut self, shape: Shape) {
        if let Err(free_hash) = self.find_shape(shape.iter().map(AsRef::as_ref)) {
            let id = self.shapes.len() as u32;
            self.learnt.push(Learnt::Shape(id));
            self.shape_ids.insert(free_hash, id);
            self.shapes.push(shape);
        }
    }

    fn resolve(&self, ids: &[u32]) -> Option<Shape> {
        ids.iter().map(|&id| self.keys.get(id as usize).cloned()).collect()
    }

    /// The shape with these keys, or the hash under which it would stand.
    fn find_shape<'k>(&self, keys: impl ExactSizeIterator<Item = &'k str> + Clone) -> Result<u32, u64> {
        let mut hash = hash_keys(keys.clone());
        loop {
            let id = *self.shape_ids.get(&hash).ok_or(hash)?;
            let shape = &self.shapes[id as usize];
            if shape.len() == keys.len() && shape.iter().zip(keys.clone()).all(|(known, key)| **known == *key) {
                return Ok(id);
            }
            hash = hash.wrapping_add(1);
        }
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary")
            .field("keys", &self.keys)
            .field("shapes", &self.shapes.len())
            .finish_non_exhaustive()
    }
}

/// Leaves a key alone that is a hash itself.
#[derive(Clone, Default)]
struct HashedAlready(u64);

impl Hasher for HashedAlready {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = self.0 << 8 | u64::from(byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A hash that is fast on short strings. That an adversary can make keys collide costs a walk over at most
/// `SHAPES_MAX` shapes.
fn hash_keys<'k>(keys: impl Iterator<Item = &'k str>) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = 0_u64;
    let mut mix = |word: u64| hash = (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    for key in keys {
        let (words, rest) = key.as_bytes().as_chunks::<8>();
        words.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
        let tail = rest.iter().fold(0, |tail, &byte| tail << 8 | u64::from(byte));
        mix(tail << 8 | key.len() as u64 & 0xFF);
    }
    hash ^ hash >> 32 // multiplication leaves the low bits poor
}

/// Calls `visit` with each map, outer ones first, until it answers false; true if it never did.
///
/// Levels beyond the limit are left out: such a document cannot be encoded.
fn all_maps(map: &Document, level: usize, visit: &mut dyn FnMut(&Document) -> bool) -> bool {
    visit(map) && map.iter().all(|(_, value)| all_maps_in(value, level + 1, visit))
}

fn all_maps_in(value: &Value, level: usize, visit: &mut dyn FnMut(&Document) -> bool) -> bool {
    match value {
        Value::Map(map) if level <= NESTING_MAX => all_maps(map, level, visit),
        Value::Array(array) if level <= NESTING_MAX => array.iter().all(|value| all_maps_in(value, level + 1, visit)),
        _ => true,
    }
}
