//! The mistakes that a test may have the database make.

/// What a database could get wrong, for tests that prove that it would be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mistake {
    /// A commit that is to be synced is not.
    SkippedSync,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Mistake; 1] = [Mistake::SkippedSync];
}
