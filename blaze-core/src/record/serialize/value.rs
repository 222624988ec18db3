//! One value, as serde brings it.

use std::borrow::Cow;

use ::serde::ser::{self, Serialize};

use super::super::encode::Encoder;
use super::super::tag::{FALSE, NULL, TRUE};
use super::containers::{MapSerializer, SequenceSerializer};
use super::writer::{Frame, Writer};
use super::{NotHere, Written};
use crate::identified::ID_FIELD;
use crate::limits::NESTING_MAX;
use crate::serde::{integer, special};
use crate::value::Value;

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    Field,
    Element,
}

/// Writes one value, in a container of `level`.
pub(super) struct ValueSerializer<'s, 'w> {
    pub(super) writer: &'s mut Writer<'w>,
    pub(super) level: usize,
    pub(super) place: Place,
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
pub(super) struct Variant {
    frame: Frame,
    is_root: bool,
}

impl Variant {
    pub(super) fn close(variant: Option<Variant>, writer: &mut Writer<'_>) -> Written {
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
