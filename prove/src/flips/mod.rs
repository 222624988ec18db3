//! Bit flips: one file of a database, of a checkpoint or of its backups is damaged, and whoever reads it must notice.
//!
//! A [`specimen`] is a database with everything that lanes have, closed or as a kill leaves it, with a checkpoint and
//! backups. In each [`trial`] a copy of it gets one [`damage`] in one file of a [`kind`], and the auditor looks at all of it.
//! Either the damage is told, by an error or by verification, or no answer is another one than before. Trials run in a
//! process of their own, which the [`campaign`] bounds in time and memory.

pub mod campaign;
pub mod damage;
pub mod kind;
pub mod specimen;
pub mod tally;
pub mod trial;
