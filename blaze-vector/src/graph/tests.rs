//! Graphs against the exact index, over all metrics and codes; in files of their own, those that change and those that are kept.

mod changed;
mod kept;

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

fn without_links(graph: &Graph) -> Vec<u32> {
    let all = (0..graph.slots() as u32).filter(|slot| graph.state[*slot as usize] != super::State::Free);
    all.filter(|slot| graph.layers[0].links(*slot).next().is_none()).collect()
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
