//! The one error type: ask [`Error::kind`] what to do, print it to learn what happened.

use std::error::Error as StdError;
use std::fmt;

use crate::clock::Timestamp;
use crate::store::Family;

/// The result of an operation that can fail with a Blaze [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error from Blaze.
///
/// The [`kind`](Error::kind) says what the caller should do; the message says what was wrong, which value it was and
/// which limit it met.
///
/// ```
/// use blaze_core::{Error, ErrorKind};
///
/// let error = Error::invalid("limit is 0, at least 1 is needed").context("in search()");
/// assert_eq!(error.kind(), ErrorKind::Invalid);
/// assert_eq!(error.to_string(), "in search(): limit is 0, at least 1 is needed");
/// ```
pub struct Error(Box<Inner>); // one word, so that Result<T> stays small

struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// What a conflict is about, so that the layers above can name it in their own words.
    conflict: Option<(Family, Vec<u8>)>,
}

/// What the caller should do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The transaction lost a race: retry it from its beginning.
    Conflict,
    /// The transaction began so long ago that its conflicts can no longer be checked: retry it, in smaller parts.
    TransactionTooOld,
    /// The document is not of the version that the request expects: read it again and decide anew.
    VersionMismatch,
    /// The request cannot succeed as written: change it.
    Invalid,
    /// The named thing does not exist.
    NotFound,
    /// A document with this id, or a thing of this name, is there already.
    AlreadyExists,
    /// What is asked for is not kept, or cannot be done here: switch it on first, or ask another way.
    Unsupported,
    /// The history does not go back so far: ask for a later time.
    HistoryExpired,
    /// Changes after this cursor are gone: read everything anew and go on from there.
    FeedTruncated,
    /// Another process or handle has the database open: close it first.
    Locked,
    /// A size, count or memory limit was reached: stay below it, or raise it.
    LimitExceeded,
    /// The disk or the operating system failed: free space or repair it, then reopen.
    Unavailable,
    /// The commit with this timestamp was handed to the disk and its outcome is not known: reopen and look.
    CommitOutcomeUnknown(Timestamp),
    /// Stored bytes fail verification: check the disk and restore from a backup.
    Corruption,
    /// The handle was closed, or its transaction has ended.
    Closed,
    /// The caller's own callback asked to stop: nothing is wrong.
    Cancelled,
    /// A defect in Blaze: please report it.
    Internal,
}

impl ErrorKind {
    /// True if running the same transaction again may succeed.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, ErrorKind::Conflict | ErrorKind::TransactionTooOld)
    }
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[cold]
            #[inline(never)]
            pub fn $name(message: impl Into<String>) -> Error {
                Error::new(ErrorKind::$kind, message)
            }
        )*
    };
}

impl Error {
    /// An error of `kind`; the message is a lower-case fragment that names the value and the limit.
    #[cold]
    #[inline(never)]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner { kind, message: message.into(), source: None, conflict: None }))
    }

    constructors! {
        /// An [`ErrorKind::Conflict`].
        conflict => Conflict,
        /// An [`ErrorKind::Invalid`].
        invalid => Invalid,
        /// An [`ErrorKind::NotFound`].
        not_found => NotFound,
        /// An [`ErrorKind::AlreadyExists`].
        already_exists => AlreadyExists,
        /// An [`ErrorKind::Unsupported`].
        unsupported => Unsupported,
        /// An [`ErrorKind::LimitExceeded`].
        limit_exceeded => LimitExceeded,
        /// An [`ErrorKind::Unavailable`].
        unavailable => Unavailable,
        /// An [`ErrorKind::Corruption`].
        corruption => Corruption,
        /// An [`ErrorKind::Closed`].
        closed => Closed,
        /// An [`ErrorKind::Cancelled`].
        cancelled => Cancelled,
        /// An [`ErrorKind::Internal`].
        internal => Internal,
    }

    /// An [`ErrorKind::Conflict`] over `key`, which was written after `read_ts`.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn conflict_over(family: Family, key: &[u8], read_ts: Timestamp) -> Error {
        let (name, shown) = (family.name(), key.escape_ascii());
        let mut error = Error::conflict(format!("key \"{shown}\" of the family {name} changed after {read_ts}"));
        error.0.conflict = Some((family, key.to_vec()));
        error
    }

    /// The key that a conflict is about, if the error says one.
    #[must_use]
    pub fn conflict_key(&self) -> Option<(Family, &[u8])> {
        self.0.conflict.as_ref().map(|(family, key)| (*family, key.as_slice()))
    }

    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Puts `context` in front of the message and keeps kind and source.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Error {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("message", &self.0.message).finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
