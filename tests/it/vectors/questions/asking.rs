//! Asking one question twice: of the graph, and of all vectors.

use std::collections::BTreeMap;

use blaze::limits::SEARCH_LIMIT_MAX;
use blaze::{Filter, Hit, HitGroup, IdHit, Search, SearchPath};

use super::*;

/// Whom something is asked, and of which documents.
pub(super) struct Asking {
    pub(super) points: Collection<Document>,
    pub(super) index: &'static str,
    pub(super) percent: Option<i64>,
}

impl Asking {
    fn path(&self) -> &'static str {
        if self.index == "several" { "chunks.v" } else { "v" }
    }

    fn search(&self) -> Search<Document> {
        let filter = self.percent.map_or(Filter::everything(), |percent| field("part").lt(percent));
        self.points.search().index(self.index).filter(filter)
    }

    pub(super) fn near(&self, place: Place) -> Search<Document> {
        let vector = match place {
            Place::Among(seed) => random_vector(&SeededEntropy::new(seed)),
            Place::Outside(seed) => {
                random_vector(&SeededEntropy::new(seed)).iter().map(|number| 3.0 * number).collect()
            }
            Place::At(id) => match self.points.get(id).unwrap().unwrap().value.remove("v") {
                Some(Value::Vector(Vector::F32(vector))) => vector,
                other => panic!("document {id} has {other:?}"),
            },
        };
        self.search().nearest(self.path(), vector)
    }

    /// What is asked for, without bounds.
    fn wanted(&self, asked: &Asked) -> Search<Document> {
        match asked {
            Asked::Nearest(place) | Asked::Within(place, _) | Asked::AsGood(place, _) => self.near(*place),
            Asked::Diverse(place, _) | Asked::Groups(place, ..) => self.near(*place),
            Asked::Like(like, unlike) => self.search().similar_to(self.path(), like.clone()).unlike(unlike.clone()),
        }
    }

    /// The hit that is the last one wanted.
    fn last_wanted(&self, asked: &Asked) -> Option<IdHit> {
        let (Asked::Within(_, rank) | Asked::AsGood(_, rank)) = asked else { return None };
        self.wanted(asked).exact().limit(rank + 1).ids().unwrap().pop()
    }

    /// The hits, by the graph or by comparing all vectors.
    fn answer(&self, question: &Question, by_graph: bool) -> Vec<Hit<Document>> {
        let (search, last) = (self.wanted(&question.asked), self.last_wanted(&question.asked));
        let search = if by_graph { search.ef(EF) } else { search.exact() };
        let path = if by_graph { SearchPath::Graph } else { SearchPath::Exact };
        let search = match (&question.asked, &last) {
            (Asked::Within(..), Some(last)) => search.within(last.distance),
            (Asked::AsGood(..), Some(last)) => search.min_score(last.score),
            (Asked::Diverse(_, lambda), _) => search.diverse(*lambda),
            (Asked::Groups(_, groups, each), _) => {
                let search = search.group_by("group", *groups, *each);
                assert_eq!(search.explain().unwrap().path, path, "{}", search.explain().unwrap());
                return search.run().unwrap().into_iter().flat_map(with_key).collect();
            }
            _ => search,
        };
        let search = search.offset(question.offset).limit(question.limit);
        assert_eq!(search.explain().unwrap().path, path, "{}", search.explain().unwrap());
        let hits = search.run().unwrap();
        let is_wanted = |hit: &Hit<Document>| match (&question.asked, &last) {
            (Asked::Within(..), Some(last)) => hit.distance <= last.distance,
            (Asked::AsGood(..), Some(last)) => hit.score >= last.score,
            _ => true,
        };
        assert!(hits.iter().all(is_wanted), "not all are as near as {last:?}: {hits:?}");
        hits
    }

    /// Asks the graph and compares all. Answers how many hits there were, and whether nothing was missed: of the nearest, codes may
    /// tell too little. What is found is as it says in any case.
    pub(super) fn ask(&self, question: &Question) -> (usize, bool) {
        let (found, expected) = (self.answer(question, true), self.answer(question, false));
        if found == expected {
            return (found.len(), true);
        }
        let asked = &question.asked;
        let has_k = matches!(asked, Asked::Nearest(_) | Asked::Like(..) | Asked::Diverse(..));
        assert!(!has_k || found.len() == expected.len(), "{} hits, not {}", found.len(), expected.len());
        let is_sorted = !matches!(asked, Asked::Diverse(..) | Asked::Groups(..));
        assert!(!is_sorted || found.is_sorted_by(|a, b| (a.distance, &a.id) < (b.distance, &b.id)), "in their order");
        let all = self.wanted(asked).exact().limit(SEARCH_LIMIT_MAX).run().unwrap();
        let all: BTreeMap<&DocumentId, _> = all.iter().map(|hit| (&hit.id, told(hit))).collect();
        for hit in &found {
            assert_eq!(Some(&told(hit)), all.get(&hit.id), "{:?} by the graph, and by all vectors", hit.id);
        }
        (found.len(), false)
    }
}

/// What a hit tells of its document but for the document itself.
fn told(hit: &Hit<Document>) -> (f32, f32, Option<usize>, blaze::Timestamp) {
    (hit.distance, hit.score, hit.chunk, hit.version)
}

/// The hits of a group with its key: a document may stand in several.
fn with_key(HitGroup { key, mut hits, .. }: HitGroup<Document>) -> Vec<Hit<Document>> {
    hits.iter_mut().for_each(|hit| drop(hit.value.insert("key", key.clone())));
    hits
}
