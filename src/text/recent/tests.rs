//! Levels have what one delta has, at every commit and whoever holds what.

use std::collections::BTreeMap;

use blaze_core::Timestamp;
use blaze_text::{DeltaLeaf, DeltaView, DocumentBuilder, Node, Searcher, TermKey};
use proptest::prelude::*;

use super::*;
use crate::text::change::{NewText, RecentChange};

/// What is searched for: how many documents have each word, and which documents match it with which scores.
type Answers = Vec<(u64, BTreeMap<Box<[u8]>, u32>)>;

#[derive(Clone, Debug)]
struct Step {
    /// Of the same commit: the id, and the words it has now.
    changes: BTreeMap<u8, Option<Vec<u8>>>,
    /// Whether somebody takes the levels to search them, and whether the first who did is done.
    holds: bool,
    lets_go: bool,
    merges: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let words = prop::option::weighted(0.8, prop::collection::vec(0..5_u8, 1..6));
    let changes = prop::collection::btree_map(0..20_u8, words, 1..6);
    let step = (changes, any::<bool>(), any::<bool>(), any::<bool>());
    let step = step.prop_map(|(changes, holds, lets_go, merges)| Step { changes, holds, lets_go, merges });
    prop::collection::vec(step, 1..40)
}

fn text(words: &[u8]) -> NewText {
    let mut builder = DocumentBuilder::new(1);
    for (position, word) in (0..).zip(words) {
        builder.add(0, &[b'a' + word], position).unwrap();
    }
    let postings = builder.finish();
    NewText { entry: postings.terms().to_bytes().into(), occurrences: postings.occurrences().into() }
}

fn answers(views: &[DeltaView<'_>]) -> Answers {
    let masks: Vec<_> =
        (1..=views.len()).map(|above| move |id: &[u8]| views[above..].iter().any(|view| view.masks(id))).collect();
    let leaves = views.iter().zip(&masks).map(|(view, masks)| DeltaLeaf::below(*view, masks)).collect();
    let searcher = Searcher::new(Vec::<DeltaLeaf<'_>>::new(), leaves);
    let answer = |word: u8| {
        let key = TermKey::new(0, [b'a' + word]);
        let documents = searcher.documents_with(&key).unwrap();
        let found = searcher.top(&Node::Term { key, boost: 1.0 }, 100, None).unwrap();
        (documents, found.into_iter().map(|found| (found.id, found.score.to_bits())).collect())
    };
    (0..5).map(answer).collect()
}

proptest! {
    #[test]
    fn levels_have_what_one_delta_has_whoever_holds_them_meanwhile(steps in steps()) {
        let (recent, mut whole) = (Recent::new(1, 1, Level::new(1, 1)), Level::new(1, 1));
        let (mut known, mut held) = (BTreeMap::<u8, NewText>::new(), Vec::new());
        for (ts, step) in (1..).map(Timestamp::from_bits).zip(&steps) {
            let mut changes = Vec::new();
            for (id, words) in &step.changes {
                let after = words.as_deref().map(text);
                let before = match after.clone() {
                    Some(after) => known.insert(*id, after),
                    None => known.remove(id),
                };
                if before.is_some() || after.is_some() {
                    let before = before.map(|before| before.entry);
                    changes.push((ts, Arc::new(RecentChange { key: Box::new([*id]), id: Box::new([*id]), before, after })));
                }
            }
            let masked: Vec<Masked> = changes.iter().map(|(ts, change)| (0, u32::from(change.id[0]), *ts)).collect();
            whole.mask(masked.iter().copied());
            whole.add(&changes).unwrap();
            recent.append(&changes, &masked).unwrap();
            if step.merges {
                recent.merge().unwrap();
                prop_assert!(recent.levels().len() < 7);
            }
            if step.holds {
                held.push((recent.levels(), ts));
            }
            if step.lets_go && !held.is_empty() {
                held.remove(0);
            }
            prop_assert_eq!(recent.size(), (whole.changes().len(), whole.bytes()));
        }
        held.push((recent.levels(), Timestamp::from_bits(steps.len() as u64)));
        for (levels, until) in held {
            for ts in 0..=until.to_bits() {
                let views: Vec<DeltaView<'_>> = levels.iter().map(|level| level.delta.view(ts)).collect();
                prop_assert_eq!(answers(&views), answers(&[whole.delta.view(ts)]), "at {}", ts);
                let hidden = |document: u32| {
                    levels.iter().filter_map(|level| level.masked(0)?.get(&document).copied()).min()
                        .filter(|at| at.to_bits() <= ts)
                };
                let expected = |document: u32| whole.masked(0)?.get(&document).copied().filter(|at| at.to_bits() <= ts);
                prop_assert!((0..20).all(|document| hidden(document) == expected(document)));
            }
        }
    }
}

#[test]
fn what_is_large_is_appended_in_parts() {
    let change = |n: u8| {
        let after = Some(text(&vec![n % 5; 3_000]));
        (Timestamp::from_bits(1), Arc::new(RecentChange { key: Box::new([n]), id: Box::new([n]), before: None, after }))
    };
    let changes: Vec<Committed> = (0..100).map(change).collect();
    assert!((2..50).contains(&at_once(&changes)), "{}", at_once(&changes));
    let recent = Recent::new(1, 0, Level::new(1, 0));
    let held = recent.levels();
    recent.append(&changes, &[]).unwrap();
    assert_eq!((recent.size().0, recent.levels().len(), held.len()), (100, 2, 1));
    recent.merge().unwrap();
    assert_eq!((recent.size().0, recent.levels().len()), (100, 1));
    assert!(held[0].delta.is_empty());
}

#[test]
fn what_is_appended_while_levels_are_made_one_stays_above() {
    let change = |n: u8| {
        let id: Box<[u8]> = Box::new([n]);
        let change = RecentChange { key: id.clone(), id, before: None, after: Some(text(&[0])) };
        (Timestamp::from_bits(n.into()), Arc::new(change))
    };
    let recent = Recent::new(1, 0, Level::new(1, 0));
    let merging = recent.merging.lock();
    for n in 1..=9 {
        let _held = recent.levels();
        recent.append(&[change(n)], &[]).unwrap();
        recent.merge().unwrap();
    }
    assert_eq!(recent.levels().len(), 10, "somebody else does it");
    drop(merging);
    recent.merge().unwrap();
    let levels = recent.levels();
    assert_eq!((levels.len(), levels[0].changes().len()), (1, 9));
    recent.append(&[change(10)], &[]).unwrap();
    assert!(recent.levels().len() == 2 && levels[0].delta.len() == 9);
}
