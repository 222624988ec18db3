//! Awaiting what blocks: the feature `async`.

#![expect(clippy::unwrap_used, reason = "a failure that a test does not expect ends it")]

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use blaze::{Database, Document, ErrorKind, Index, Result, asc, field, inc, set};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn number(n: i64) -> Document {
    Document::new().with("n", n)
}

#[test]
fn the_same_builders_are_awaited_and_answer_the_same() {
    let db = Database::temporary().unwrap();
    runtime().block_on(async {
        let numbers = db.call(|db| db.collection::<Document>("numbers")).await.unwrap();
        numbers.call(|numbers| numbers.insert_many_with_ids((0..10).map(|n| (n, number(n))))).await.unwrap();
        let query = numbers.find(field("n").ge(7)).sort(asc("n"));
        assert_eq!(query.clone().await.unwrap(), query.run().unwrap());
        assert_eq!(numbers.find(field("n").eq(1)).update(inc("n", 1)).await.unwrap().modified, 1);
        assert_eq!(numbers.find(field("n").eq(2)).delete().await.unwrap(), 2);
        let first = numbers.find_all().sort(asc("n")).update_first(set("n", -1)).return_after().await.unwrap();
        assert_eq!(first.unwrap().value, number(-1));
        db.call(|db| {
            let vectors = db.collection::<Document>("vectors")?;
            vectors.ensure_index(Index::vector("v", 2))?;
            vectors.insert(&Document::new().with("v", blaze::Vector::F32(vec![1.0, 0.0])))
        })
        .await
        .unwrap();
        let vectors = db.collection::<Document>("vectors").unwrap();
        assert_eq!(vectors.search().nearest("v", &[1.0, 0.0]).await.unwrap().len(), 1);
        let settings = db.keyspace("settings").unwrap();
        settings.call(|settings| settings.put("theme", "dark")).await.unwrap();
        assert!(settings.contains("theme").unwrap());
    });
}

#[test]
fn many_calls_at_once_each_count() {
    let db = Database::in_memory().unwrap();
    let views = db.collection::<Document>("views").unwrap();
    runtime().block_on(async {
        let calls: Vec<_> =
            (0..50).map(|_| tokio::spawn(views.call(|views| views.upsert("all", inc("count", 1))))).collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    });
    assert_eq!(views.get("all").unwrap().unwrap().get("count").unwrap().as_i64(), Some(50));
}

#[test]
fn a_call_that_is_never_polled_does_nothing_and_one_that_was_runs_to_its_end() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    let runtime = runtime();
    runtime.block_on(async {
        drop(numbers.call(|numbers| numbers.insert_with_id(1, &number(1))));
        let (begin, may_begin) = std::sync::mpsc::channel::<()>();
        let polled = numbers.call(move |numbers| {
            may_begin.recv().unwrap();
            numbers.insert_with_id(2, &number(2))
        });
        {
            let mut polled = pin!(polled);
            assert!(polled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        } // dropped here
        begin.send(()).unwrap();
    });
    drop(runtime); // waits for work that has begun
    assert_eq!((numbers.contains(1).unwrap(), numbers.contains(2).unwrap()), (false, true));
}

#[test]
fn without_a_runtime_a_call_is_refused_and_nothing_is_done() {
    let db = Database::in_memory().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let by_call = Arc::clone(&done);
    let mut call = pin!(db.call(move |_| {
        by_call.store(true, Ordering::Relaxed);
        Ok(())
    }));
    let mut poll = || match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(Err(error)) => error,
        other => panic!("{other:?}"),
    };
    let refused = poll();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(refused.to_string().contains("tokio runtime"), "{refused}");
    assert_eq!(poll().kind(), ErrorKind::Invalid, "it was awaited to its end");
    assert!(!done.load(Ordering::Relaxed));
}

#[test]
fn an_error_and_a_panic_reach_whoever_awaits() {
    let db = Database::in_memory().unwrap();
    let numbers = db.collection::<Document>("numbers").unwrap();
    let runtime = runtime();
    let error = runtime.block_on(numbers.find(field("a..b").eq(1)).into_future()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let panicking = async {
        let call = db.call(|_| -> Result<()> { std::panic::resume_unwind(Box::new("the user's")) });
        call.await
    };
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(panicking))).unwrap_err();
    assert_eq!(panicked.downcast_ref::<&str>(), Some(&"the user's"));
    assert_eq!(db.collections().unwrap(), ["numbers"], "the database works on");
}
