//! Stage: lookup joins documents of another collection.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use blaze_core::expression::Input;
use blaze_core::key::{self, Order};
use blaze_core::record::Record;
use blaze_core::{Document, DocumentId, Error, Family, Filter, ID_FIELD, PARENT_FIELD, Path, Predicate, Result, Value};

use super::memory::document_bytes;
use super::needs::Reads;
use super::place;
use super::row::{Context, Flow, Next, Operator, Row};
use super::source::Source;
use super::stage::validate_name;
use crate::catalog::{self, Definition, Kind};
use crate::collection::document_key;
use crate::session::Session;

/// Which documents [`Pipeline::lookup`](super::Pipeline::lookup) joins.
///
/// Each row gets an array of the documents of the other collection whose field equals the row's, in the order of their ids.
/// An array in the row's field stands for each of its elements; missing and null join nothing. The other collection is read
/// through an index on its field; without one it is read once as a whole and kept in memory.
///
/// ```
/// use blaze::pipeline::Lookup;
/// use blaze::{Database, Document};
///
/// let db = Database::temporary()?;
/// let (films, people) = (db.collection::<Document>("films")?, db.collection::<Document>("people")?);
/// people.insert_with_id("tarkovsky", &Document::new().with("name", "Andrei Tarkovsky"))?;
/// films.insert(&Document::new().with("title", "Solaris").with("director", "tarkovsky"))?;
/// let rows = films.pipeline().lookup(Lookup::from("people").by_id("director").named("directors")).run()?;
/// let directors = rows[0].get("directors").unwrap().as_array().unwrap();
/// assert_eq!(directors[0].as_map().unwrap().get("name").unwrap().as_str(), Some("Andrei Tarkovsky"));
/// # Ok::<(), blaze::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    collection: String,
    local: Option<Path>,
    /// None for the id.
    foreign: Option<Path>,
    name: Option<String>,
}

impl Lookup {
    /// Joins documents of the collection of this name, read at the same moment as the rows.
    pub fn from(collection: impl Into<String>) -> Lookup {
        Lookup { collection: collection.into(), local: None, foreign: None, name: None }
    }

    /// Joins those whose field at `foreign` equals the row's at `local`.
    #[must_use]
    pub fn on(self, local: impl Into<Path>, foreign: impl Into<Path>) -> Lookup {
        Lookup { local: Some(local.into()), foreign: Some(foreign.into()), ..self }
    }

    /// Joins those whose id is the row's field at `local`.
    #[must_use]
    pub fn by_id(self, local: impl Into<Path>) -> Lookup {
        Lookup { local: Some(local.into()), foreign: None, ..self }
    }

    /// The name of the array in the row; that of the collection by default.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Lookup {
        Lookup { name: Some(name.into()), ..self }
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.collection)
    }

    pub(super) fn validate(&self) -> Result<()> {
        if self.collection.is_empty() {
            return Err(Error::invalid("the name of the collection is empty"));
        }
        let Some(local) = &self.local else {
            return Err(Error::invalid("nothing says what to join by: call on or by_id"));
        };
        local.validate()?;
        self.foreign.as_ref().map_or(Ok(()), Path::validate)?;
        validate_name(self.name(), "the joined documents")
    }

    pub(super) fn read(&self, reads: &mut Reads) {
        self.local.iter().for_each(|path| reads.path(path));
    }

    pub(super) fn operator(&self, label: String, session: &Arc<Session>) -> Result<LookupRows> {
        let definition = catalog::get(session, &self.collection, Kind::Collection)?;
        let join = match &self.foreign {
            // Documents of different parents have the same id.
            None if definition.parent.is_some() => Join::InMemory(Path::from(ID_FIELD), None),
            None => Join::ById,
            Some(path) if definition.parent.is_none() && is_field(path, ID_FIELD) => Join::ById,
            Some(path) if definition.parent.is_some() && is_field(path, PARENT_FIELD) => Join::ByParent(path.clone()),
            Some(path) if Source::is_indexed(session, &definition, path)? => Join::ByIndex(path.clone()),
            Some(path) => Join::InMemory(path.clone(), None),
        };
        let local = self.local.clone().unwrap_or_else(|| Path::from(""));
        let name = Path::from_keys([self.name()]);
        Ok(LookupRows { label, definition, local, name, join, held: 0 })
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.local.as_ref().map_or(String::new(), ToString::to_string);
        let foreign = self.foreign.as_ref().map_or("id".to_owned(), ToString::to_string);
        write!(f, "{} in {} where {foreign} = {local}", self.name(), self.collection)
    }
}

fn is_field(path: &Path, field: &str) -> bool {
    matches!(path.segments(), [only] if only.key() == field)
}

pub(super) struct LookupRows {
    label: String,
    definition: Arc<Definition>,
    local: Path,
    name: Path,
    join: Join,
    held: usize,
}

enum Join {
    ById,
    /// Of a subcollection, those below one parent.
    ByParent(Path),
    ByIndex(Path),
    /// Read when the first row asks for it.
    InMemory(Path, Option<Table>),
}

type Joined = (DocumentId, Arc<Document>);

/// The documents of a collection by the encoded values of a field.
type Table = HashMap<Vec<u8>, Vec<Joined>>;

impl Join {
    fn name(&self) -> &'static str {
        match self {
            Join::ById => "by id",
            Join::ByParent(_) => "by parent",
            Join::ByIndex(_) => "by an index",
            Join::InMemory(..) => "held in memory",
        }
    }
}

impl LookupRows {
    /// How documents are found, for `explain`.
    pub(super) fn describe(&self) -> &'static str {
        self.join.name()
    }

    /// The documents that join one value.
    fn find(&mut self, value: &Value, context: &mut Context) -> Result<Vec<Joined>> {
        if value.is_null() {
            return Ok(Vec::new());
        }
        match &mut self.join {
            Join::ById => Ok(by_id(&self.definition, value, context)?.into_iter().collect()),
            Join::ByParent(path) => match id_equal_to(value)? {
                Some(parent) => by_query(&self.definition, path, parent.into(), context),
                None => Ok(Vec::new()),
            },
            Join::ByIndex(path) => by_query(&self.definition, path, value.clone(), context),
            Join::InMemory(path, table) => {
                let table = match table {
                    Some(table) => table,
                    None => {
                        let read = read_table(&self.label, &self.definition, path, context, &mut self.held)?;
                        table.insert(read)
                    }
                };
                let mut encoded = Vec::new();
                key::write_value(&mut encoded, value, Order::Ascending);
                Ok(table.get(&encoded).cloned().unwrap_or_default())
            }
        }
    }
}

impl Operator for LookupRows {
    fn push(&mut self, row: Row<'_>, next: &mut Next<'_>) -> Result<Flow> {
        let local = row.input().reach(&self.local)?.map(std::borrow::Cow::into_owned);
        let mut found = Vec::new();
        match &local {
            None => {}
            Some(Value::Array(values)) => {
                for value in values {
                    found.extend(self.find(value, next.context)?);
                }
            }
            Some(value) => found = self.find(value, next.context)?,
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found.dedup_by(|(a, _), (b, _)| a == b);
        let joined = found.into_iter().map(|(_, document)| Value::Map(Arc::unwrap_or_clone(document)));
        let joined = Value::Array(joined.collect());
        let (id, mut document) = row.into_parts()?;
        place::put(&mut document, &self.name, joined)?;
        next.push(Row::Made { id, document })
    }

    fn finish(&mut self, next: &mut Next<'_>) -> Result<()> {
        if let Join::InMemory(_, table) = &mut self.join {
            *table = None;
        }
        next.context.memory.release(self.held);
        self.held = 0;
        Ok(())
    }
}

fn decode(session: &Session, definition: &Definition, id: &DocumentId, record: &[u8]) -> Result<Document> {
    let dictionary = session.core().catalog.dictionaries.get(session.core(), definition.id)?;
    Record::open(record, &dictionary)?.document().with_id(id).decode()
}

/// The documents in which a path has a value.
fn by_query(definition: &Definition, path: &Path, value: Value, context: &mut Context) -> Result<Vec<Joined>> {
    let filter = Filter::Field(path.clone(), Predicate::Eq(value));
    let mut source = Source::open(&context.session, definition, &filter, &[])?;
    let mut found = Vec::new();
    while let Some((id, record)) = source.next_record()? {
        let document = record.document().with_id(&id).decode()?;
        found.push((id, Arc::new(document)));
    }
    context.counters.keys_examined += source.counters().keys_examined;
    context.counters.documents_examined += source.counters().documents_examined;
    Ok(found)
}

/// The id that a value is equal to, if a document can have such a one.
fn id_equal_to(value: &Value) -> Result<Option<DocumentId>> {
    // An id that is a number is equal to a number of any type.
    let mut encoded = Vec::new();
    key::write_value(&mut encoded, value, Order::Ascending);
    let value = key::read_value(&mut &encoded[..], Order::Ascending)?.unwrap_or_default();
    if matches!(value, Value::Array(_)) {
        return Ok(None); // it may spell the bytes of an id, and is none
    }
    Ok(DocumentId::try_from(value).ok().filter(|id| id.validate().is_ok()))
}

fn by_id(definition: &Definition, value: &Value, context: &mut Context) -> Result<Option<Joined>> {
    let Some(id) = id_equal_to(value)? else { return Ok(None) };
    context.counters.keys_examined += 1;
    let key = document_key(definition.id, &id);
    let Some(record) = context.session.get(Family::Data, &key)? else { return Ok(None) };
    context.counters.documents_examined += 1;
    let document = decode(&context.session, definition, &id, &record)?;
    Ok(Some((id, Arc::new(document))))
}

fn read_table(
    label: &str,
    definition: &Definition,
    path: &Path,
    context: &mut Context,
    held: &mut usize,
) -> Result<Table> {
    let mut source = Source::open(&context.session, definition, &Filter::everything(), &[])?;
    let mut table = Table::new();
    while let Some((id, record)) = source.next_record()? {
        let document = Arc::new(record.document().with_id(&id).decode()?);
        let mut keys = Vec::new();
        Input::document(&document).with_id(&id).visit(path, &mut |value| {
            let mut encoded = Vec::new();
            key::write_value(&mut encoded, value, Order::Ascending);
            keys.push(encoded);
        })?;
        keys.sort_unstable();
        keys.dedup();
        let key_bytes: usize = keys.iter().map(|key| size_of::<Joined>() + key.len()).sum();
        let bytes = if keys.is_empty() { 0 } else { document_bytes(&document) + key_bytes };
        context.memory.hold(label, bytes)?;
        *held += bytes;
        for key in keys {
            table.entry(key).or_default().push((id.clone(), Arc::clone(&document)));
        }
    }
    context.counters.keys_examined += source.counters().keys_examined;
    context.counters.documents_examined += source.counters().documents_examined;
    Ok(table)
}
