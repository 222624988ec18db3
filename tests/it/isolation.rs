//! What transactions are protected from: the anomalies of the literature one by one, and random histories as a whole.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

mod anomalies;
mod hermitage;
mod history;
mod long;
mod recorded;
#[expect(unreachable_pub, reason = "the crate that proves has it, too")]
mod recorder;

use Isolation::{Serializable, Snapshot};
use blaze::{Database, Durability, ErrorKind, Isolation, Keyspace, Result, Timestamp, Transaction, TransactionOptions};

const BOTH: [Isolation; 2] = [Serializable, Snapshot];

/// A database in memory and one on disk, each with 10 under 1 and 20 under 2.
fn databases() -> [Database; 2] {
    let builder = || Database::builder().durability(Durability::Buffered);
    [builder().in_memory().unwrap(), builder().temporary().unwrap()].map(|db| {
        let rows = rows(&db);
        rows.put("1", "10").unwrap();
        rows.put("2", "20").unwrap();
        db
    })
}

fn rows(db: &Database) -> Keyspace {
    db.keyspace("rows").unwrap()
}

/// What is committed.
fn committed(db: &Database) -> Vec<(i64, i64)> {
    pairs(&rows(db))
}

fn pairs(rows: &Keyspace) -> Vec<(i64, i64)> {
    let number = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().parse().unwrap();
    rows.iter().unwrap().map(Result::unwrap).map(|(key, value)| (number(key), number(value))).collect()
}

/// A transaction over rows of numbers.
struct Actor {
    transaction: Transaction,
    rows: Keyspace,
}

impl Actor {
    fn begin(db: &Database, isolation: Isolation) -> Actor {
        let transaction = db.begin_with(TransactionOptions::new().isolation(isolation)).unwrap();
        Actor { rows: transaction.keyspace("rows").unwrap(), transaction }
    }

    fn get(&self, key: i64) -> Option<i64> {
        let value = self.rows.get(key.to_string()).unwrap();
        value.map(|value| String::from_utf8(value).unwrap().parse().unwrap())
    }

    fn put(&self, key: i64, value: i64) {
        self.rows.put(key.to_string(), value.to_string()).unwrap();
    }

    fn delete(&self, key: i64) {
        self.rows.delete(key.to_string()).unwrap();
    }

    fn all(&self) -> Vec<(i64, i64)> {
        pairs(&self.rows)
    }

    /// The rows whose value is so.
    fn filter(&self, is_so: impl Fn(i64) -> bool) -> Vec<(i64, i64)> {
        self.all().into_iter().filter(|(_, value)| is_so(*value)).collect()
    }

    fn commit(self) -> Result<Timestamp> {
        self.transaction.commit()
    }

    fn rollback(self) {
        self.transaction.rollback();
    }
}

#[track_caller]
fn refused(result: Result<Timestamp>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
}
