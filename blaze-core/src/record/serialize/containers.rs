//! Arrays, vectors and maps, element by element.

use std::borrow::Cow;

use ::serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::super::tag::NULL;
use super::value::{Place, ValueSerializer, Variant};
use super::writer::{Frame, Writer};
use super::{NotHere, Written};
use crate::identified::ID_FIELD;
use crate::limits::VECTOR_DIMENSIONS_MAX;
use crate::serde::{KeySerializer, to_value};

/// Writes an array or a vector.
pub(super) struct SequenceSerializer<'s, 'w> {
    pub(super) writer: &'s mut Writer<'w>,
    pub(super) level: usize,
    pub(super) frame: Frame,
    pub(super) variant: Option<Variant>,
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
pub(super) struct MapSerializer<'s, 'w> {
    pub(super) writer: &'s mut Writer<'w>,
    pub(super) level: usize,
    pub(super) frame: Frame,
    pub(super) is_root: bool,
    pub(super) variant: Option<Variant>,
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
