//! A collection of Blaze as a collection of orders.

use blaze::pipeline::{avg, count};
use blaze::{Collection, Database, DocumentId, Index, TransactionOptions, asc, field};

use crate::Result;
use crate::dataset::orders::Order;
use crate::engine::{Durability, Orders, StatusGroup};

const NAME: &str = "orders";

pub(super) struct BlazeOrders {
    database: Database,
    orders: Collection<Order>,
}

impl BlazeOrders {
    pub(super) fn open(database: Database) -> Result<BlazeOrders> {
        let orders = database.collection(NAME)?;
        Ok(BlazeOrders { database, orders })
    }
}

fn indexes() -> [Index; 3] {
    [Index::on("number").unique(), Index::on("placed_ms"), Index::on("customer.city")]
}

impl Orders for BlazeOrders {
    fn load(&self, orders: &mut dyn Iterator<Item = (i64, &Order)>) -> Result<()> {
        let load =
            indexes().into_iter().fold(self.database.load_collection(NAME), |load, index| load.ensure_index(index));
        let mut loader = load.begin()?;
        for (id, order) in orders {
            loader.insert_with_id(id, order)?;
        }
        loader.finish()?;
        Ok(())
    }

    fn insert(&self, id: i64, order: &Order, durability: Durability) -> Result<()> {
        match durability {
            Durability::Sync => self.orders.insert_with_id(id, order)?,
            Durability::Buffered => {
                let options = TransactionOptions::new().durability(durability.into());
                self.database.transaction_with(options, |transaction| {
                    transaction.collection::<Order>(NAME)?.insert_with_id(id, order)
                })?;
            }
        }
        Ok(())
    }

    fn get(&self, id: i64) -> Result<Option<Order>> {
        Ok(self.orders.get(DocumentId::from(id))?.map(blaze::Found::into_value))
    }

    fn placed_from(&self, placed_ms: i64, limit: usize, visit: &mut dyn FnMut(Order)) -> Result<()> {
        for order in self.orders.find(field("placed_ms").ge(placed_ms)).sort(asc("placed_ms")).limit(limit).iter()? {
            visit(order?.into_value());
        }
        Ok(())
    }

    fn with_status(&self, status: &str, total: f64, visit: &mut dyn FnMut(Order)) -> Result<()> {
        for order in self.orders.find(field("status").eq(status).and(field("total").ge(total))).iter()? {
            visit(order?.into_value());
        }
        Ok(())
    }

    fn by_status(&self) -> Result<Vec<StatusGroup>> {
        let groups =
            self.orders.pipeline().group("status", [count().named("orders"), avg("total").named("mean_total")]);
        Ok(groups.run_as()?)
    }

    fn settle(&self) -> Result<()> {
        Ok(self.database.settle()?)
    }

    fn compact(&self) -> Result<()> {
        Ok(self.database.compact()?)
    }
}
