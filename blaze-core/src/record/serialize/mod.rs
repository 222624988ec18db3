//! Records of Rust values, without a document in between.
//!
//! What is usual goes straight into the record: each value is written as serde brings it, and the shape of a map is known
//! once its keys are. What is not usual is left to [`to_document`](crate::to_document), which then says what is wrong with
//! it, too: the only promise here is that a record that was written has the bytes which that way would give.

mod containers;
mod shapes;
#[cfg(test)]
mod tests;
mod value;
mod writer;

use std::borrow::Cow;
use std::fmt;

use ::serde::ser::{self, Serialize};

use self::shapes::KnownShapes;
use self::value::{Place, ValueSerializer};
use self::writer::Writer;
use super::dictionary::Dictionary;
use super::encode::Encoder;
use super::{begin, complete};
use crate::id::DocumentId;

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
