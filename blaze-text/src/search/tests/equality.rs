//! Searches agree with the definition, bit for bit.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use proptest::prelude::*;

use crate::DocumentPostings;
use crate::search::{DeltaLeaf, Found, Leaf, Node, Searcher};

use super::brute_force::BruteForce;
use super::random::Random;
use super::world::World;

/// The best of what matches are the k best: the scores of the best, each of a document that has that score.
fn assert_best(found: &[Found], matching: &BTreeMap<Vec<u8>, f32>, k: usize, what: &dyn std::fmt::Debug) {
    let mut scores: Vec<f32> = matching.values().copied().collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.truncate(k);
    let bits = |scores: &[f32]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
    let found_scores: Vec<f32> = found.iter().map(|found| found.score).collect();
    assert_eq!(bits(&found_scores), bits(&scores), "{what:?}: {found_scores:?}, and not {scores:?}");
    let ids: BTreeSet<_> = found.iter().map(|found| &found.id).collect();
    assert_eq!(ids.len(), found.len(), "a document was found twice by {what:?}");
    for found in found {
        assert_eq!(matching.get(&*found.id).map(|score| score.to_bits()), Some(found.score.to_bits()), "{what:?}");
    }
}

fn assert_equal<S: Leaf>(
    searcher: &Searcher<S, DeltaLeaf<'_>>,
    world: (&BTreeMap<Vec<u8>, DocumentPostings>, &BruteForce<'_>),
    node: &Node,
    random: &mut Random,
) {
    let (documents, brute_force) = world;
    let matching = brute_force.matching(node);
    for k in [1, 1 + random.below(5), 10, 1_000] {
        assert_best(&searcher.top(node, k, None).unwrap(), &matching, k, node);
    }
    assert_eq!(searcher.count(node).unwrap(), matching.len() as u64, "{node:?}");

    let mut seen = BTreeMap::new();
    let mut visit = |id: &[u8], score: f32| {
        assert_eq!(seen.insert(id.to_vec(), score), None);
        Ok(ControlFlow::Continue(()))
    };
    searcher.for_each(node, &mut visit).unwrap();
    assert_eq!(seen, matching, "{node:?}");

    let among: Vec<Vec<u8>> = documents.keys().filter(|_| random.chance(3)).cloned().collect();
    let accepted: BTreeMap<Vec<u8>, f32> =
        matching.iter().filter(|(id, _)| among.contains(id)).map(|(id, score)| (id.clone(), *score)).collect();
    assert_best(&searcher.top_among(node, 3, &among).unwrap(), &accepted, 3, node);
    let mut accept = |id: &[u8]| Ok(among.iter().any(|other| **other == *id));
    assert_best(&searcher.top(node, 3, Some(&mut accept)).unwrap(), &accepted, 3, node);

    for id in documents.keys().take(5) {
        let explanation = searcher.explain(node, id).unwrap();
        let score = explanation.as_ref().map(|explanation| explanation.score.to_bits());
        assert_eq!(score, matching.get(id).map(|score| score.to_bits()), "{node:?}");
        if let Some(explanation) = explanation {
            let sum: f32 = explanation.terms.iter().map(|term| term.score).sum();
            let is_near = sum == explanation.score || (sum - explanation.score).abs() <= 1e-5 * sum; // infinite both
            assert!(is_near, "{explanation:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn searches_of_small_worlds_find_what_the_definition_says(seed in 1..u64::MAX) {
        let mut random = Random(seed);
        let world = World::random(&mut random, 24);
        let brute_force = BruteForce::new(&world.documents);
        world.search(|searcher| {
            for _ in 0..12 {
                let node = random.node(3);
                assert_equal(searcher, (&world.documents, &brute_force), &node, &mut random);
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn searches_of_several_blocks_find_what_the_definition_says(seed in 1..u64::MAX) {
        let mut random = Random(seed);
        let world = World::random(&mut random, 1_500);
        let brute_force = BruteForce::new(&world.documents);
        world.search(|searcher| {
            for _ in 0..12 {
                let node = random.node(2);
                assert_equal(searcher, (&world.documents, &brute_force), &node, &mut random);
            }
        });
    }

    #[test]
    fn searches_of_segments_deltas_and_own_writes_find_what_the_definition_says(seed in 1..u64::MAX, is_merged: bool) {
        let mut random = Random(seed);
        let ids = if random.chance(2) { 30 } else { 1_500 };
        let world = World::random(&mut random, ids);
        let brute_force = BruteForce::new(&world.documents);
        world.search_segments(is_merged, |searcher| {
            for _ in 0..12 {
                let node = random.node(2);
                assert_equal(searcher, (&world.documents, &brute_force), &node, &mut random);
            }
        });
    }
}
