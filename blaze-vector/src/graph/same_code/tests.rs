use std::collections::BTreeMap;
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;
use crate::code::Code;
use crate::graph::build::{VectorBuffer, VectorSource};
use crate::graph::tests::read_again;
use crate::graph::{Graph, GraphOptions};
use crate::metric::Metric;
use crate::vector::VectorRef;

const DIMENSION: usize = 3;

fn numbers(kind: u8) -> [f32; DIMENSION] {
    [f32::from(kind), 1.0, f32::from(kind % 3)]
}

proptest! {
    #[test]
    fn of_each_code_the_eight_lowest_nodes_are_listed_until_they_go(
        steps in proptest::collection::vec((any::<bool>(), 0_u32..40, 0_u8..30), 0..200),
    ) {
        let mut codes = Codes::new(Code::Eight, DIMENSION);
        codes.grow(40);
        let mut same = SameCode::new();
        let mut kinds: Vec<Option<u8>> = vec![None; 40];
        let mut listed: Vec<u32> = Vec::new();
        for (inserts, node, kind) in steps {
            match (inserts, kinds[node as usize]) {
                (true, None) => {
                    codes.set(node, &codes.encode(&numbers(kind)));
                    same.insert(&codes, node);
                    kinds[node as usize] = Some(kind);
                    listed.push(node);
                    let copies = || listed.iter().filter(|other| kinds[**other as usize] == Some(kind));
                    if copies().count() > COPIES_MAX {
                        let highest = copies().max().copied();
                        listed.retain(|other| Some(*other) != highest);
                    }
                }
                (false, Some(kind)) => {
                    let listed_before = listed.iter().filter(|other| kinds[**other as usize] == Some(kind)).count();
                    let were_many = listed.contains(&node) && listed_before > COPIES_MAX / 2;
                    prop_assert_eq!(same.remove(&codes, node), were_many, "node {}", node);
                    kinds[node as usize] = None;
                    listed.retain(|other| *other != node);
                }
                _ => {}
            }
            prop_assert_eq!(same.misplaced(&codes, |node| listed.contains(&node)), None);
            for node in 0..40 {
                prop_assert_eq!(same.lists(&codes, node), listed.contains(&node), "node {}", node);
            }
        }
        // And so they are when they are listed all at once, in this order.
        let again = SameCode::of(&codes, listed.iter().copied());
        prop_assert_eq!(again.misplaced(&codes, |node| listed.contains(&node)), None);
        for &node in &listed {
            let key = codes.encode_coarsely(&numbers(kinds[node as usize].unwrap()));
            prop_assert_eq!(again.find(&codes, key.key(), |other| other == node), Some(node));
        }
    }
}

#[test]
fn bits_are_their_own_code() {
    let mut codes = Codes::new(Code::Bits, 16);
    codes.grow(3);
    let mut same = SameCode::new();
    for (node, bits) in (0..).zip([[1, 2], [2, 1], [0, 0]]) {
        codes.set(node, &Codes::encode_bits(&bits));
        same.insert(&codes, node);
    }
    let find = |bits: [u8; 2]| same.find(&codes, Codes::encode_bits(&bits).key(), |_| true);
    assert_eq!((find([2, 1]), find([0, 0]), find([1, 1])), (Some(1), Some(2), None));
}

const NODES: u32 = 1_000;
const WIDE: usize = 24;

/// Heaps that are small beside the distances between them: codes tell little within one.
fn in_heaps(node: u32) -> ([f32; WIDE], [u8; WIDE / 8]) {
    let chance = |of: u64| (mix(of) >> 40) as f32 / (1u64 << 24) as f32;
    let heap = u64::from(node % 50);
    let number =
        |i: usize| 100.0 * chance(heap << 32 | i as u64) + 0.01 * chance(u64::from(node) << 40 | i as u64 | 1 << 31);
    (std::array::from_fn(number), [node as u8, (node >> 8) as u8, mix(heap) as u8])
}

fn vector_of(metric: Metric, (numbers, bits): &([f32; WIDE], [u8; WIDE / 8])) -> VectorRef<'_> {
    if metric.is_binary() { VectorRef::Bits(bits) } else { VectorRef::F32(numbers) }
}

#[test]
fn every_vector_finds_itself_in_the_narrowest_search_after_changes_and_when_it_is_read_again() {
    for (metric, code) in [
        (Metric::L2, Code::Eight),
        (Metric::Cosine, Code::Eight),
        (Metric::L2, Code::Four),
        (Metric::Hamming, Code::Bits),
    ] {
        let options = GraphOptions { m: 4, ef_construction: 8, code, ..GraphOptions::new(metric, WIDE) };
        let mut graph = Graph::new(options).unwrap();
        let mut nodes = BTreeMap::new();
        let insert = |graph: &mut Graph, nodes: &mut BTreeMap<u32, u32>, node| {
            let slot = graph.prepare(vector_of(metric, &in_heaps(node))).map(|insertion| graph.insert(insertion));
            nodes.insert(slot.unwrap(), node);
        };
        (0..NODES).for_each(|node| insert(&mut graph, &mut nodes, node));
        let gone: Vec<u32> = nodes.keys().copied().filter(|slot| mix(u64::from(*slot)).is_multiple_of(2)).collect();
        let again: Vec<u32> = gone.iter().filter_map(|slot| nodes.remove(slot)).collect();
        gone.iter().for_each(|slot| assert!(graph.delete(*slot)));
        let all_themselves = |graph: &Graph, nodes: &BTreeMap<u32, u32>, when: &str| {
            for (&slot, &node) in nodes {
                let query = graph.query(vector_of(metric, &in_heaps(node))).unwrap();
                let found = graph.search(&query, 1, 1, |slot| graph.contains(slot));
                let first = found.candidates.first().map(|candidate| candidate.slot);
                assert_eq!(first, Some(slot), "{metric}, {code}: vector {node} looks for itself {when}");
                let others = graph.search(&query.without(slot), 2, 1, |slot| graph.contains(slot));
                assert!(others.candidates.iter().all(|candidate| candidate.slot != slot), "it was left out");
            }
        };
        all_themselves(&graph, &nodes, "beside deleted ones");
        graph.reclaim(&gone);
        again.into_iter().for_each(|node| insert(&mut graph, &mut nodes, node));
        all_themselves(&graph, &nodes, "after changes");
        graph.check().unwrap();
        let read = read_again(&graph);
        read.check().unwrap();
        all_themselves(&read, &nodes, "in a graph that was read");
    }
}

#[test]
fn of_two_copies_that_one_is_found_which_passes() {
    let mut graph =
        Graph::new(GraphOptions { m: 4, ef_construction: 8, ..GraphOptions::new(Metric::L2, WIDE) }).unwrap();
    for node in (0..NODES).chain([3]) {
        let insertion = graph.prepare(&in_heaps(node).0).unwrap();
        graph.insert(insertion);
    }
    let query = graph.query(&in_heaps(3).0).unwrap();
    let first = |found: crate::graph::Found| found.candidates.first().map(|candidate| candidate.slot);
    assert_eq!(first(graph.search(&query, 1, 1, |_| true)), Some(3));
    assert_eq!(first(graph.search(&query, 1, 1, |slot| slot % 50 != 3 || slot == NODES)), Some(NODES));
    let among = (0..=NODES).filter(|slot| *slot != 3).collect();
    assert_eq!(first(graph.search_among(&query, 1, 1, &among)), Some(NODES));
}

#[test]
fn copies_that_were_not_listed_take_the_places_of_those_that_go() {
    let mut graph =
        Graph::new(GraphOptions { m: 4, ef_construction: 8, ..GraphOptions::new(Metric::L2, WIDE) }).unwrap();
    let mut copies = Vec::new();
    for node in 0..NODES {
        let insertion = graph.prepare(&in_heaps(node).0).unwrap();
        graph.insert(insertion);
        if node % 25 == 0 {
            let insertion = graph.prepare(&in_heaps(3).0).unwrap();
            copies.push(graph.insert(insertion));
        }
    }
    let query = graph.query(&in_heaps(3).0).unwrap();
    let mut gone = Vec::new();
    while let Some(copy) = (copies.len() > 1).then(|| copies.remove(0)) {
        assert!(graph.delete(copy));
        gone.push(copy);
        let same = graph.same(&query, |slot| copies.contains(&slot));
        assert!(same.is_some(), "none of {} copies is listed", copies.len());
        if gone.len() == 15 {
            graph.reclaim(&std::mem::take(&mut gone));
        }
        graph.check().unwrap();
    }
}

#[test]
fn every_vector_of_a_graph_that_was_built_at_once_or_in_steps_finds_itself() {
    struct Heaps;
    impl VectorSource for Heaps {
        fn len(&self) -> usize {
            NODES as usize
        }
        fn vector<'a>(&'a self, index: usize, buffer: &'a mut VectorBuffer) -> blaze_core::Result<VectorRef<'a>> {
            buffer.numbers = in_heaps(index as u32).0.to_vec();
            Ok(VectorRef::F32(&buffer.numbers))
        }
    }
    for step in [100, NODES as usize] {
        let options = GraphOptions { m: 4, ef_construction: 8, ..GraphOptions::new(Metric::L2, WIDE) };
        let mut graph = Graph::begin(options, &Heaps).unwrap();
        let mut unlinked = graph.give_slots(NODES as usize).unwrap();
        let mut until = step;
        while !unlinked.is_empty() {
            let mut progress = |done| if done < until { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            let _ = graph.extend(&mut unlinked, &Heaps, 2, &mut progress).unwrap();
            until += step;
            let left: Vec<u32> = unlinked.slots().collect();
            for slot in (0..NODES).filter(|slot| !left.contains(slot)) {
                let query = graph.query(&in_heaps(slot).0).unwrap();
                assert_eq!(graph.search(&query, 1, 1, |_| true).candidates[0].slot, slot, "steps of {step}");
            }
        }
    }
}

#[test]
fn codes_that_differ_anywhere_have_other_hashes_whatever_their_length() {
    let hash_of = |high: &[u8], offset, scale| hash(1, CodeKey { offset, scale, high });
    for length in [1, 8, 31, 32, 64, 100, 448] {
        // Words that repeat and words that do not.
        for period in [1_usize, 8, 16, 251] {
            let high: Vec<u8> = (0..length).map(|place| (place % period) as u8).collect();
            let mut hashes =
                vec![hash_of(&high, 3, 4), hash_of(&high, 4, 3), hash_of(&high, 3, 5), hash_of(&high, 7, 4)];
            for place in 0..length {
                let mut other = high.clone();
                other[place] ^= 64;
                hashes.push(hash_of(&other, 3, 4));
                // The same change in the next word as well, which is another lane.
                if let Some(byte) = other.get_mut(place + 8) {
                    *byte ^= 64;
                    hashes.push(hash_of(&other, 3, 4));
                }
            }
            let count = hashes.len();
            hashes.sort_unstable();
            hashes.dedup();
            assert_eq!(hashes.len(), count, "{length} bytes that repeat after {period}");
        }
    }
}
