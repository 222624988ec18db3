//! Collections below a document.

mod group;

use std::fmt;

use blaze_core::{Document, DocumentId, Error, Family, Filter, PARENT_FIELD, Result, Update, Value, field};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::group::records_below;
use super::{Collection, Found, RawFound, UpdateReport, check_id, insert_below, place_under, to_stored, valid};
use crate::pipeline::Pipeline;
use crate::query::Query;

/// The documents below one document of a collection: the lines of an order, say.
///
/// The lines of all orders are one collection, the [group](Collection::group), with one set of indexes, one schema, one
/// history and feed. In it, the id of a document has two parts, that of its parent and its own; the documents of one parent
/// stand together. This is a view of those of one parent: it takes ids without the parent's, and with it as long as that is
/// the same, so that the id of what was found can be given back.
///
/// | a document of a subcollection | the field `_parent` |
/// |---|---|
/// | inserted, put or replaced | is null, missing, or the id of the parent; another one is an error |
/// | updated | cannot be changed |
/// | stored | is a part of the key of the record |
/// | read | holds the parent's id where the document was written with the field, and in every struct that has it |
/// | filtered, sorted, computed with | holds it in every document |
/// | indexed | may be a field of an index: one that begins with it serves the documents of one parent |
///
/// The field `_id` holds the document's own id. A parent need not be there, and when it is deleted, what is below it stays,
/// unless it is deleted by [`delete_with_children`](Collection::delete_with_children). A subcollection has no subcollections.
///
/// ```
/// use blaze::{Database, Document, Index, desc, field};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Line {
///     article: String,
///     price: u32,
/// }
///
/// let db = Database::temporary()?;
/// let orders = db.collection::<Document>("orders")?;
/// for order in ["order-1", "order-2"] {
///     orders.insert_with_id(order, &Document::new().with("state", "new"))?;
///     let lines = orders.subcollection::<Line>(order, "lines")?;
///     lines.insert_with_id(1, &Line { article: "tea".into(), price: 5 })?;
///     lines.insert_with_id(2, &Line { article: "milk".into(), price: 2 })?;
/// }
///
/// let lines = orders.subcollection::<Line>("order-2", "lines")?;
/// assert_eq!(lines.get(1)?.unwrap().article, "tea");
/// assert_eq!(lines.find(field("price").lt(5)).run()?.len(), 1);
///
/// let all_lines = orders.group::<Line>("lines")?;
/// all_lines.ensure_index(Index::on("_parent").then("price"))?;
/// let cheap = all_lines.find(field("price").lt(5)).sort(desc("_parent")).run()?;
/// assert_eq!(cheap[0].id.parent(), Some(&"order-2".into()));
/// assert_eq!(cheap[0].id, ("order-2", 2).into());
///
/// assert!(orders.delete_with_children("order-2")?);
/// assert_eq!((lines.count()?, all_lines.count()?), (0, 2));
/// # Ok::<(), blaze::Error>(())
/// ```
pub struct Subcollection<T> {
    group: Collection<T>,
    parent: DocumentId,
}

impl<T> Subcollection<T> {
    /// The name of the group: that of the collection above, a slash and that of the subcollection.
    #[must_use]
    pub fn name(&self) -> &str {
        self.group.name()
    }

    /// The id of the document above.
    #[must_use]
    pub fn parent(&self) -> &DocumentId {
        &self.parent
    }

    /// The documents below all parents.
    #[must_use]
    pub fn group(&self) -> &Collection<T> {
        &self.group
    }

    /// The id in the group of the document that has `own` for its own id here.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) when the id is empty, or has two parts and is below another document;
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when it is too long, with that of the parent.
    pub fn id(&self, own: impl Into<DocumentId>) -> Result<DocumentId> {
        let id = own.into();
        match id.parent() {
            Some(parent) if *parent == self.parent => valid(id),
            None => valid(DocumentId::child(&self.parent, id)),
            Some(_) => Err(Error::invalid(format!("document {id:?} is not below {:?}", self.parent))),
        }
    }

    /// As [`Collection::contains`].
    ///
    /// # Errors
    /// As [`get`](Subcollection::get).
    pub fn contains(&self, own: impl Into<DocumentId>) -> Result<bool> {
        self.group.contains(self.id(own)?)
    }

    /// How many documents there are below the parent. Takes time linear in that, and decodes none.
    ///
    /// # Errors
    /// As [`Collection::count`].
    pub fn count(&self) -> Result<u64> {
        self.group.read(|session, definition| session.count(Family::Data, &records_below(definition.id, &self.parent)))
    }

    /// As [`Collection::delete`].
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::delete`].
    pub fn delete(&self, own: impl Into<DocumentId>) -> Result<bool> {
        self.group.delete(self.id(own)?)
    }

    /// As [`Collection::update`].
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::update`]; [`Invalid`](crate::ErrorKind::Invalid) when it changes the
    /// field `_parent`.
    pub fn update(&self, own: impl Into<DocumentId>, update: impl Into<Update>) -> Result<()> {
        self.group.update(self.id(own)?, update)
    }

    /// As [`Collection::upsert`].
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::upsert`].
    pub fn upsert(&self, own: impl Into<DocumentId>, update: impl Into<Update>) -> Result<bool> {
        self.group.upsert(self.id(own)?, update)
    }

    /// As [`Collection::update_many`], of the documents below the parent.
    ///
    /// # Errors
    /// As [`Collection::update_many`] and [`update`](Subcollection::update).
    pub fn update_many(&self, filter: impl Into<Filter>, update: impl Into<Update>) -> Result<UpdateReport> {
        self.find(filter).update(update).run()
    }

    /// As [`Collection::delete_many`], of the documents below the parent.
    ///
    /// # Errors
    /// As [`Collection::delete_many`].
    pub fn delete_many(&self, filter: impl Into<Filter>) -> Result<u64> {
        self.find(filter).delete().run()
    }

    /// As [`Collection::get_raw`].
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::get_raw`].
    pub fn get_raw(&self, own: impl Into<DocumentId>) -> Result<Option<RawFound>> {
        self.group.get_raw(self.id(own)?)
    }

    /// Asks a [pipeline](Collection::pipeline) of the documents below the parent.
    ///
    /// ```
    /// use blaze::pipeline::sum;
    /// use blaze::{Database, Document};
    ///
    /// let db = Database::temporary()?;
    /// let orders = db.collection::<Document>("orders")?;
    /// for (order, price) in [(1, 5), (1, 2), (2, 9)] {
    ///     orders.subcollection(order, "lines")?.insert(&Document::new().with("price", price))?;
    /// }
    /// let lines = orders.subcollection::<Document>(1, "lines")?;
    /// let total = lines.pipeline().group("_parent", [sum("price").named("total")]).run()?;
    /// assert_eq!(total[0].get("total"), Some(&7.into()));
    /// # Ok::<(), blaze::Error>(())
    /// ```
    pub fn pipeline(&self) -> Pipeline {
        self.group.pipeline().filter(self.below())
    }

    fn below(&self) -> Filter {
        field(PARENT_FIELD).eq(Value::from(&self.parent))
    }

    /// Asks for the documents below the parent that match a filter. They are read in one range, or an index is used that
    /// begins with `_parent`, or another one where it promises less work.
    pub fn find(&self, filter: impl Into<Filter>) -> Query<T> {
        let (below, filter) = (self.below(), filter.into());
        let filter = if filter == Filter::everything() { below } else { below.and(filter) };
        self.group.find(filter).below(self.parent.clone())
    }

    /// Asks for all documents below the parent.
    pub fn find_all(&self) -> Query<T> {
        self.find(Filter::everything())
    }
}

impl<T: Serialize> Subcollection<T> {
    /// As [`Collection::insert`]; returns the id of two parts.
    ///
    /// # Errors
    /// As [`Collection::insert`].
    pub fn insert(&self, document: &T) -> Result<DocumentId> {
        let (own, document) = self.to_stored(document)?;
        self.group
            .write(|session, definition| insert_below(session, definition, Some(&self.parent), own.clone(), &document))
    }

    /// As [`Collection::insert_with_id`].
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::insert_with_id`].
    pub fn insert_with_id(&self, own: impl Into<DocumentId>, document: &T) -> Result<()> {
        self.group.insert_with_id(self.id(own)?, document)
    }

    /// As [`Collection::insert_many`]; returns ids of two parts.
    ///
    /// # Errors
    /// As [`Collection::insert_many`].
    pub fn insert_many(&self, documents: impl IntoIterator<Item = T>) -> Result<Vec<DocumentId>> {
        let rows = documents.into_iter().map(|document| self.to_stored(&document));
        self.group.insert_rows(Some(&self.parent), rows)
    }

    /// As [`Collection::insert_many_with_ids`]; returns how many there were.
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::insert_many_with_ids`].
    pub fn insert_many_with_ids(&self, documents: impl IntoIterator<Item = (impl Into<DocumentId>, T)>) -> Result<u64> {
        let rows = documents.into_iter().map(|(own, document)| {
            let id = self.id(own)?;
            let (said, document) = self.to_stored(&document)?;
            check_id(said.as_ref(), &id)?;
            Ok((Some(id.own().clone()), document))
        });
        Ok(self.group.insert_rows(Some(&self.parent), rows)?.len() as u64)
    }

    /// Replaces a document that was found, with its value as it is now, unless it has changed since; see
    /// [`Collection::save`].
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::save`].
    pub fn save(&self, found: &Found<T>) -> Result<()> {
        self.id(found.id.clone())?;
        self.group.save(found)
    }

    /// As [`Collection::put`].
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::put`].
    pub fn put(&self, own: impl Into<DocumentId>, document: &T) -> Result<()> {
        self.group.put(self.id(own)?, document)
    }

    /// As [`Collection::replace`].
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::replace`].
    pub fn replace(&self, own: impl Into<DocumentId>, document: &T) -> Result<()> {
        self.group.replace(self.id(own)?, document)
    }

    /// What is to be stored of a value, and its own id if it says one.
    fn to_stored(&self, value: &T) -> Result<(Option<DocumentId>, Document)> {
        let (own, mut document) = to_stored(value)?;
        place_under(None, &DocumentId::child(&self.parent, 0), &mut document)?;
        Ok((own, document))
    }
}

impl<T: DeserializeOwned> Subcollection<T> {
    /// As [`Collection::get`].
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::get`].
    pub fn get(&self, own: impl Into<DocumentId>) -> Result<Option<Found<T>>> {
        self.group.get(self.id(own)?)
    }

    /// As [`Collection::get_for_update`].
    ///
    /// # Errors
    /// As [`id`](Subcollection::id) and [`Collection::get_for_update`].
    pub fn get_for_update(&self, own: impl Into<DocumentId>) -> Result<Option<Found<T>>> {
        self.group.get_for_update(self.id(own)?)
    }

    /// As [`Collection::get_many`].
    ///
    /// # Errors
    /// As [`get`](Subcollection::get).
    pub fn get_many(&self, own: impl IntoIterator<Item = impl Into<DocumentId>>) -> Result<Vec<Option<Found<T>>>> {
        self.group.get_many(own.into_iter().map(|own| self.id(own)).collect::<Result<Vec<_>>>()?)
    }
}

impl<T> Clone for Subcollection<T> {
    fn clone(&self) -> Subcollection<T> {
        Subcollection { group: self.group.clone(), parent: self.parent.clone() }
    }
}

impl<T> fmt::Debug for Subcollection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subcollection")
            .field("name", &self.name())
            .field("parent", &self.parent)
            .finish_non_exhaustive()
    }
}
