//! The entries of a document in an index.
//!
//! An entry of an index over fields is a key: the number of the index, one value for each field, the id of the document in
//! the order of the last field. Its value is a byte of flags; entries of indexes that the first version made have none. An
//! encoding beyond [`INDEX_VALUE_BYTES_MAX`] is cut there: no encoding is the beginning of another, so that the one which does
//! not end within so many bytes is a cut one, and bytes keep their order. In a unique index, the entry of what is constrained
//! has no id in its key but behind the flags, so that two documents meet in one key.
//!
//! One more key of the index, [`MARKER`], says what entries may be like, see [`Traits`]; another, while the index is built, how
//! far that has come. What the entries of an index on vectors are, [`vector_entries`] says, and those of one on text,
//! [`text_entries`](super::text_entries).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;

use blaze_core::key::{self, Order};
use blaze_core::limits::{INDEX_ENTRIES_PER_DOCUMENT_MAX, INDEX_ENTRY_BYTES_MAX, INDEX_VALUE_BYTES_MAX};
use blaze_core::record::RawDocument;
use blaze_core::{Document, DocumentId, Error, KeyRange, PARENT_FIELD, Path, Result, Timestamp, Value, traverse};

use super::subject::Subject;
use super::text_entries::{TextEntry, text_entry};
use super::vector_entries::{source_text, vector_entries};
use super::{IndexDefinition, IndexFields, Traits};
use crate::catalog::{prefix, prefixed};
use crate::embedding::{SourceText, backlog_row};
use crate::text::{ChangeRow, change_key, entry_key};

/// What follows the number of the index in the key of what it remembers of all its entries.
///
/// No entry begins with this byte, see [`blaze_core::key`].
pub(super) const MARKER: &[u8] = &[0xFF];

/// What follows the number of the index in the key that says how far its building has come.
pub(crate) const BUILD_POSITION: &[u8] = &[0xFF, 0x00];

/// Every value of the entry can be restored from the key, and the entry is the only one of its document.
pub(super) const RESTORABLE: u8 = 1;

/// The entry is constrained: the id is behind the flags.
pub(super) const CONSTRAINED: u8 = 2;

/// Bytes of an entry for which there is room from the beginning.
const ENTRY_BYTES: usize = 48;

/// The entries of one document in one index: keys, each with the value under it, in order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Entries {
    /// Mostly one.
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    traits: Traits,
    /// In an index that embeds, the text of a document that has no vector of its own: its entry is made of that by others.
    source: Option<SourceText>,
    /// In an index on text, how often and where the terms of the entry are.
    occurrences: Option<Vec<u8>>,
}

/// What a field of a document is in one entry.
#[derive(Clone, Copy, Debug)]
struct Component {
    /// True unless it is missing, null, or an array as a whole.
    is_constrained: bool,
    is_restorable: bool,
    /// Bytes of the encoding before it was cut, if it was.
    bytes_uncut: Option<usize>,
}

/// An entry that is being put together.
#[derive(Clone, Debug)]
struct Draft {
    key: Vec<u8>,
    whole: Component,
}

impl Entries {
    pub(crate) fn of(index: &IndexDefinition, id: &DocumentId, document: &Document) -> Result<Entries> {
        match index.asks_for_parent()? {
            true => with_place(id, document, |whole| Entries::of_whole(index, id, whole)),
            false => Entries::of_whole(index, id, document),
        }
    }

    fn of_whole(index: &IndexDefinition, id: &DocumentId, document: &Document) -> Result<Entries> {
        match index.only()?.is_some_and(|filter| !filter.matches(document)) {
            true => Ok(Entries::default()),
            false => Entries::of_subject(index, id, Subject::Document(document)),
        }
    }

    /// As [`of`](Entries::of) the document in a record, which is below no other one and is decoded only as far as the index asks
    /// for it.
    pub(crate) fn of_record(index: &IndexDefinition, id: &DocumentId, record: &RawDocument<'_>) -> Result<Entries> {
        let is_left_out = match index.only()? {
            Some(filter) => !filter.matches_raw(record)?,
            None => false,
        };
        match is_left_out {
            true => Ok(Entries::default()),
            false => Entries::of_subject(index, id, Subject::Record(record)),
        }
    }

    fn of_subject(index: &IndexDefinition, id: &DocumentId, subject: Subject<'_>) -> Result<Entries> {
        let entries = match index.parts()? {
            IndexFields::Fields(fields) => match one_entry(index, fields, id, subject) {
                Ok(None) => field_entries(index, fields, id, &*subject.document()?),
                one => one.map(Option::unwrap_or_default),
            },
            // Nobody asks whether it has several.
            IndexFields::Vector(fields) => vector_entries(index.id, fields, id, subject).and_then(|entries| {
                let source = if entries.is_empty() { source_text(fields, id, subject)? } else { None };
                Ok(Entries { entries, source, ..Entries::default() })
            }),
            IndexFields::Text(fields) => text_entry(fields, subject).map(|entry| match entry {
                Some(TextEntry { terms, occurrences }) => Entries {
                    entries: vec![(entry_key(index.id, id), terms)],
                    occurrences: Some(occurrences),
                    ..Entries::default()
                },
                None => Entries::default(),
            }),
        };
        entries.map_err(|error| error.context(format!("index {:?}, document {id:?}", index.name)))
    }

    /// What the index must remember of them.
    pub(crate) fn traits(&self) -> Traits {
        self.traits
    }

    /// The keys in order, each with the value under it.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// The value under a key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let place = self.entries.binary_search_by(|(there, _)| there.as_slice().cmp(key)).ok()?;
        self.entries.get(place).map(|(_, value)| value.as_slice())
    }

    pub(crate) fn has(&self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The text that is to be embedded, if there is one.
    pub(crate) fn source(&self) -> Option<&SourceText> {
        self.source.as_ref()
    }

    pub(crate) fn into_source(self) -> Option<SourceText> {
        self.source
    }

    /// What has the text be embedded, if there is one.
    pub(crate) fn backlog_row(&self, index: u32) -> Option<(Vec<u8>, Vec<u8>)> {
        self.source.as_ref().map(|source| backlog_row(index, &source.entry))
    }

    /// In an index on text, how often and where the terms of the entry are; none if there is no entry.
    pub(crate) fn occurrences(&self) -> Option<&[u8]> {
        self.occurrences.as_deref()
    }

    /// What says that the entry in an index on text is new, written by a load that began with a commit.
    pub(crate) fn loaded_change(&self, index: u32, begun: Timestamp) -> Option<(Vec<u8>, Vec<u8>)> {
        let (entry, _) = self.entries.first().filter(|_| self.occurrences.is_some())?;
        let row = ChangeRow { ts: begun, before: None, after: self.occurrences() };
        Some((change_key(index, &entry[4..], begun), row.to_bytes()))
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl IntoIterator for Entries {
    type Item = (Vec<u8>, Vec<u8>);
    type IntoIter = std::vec::IntoIter<(Vec<u8>, Vec<u8>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// A document with the field for its parent, if it has one: its record holds no more than the place of that.
pub(super) fn with_place<R>(id: &DocumentId, document: &Document, work: impl FnOnce(&Document) -> R) -> R {
    match id.parent() {
        Some(parent) => {
            let mut whole = document.clone();
            whole.insert(PARENT_FIELD, Value::from(parent));
            work(&whole)
        }
        None => work(document),
    }
}

/// The entry of a document whose fields are one value each or missing, as most are: without the steps in between that several
/// entries take. None for others.
fn one_entry(
    index: &IndexDefinition,
    fields: &[(Path, Order)],
    id: &DocumentId,
    subject: Subject<'_>,
) -> Result<Option<Entries>> {
    let mut draft = Draft::begin(index);
    for (path, order) in fields {
        if path.segments().iter().any(|segment| segment.index().is_some()) {
            return Ok(None); // it may choose an element and go on in the others, too
        }
        let start = draft.key.len();
        let part = match subject.get(path)? {
            Some(value) if value.as_array().is_some() => return Ok(None),
            Some(value) => {
                key::write_value(&mut draft.key, &value, *order);
                let is_restorable = index.has_values() && key::is_restorable(&value);
                Component { is_constrained: !value.is_null(), is_restorable, bytes_uncut: None }
            }
            None if subject.lacks(path)? => {
                key::write_missing(&mut draft.key, *order);
                Component { is_constrained: false, is_restorable: true, bytes_uncut: None }
            }
            None => return Ok(None),
        };
        if index.has_values() && draft.key.len() - start > INDEX_VALUE_BYTES_MAX {
            return Ok(None);
        }
        draft.whole = draft.whole.with(&part);
    }
    let entry = draft.finish(index, fields, id)?;
    Ok(Some(Entries { entries: vec![entry], ..Entries::default() }))
}

fn field_entries(
    index: &IndexDefinition,
    fields: &[(Path, Order)],
    id: &DocumentId,
    document: &Document,
) -> Result<Entries> {
    let mut drafts = vec![Draft::begin(index)];
    for (path, order) in fields {
        let components = components(index, document, path, *order);
        let count = drafts.len().saturating_mul(components.len());
        if count > INDEX_ENTRIES_PER_DOCUMENT_MAX {
            return Err(Error::limit_exceeded(format!(
                "the document would have {count} entries, the limit is {INDEX_ENTRIES_PER_DOCUMENT_MAX}"
            )));
        }
        let extended = |draft: &Draft| components.iter().map(|part| draft.extended(part)).collect::<Vec<_>>();
        drafts = drafts.iter().flat_map(extended).collect();
    }
    let has_cut = drafts.iter().any(|draft| draft.whole.bytes_uncut.is_some());
    let entries: Result<BTreeMap<_, _>> = drafts.into_iter().map(|draft| draft.finish(index, fields, id)).collect();
    let entries: Vec<_> = entries?.into_iter().collect();
    Ok(Entries { traits: Traits { has_several: entries.len() > 1, has_cut }, entries, ..Entries::default() })
}

impl Component {
    /// What an entry is of which this is all that came before `next`.
    fn with(&self, next: &Component) -> Component {
        Component {
            is_constrained: self.is_constrained && next.is_constrained,
            is_restorable: self.is_restorable && next.is_restorable,
            bytes_uncut: self.bytes_uncut.max(next.bytes_uncut),
        }
    }
}

impl Draft {
    /// An entry before its first field.
    fn begin(index: &IndexDefinition) -> Draft {
        let nothing = Component { is_constrained: index.is_unique(), is_restorable: true, bytes_uncut: None };
        let mut key = Vec::with_capacity(ENTRY_BYTES);
        key.extend_from_slice(&prefix(index.id));
        Draft { key, whole: nothing }
    }

    fn extended(&self, (encoding, part): (&Vec<u8>, &Component)) -> Draft {
        Draft { key: [self.key.as_slice(), encoding].concat(), whole: self.whole.with(part) }
    }

    /// The key and the value.
    fn finish(
        mut self,
        index: &IndexDefinition,
        fields: &[(Path, Order)],
        id: &DocumentId,
    ) -> Result<(Vec<u8>, Vec<u8>)> {
        let Component { is_constrained, is_restorable, bytes_uncut } = self.whole;
        let mut value = Vec::new();
        if index.has_values() {
            value.push(RESTORABLE * u8::from(is_restorable) + CONSTRAINED * u8::from(is_constrained));
        }
        match (is_constrained, bytes_uncut) {
            (false, _) => write_id(&mut self.key, id, id_order(fields)),
            (true, None) => id.write_key(&mut value),
            (true, Some(bytes)) => {
                return Err(Error::limit_exceeded(format!(
                    "a value takes {bytes} bytes, the limit in a unique index is {INDEX_VALUE_BYTES_MAX}"
                )));
            }
        }
        match self.key.len() {
            0..=INDEX_ENTRY_BYTES_MAX => Ok((self.key, value)),
            bytes => Err(Error::limit_exceeded(format!(
                "an entry would have {bytes} bytes, the limit is {INDEX_ENTRY_BYTES_MAX}"
            ))),
        }
    }
}

/// What a field of a document is in an index: the encodings of all values that the path reaches, and of the elements of
/// those that are arrays; of nothing, if there are none.
fn components(index: &IndexDefinition, document: &Document, path: &Path, order: Order) -> BTreeMap<Vec<u8>, Component> {
    let mut components = BTreeMap::new();
    let mut add = |mut encoding: Vec<u8>, is_constrained: bool, is_restorable: bool| {
        let bytes_uncut = (index.has_values() && encoding.len() > INDEX_VALUE_BYTES_MAX).then_some(encoding.len());
        if bytes_uncut.is_some() {
            encoding.truncate(INDEX_VALUE_BYTES_MAX);
        }
        let is_restorable = is_restorable && bytes_uncut.is_none();
        match components.entry(encoding) {
            MapEntry::Vacant(place) => {
                place.insert(Component { is_constrained, is_restorable, bytes_uncut });
            }
            // Equal values may be of different types, and what is cut may have differed.
            MapEntry::Occupied(mut there) => {
                let there: &mut Component = there.get_mut();
                there.is_restorable = false;
                there.bytes_uncut = there.bytes_uncut.max(bytes_uncut);
                there.is_constrained |= is_constrained;
            }
        }
    };
    let mut reached = 0;
    traverse::visit(document, path, &mut |value| {
        reached += 1;
        let mut whole = Vec::new();
        key::write_value(&mut whole, value, order);
        let is_constrained = !value.is_null() && value.as_array().is_none();
        // Elements are told from the whole by their tag, and those of an array are never one entry alone.
        let is_restorable = index.has_values() && key::is_restorable(value);
        add(whole, is_constrained, is_restorable);
        for element in value.as_array().unwrap_or_default() {
            let mut encoding = Vec::new();
            key::write_element(&mut encoding, element, order);
            add(encoding, !element.is_null(), false);
        }
    });
    if reached == 0 {
        let mut missing = Vec::new();
        key::write_missing(&mut missing, order);
        add(missing, false, true);
    }
    // A value that was reached through an array is not all that the field is.
    if components.len() > 1 || (reached > 0 && traverse::get(document, path).is_none()) {
        components.values_mut().for_each(|component| component.is_restorable = false);
    }
    components
}

/// All entries of an index, without what it remembers of them.
pub(crate) fn scan_range(index: u32) -> KeyRange {
    KeyRange::new(prefix(index), Some(prefixed(index, MARKER)))
}

/// True for the key of an entry, without the number of the index; false for what the index remembers.
pub(crate) fn is_entry(rest: &[u8]) -> bool {
    !rest.starts_with(MARKER)
}

/// The order in which ids follow equal values: that of the last field, so that reading an index backwards is the
/// exact reverse.
pub(crate) fn id_order(fields: &[(Path, Order)]) -> Order {
    fields.last().map_or(Order::Ascending, |(_, order)| *order)
}

/// Appends an id to an entry.
pub(crate) fn write_id(key: &mut Vec<u8>, id: &DocumentId, order: Order) {
    let value = match id.parent() {
        Some(parent) => Value::Array(vec![parent.into(), id.own().into()]),
        None => id.into(),
    };
    key::write_value(key, &value, order);
}

/// The id of an entry, at the end of its key or in its value, and the encoded values before it.
pub(crate) fn read_id<'a>(entry: &'a [u8], value: &[u8], fields: &[(Path, Order)]) -> Result<(&'a [u8], DocumentId)> {
    let damaged = || Error::corruption(format!("{entry:02x?} is not an entry of an index"));
    let values = entry.get(4..).ok_or_else(damaged)?;
    let mut rest = values;
    for (_, order) in fields {
        skip_component(&mut rest, *order, value.is_empty())?;
    }
    let encoded = &values[..values.len() - rest.len()];
    if let Some((flags, id)) = value.split_first()
        && flags & CONSTRAINED != 0
    {
        return if rest.is_empty() { Ok((encoded, DocumentId::read_key(id)?)) } else { Err(damaged()) };
    }
    let value = key::read_value(&mut rest, id_order(fields))?.ok_or_else(damaged)?;
    let id = match value {
        Value::Array(parts) => match <[Value; 2]>::try_from(parts) {
            Ok([parent, own]) => plain_id(parent).zip(plain_id(own)).map(DocumentId::from),
            Err(_) => None,
        },
        value => plain_id(value),
    };
    Ok((encoded, id.ok_or_else(damaged)?))
}

/// The id without a parent that a value of a key stands for.
fn plain_id(value: Value) -> Option<DocumentId> {
    match value {
        Value::String(string) => Some(DocumentId::String(string)),
        Value::Bytes(bytes) => Some(DocumentId::Bytes(bytes)),
        Value::Uuid(uuid) => Some(DocumentId::Uuid(uuid)),
        number => integer_id(&number),
    }
}

/// Steps over the value of one field. In an entry of the first version, nothing was cut.
fn skip_component(rest: &mut &[u8], order: Order, is_plain: bool) -> Result<()> {
    if is_plain {
        return key::skip_value(rest, order);
    }
    let head = &rest[..rest.len().min(INDEX_VALUE_BYTES_MAX)];
    let mut tail = head;
    match key::skip_value(&mut tail, order) {
        Ok(()) => *rest = &rest[head.len() - tail.len()..],
        Err(_) if head.len() == INDEX_VALUE_BYTES_MAX => *rest = &rest[INDEX_VALUE_BYTES_MAX..],
        Err(error) => return Err(error),
    }
    Ok(())
}

/// A number in a key comes back as some number equal to what was written.
fn integer_id(number: &Value) -> Option<DocumentId> {
    match number {
        Value::Int(int) => Some((*int).into()),
        Value::UInt(int) => Some((*int).into()),
        #[expect(clippy::cast_possible_truncation, reason = "compared right after")]
        Value::Float(float) => {
            let int = *float as i64;
            let same = Value::Int(int) == *number;
            let unsigned = *float as u64;
            if same { Some(int.into()) } else { (Value::UInt(unsigned) == *number).then(|| unsigned.into()) }
        }
        _ => None,
    }
}

/// The entry of a document that has one, if the short way to it can be taken.
#[cfg(test)]
pub(super) fn short_way(index: &IndexDefinition, id: &DocumentId, document: &Document) -> Result<Option<Entries>> {
    match index.parts()? {
        IndexFields::Fields(fields) => one_entry(index, fields, id, Subject::Document(document)),
        IndexFields::Vector(_) | IndexFields::Text(_) => Ok(None),
    }
}

/// The entries of a document by the way that is always open.
#[cfg(test)]
pub(super) fn long_way(index: &IndexDefinition, id: &DocumentId, document: &Document) -> Result<Entries> {
    match index.parts()? {
        IndexFields::Fields(fields) => field_entries(index, fields, id, document),
        IndexFields::Vector(_) | IndexFields::Text(_) => Ok(Entries::default()),
    }
}
