//! What the definition leaves to say: limits, what is asked of callers, what is never asked.

use blaze_core::ErrorKind;

use crate::search::{DeltaLeaf, Node, Searcher, TermsRead};
use crate::{Delta, TermKey};

use super::{FIELDS, document, key};

type DeltaSearcher<'a> = Searcher<DeltaLeaf<'a>, DeltaLeaf<'a>>;

fn delta(documents: &[(&str, &str)]) -> Delta {
    let mut delta = Delta::new(FIELDS);
    for (id, text) in documents {
        delta.change(1, id.as_bytes(), None, Some(&document(&[text]))).unwrap();
    }
    delta
}

fn searcher(delta: &Delta) -> DeltaSearcher<'_> {
    Searcher::new(Vec::new(), vec![DeltaLeaf::new(delta.view(1))])
}

fn term(word: &str) -> Node {
    Node::Term { key: key(0, word), boost: 1.0 }
}

fn phrase(words: &str, slop: u32) -> Node {
    let parts = (0..).zip(words.split(' ')).map(|(offset, word)| (offset, vec![word.as_bytes().into()])).collect();
    Node::Phrase { field: 0, parts, beginnings: Vec::new(), slop, boost: 1.0 }
}

fn fuzzy(word: &str, distance: u8) -> Node {
    Node::Fuzzy { field: 0, term: word.into(), distance, prefix_length: 0, boost: 1.0 }
}

fn ids(searcher: &DeltaSearcher<'_>, node: &Node) -> Vec<String> {
    let found = searcher.top(node, 10, None).unwrap();
    found.into_iter().map(|found| String::from_utf8(found.id.into()).unwrap()).collect()
}

#[test]
fn a_phrase_with_slop_is_found_in_other_orders_and_never_takes_one_word_twice() {
    let delta = delta(&[("exact", "very very good"), ("apart", "good x x very"), ("one", "very good")]);
    let searcher = searcher(&delta);
    assert_eq!(ids(&searcher, &phrase("very good", 0)), ["one", "exact"]);
    assert_eq!(ids(&searcher, &phrase("very very good", 3)), ["exact"]);
    assert_eq!(searcher.count(&phrase("very good", 3)).unwrap(), 2);
    assert_eq!(searcher.count(&phrase("very good", 4)).unwrap(), 3);
    let explanation = searcher.explain(&phrase("very good", 1), b"exact").unwrap().unwrap();
    assert!(explanation.terms[0].is_phrase);
    assert_eq!(explanation.terms[0].frequency, 1);
}

#[test]
fn an_exact_word_is_above_its_misspellings_however_rare_these_are() {
    let delta = delta(&[("typo", "dnue"), ("right", "dune"), ("also", "dune"), ("third", "dune"), ("far", "dunerts")]);
    let found = ids(&searcher(&delta), &fuzzy("dune", 1));
    assert_eq!(found, ["right", "also", "third", "typo"]);
}

#[test]
fn accept_is_asked_only_of_what_would_be_among_the_best() {
    let documents: Vec<(String, String)> =
        (0..1_000).map(|number| (format!("{number:04}"), format!("word{}", " other".repeat(number)))).collect();
    let documents: Vec<(&str, &str)> = documents.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let delta = delta(&documents);
    let mut asked = 0;
    let mut accept = |id: &[u8]| {
        asked += 1;
        Ok(id != b"0001")
    };
    let found = searcher(&delta).top(&term("word"), 3, Some(&mut accept)).unwrap();
    assert_eq!(found.iter().map(|found| &*found.id).collect::<Vec<_>>(), [b"0000", b"0002", b"0003"]);
    assert_eq!(asked, 4);
}

#[test]
fn equal_scores_come_in_the_order_of_the_documents() {
    let delta = delta(&[("c", "word"), ("a", "word"), ("b", "word"), ("d", "word")]);
    let found = searcher(&delta).top(&term("word"), 3, None).unwrap();
    assert_eq!(found.iter().map(|found| &*found.id).collect::<Vec<_>>(), [b"c", b"a", b"b"]);
}

#[test]
fn a_prefix_of_too_many_terms_stands_for_those_that_most_documents_have() {
    let words: Vec<String> = (0..1_500).map(|number| format!("w{number:04}")).collect();
    let mut documents: Vec<(String, String)> = vec![("all".into(), words.join(" "))];
    documents.extend(words[700..].iter().map(|word| (format!("only {word}"), word.clone())));
    let documents: Vec<(&str, &str)> = documents.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let delta = delta(&documents);
    let node = Node::Prefix { field: 0, prefix: b"w".as_slice().into(), boost: 1.0 };
    assert_eq!(searcher(&delta).count(&node).unwrap(), 801);
    let explanation = searcher(&delta).explain(&node, b"all").unwrap().unwrap();
    assert_eq!(explanation.terms[0].frequency, 1_024);
    let both = searcher(&delta).explain_all(&node, &[b"nobody".as_slice(), b"all"]).unwrap();
    assert_eq!(both, [None, Some(explanation)]);
}

#[test]
fn a_part_of_a_phrase_that_is_a_beginning_stands_for_all_terms_that_begin_so() {
    let words: Vec<String> = (0..1_500).map(|number| format!("w{number:04}")).collect();
    let words = words.join(" ");
    let delta = delta(&[("all", &words), ("last", "some w9999"), ("apart", "w9998 some"), ("other", "some thing")]);
    let begun = |parts: Vec<(u32, Vec<Box<[u8]>>)>, offset| {
        let beginnings = vec![(offset, b"w".as_slice().into())];
        Node::Phrase { field: 0, parts, beginnings, slop: 0, boost: 1.0 }
    };
    let searcher = searcher(&delta);
    let node = begun(vec![(0, vec![b"some".as_slice().into()])], 1);
    assert_eq!(ids(&searcher, &node), ["last"]);
    assert_eq!(searcher.count(&begun(Vec::new(), 0)).unwrap(), 3);
    for must_not in [Node::Prefix { field: 0, prefix: b"w".as_slice().into(), boost: 1.0 }, begun(Vec::new(), 0)] {
        let (must, must_not) = (vec![term("some")], vec![must_not]);
        let without = Node::Boolean { must, should: Vec::new(), must_not, least_should: 0 };
        assert_eq!(ids(&searcher, &without), ["other"]);
    }
    let begins = TermsRead::Prefix { field: 0, prefix: b"w".as_slice().into() };
    assert_eq!(node.terms(), [TermsRead::Term(TermKey::new(0, "some")), begins]);
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let delta = delta(&[("a", "word")]);
    let searcher = searcher(&delta);
    let kind = |node: &Node| searcher.top(node, 1, None).unwrap_err().kind();
    for boost in [-1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(kind(&Node::Term { key: key(0, "word"), boost }), ErrorKind::Invalid);
    }
    assert_eq!(kind(&Node::AnyOf { keys: vec![key(0, "a"), key(1, "a")], boost: 1.0 }), ErrorKind::Invalid);
    assert_eq!(kind(&fuzzy("word", 3)), ErrorKind::Invalid);
    let should = vec![term("word"); 4_097];
    let many = Node::Boolean { must: Vec::new(), should, must_not: Vec::new(), least_should: 0 };
    assert_eq!(kind(&many), ErrorKind::LimitExceeded);
}

#[test]
fn nothing_is_found_by_what_says_nothing() {
    let delta = delta(&[("a", "word")]);
    let searcher = searcher(&delta);
    let boolean = |must_not| Node::Boolean { must: Vec::new(), should: Vec::new(), must_not, least_should: 0 };
    for node in [
        boolean(Vec::new()),
        boolean(vec![term("other")]),
        Node::AnyOf { keys: Vec::new(), boost: 1.0 },
        Node::Phrase { field: 0, parts: Vec::new(), beginnings: Vec::new(), slop: 0, boost: 1.0 },
        Node::Phrase { field: 0, parts: vec![(0, Vec::new())], beginnings: Vec::new(), slop: 0, boost: 1.0 },
        Node::Phrase {
            field: 0,
            parts: Vec::new(),
            beginnings: vec![(0, b"x".as_slice().into())],
            slop: 0,
            boost: 1.0,
        },
        term("other"),
        Node::Term { key: key(9, "word"), boost: 1.0 },
    ] {
        assert_eq!(ids(&searcher, &node), Vec::<String>::new(), "{node:?}");
        assert_eq!(searcher.count(&node).unwrap(), 0);
    }
    assert_eq!(searcher.top(&term("word"), 0, None).unwrap(), []);
    assert_eq!(searcher.explain(&term("word"), b"nobody").unwrap(), None);
}

#[test]
fn a_query_says_which_terms_and_ranges_it_reads() {
    let prefix = |term: &str| TermsRead::Prefix { field: 0, prefix: term.as_bytes().into() };
    let read = |term: &str| TermsRead::Term(TermKey::new(0, term));
    let node = Node::Boolean {
        must: vec![term("b"), phrase("b c", 1)],
        should: vec![Node::Prefix { field: 0, prefix: b"pre".as_slice().into(), boost: 1.0 }, fuzzy("fuzz", 0)],
        must_not: vec![Node::Fuzzy { field: 0, term: "fähre".into(), distance: 1, prefix_length: 2, boost: 1.0 }],
        least_should: 0,
    };
    assert_eq!(node.terms(), [read("b"), read("c"), read("fuzz"), prefix("fä"), prefix("pre")]);
    assert_eq!(fuzzy("any", 1).terms(), [prefix("")]);
}
