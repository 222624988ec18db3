//! A collection of PoloDB as a collection of orders.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use blaze_bench::Result;
use blaze_bench::dataset::orders::Order;
use blaze_bench::engine::{Durability, OrderSkill, Orders, StatusGroup};
use polodb_core::bson::doc;
use polodb_core::{Collection, CollectionT, Database, IndexModel, IndexOptions};
use serde::{Deserialize, Serialize};

/// A transaction holds all of its writes in memory.
pub const LOAD_ORDERS_PER_TRANSACTION: usize = 10_000;

const NAME: &str = "orders";

/// An order with its id, as it is written.
#[derive(Serialize)]
struct Stored<'a> {
    #[serde(rename = "_id")]
    id: i64,
    #[serde(flatten)]
    order: &'a Order,
}

/// The same, as it is read: the id is left out.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
struct Found(Order);

#[derive(Debug)]
pub struct PoloDbOrders {
    directory: PathBuf,
    /// None while it is opened again.
    database: RwLock<Option<Open>>,
}

struct Open(Database);

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Open").finish_non_exhaustive()
    }
}

impl PoloDbOrders {
    /// Opens the collection in a directory.
    pub fn open(directory: &Path) -> Result<PoloDbOrders> {
        let directory = directory.join("orders.polodb");
        let database = RwLock::new(Some(Open(Database::open_path(&directory)?)));
        Ok(PoloDbOrders { directory, database })
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T>) -> Result<T> {
        let database: RwLockReadGuard<'_, Option<Open>> = self.database.read().unwrap_or_else(PoisonError::into_inner);
        work(&database.as_ref().ok_or("the database could not be opened again")?.0)
    }
}

fn index(path: &str, unique: bool) -> IndexModel {
    IndexModel { keys: doc! { path: 1 }, options: unique.then(|| IndexOptions { name: None, unique: Some(true) }) }
}

impl Orders for PoloDbOrders {
    fn load(&self, orders: &mut dyn Iterator<Item = (i64, &Order)>) -> Result<()> {
        self.with(|database| {
            database.create_collection(NAME)?;
            let collection: Collection<Stored<'_>> = database.collection(NAME);
            for (path, unique) in [("number", true), ("placed_ms", false), ("customer.city", false)] {
                collection.create_index(index(path, unique))?;
            }
            loop {
                let some: Vec<Stored<'_>> =
                    orders.take(LOAD_ORDERS_PER_TRANSACTION).map(|(id, order)| Stored { id, order }).collect();
                if some.is_empty() {
                    return Ok(());
                }
                collection.insert_many(some)?;
            }
        })
    }

    fn insert(&self, id: i64, order: &Order, _durability: Durability) -> Result<()> {
        self.with(|database| {
            database.collection::<Stored<'_>>(NAME).insert_one(Stored { id, order })?;
            Ok(())
        })
    }

    fn get(&self, id: i64) -> Result<Option<Order>> {
        let get = |database: &Database| Ok(database.collection::<Found>(NAME).find_one(doc! { "_id": id })?);
        Ok(self.with(get)?.map(|Found(order)| order))
    }

    fn placed_from(&self, _placed_ms: i64, _limit: usize, _visit: &mut dyn FnMut(Order)) -> Result<()> {
        Err("no index of PoloDB serves a range".into())
    }

    fn with_status(&self, status: &str, total: f64, visit: &mut dyn FnMut(Order)) -> Result<()> {
        self.with(|database| {
            let filter = doc! { "status": status, "total": { "$gte": total } };
            for order in database.collection::<Found>(NAME).find(filter).run()? {
                visit(order?.0);
            }
            Ok(())
        })
    }

    fn by_status(&self) -> Result<Vec<StatusGroup>> {
        Err("PoloDB makes one group of everything".into())
    }

    fn lacks(&self, skill: OrderSkill) -> bool {
        match skill {
            OrderSkill::RangesByIndex | OrderSkill::Groups | OrderSkill::Compaction => true,
        }
    }

    fn settle(&self) -> Result<()> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        *database = None; // closed: flushed, and compactions were waited for
        *database = Some(Open(Database::open_path(&self.directory)?));
        Ok(())
    }

    fn compact(&self) -> Result<()> {
        Err("PoloDB has no compaction that can be called".into())
    }
}

#[cfg(test)]
mod tests {
    use blaze_bench::dataset::orders::STATUSES;
    use polodb_core::bson::Document;

    use super::*;

    #[test]
    fn orders_are_found_by_id_and_by_their_status_also_after_it_was_settled() {
        let directory = tempfile::tempdir().unwrap();
        let orders: Vec<(i64, Order)> = (0..300).map(|place| (Order::id(place), Order::at(5, place))).collect();
        let (loaded, later) = orders.split_at(250);
        let store = PoloDbOrders::open(directory.path()).unwrap();
        store.load(&mut loaded.iter().map(|(id, order)| (*id, order))).unwrap();
        store.settle().unwrap();
        for (id, order) in later {
            store.insert(*id, order, Durability::Sync).unwrap();
        }
        for (id, order) in &orders {
            assert_eq!(store.get(*id).unwrap().as_ref(), Some(order));
        }
        assert_eq!(store.get(-1).unwrap(), None);

        let matches = |order: &&Order| order.status == STATUSES[0] && order.total >= 200.0;
        let mut expected: Vec<u64> =
            orders.iter().map(|(_, order)| order).filter(matches).map(|order| order.number).collect();
        let mut found = Vec::new();
        store.with_status(STATUSES[0], 200.0, &mut |order| found.push(order.number)).unwrap();
        (expected.sort_unstable(), found.sort_unstable());
        assert!(!expected.is_empty() && found == expected, "{found:?}, expected {expected:?}");
    }

    #[test]
    fn an_id_or_a_number_that_is_taken_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = PoloDbOrders::open(directory.path()).unwrap();
        let (order, other) = (Order::at(5, 0), Order::at(5, 1));
        store.load(&mut [(1, &order)].into_iter()).unwrap();
        assert!(store.insert(1, &other, Durability::Sync).is_err());
        assert!(store.insert(2, &order, Durability::Sync).is_err());
        assert_eq!((store.get(1).unwrap(), store.get(2).unwrap()), (Some(order), None));
    }

    /// If one of these begins to fail, its rows can be measured, too.
    #[test]
    fn what_it_is_said_to_lack_it_does_lack() {
        let directory = tempfile::tempdir().unwrap();
        let store = PoloDbOrders::open(directory.path()).unwrap();
        let orders: Vec<Order> = (0..20).map(|place| Order::at(5, place)).collect();
        store.load(&mut (0..).zip(&orders)).unwrap();
        store
            .with(|database| {
                let group = doc! { "$group": { "_id": "$status", "orders": { "$sum": 1 } } };
                let groups = database.collection::<Document>(NAME).aggregate([group]).run()?;
                let groups: Vec<Document> = groups.collect::<polodb_core::Result<_>>()?;
                assert_eq!(groups.len(), 1, "{groups:?}");
                Ok(())
            })
            .unwrap();
    }
}
