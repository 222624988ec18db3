//! Awaiting what blocks: the feature `async`.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use blaze_core::{Error, Result};
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::collection::{Collection, Found, UpdateReport};
use crate::database::Database;
use crate::keyspace::Keyspace;
use crate::query::{ChangeFirst, DeleteQuery, Query, UpdateQuery};
use crate::search::{Hit, Search, Suggest, Suggestion, TextHit, TextSearch};

/// Work on a database that is awaited: it runs on a thread of tokio's for blocking work.
///
/// Made by [`Database::call`], [`Collection::call`] and [`Keyspace::call`], and by awaiting a builder instead of calling its
/// `run`. It begins when it is first polled, and needs a tokio runtime then; else it answers
/// [`Unsupported`](crate::ErrorKind::Unsupported). A panic in the work goes on in whoever awaits it.
///
/// **Cancelling**: one that is dropped before it was polled does nothing. Dropped later, the work runs to its end all the
/// same, unseen: a write is committed whole or not at all, never in part. Whoever must know which reads again. When the
/// runtime shuts down before the work has begun, it answers [`Cancelled`](crate::ErrorKind::Cancelled), and nothing was done.
///
/// ```
/// use blaze::{Database, Document, field, inc};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let db = Database::in_memory()?;
/// let films = db.call(|db| db.collection::<Document>("films")).await?;
/// films.call(|films| films.insert(&Document::new().with("year", 1972))).await?;
/// films.find(field("year").ge(1970)).update(inc("views", 1)).await?;
/// assert_eq!(films.find(field("views").eq(1)).await?.len(), 1);
/// # Ok::<(), blaze::Error>(())
/// # })?;
/// # Ok::<(), blaze::Error>(())
/// ```
#[must_use = "nothing happens before it is awaited"]
pub struct Call<R> {
    state: State<R>,
}

enum State<R> {
    Waiting(Box<dyn FnOnce() -> Result<R> + Send>),
    Running(JoinHandle<Result<R>>),
    Done,
}

impl<R: Send + 'static> Call<R> {
    fn new(work: impl FnOnce() -> Result<R> + Send + 'static) -> Call<R> {
        Call { state: State::Waiting(Box::new(work)) }
    }
}

impl<R: Send + 'static> Future for Call<R> {
    type Output = Result<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<R>> {
        let mut running = match mem::replace(&mut self.state, State::Done) {
            State::Waiting(work) => match Handle::try_current() {
                Ok(runtime) => runtime.spawn_blocking(work),
                Err(error) => {
                    let message = "work on a database is awaited in a tokio runtime, and there is none here";
                    return Poll::Ready(Err(Error::unsupported(message).with_source(error)));
                }
            },
            State::Running(running) => running,
            State::Done => return Poll::Ready(Err(Error::invalid("this was awaited to its end already"))),
        };
        match Pin::new(&mut running).poll(context) {
            Poll::Pending => {
                self.state = State::Running(running);
                Poll::Pending
            }
            Poll::Ready(Ok(result)) => Poll::Ready(result),
            Poll::Ready(Err(error)) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Poll::Ready(Err(Error::cancelled("the runtime was shut down before the work had begun"))),
            },
        }
    }
}

impl<R> fmt::Debug for Call<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Waiting(_) => "waiting",
            State::Running(_) => "running",
            State::Done => "done",
        };
        f.debug_struct("Call").field("state", &state).finish_non_exhaustive()
    }
}

impl Database {
    /// Awaits `work` on the database, a transaction for example; see [`Call`].
    pub fn call<R: Send + 'static>(&self, work: impl FnOnce(&Database) -> Result<R> + Send + 'static) -> Call<R> {
        let database = self.clone();
        Call::new(move || work(&database))
    }
}

impl<T: 'static> Collection<T> {
    /// Awaits `work` on the collection; see [`Call`].
    pub fn call<R: Send + 'static>(&self, work: impl FnOnce(&Collection<T>) -> Result<R> + Send + 'static) -> Call<R> {
        let collection = self.clone();
        Call::new(move || work(&collection))
    }
}

impl Keyspace {
    /// Awaits `work` on the keyspace; see [`Call`].
    pub fn call<R: Send + 'static>(&self, work: impl FnOnce(&Keyspace) -> Result<R> + Send + 'static) -> Call<R> {
        let keyspace = self.clone();
        Call::new(move || work(&keyspace))
    }
}

/// Awaiting a builder is running it.
macro_rules! awaited {
    ($($builder:ident => $output:ty),* $(,)?) => {
        $(impl<T: DeserializeOwned + Send + 'static> IntoFuture for $builder<T> {
            type Output = Result<$output>;
            type IntoFuture = Call<$output>;

            fn into_future(self) -> Call<$output> {
                Call::new(move || self.run())
            }
        })*
    };
}

awaited! {
    Query => Vec<Found<T>>,
    Search => Vec<Hit<T>>,
    TextSearch => Vec<TextHit<T>>,
    Suggest => Vec<Suggestion>,
    UpdateQuery => UpdateReport,
    DeleteQuery => u64,
    ChangeFirst => Option<Found<T>>,
}
