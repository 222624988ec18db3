//! A history as text: a line of JSON for each transaction.

use std::io::{BufRead, Write};

use blaze_core::{Error, Result};

use crate::history::{History, Transaction};

impl History {
    /// Writes a line of JSON for each transaction, so that a history that failed can be kept.
    ///
    /// ```
    /// use blaze_check::{History, Predicate, Transaction};
    /// use blaze_core::Isolation::Snapshot;
    ///
    /// let transaction = Transaction::new(7, Snapshot, 2).read(1, [5]).append(1, 6).find(Predicate::key(3), []).committed(4);
    /// let history = History::new(vec![transaction]);
    /// let mut lines = Vec::new();
    /// history.write_lines(&mut lines)?;
    /// assert_eq!(
    ///     String::from_utf8_lossy(&lines),
    ///     r#"{"id":7,"isolation":"snapshot","read_ts":2,"outcome":{"committed":4},"operations":["#.to_owned()
    ///         + r#"{"read":{"key":1,"seen":[5]}},{"append":{"key":1,"element":6}},"#
    ///         + r#"{"find":{"predicate":{"keys":{"from":3,"to":3}},"found":[]}}]}"#
    ///         + "\n"
    /// );
    /// assert_eq!(History::read_lines(lines.as_slice())?, history);
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Unavailable`](blaze_core::ErrorKind::Unavailable) when it cannot be written.
    pub fn write_lines(&self, mut to: impl Write) -> Result<()> {
        let failed =
            |error: &dyn std::fmt::Display| Error::unavailable(format!("a history cannot be written: {error}"));
        for transaction in &self.transactions {
            let line = serde_json::to_string(transaction).map_err(|error| failed(&error))?;
            writeln!(to, "{line}").map_err(|error| failed(&error))?;
        }
        to.flush().map_err(|error| failed(&error))
    }

    /// Reads what [`write_lines`](History::write_lines) wrote. Empty lines are passed over.
    ///
    /// # Errors
    /// [`Unavailable`](blaze_core::ErrorKind::Unavailable) when it cannot be read; [`Invalid`](blaze_core::ErrorKind::Invalid) for a
    /// line that is no transaction, with its number.
    pub fn read_lines(from: impl BufRead) -> Result<History> {
        let mut transactions = Vec::new();
        for (index, line) in from.lines().enumerate() {
            let line = line.map_err(|error| Error::unavailable(format!("a history cannot be read: {error}")))?;
            if line.trim().is_empty() {
                continue;
            }
            let transaction: Transaction = serde_json::from_str(&line)
                .map_err(|error| Error::invalid(format!("line {} is no transaction: {error}", index + 1)))?;
            transactions.push(transaction);
        }
        Ok(History { transactions })
    }
}
