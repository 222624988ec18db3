//! A collection of Blaze as a store of documents.

use blaze::{Collection, Database, ErrorKind, Filter, Index, TransactionOptions, Value, asc, desc, field};
use serde_json::{Map, Value as Json};

use crate::Result;
use crate::engine::{Condition, Documents, Durability, Find, Operator};

const NAME: &str = "documents";

type Object = Map<String, Json>;

pub(super) struct BlazeCollection {
    database: Database,
    collection: Collection<Object>,
}

impl BlazeCollection {
    pub(super) fn open(database: Database) -> Result<BlazeCollection> {
        let collection = database.collection(NAME)?;
        Ok(BlazeCollection { database, collection })
    }

    /// Writes in a commit of its own. What is durable by default needs no explicit transaction.
    fn write<R>(
        &self,
        durability: Durability,
        mut work: impl FnMut(&Collection<Object>) -> blaze::Result<R>,
    ) -> blaze::Result<R> {
        match durability {
            Durability::Sync => work(&self.collection),
            Durability::Buffered => {
                let options = TransactionOptions::new().durability(durability.into());
                self.database.transaction_with(options, |transaction| work(&transaction.collection(NAME)?))
            }
        }
    }
}

impl Documents for BlazeCollection {
    fn load(&self, documents: &mut dyn Iterator<Item = (String, Object)>) -> Result<()> {
        self.collection.bulk().insert_with_ids(documents)?;
        Ok(())
    }

    fn create(&self, id: &str, document: &Object, durability: Durability) -> Result<()> {
        Ok(self.write(durability, |collection| collection.insert_with_id(id, document))?)
    }

    fn read(&self, id: &str) -> Result<Option<Object>> {
        Ok(self.collection.get(id)?.map(blaze::Found::into_value))
    }

    fn update(&self, id: &str, document: &Object, durability: Durability) -> Result<bool> {
        match self.write(durability, |collection| collection.replace(id, document)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn delete(&self, id: &str, durability: Durability) -> Result<bool> {
        Ok(self.write(durability, |collection| collection.delete(id))?)
    }

    /// An index of Blaze has an entry for each element of an array by itself.
    fn create_index(&self, path: &str, _elements: bool) -> Result<bool> {
        match self.collection.ensure_index(Index::on(path)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::LimitExceeded => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn find(&self, find: &Find, visit: &mut dyn FnMut(&str, &Object)) -> Result<()> {
        let mut query = self.collection.find(filter(find)?).skip(find.skip);
        if let Some(sort) = &find.sort {
            let path = sort.path.as_str();
            query = query.sort(if sort.descending { desc(path) } else { asc(path) });
        }
        if let Some(limit) = find.limit {
            query = query.limit(limit);
        }
        for found in query.iter()? {
            let found = found?;
            let blaze::DocumentId::String(id) = &found.id else {
                return Err(format!("the id {} is no string", found.id).into());
            };
            visit(id, &found.value);
        }
        Ok(())
    }

    fn count(&self, find: &Find) -> Result<u64> {
        match find.conditions.is_empty() {
            true => Ok(self.collection.count()?),
            false => Ok(self.collection.find(filter(find)?).count()?),
        }
    }

    fn settle(&self) -> Result<()> {
        Ok(self.database.settle()?)
    }
}

fn filter(find: &Find) -> Result<Filter> {
    filter_of(&find.conditions)
}

/// All of the conditions.
pub(super) fn filter_of(conditions: &[Condition]) -> Result<Filter> {
    conditions.iter().try_fold(Filter::everything(), |filter, condition| Ok(filter.and(term(condition)?)))
}

fn term(condition: &Condition) -> Result<Filter> {
    let field = field(condition.path.as_str());
    let value: Value = serde_json::from_value(condition.value.clone())?;
    Ok(match condition.is {
        Operator::Eq => field.eq(value),
        Operator::Lt => field.lt(value),
        Operator::Le => field.le(value),
        Operator::Gt => field.gt(value),
        Operator::Ge => field.ge(value),
        // `contains` finds parts of strings, too; only an array has all of the elements of a list.
        Operator::Contains if matches!(value, Value::String(_)) => field.all([value]),
        Operator::Contains => field.contains(value),
    })
}
