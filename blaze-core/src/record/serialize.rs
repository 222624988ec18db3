//! Records of Rust values, without a document in between.
//!
//! What is usual goes straight into the record: each value is written as serde brings it, and the shape of a map is known
//! once its keys are. What is not usual is left to [`to_document`](crate::to_document), which then says what is wrong with
//! it, too: the only promise here is that a record that was written has the bytes which that way would give.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use ::serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::dictionary::{Dictionary, Shape};
use super::encode::Encoder;
use super::tag::{ARRAY, FALSE, MAP, NULL, TRUE};
use super::{begin, complete};
use crate::id::DocumentId;
use crate::identified::ID_FIELD;
use crate::limits::{NESTING_MAX, VECTOR_DIMENSIONS_MAX};
use crate::serde::{KeySerializer, integer, special, to_value};
use crate::value::{Value, Vector};

/// Makes records of Rust values; keeps its memory from one to the next.
///
/// ```
/// use blaze_core::record::{Dictionary, Record, RecordSerializer};
///
/// #[derive(serde::Serialize)]
/// struct Film {
///     title: String,
///     year: u16,
/// }
///
/// let film = Film { title: "Solaris".into(), year: 1972 };
/// let (mut serializer, mut dictionary, mut record) = (RecordSerializer::default(), Dictionary::default(), Vec::new());
/// assert!(serializer.encode(&film, &dictionary, &mut record).is_none(), "nobody has learnt the shape");
/// dictionary.learn(&blaze_core::to_document(&film)?);
/// assert!(serializer.encode(&film, &dictionary, &mut record).is_some());
/// assert_eq!(Record::open(&record, &dictionary)?.decode()?, blaze_core::to_document(&film)?);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct RecordSerializer {
    /// Of the maps that are open, outer ones first.
    keys: Vec<Cow<'static, str>>,
    /// Of the sequences that are open: what is a vector unless something else follows.
    numbers: Vec<f32>,
    shapes: KnownShapes,
}

/// The shapes of structs, whose keys need not be compared letter by letter: each is the same piece of memory every time.
#[derive(Debug, Default)]
struct KnownShapes(Vec<KnownShape>);

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

impl RecordSerializer {
    /// Appends `value` to `out` as a whole record, its stamp zero, as [`encode`](super::encode) does with the document that
    /// [`to_document`](crate::to_document) makes of it and of which [`take_id`](crate::take_id) has taken the id; answers that
    /// id, `Some(None)` if there is none.
    ///
    /// `None` when it has to be done in that way: for a shape that `dictionary` does not know, for what that way refuses, and
    /// for what is rare. `out` is then as it was.
    ///
    /// The same dictionary, as far as it has grown, must be given to one serializer.
    pub fn encode<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        dictionary: &Dictionary,
        out: &mut Vec<u8>,
    ) -> Option<Option<DocumentId>> {
        self.keys.clear();
        self.numbers.clear();
        let start = out.len();
        begin(out);
        let encoder = Encoder { dictionary, out, start };
        let mut writer = Writer { encoder, scratch: self, id: None };
        let written = value.serialize(ValueSerializer { writer: &mut writer, level: 0, place: Place::Root });
        let id = match writer.id.take().map(DocumentId::try_from).transpose() {
            Ok(id) if written.is_ok() && id.as_ref().is_none_or(|id| id.validate().is_ok()) => id,
            _ => {
                out.truncate(start);
                return None;
            }
        };
        complete(out, start);
        Some(id)
    }
}

/// That a value is not written here.
#[derive(Debug)]
struct NotHere;

type Written = Result<(), NotHere>;

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value takes the way through a document")
    }
}

impl std::error::Error for NotHere {}

impl ser::Error for NotHere {
    fn custom<T: fmt::Display>(_: T) -> NotHere {
        NotHere
    }
}

impl From<crate::error::Error> for NotHere {
    fn from(_: crate::error::Error) -> NotHere {
        NotHere
    }
}

/// What a record is written with.
struct Writer<'w> {
    encoder: Encoder<'w>,
    scratch: &'w mut RecordSerializer,
    /// What the field of the id holds.
    id: Option<Value>,
}

/// Where a container began.
#[derive(Clone, Copy)]
struct Frame {
    /// Where its head goes.
    at: usize,
    /// How many bytes were left free for the head.
    room: usize,
    keys: usize,
    numbers: usize,
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Field,
    Element,
}

impl Writer<'_> {
    /// Leaves room for the head of a container: what most have, so that few are moved.
    fn open(&mut self, room: usize) -> Frame {
        let at = self.encoder.out.len();
        self.encoder.out.resize(at + room, 0);
        Frame { at, room, keys: self.scratch.keys.len(), numbers: self.scratch.numbers.len() }
    }

    /// Writes the shape of a map before its values and, unless it is the document itself, tag and length before that.
    fn close_map(&mut self, frame: Frame, is_root: bool) -> Written {
        let body = self.encoder.out.len() - frame.at - frame.room;
        let (mut head, mut head_bytes) = ([0; 11], 0);
        let keys = &self.scratch.keys[frame.keys..];
        let (mut shape, mut shape_bytes) = ([0; 5], 0);
        if !keys.is_empty() {
            let number = self.scratch.shapes.find(keys, self.encoder.dictionary).ok_or(NotHere)?;
            (shape, shape_bytes) = varint(number + 1);
        }
        if !is_root {
            let (sized, length) = MAP.head(shape_bytes + body);
            head[..length].copy_from_slice(&sized[..length]);
            head_bytes = length;
        }
        head[head_bytes..head_bytes + shape_bytes].copy_from_slice(&shape[..shape_bytes]);
        self.put_head(frame, &head[..head_bytes + shape_bytes]);
        self.scratch.keys.truncate(frame.keys);
        Ok(self.encoder.check_size(0)?)
    }

    fn close_sequence(&mut self, frame: Frame) -> Written {
        let numbers = &self.scratch.numbers[frame.numbers..];
        if !numbers.is_empty() {
            let vector = Value::Vector(Vector::F32(numbers.to_vec()));
            self.scratch.numbers.truncate(frame.numbers);
            self.encoder.out.truncate(frame.at);
            return Ok(self.encoder.value(&vector, 1)?);
        }
        let (head, length) = ARRAY.head(self.encoder.out.len() - frame.at - frame.room);
        self.put_head(frame, &head[..length]);
        Ok(self.encoder.check_size(0)?)
    }

    fn put_head(&mut self, frame: Frame, head: &[u8]) {
        let out = &mut *self.encoder.out;
        let (from, to, end) = (frame.at + frame.room, frame.at + head.len(), out.len());
        if to > from {
            out.resize(end + to - from, 0);
        }
        if to != from {
            out.copy_within(from..end, to);
            out.truncate(end + to - from);
        }
        out[frame.at..to].copy_from_slice(head);
    }
}

/// What [`write_varint`](super::cursor::write_varint) writes, and how many of these bytes count.
fn varint(mut int: u32) -> ([u8; 5], usize) {
    let (mut bytes, mut used) = ([0; 5], 0);
    while int >= 0x80 {
        bytes[used] = int as u8 | 0x80;
        int >>= 7;
        used += 1;
    }
    bytes[used] = int as u8;
    (bytes, used + 1)
}

impl KnownShapes {
    fn find(&mut self, keys: &[Cow<'static, str>], dictionary: &Dictionary) -> Option<u32> {
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

/// Writes one value, in a container of `level`.
struct ValueSerializer<'s, 'w> {
    writer: &'s mut Writer<'w>,
    level: usize,
    place: Place,
}

impl<'s, 'w> ValueSerializer<'s, 'w> {
    /// Writes what is not a container; a document is one.
    fn scalar(self, write: impl FnOnce(&mut Encoder<'w>)) -> Written {
        if self.place == Place::Root {
            return Err(NotHere);
        }
        write(&mut self.writer.encoder);
        Ok(())
    }

    fn value(self, value: &Value) -> Written {
        match self.place {
            Place::Root => Err(NotHere),
            Place::Field | Place::Element => Ok(self.writer.encoder.value(value, self.level)?),
        }
    }

    fn string(self, string: &str) -> Written {
        self.writer.encoder.check_size(string.len())?;
        self.scalar(|encoder| encoder.string(string))
    }

    fn signed(self, int: i64) -> Written {
        self.scalar(|encoder| encoder.signed(int))
    }

    fn unsigned(self, int: u64) -> Written {
        self.scalar(|encoder| encoder.positive(int))
    }

    /// The level of a container that is opened here.
    fn next_level(&self) -> Result<usize, NotHere> {
        let level = self.level + 1;
        if level > NESTING_MAX { Err(NotHere) } else { Ok(level) }
    }

    fn map(self) -> Result<MapSerializer<'s, 'w>, NotHere> {
        let level = self.next_level()?;
        let is_root = self.place == Place::Root;
        let frame = self.writer.open(if is_root { 1 } else { 2 });
        Ok(MapSerializer { writer: self.writer, level, frame, is_root, variant: None })
    }

    fn sequence(self) -> Result<SequenceSerializer<'s, 'w>, NotHere> {
        let level = self.next_level()?;
        if self.place == Place::Root {
            return Err(NotHere);
        }
        let frame = self.writer.open(1);
        Ok(SequenceSerializer { writer: self.writer, level, frame, variant: None })
    }

    /// Opens the map of one entry that is an enum's variant with content.
    fn variant(self, variant: &'static str) -> Result<(Variant, ValueSerializer<'s, 'w>), NotHere> {
        let MapSerializer { writer, level, frame, is_root, .. } = self.map()?;
        if is_root && variant == ID_FIELD {
            return Err(NotHere);
        }
        writer.scratch.keys.push(Cow::Borrowed(variant));
        Ok((Variant { frame, is_root }, ValueSerializer { writer, level, place: Place::Field }))
    }
}

/// The map around an enum's variant.
#[derive(Clone, Copy)]
struct Variant {
    frame: Frame,
    is_root: bool,
}

impl Variant {
    fn close(variant: Option<Variant>, writer: &mut Writer<'_>) -> Written {
        variant.map_or(Ok(()), |variant| writer.close_map(variant.frame, variant.is_root))
    }
}

impl<'s, 'w> ser::Serializer for ValueSerializer<'s, 'w> {
    type Ok = ();
    type Error = NotHere;
    type SerializeSeq = SequenceSerializer<'s, 'w>;
    type SerializeTuple = SequenceSerializer<'s, 'w>;
    type SerializeTupleStruct = SequenceSerializer<'s, 'w>;
    type SerializeTupleVariant = SequenceSerializer<'s, 'w>;
    type SerializeMap = MapSerializer<'s, 'w>;
    type SerializeStruct = MapSerializer<'s, 'w>;
    type SerializeStructVariant = MapSerializer<'s, 'w>;

    fn serialize_bool(self, value: bool) -> Written {
        self.scalar(|encoder| encoder.out.push(if value { TRUE } else { FALSE }))
    }

    fn serialize_i8(self, value: i8) -> Written {
        self.signed(value.into())
    }

    fn serialize_i16(self, value: i16) -> Written {
        self.signed(value.into())
    }

    fn serialize_i32(self, value: i32) -> Written {
        self.signed(value.into())
    }

    fn serialize_i64(self, value: i64) -> Written {
        self.signed(value)
    }

    fn serialize_i128(self, value: i128) -> Written {
        self.value(&integer(value < 0, value.unsigned_abs()))
    }

    fn serialize_u8(self, value: u8) -> Written {
        self.unsigned(value.into())
    }

    fn serialize_u16(self, value: u16) -> Written {
        self.unsigned(value.into())
    }

    fn serialize_u32(self, value: u32) -> Written {
        self.unsigned(value.into())
    }

    fn serialize_u64(self, value: u64) -> Written {
        self.unsigned(value)
    }

    fn serialize_u128(self, value: u128) -> Written {
        self.value(&integer(false, value))
    }

    fn serialize_f32(self, value: f32) -> Written {
        if self.place == Place::Element {
            self.writer.scratch.numbers.push(value);
            return Ok(());
        }
        self.value(&Value::from(value))
    }

    fn serialize_f64(self, value: f64) -> Written {
        self.scalar(|encoder| encoder.float(value))
    }

    fn serialize_char(self, value: char) -> Written {
        self.string(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Written {
        self.string(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Written {
        self.value(&value.into())
    }

    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.scalar(|encoder| encoder.out.push(NULL))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.string(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Written {
        match special::value_of(name, value) {
            None => value.serialize(self),
            Some(Ok(special)) => self.value(&special),
            Some(Err(_)) => Err(NotHere),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        let (variant, ValueSerializer { writer, level, place }) = self.variant(variant)?;
        value.serialize(ValueSerializer { writer: &mut *writer, level, place })?;
        Variant::close(Some(variant), writer)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<SequenceSerializer<'s, 'w>, NotHere> {
        self.sequence()
    }

    fn serialize_tuple(self, _: usize) -> Result<SequenceSerializer<'s, 'w>, NotHere> {
        self.sequence()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<SequenceSerializer<'s, 'w>, NotHere> {
        self.sequence()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<SequenceSerializer<'s, 'w>, NotHere> {
        let (variant, content) = self.variant(variant)?;
        Ok(SequenceSerializer { variant: Some(variant), ..content.sequence()? })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapSerializer<'s, 'w>, NotHere> {
        self.map()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<MapSerializer<'s, 'w>, NotHere> {
        self.map()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<MapSerializer<'s, 'w>, NotHere> {
        let (variant, content) = self.variant(variant)?;
        Ok(MapSerializer { variant: Some(variant), ..content.map()? })
    }
}

/// Writes an array or a vector.
struct SequenceSerializer<'s, 'w> {
    writer: &'s mut Writer<'w>,
    level: usize,
    frame: Frame,
    variant: Option<Variant>,
}

impl SequenceSerializer<'_, '_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(ValueSerializer { writer: &mut *self.writer, level: self.level, place: Place::Element })?;
        // Numbers that may be a vector's, and values beside them, or too many: rare, and an array.
        let numbers = self.writer.scratch.numbers.len() - self.frame.numbers;
        let has_values = self.writer.encoder.out.len() > self.frame.at + self.frame.room;
        if numbers > 0 && (has_values || numbers > VECTOR_DIMENSIONS_MAX) { Err(NotHere) } else { Ok(()) }
    }

    fn close(self) -> Written {
        self.writer.close_sequence(self.frame)?;
        Variant::close(self.variant, self.writer)
    }
}

macro_rules! serialize_elements {
    ($($trait:ident::$method:ident),*) => {
        $(impl $trait for SequenceSerializer<'_, '_> {
            type Ok = ();
            type Error = NotHere;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.element(value)
            }

            fn end(self) -> Written {
                self.close()
            }
        })*
    };
}

serialize_elements! {
    SerializeSeq::serialize_element, SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
}

/// Writes a map.
struct MapSerializer<'s, 'w> {
    writer: &'s mut Writer<'w>,
    level: usize,
    frame: Frame,
    is_root: bool,
    variant: Option<Variant>,
}

impl MapSerializer<'_, '_> {
    fn entry<T: Serialize + ?Sized>(&mut self, key: Cow<'static, str>, value: &T) -> Written {
        let is_id = self.is_root && key == ID_FIELD;
        self.writer.scratch.keys.push(key);
        if is_id {
            return self.id(value);
        }
        value.serialize(ValueSerializer { writer: &mut *self.writer, level: self.level, place: Place::Field })
    }

    /// Keeps the id, whose place in the record is left null.
    fn id<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        let id = to_value(value)?;
        self.writer.id = (!id.is_null()).then_some(id);
        self.writer.encoder.out.push(NULL);
        Ok(())
    }

    fn close(self) -> Written {
        self.writer.close_map(self.frame, self.is_root)?;
        Variant::close(self.variant, self.writer)
    }
}

impl SerializeMap for MapSerializer<'_, '_> {
    type Ok = ();
    type Error = NotHere;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Written {
        Err(NotHere) // nobody takes keys and values apart without need
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Written {
        Err(NotHere)
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Written {
        let key = key.serialize(KeySerializer).map_err(|_| NotHere)?;
        self.entry(Cow::Owned(key), value)
    }

    fn end(self) -> Written {
        self.close()
    }
}

macro_rules! serialize_fields {
    ($($trait:ident),*) => {
        $(impl $trait for MapSerializer<'_, '_> {
            type Ok = ();
            type Error = NotHere;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
                self.entry(Cow::Borrowed(key), value)
            }

            fn end(self) -> Written {
                self.close()
            }
        })*
    };
}

serialize_fields! { SerializeStruct, SerializeStructVariant }

#[cfg(test)]
mod tests;
