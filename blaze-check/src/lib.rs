//! Judges recorded histories: what transactions did, what they saw, and whether their isolation allows it.
//!
//! A [`History`] has the transactions of a run with their snapshots, their commit timestamps and what they were answered.
//! [`check`] compares each answer with what the snapshot must have shown, makes the graph of dependencies, and tells what is wrong by
//! the names that Adya gave it, each time with the smallest example that it found. A sound history of a million transactions takes
//! seconds: the time is linear in what was recorded, but for sorting.
//!
//! ```
//! use blaze_check::{History, Kind, Transaction, check};
//! use blaze_core::Isolation::Serializable;
//!
//! // Two doctors are on call, and each leaves because of the other.
//! let history = History::new(vec![
//!     Transaction::new(1, Serializable, 0).append(10, 100).append(20, 200).committed(1),
//!     Transaction::new(2, Serializable, 1).read(20, [200]).append(10, 101).committed(2),
//!     Transaction::new(3, Serializable, 1).read(10, [100]).append(20, 201).committed(3),
//! ]);
//! let report = check(&history)?;
//! assert_eq!(report.count(Kind::G2Item), 1);
//! println!("{report}");
//! # Ok::<(), blaze_core::Error>(())
//! ```
//!
//! # What is recorded
//!
//! Objects are lists to which elements are appended, each element once in a history: so an element names its transaction, and a list
//! names all versions before it (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations", VLDB
//! 2020). A version has attributes besides, by which [`Operation::Find`] finds it: the key of a keyspace, a field of an index, the
//! terms of a text are all the same here. What a find saw are keys with their last elements.
//!
//! # What is judged
//!
//! *Directly*, as the timestamps allow: every answer is what the snapshot at [`Transaction::read_ts`] had, with the transaction's own
//! writes over it; nobody begins after a commit was acknowledged and does not see it; who asked for snapshot isolation and writes a
//! key that another transaction has written since conflicts with it (first committer wins: Berenson, Bernstein, Gray, Melton, O'Neil
//! and O'Neil, "A Critique of ANSI SQL Isolation Levels", SIGMOD 1995).
//!
//! *By the graph*: dependencies are those of Adya ("Weak Consistency: A Generalized Theory and Optimistic Implementations for
//! Distributed Transactions", 1999): who wrote the next version (ww), who read it (wr), who read what was overwritten (rw), of single
//! keys and of what predicates find. No cycle is allowed, but one: where a transaction that asked for snapshot isolation has an rw
//! dependency coming in and the next one going out, the pivot of a write skew (Fekete, Liarokapis, O'Neil, O'Neil and Shasha, "Making
//! Snapshot Isolation Serializable", TODS 2005). Transactions of both isolations may be in one history.

#![forbid(unsafe_code)]

mod anomaly;
mod chains;
mod changes;
mod check;
mod clocks;
mod cycles;
mod dependencies;
mod elements;
mod graph;
mod history;
mod isolation;
mod ledger;
mod lines;
mod misfound;
mod misread;
mod order;
mod report;
mod snapshots;
mod timeline;

pub use anomaly::{Anomaly, Kind};
pub use check::check;
pub use history::{Attribute, Element, History, Key, Operation, Outcome, Predicate, Transaction};
pub use report::Report;

#[cfg(test)]
mod tests;
