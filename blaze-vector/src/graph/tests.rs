//! Graphs against the exact index, over all metrics and codes.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use blaze_core::ErrorKind;
use proptest::prelude::*;

use super::{BlockKind, Graph, GraphOptions, GraphReader, VectorBuffer, VectorSource, mix};
use crate::code::Code;
use crate::{ExactIndex, Metric, Query, VectorRef};

/// Vectors from a seed: clusters of numbers, or of bits.
struct Vectors {
    dimension: usize,
    numbers: Vec<f32>,
    bits: Vec<u8>,
}

fn normal(seed: u64) -> f32 {
    let uniform = |salt: u64| (mix(seed ^ mix(salt)) >> 40) as f32 / (1u64 << 24) as f32;
    (0..6).map(|salt| uniform(salt) - 0.5).sum::<f32>() * 1.414
}

impl Vectors {
    fn clusters(metric: Metric, count: usize, dimension: usize, clusters: usize, spread: f32, seed: u64) -> Vectors {
        let mut vectors = Vectors { dimension, numbers: Vec::new(), bits: Vec::new() };
        for i in 0..count {
            let cluster = mix(seed ^ i as u64) % clusters as u64;
            let component = |j: usize| {
                let centre = normal(seed ^ mix((cluster << 32) | j as u64));
                centre + spread * normal(seed ^ mix(mix(i as u64 + 7) ^ j as u64))
            };
            if metric.is_binary() {
                let byte =
                    |at: usize| (0..8).fold(0, |byte, bit| byte | u8::from(component(at * 8 + bit) > 0.0) << bit);
                vectors.bits.extend((0..dimension / 8).map(byte));
            } else {
                vectors.numbers.extend((0..dimension).map(component));
            }
        }
        vectors
    }

    /// Takes the last vectors away.
    fn split_last(&mut self, count: usize) -> Vectors {
        let left = self.len() - count;
        let (numbers, bits) = (left * self.dimension, left * self.dimension / 8);
        Vectors {
            dimension: self.dimension,
            numbers: self.numbers.split_off(numbers.min(self.numbers.len())),
            bits: self.bits.split_off(bits.min(self.bits.len())),
        }
    }

    fn at(&self, index: usize) -> VectorRef<'_> {
        if self.bits.is_empty() {
            VectorRef::F32(&self.numbers[index * self.dimension..][..self.dimension])
        } else {
            VectorRef::Bits(&self.bits[index * self.dimension / 8..][..self.dimension / 8])
        }
    }
}

impl VectorSource for Vectors {
    fn len(&self) -> usize {
        (self.numbers.len() + self.bits.len() * 8) / self.dimension
    }

    fn vector<'a>(&'a self, index: usize, _: &'a mut VectorBuffer) -> blaze_core::Result<VectorRef<'a>> {
        Ok(self.at(index))
    }
}

fn build(options: GraphOptions, vectors: &Vectors, threads: usize) -> Graph {
    Graph::build(options, vectors, threads, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn a_node_that_is_left_out_is_searched_for_as_if_it_had_never_been_there() {
    for (metric, code) in [(Metric::L2, Code::Eight), (Metric::Cosine, Code::Four), (Metric::Hamming, Code::Bits)] {
        let options = GraphOptions { code, m: 6, ef_construction: 30, ..GraphOptions::new(metric, 32) };
        let mut vectors = Vectors::clusters(metric, 4_400, 32, 40, 0.5, 21);
        let strangers = vectors.split_last(400);
        let graph = build(options, &vectors, 2);
        let found = |query: VectorRef<'_>, own: Option<usize>| {
            let exact = Query::new(metric, query).unwrap();
            let mut all: Vec<f32> = (0..vectors.len())
                .filter(|other| Some(*other) != own)
                .map(|other| exact.distance(vectors.at(other)).unwrap())
                .collect();
            all.sort_by(f32::total_cmp);
            let query = graph.query(query).unwrap();
            let query = own.map_or(query.clone(), |own| query.without(own as u32));
            let found = graph.search(&query, 24, 24, |_| true);
            assert!(found.candidates.iter().all(|candidate| Some(candidate.slot as usize) != own));
            let near = |slot: u32| exact.distance(vectors.at(slot as usize)).unwrap() <= all[9];
            found.candidates.iter().filter(|candidate| near(candidate.slot)).count().min(10) as f64 / 10.0
        };
        let left_out = (0..400).map(|n| found(vectors.at(n * 10), Some(n * 10))).sum::<f64>() / 400.0;
        let never_there = (0..400).map(|n| found(strangers.at(n), None)).sum::<f64>() / 400.0;
        let difference = left_out - never_there;
        assert!((-0.08..=0.04).contains(&difference), "{metric}: {left_out} left out, {never_there} never there");
    }
}

/// The part of the ten nearest vectors, of those with a slot, that searches find.
fn recall(graph: &Graph, vectors: &Vectors, slots: &BTreeMap<u32, usize>, queries: &Vectors, ef: usize) -> f64 {
    let options = graph.options();
    let mut exact = ExactIndex::new(options.metric, options.dimension).unwrap();
    for (&slot, &index) in slots {
        exact.insert(slot, vectors.at(index)).unwrap();
    }
    let mut found_all = 0;
    for i in 0..queries.len() {
        let query = Query::new(options.metric, queries.at(i)).unwrap();
        let hits = exact.search(&query, 10, |_| true).unwrap();
        let mut found = graph.search(&graph.query(queries.at(i)).unwrap(), ef, 20, |slot| graph.contains(slot));
        found.rerank(10, |slot| query.distance(vectors.at(*slots.get(&slot)?)).ok());
        // Of equal distances any will do.
        let farthest = hits.last().unwrap().distance;
        found_all += found.candidates.iter().filter(|candidate| candidate.distance <= farthest).count();
    }
    found_all as f64 / (queries.len() * 10) as f64
}

fn every_slot(graph: &Graph) -> BTreeMap<u32, usize> {
    (0..graph.slots() as u32).map(|slot| (slot, slot as usize)).collect()
}

/// How many of the live vectors are not at distance nothing from their own search.
fn lost(graph: &Graph, vectors: &Vectors, slots: &BTreeMap<u32, usize>) -> usize {
    let metric = graph.options().metric;
    let mut lost = 0;
    for &index in slots.values() {
        let query = Query::new(metric, vectors.at(index)).unwrap();
        let mut found = graph.search(&graph.query(vectors.at(index)).unwrap(), 32, 10, |slot| graph.contains(slot));
        found.rerank(1, |slot| query.distance(vectors.at(*slots.get(&slot)?)).ok());
        let own = query.distance(vectors.at(index)).unwrap();
        lost += usize::from(found.candidates.first().is_none_or(|nearest| nearest.distance > own));
    }
    lost
}

fn all_codes() -> Vec<GraphOptions> {
    let mut all = Vec::new();
    for metric in Metric::ALL {
        let options = GraphOptions::new(metric, 48);
        if metric.is_binary() {
            all.push(GraphOptions { dimension: 256, ..options });
        } else {
            all.push(GraphOptions { code: Code::Four, ..options.clone() });
            all.push(options);
        }
    }
    all
}

#[test]
fn a_built_graph_finds_what_exact_search_finds() {
    for options in all_codes() {
        let mut vectors = Vectors::clusters(options.metric, 3100, options.dimension, 30, 0.6, 1);
        let queries = vectors.split_last(100);
        let graph = build(options.clone(), &vectors, 2);
        graph.check().unwrap();
        assert_eq!(graph.unreachable(), [] as [u32; 0]);
        let recall = recall(&graph, &vectors, &every_slot(&graph), &queries, 100);
        // Four bits put some of the nearest behind the twentieth, where no full precision finds them.
        let least = if options.code == Code::Four { 0.95 } else { 0.97 };
        assert!(recall >= least, "recall is {recall} with {options:?}");
    }
}

#[test]
fn the_graph_is_the_same_at_any_number_of_threads() {
    let vectors = Vectors::clusters(Metric::L2, 2000, 20, 10, 0.5, 3);
    let one = build(GraphOptions::new(Metric::L2, 20), &vectors, 1);
    for threads in [2, 3] {
        let other = build(GraphOptions::new(Metric::L2, 20), &vectors, threads);
        assert_eq!(one.entry, other.entry);
        assert_eq!(one.layers.len(), other.layers.len());
        for (level, (a, b)) in one.layers.iter().zip(&other.layers).enumerate() {
            assert_eq!((&a.slots, &a.below), (&b.slots, &b.below), "{threads} threads, level {level}");
            for node in 0..a.nodes() {
                assert!(
                    a.links(node as u32).eq(b.links(node as u32)),
                    "node {node} of level {level} with {threads} threads"
                );
            }
        }
        for slot in 0..one.slots() {
            assert_eq!(one.codes.high.row(slot), other.codes.high.row(slot), "slot {slot}, {threads} threads");
            assert_eq!(one.codes.low.row(slot), other.codes.low.row(slot), "slot {slot}, {threads} threads");
        }
    }
}

/// The first thing in which two graphs differ.
fn difference(one: &Graph, other: &Graph) -> Option<String> {
    let blocks = |graph: &Graph| {
        let mut blocks = vec![("head".to_owned(), Vec::new())];
        graph.write_head(&mut blocks[0].1);
        for kind in BlockKind::ALL {
            for number in graph.block_numbers(kind) {
                let mut bytes = Vec::new();
                graph.write_block(kind, number, &mut bytes);
                blocks.push((format!("{kind:?} {number}"), bytes));
            }
        }
        blocks
    };
    let (one, other) = (blocks(one), blocks(other));
    if one.len() != other.len() {
        return Some(format!("{} blocks and {}", one.len(), other.len()));
    }
    one.into_iter().zip(other).find(|(a, b)| a != b).map(|(a, _)| a.0)
}

/// A graph as it is read from its blocks.
pub(super) fn read_again(graph: &Graph) -> Graph {
    let mut head = Vec::new();
    graph.write_head(&mut head);
    let mut reader = GraphReader::new(graph.options().clone(), &head).unwrap();
    for kind in BlockKind::ALL {
        for number in graph.block_numbers(kind) {
            let mut bytes = Vec::new();
            graph.write_block(kind, number, &mut bytes);
            reader.read_block(kind, number, &bytes).unwrap();
        }
    }
    reader.finish()
}

#[test]
fn a_build_that_is_interrupted_after_every_step_gives_the_same_graph() {
    let vectors = Vectors::clusters(Metric::Cosine, 2500, 20, 10, 0.5, 3);
    let options = GraphOptions::new(Metric::Cosine, 20);
    let whole = build(options.clone(), &vectors, 2);
    for (threads, every) in [(1, 1), (3, 500)] {
        let mut graph = Graph::begin(options.clone(), &vectors).unwrap();
        let mut unlinked = graph.give_slots(vectors.len()).unwrap();
        let (mut steps, mut next) = (0, every);
        let mut progress = |done: usize| {
            if done < next {
                return ControlFlow::Continue(());
            }
            next = done + every;
            ControlFlow::Break(())
        };
        while graph.extend(&mut unlinked, &vectors, threads, &mut progress).unwrap().is_break() {
            steps += 1;
            graph.check().unwrap();
            assert_eq!(graph.len() + unlinked.len(), vectors.len());
        }
        assert!(steps >= 3, "{steps} steps of {every}");
        assert_eq!(difference(&whole, &graph), None, "{threads} threads, steps of {every}");
    }
}

/// Vectors in other slots than their own numbers.
struct Placed<'a> {
    vectors: &'a Vectors,
    of_slots: &'a BTreeMap<u32, usize>,
}

impl VectorSource for Placed<'_> {
    fn len(&self) -> usize {
        self.vectors.len()
    }

    fn vector<'a>(&'a self, slot: usize, _: &'a mut VectorBuffer) -> blaze_core::Result<VectorRef<'a>> {
        Ok(self.vectors.at(self.of_slots[&(slot as u32)]))
    }
}

#[test]
fn a_graph_that_was_kept_half_built_is_built_to_the_end_and_finds_as_much() {
    for options in all_codes() {
        let mut vectors = Vectors::clusters(options.metric, 3100, options.dimension, 30, 0.6, 1);
        let queries = vectors.split_last(100);
        let whole = build(options.clone(), &vectors, 2);
        for kept in [1, 400, 2000, 2999] {
            let mut graph = Graph::begin(options.clone(), &vectors).unwrap();
            let mut unlinked = graph.give_slots(vectors.len()).unwrap();
            let stop = &mut |done| if done < kept { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            assert!(graph.extend(&mut unlinked, &vectors, 2, stop).unwrap().is_break());
            let mut graph = read_again(&graph);
            graph.check().unwrap();
            // Some that are there are changed meanwhile, and some are gone.
            let there: Vec<u32> = (0..graph.slots() as u32).filter(|slot| graph.contains(*slot)).collect();
            let mut slots: BTreeMap<u32, usize> = there.iter().map(|slot| (*slot, *slot as usize)).collect();
            there.iter().step_by(10).for_each(|slot| assert!(graph.delete(*slot) && slots.remove(slot).is_some()));
            let missing: Vec<usize> =
                (0..vectors.len()).filter(|n| !slots.contains_key(&(*n as u32))).filter(|n| n % 50 != 0).collect();
            let mut unlinked = graph.give_slots(missing.len()).unwrap();
            assert_eq!((unlinked.len(), unlinked.given()), (missing.len(), missing.len()));
            slots.extend(unlinked.slots().zip(missing));
            let source = Placed { vectors: &vectors, of_slots: &slots };
            let done = graph.extend(&mut unlinked, &source, 2, &mut |_| ControlFlow::Continue(())).unwrap();
            assert!(done.is_continue() && unlinked.is_empty());
            graph.check().unwrap();
            assert_eq!(graph.unreachable(), [] as [u32; 0]);
            assert_eq!(graph.len(), slots.len());
            let found = recall(&graph, &vectors, &slots, &queries, 60);
            let at_once = recall(&whole, &vectors, &every_slot(&whole), &queries, 60);
            assert!(found >= at_once - 0.01, "recall {found} after {kept} were kept, {at_once} at once, {options:?}");
        }
    }
}

/// A graph as it is read if the flush of `later` ended before the links that `is_written` denies.
fn read_torn(earlier: &Graph, later: &Graph, is_written: impl Fn(u32) -> bool) -> Graph {
    let mut head = Vec::new();
    earlier.write_head(&mut head);
    let mut reader = GraphReader::new(earlier.options().clone(), &head).unwrap();
    for kind in BlockKind::ALL {
        for number in later.block_numbers(kind) {
            let graph = if kind == BlockKind::Links && !is_written(number) { earlier } else { later };
            let mut bytes = Vec::new();
            graph.write_block(kind, number, &mut bytes);
            if !bytes.is_empty() {
                reader.read_block(kind, number, &bytes).unwrap();
            }
        }
    }
    reader.finish()
}

fn without_links(graph: &Graph) -> Vec<u32> {
    let all = (0..graph.slots() as u32).filter(|slot| graph.state[*slot as usize] != super::State::Free);
    all.filter(|slot| graph.layers[0].links(*slot).next().is_none()).collect()
}

#[test]
fn a_graph_whose_links_were_not_all_kept_is_built_to_the_end_and_finds_as_much() {
    for options in all_codes().into_iter().step_by(2) {
        let mut vectors = Vectors::clusters(options.metric, 3100, options.dimension, 30, 0.6, 1);
        let queries = vectors.split_last(100);
        let whole = build(options.clone(), &vectors, 2);
        let kept = |count: usize| {
            let mut graph = Graph::begin(options.clone(), &vectors).unwrap();
            let mut unlinked = graph.give_slots(vectors.len()).unwrap();
            let stop = &mut |done| if done < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            assert!(graph.extend(&mut unlinked, &vectors, 2, stop).unwrap().is_break());
            graph
        };
        let (earlier, later) = (kept(500), kept(2000));
        for every in [1, 3] {
            let mut graph = read_torn(&earlier, &later, |number| every > 1 && number % every == 0);
            graph.check().unwrap();
            assert_eq!((without_links(&graph).len(), graph.unreachable().len()), (0, 0), "{options:?}");
            assert!((earlier.len()..later.len()).contains(&graph.len()), "{} nodes", graph.len());
            let there = |slot: &u32| graph.contains(*slot);
            let missing: Vec<usize> = (0..vectors.len()).filter(|n| !there(&(*n as u32))).collect();
            let mut slots: BTreeMap<u32, usize> =
                (0..graph.slots() as u32).filter(there).map(|slot| (slot, slot as usize)).collect();
            let mut unlinked = graph.give_slots(missing.len()).unwrap();
            slots.extend(unlinked.slots().zip(missing));
            let source = Placed { vectors: &vectors, of_slots: &slots };
            let done = graph.extend(&mut unlinked, &source, 2, &mut |_| ControlFlow::Continue(())).unwrap();
            assert!(done.is_continue() && unlinked.is_empty());
            graph.check().unwrap();
            assert_eq!((without_links(&graph).len(), graph.unreachable().len()), (0, 0), "{options:?}");
            assert_eq!(graph.len(), vectors.len());
            let found = recall(&graph, &vectors, &slots, &queries, 60);
            let at_once = recall(&whole, &vectors, &every_slot(&whole), &queries, 60);
            assert!(found >= at_once - 0.01, "recall {found} of a torn graph, {at_once} at once, {options:?}");
        }
    }
}

#[test]
fn a_node_that_was_alone_stays_when_the_links_of_later_ones_were_not_kept() {
    let vectors = Vectors::clusters(Metric::L2, 900, 8, 5, 0.5, 13);
    let one_left = || {
        let part = Vectors { dimension: 8, numbers: vectors.numbers[..400 * 8].to_vec(), bits: Vec::new() };
        let mut graph = build(GraphOptions::new(Metric::L2, 8), &part, 1);
        let others: Vec<u32> = (0..400).filter(|slot| *slot != 7).collect();
        others.iter().for_each(|slot| assert!(graph.delete(*slot)));
        assert_eq!(graph.reclaim(&others), 399);
        graph
    };
    let (earlier, mut later) = (one_left(), one_left());
    assert_eq!(without_links(&read_again(&earlier)), [7], "there is nothing to link it to");
    for n in 400..900 {
        later.insert(later.prepare(vectors.at(n)).unwrap());
    }
    let graph = read_torn(&earlier, &later, |_| false);
    graph.check().unwrap();
    assert!(graph.contains(7));
    assert_eq!((without_links(&graph).len(), graph.unreachable().len()), (0, 0));
    let found = graph.search(&graph.query(vectors.at(7)).unwrap(), 50, 1, |_| true);
    assert_eq!(found.candidates[0].slot, 7);
}

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
    let sorted = |unlinked: &super::Unlinked| {
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
fn a_build_can_be_stopped_and_names_the_vector_that_it_cannot_take() {
    let mut vectors = Vectors::clusters(Metric::L2, 500, 8, 3, 0.5, 3);
    let stop = &mut |done: usize| if done < 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let error = Graph::build(GraphOptions::new(Metric::L2, 8), &vectors, 1, stop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    vectors.numbers[77 * 8 + 3] = f32::NAN;
    let error = Graph::build(GraphOptions::new(Metric::L2, 8), &vectors, 2, &mut |_| ControlFlow::Continue(()));
    assert_eq!(error.unwrap_err().to_string(), "vector 77: component 3 of the vector is NaN");
}

#[test]
fn options_that_cannot_work_are_named() {
    let message = |options: GraphOptions| Graph::new(options).unwrap_err().to_string();
    let options = GraphOptions::new(Metric::L2, 8);
    assert_eq!(message(GraphOptions { m: 1, ..options.clone() }), "m is 1, not 2 to 128");
    let few = GraphOptions { ef_construction: 15, ..options.clone() };
    assert_eq!(message(few), "ef_construction is 15, not 16 (m) to 4096");
    let bits = GraphOptions { code: Code::Bits, ..options.clone() };
    assert_eq!(message(bits), "code bits does not go with metric l2");
    let graph = Graph::new(options).unwrap();
    assert_eq!(
        graph.query(&[1.0; 7]).unwrap_err().to_string(),
        "in the query: vector has 7 components, the index has 8"
    );
    assert_eq!(graph.prepare(&[f32::NAN; 8]).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(graph.search(&graph.query(&[1.0; 8]).unwrap(), 10, 10, |_| true).candidates.is_empty());
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
fn equal_and_nearly_equal_vectors_all_find_themselves() {
    for (copies, noise) in [(600, 0.0), (30, 0.0), (100, 1e-6), (100, 1e-3)] {
        let mut vectors = Vectors::clusters(Metric::L2, 1200, 16, 1, 1.0, 9);
        for i in 0..vectors.len() {
            for j in 0..16 {
                let original = vectors.numbers[i / copies * copies * 16 + j];
                vectors.numbers[i * 16 + j] = original + noise * normal((i * 16 + j) as u64);
            }
        }
        let mut graph = Graph::new(GraphOptions::new(Metric::L2, 16)).unwrap();
        for i in 0..vectors.len() {
            let insertion = graph.prepare(vectors.at(i)).unwrap();
            graph.insert(insertion);
        }
        graph.check().unwrap();
        graph.repair();
        for graph in [graph, build(GraphOptions::new(Metric::L2, 16), &vectors, 2)] {
            graph.check().unwrap();
            assert_eq!(graph.unreachable(), [] as [u32; 0], "{copies} copies with noise {noise}");
            let groups = vectors.len() / copies;
            let mut missed = 0;
            for group in 0..groups {
                let query = graph.query(vectors.at(group * copies)).unwrap();
                let found = graph.search(&query, 64, 10, |_| true);
                let is_near = found.candidates.iter().all(|near| near.slot as usize / copies == group);
                missed += usize::from(!is_near || found.candidates.len() < 10);
            }
            assert_eq!(missed, 0, "of {groups} groups of {copies} copies with noise {noise}");
        }
    }
}

#[test]
fn a_search_keeps_looking_until_enough_are_accepted() {
    let vectors = Vectors::clusters(Metric::L2, 2000, 16, 5, 0.5, 11);
    let graph = build(GraphOptions::new(Metric::L2, 16), &vectors, 2);
    for part in [2, 5] {
        let found = graph.search(&graph.query(vectors.at(0)).unwrap(), 50, 10, |slot| slot % part == 0);
        assert_eq!(found.candidates.len(), 10, "one in {part}");
        assert!(found.candidates.iter().all(|candidate| candidate.slot % part == 0));
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
