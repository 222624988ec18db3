//! Graphs that are kept while they are built or changed, and read again.

use super::*;

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
