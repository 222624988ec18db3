//! Graphs that change: nodes come and go, and their places are used again.

use super::*;

#[test]
fn insertions_that_were_prepared_before_there_was_a_node_are_all_linked() {
    let vectors = Vectors::clusters(Metric::L2, 20, 8, 5, 0.5, 13);
    let mut graph = Graph::new(GraphOptions::new(Metric::L2, 8)).unwrap();
    let prepared: Vec<_> = (0..20).map(|n| graph.prepare(vectors.at(n)).unwrap()).collect();
    for insertion in prepared {
        graph.insert(insertion);
    }
    graph.check().unwrap();
    assert_eq!((without_links(&graph).len(), graph.unreachable().len()), (0, 0));
}

#[test]
fn a_reclaim_ends_however_much_is_inserted_between_its_portions() {
    const PORTION: usize = 64;
    let options = GraphOptions { m: 4, ef_construction: 20, ..GraphOptions::new(Metric::L2, 16) };
    let vectors = Vectors::clusters(Metric::L2, 6_000, 16, 7, 0.5, 5);
    let part = Vectors { dimension: 16, numbers: vectors.numbers[..3_000 * 16].to_vec(), bits: Vec::new() };
    let mut graph = build(options, &part, 2);
    let dead: Vec<u32> = (0..3_000).step_by(3).collect();
    dead.iter().for_each(|slot| assert!(graph.delete(*slot)));
    let mut reclaim = graph.begin_reclaim(&dead);
    graph.find_sources(&mut reclaim);
    // What leads to dead nodes, these, and what has few links left; each level begins a portion of its own.
    let portions_max = (2_000 + 1_000 + 2_000) / PORTION + 10 * graph.layers.len();
    let (mut portions, mut next) = (0, 3_000);
    while graph.reclaim_some(&mut reclaim, PORTION).is_some() {
        portions += 1;
        assert!(portions <= portions_max, "{portions} portions, and it has not ended");
        for _ in 0..32 {
            graph.insert(graph.prepare(vectors.at(next % vectors.len())).unwrap());
            next += 1;
        }
    }
    graph.repair();
    graph.check().unwrap();
    assert_eq!((graph.tombstones(), graph.unreachable()), (0, vec![]));
}

#[test]
fn slots_are_given_once_and_free_ones_first() {
    let vectors = Vectors::clusters(Metric::L2, 100, 8, 5, 0.5, 13);
    let mut graph = build(GraphOptions::new(Metric::L2, 8), &vectors, 1);
    [3, 50, 70].iter().for_each(|slot| assert!(graph.delete(*slot)));
    assert_eq!(graph.reclaim(&[3, 50, 70]), 3);
    let sorted = |unlinked: &crate::graph::Unlinked| {
        let mut slots: Vec<u32> = unlinked.slots().collect();
        slots.sort_unstable();
        slots
    };
    let mut all = sorted(&graph.give_slots(2).unwrap());
    all.extend(sorted(&graph.give_slots(2).unwrap()));
    all.push(graph.insert(graph.prepare(vectors.at(0)).unwrap()));
    all.sort_unstable();
    assert_eq!(all, [3, 50, 70, 100, 101]);
    graph.check().unwrap();
    let error = graph.give_slots(usize::MAX).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn five_rounds_of_deleting_and_inserting_half_cost_no_recall() {
    for metric in [Metric::L2, Metric::Cosine] {
        let (count, rounds) = (2000, 5);
        let mut vectors = Vectors::clusters(metric, count * (rounds + 4) / 2, 32, 20, 0.5, 5);
        let queries = vectors.split_last(100);
        let options = GraphOptions::new(metric, 32);
        let mut graph = Graph::new(options.clone()).unwrap();
        let mut slots = BTreeMap::new();
        let mut next = 0;
        for round in 0..=rounds {
            while slots.len() < count {
                let insertion = graph.prepare(vectors.at(next)).unwrap();
                assert_eq!(slots.insert(graph.insert(insertion), next), None, "a slot is given once");
                next += 1;
            }
            graph.check().unwrap();
            assert_eq!(lost(&graph, &vectors, &slots), 0, "vectors that do not find themselves, round {round}");
            if round == rounds {
                break;
            }
            let deleted: Vec<u32> =
                slots.keys().copied().filter(|slot| mix(u64::from(*slot) ^ round as u64).is_multiple_of(2)).collect();
            for slot in &deleted {
                assert!(graph.delete(*slot));
                slots.remove(slot);
            }
            assert_eq!(graph.tombstones(), deleted.len());
            graph.check().unwrap();
            assert_eq!(graph.reclaim(&deleted), deleted.len());
            assert_eq!((graph.tombstones(), graph.len()), (0, slots.len()));
            graph.check().unwrap();
            assert_eq!(graph.unreachable(), [] as [u32; 0]);
        }
        assert!(graph.slots() <= count + count / 10, "slots are used again: {} for {count}", graph.slots());
        let kept: Vec<f32> = slots.values().flat_map(|&index| vectors.numbers[index * 32..][..32].to_vec()).collect();
        let kept = Vectors { dimension: 32, numbers: kept, bits: Vec::new() };
        let fresh = build(options, &kept, 2);
        let (old, new) =
            (recall(&graph, &vectors, &slots, &queries, 30), recall(&fresh, &kept, &every_slot(&fresh), &queries, 30));
        assert!(old >= new - 0.005, "{metric}: recall {old} after {rounds} rounds, {new} when built anew");
    }
}

#[test]
fn an_insertion_that_was_prepared_before_a_reclaim_is_placed_anew() {
    let vectors = Vectors::clusters(Metric::L2, 100, 8, 5, 0.5, 13);
    let mut graph = build(GraphOptions::new(Metric::L2, 8), &vectors, 1);
    let insertion = graph.prepare(&[0.25; 8]).unwrap();
    let slots: Vec<u32> = (0..100).collect();
    slots.iter().for_each(|&slot| assert!(graph.delete(slot)));
    assert!(!graph.delete(3), "it is deleted already");
    assert_eq!(graph.reclaim(&slots), 100);
    assert_eq!(graph.reclaim(&slots), 0, "nothing is left to reclaim");
    graph.check().unwrap();
    let slot = graph.insert(insertion);
    graph.check().unwrap();
    let found = graph.search(&graph.query(&[0.25; 8]).unwrap(), 10, 10, |_| true);
    assert_eq!(found.candidates.iter().map(|candidate| candidate.slot).collect::<Vec<_>>(), [slot]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Between portions others insert, delete and search; the graph is whole all the while.
    #[test]
    fn deleted_nodes_are_reclaimed_in_portions_of_any_size_while_others_go_on(
        count in 2_u64..400,
        kept in 0_u64..10,
        portions in proptest::collection::vec(1_usize..40, 1..20),
        busy in 0_u64..4,
        code in prop::sample::select(vec![Code::Eight, Code::Bits]),
    ) {
        let metric = if code == Code::Bits { Metric::Hamming } else { Metric::L2 };
        let options = GraphOptions { code, m: 4, ef_construction: 20, ..GraphOptions::new(metric, 16) };
        let vectors = Vectors::clusters(metric, 2_000, 16, 7, 0.5, count);
        let mut graph = Graph::new(options).unwrap();
        let mut next = 0;
        let mut insert = |graph: &mut Graph| {
            let insertion = graph.prepare(vectors.at(next % vectors.len())).unwrap();
            next += 1;
            graph.insert(insertion)
        };
        for _ in 0..count {
            insert(&mut graph);
        }
        let dead: Vec<u32> = (0..count as u32).filter(|slot| u64::from(*slot) % 10 >= kept).collect();
        dead.iter().for_each(|slot| assert!(graph.delete(*slot)));
        let live = graph.len();

        let prepared = graph.prepare(vectors.at(0)).unwrap();
        let mut reclaim = graph.begin_reclaim(&dead);
        prop_assert_eq!((reclaim.len(), reclaim.is_empty()), (dead.len(), dead.is_empty()));
        let mut others = Vec::new();
        (0..busy).for_each(|_| others.push(insert(&mut graph)));
        graph.find_sources(&mut reclaim);
        let (mut cleared, mut portion) = (Vec::new(), portions.iter().cycle());
        while let Some(slots) = graph.reclaim_some(&mut reclaim, *portion.next().unwrap()) {
            cleared.extend(slots);
            for _ in 0..busy {
                if others.len() < 500 {
                    others.push(insert(&mut graph));
                }
            }
            if !graph.is_empty() {
                let found = graph.search(&graph.query(vectors.at(3)).unwrap(), 30, 5, |slot| graph.contains(slot));
                prop_assert!(found.candidates.iter().all(|candidate| graph.contains(candidate.slot)));
                graph.check().unwrap();
            }
        }
        others.push(graph.insert(prepared));
        graph.repair();
        graph.check().unwrap();
        prop_assert_eq!(&cleared, &dead, "each is told of once");
        prop_assert_eq!((graph.len(), graph.tombstones()), (live + others.len(), 0));
        prop_assert_eq!(graph.unreachable(), [] as [u32; 0]);
        let all = graph.slots();
        let found = graph.search(&graph.query(vectors.at(5)).unwrap(), 2 * all, 2 * all, |_| true);
        prop_assert_eq!(found.candidates.len(), graph.len(), "all can be found");
        prop_assert_eq!(graph.reclaim_some(&mut reclaim, 9), None);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    Delete(u8),
    Reclaim,
    Search(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<u64>().prop_map(Step::Insert),
        2 => any::<u8>().prop_map(Step::Delete),
        1 => Just(Step::Reclaim),
        1 => any::<u64>().prop_map(Step::Search),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// With as many candidates as nodes a search of a connected graph is exact, up to the precision of the rerank.
    #[test]
    fn any_sequence_of_changes_keeps_the_graph_whole_and_searches_exact(
        (metric, code) in prop::sample::select(vec![
            (Metric::L2, Code::Eight), (Metric::L2, Code::Four), (Metric::Cosine, Code::Eight),
            (Metric::Cosine, Code::Four), (Metric::Dot, Code::Eight), (Metric::Dot, Code::Four),
            (Metric::Hamming, Code::Bits),
        ]),
        bytes in prop_oneof![4 => 1usize..40, 1 => 100usize..=512],
        off in 0usize..8,
        exponent in -14i32..17,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let dimension = if metric.is_binary() { bytes * 8 } else { (bytes * 8 - off).min(4096) };
        let options = GraphOptions { code, m: 4, ef_construction: 20, ..GraphOptions::new(metric, dimension) };
        let mut graph = Graph::new(options).unwrap();
        let mut exact: ExactIndex<u32> = ExactIndex::new(metric, dimension).unwrap();
        let mut stored: BTreeMap<u32, Vectors> = BTreeMap::new();
        let mut deleted = Vec::new();
        let vector = |seed: u64| {
            let mut vectors = Vectors::clusters(metric, 1, dimension, 1, 1.0, seed);
            let scale = 10f32.powi(exponent);
            vectors.numbers.iter_mut().for_each(|number| *number *= scale);
            vectors
        };
        for step in steps {
            match step {
                Step::Insert(seed) => {
                    let vector = vector(seed);
                    let Ok(insertion) = graph.prepare(vector.at(0)) else {
                        prop_assert!(crate::validate(metric, dimension, vector.at(0)).is_err());
                        continue;
                    };
                    let slot = graph.insert(insertion);
                    exact.insert(slot, vector.at(0)).unwrap();
                    stored.insert(slot, vector);
                }
                Step::Delete(at) if !stored.is_empty() => {
                    let slot = *stored.keys().nth(usize::from(at) % stored.len()).unwrap();
                    prop_assert!(graph.delete(slot));
                    exact.remove(&slot);
                    stored.remove(&slot);
                    deleted.push(slot);
                }
                Step::Delete(_) => {}
                Step::Reclaim => {
                    let count = deleted.len();
                    prop_assert_eq!(graph.reclaim(&deleted), count);
                    deleted.clear();
                }
                Step::Search(seed) => {
                    let vector = vector(seed);
                    let Ok(query) = Query::new(metric, vector.at(0)) else { continue };
                    graph.repair();
                    let k = 5.min(stored.len());
                    let prepared = graph.query(vector.at(0)).unwrap();
                    let mut found = graph.search(&prepared, 200, 200, |slot| graph.contains(slot));
                    prop_assert_eq!(found.candidates.len(), stored.len());
                    found.rerank(k, |slot| query.distance(stored.get(&slot)?.at(0)).ok());
                    let hits = exact.search(&query, k, |_| true).unwrap();
                    let found: Vec<_> = found.candidates.iter().map(|near| (near.slot, near.distance)).collect();
                    let expected: Vec<_> = hits.iter().map(|hit| (hit.key, hit.distance)).collect();
                    prop_assert_eq!(found, expected);
                }
            }
            prop_assert_eq!(graph.len(), stored.len());
            graph.check().unwrap();
        }
    }
}
