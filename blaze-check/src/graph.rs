//! The nodes and edges of the graph of dependencies.

use crate::ledger::Ledger;
use crate::order::Fate;

/// A number of a node: a transaction reads at one node and writes at another, which is the same if it is serializable; links of
/// [chains](crate::chains) come after them.
pub(crate) type Node = u32;

/// Why one node is before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A transaction writes after it reads.
    Own,
    /// It wrote the version of the key before (ww).
    Wrote { key: u32 },
    /// It wrote the version of the key that was read (wr).
    WasRead { key: u32 },
    /// It read the version of the key before (rw).
    Read { key: u32 },
    /// It changed what a key matches, on the way to a find that came after (wr).
    Changed { key: u32 },
    /// From links that lead to a find.
    Found { operation: u32 },
    /// A find, on the way to what changed after it (rw).
    Looked { operation: u32 },
    /// From links that lead from finds to who changed what a key matches.
    Changes { key: u32 },
    /// Both at once: a find, and who changed after it what a key matches (rw).
    Missed { operation: u32, key: u32 },
    /// From link to link.
    Along,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) from: Node,
    pub(crate) to: Node,
    pub(crate) why: Why,
}

impl Why {
    /// How much a cycle costs by this edge: the cheapest is the one that the least isolation forbids, then the shortest.
    pub(crate) fn cost(self) -> u64 {
        match self {
            Why::Own | Why::Along | Why::Found { .. } | Why::Changes { .. } => 0,
            Why::Wrote { .. } => 1,
            Why::WasRead { .. } | Why::Changed { .. } => 1 << 20,
            Why::Read { .. } => 1 << 40,
            Why::Looked { .. } | Why::Missed { .. } => (1 << 40) + 1, // a key is the simpler example
        }
    }
}

/// The nodes of transactions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nodes<'a> {
    pub(crate) ledger: &'a Ledger<'a>,
}

impl Nodes<'_> {
    /// How many nodes transactions have: links are numbered from here on.
    pub(crate) fn count(self) -> u32 {
        self.ledger.history.transactions.len() as u32 * 2
    }

    /// Where a transaction reads: of a serializable one that writes, that is where it writes.
    ///
    /// A cycle is allowed where it comes to a snapshot's transaction by an rw dependency, at its end, and leaves it by another one,
    /// at its beginning: with two nodes, there is no way from the end to the beginning, so that all cycles are forbidden ones.
    pub(crate) fn reading(self, transaction: u32) -> Node {
        match self.ledger.fate(transaction) {
            Fate::Writer(_) if self.ledger.is_serializable(transaction) => self.writing(transaction),
            _ => 2 * transaction,
        }
    }

    /// Where a transaction writes.
    pub(crate) fn writing(self, transaction: u32) -> Node {
        2 * transaction + 1
    }

    pub(crate) fn transaction(self, node: Node) -> u32 {
        node / 2
    }

    /// When a node was, among all commits and between them.
    pub(crate) fn moment(self, node: Node) -> u32 {
        let transaction = self.transaction(node);
        match self.ledger.fate(transaction) {
            Fate::Writer(commit) if node == self.writing(transaction) => 2 * commit,
            _ => 2 * self.ledger.snapshot(transaction) + 1,
        }
    }

    /// True if an edge goes back in time; where none does, there is no cycle.
    pub(crate) fn is_back(self, edge: &Edge) -> bool {
        self.moment(edge.from) > self.moment(edge.to)
    }
}
