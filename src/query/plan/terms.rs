//! A filter as the planner sees it: parts that must all match, and what each of them says of a path.

use blaze_core::{Filter, Path, Predicate, Value};

/// The parts of a filter, of which a document must match each. Negations stand as deep inside as they can.
#[derive(Clone, Debug)]
pub(crate) struct Parts(Vec<Filter>);

/// What a part says of a path.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) path: Path,
    pub(super) predicate: Predicate,
    /// The place of the part.
    pub(super) part: usize,
    /// True if the term says less than the part, which then has to be checked in any case.
    pub(super) is_weaker: bool,
}

impl Parts {
    pub(crate) fn of(filter: &Filter) -> Parts {
        match normalized(filter, false) {
            Filter::And(parts) => Parts(parts),
            part => Parts(vec![part]),
        }
    }

    pub(super) fn as_slice(&self) -> &[Filter] {
        &self.0
    }

    /// What is left to be checked when some parts are known to match.
    pub(super) fn without(&self, answered: &[usize]) -> Filter {
        let left = self.0.iter().enumerate().filter(|(place, _)| !answered.contains(place));
        Filter::And(left.map(|(_, part)| part.clone()).collect())
    }

    /// What the parts say that an index may know.
    pub(super) fn terms(&self) -> Vec<Term> {
        let mut terms = Vec::new();
        for (part, filter) in self.0.iter().enumerate() {
            let Filter::Field(path, predicate) = filter else { continue };
            terms.push(Term { path: path.clone(), predicate: predicate.clone(), part, is_weaker: false });
            if let Predicate::ElemMatch(inside) = predicate {
                add_terms_inside(path, inside, part, &mut terms);
            }
        }
        terms
    }
}

/// What a path reaches in one element, it reaches from the document, too: if not all at once in the same element.
fn add_terms_inside(outer: &Path, filter: &Filter, part: usize, terms: &mut Vec<Term>) {
    for inside in Parts::of(filter).0 {
        let Filter::Field(path, predicate) = inside else { continue };
        let is_negated = matches!(predicate, Predicate::Ne(_) | Predicate::Nin(_) | Predicate::Exists(false));
        if path.segments().is_empty() || is_negated {
            continue;
        }
        let keys = outer.segments().iter().chain(path.segments()).map(|segment| segment.key().to_owned());
        let path = Path::from_keys(keys);
        if let Predicate::ElemMatch(deeper) = &predicate {
            add_terms_inside(&path, deeper, part, terms);
        }
        terms.push(Term { path, predicate, part, is_weaker: true });
    }
}

/// The same filter without `nor`, with `not` only where no operator says the opposite, and with chains of `and` and `or`
/// one level deep.
fn normalized(filter: &Filter, negated: bool) -> Filter {
    match filter {
        Filter::Not(part) => normalized(part, !negated),
        Filter::And(parts) if negated => either(parts, true),
        Filter::And(parts) => all(parts, false),
        Filter::Or(parts) if negated => all(parts, true),
        Filter::Or(parts) => either(parts, false),
        Filter::Nor(parts) if negated => either(parts, false),
        Filter::Nor(parts) => all(parts, true),
        Filter::Field(path, predicate) if negated => match opposite(predicate) {
            Some(opposite) => Filter::Field(path.clone(), opposite),
            None => Filter::Not(Box::new(filter.clone())),
        },
        filter if negated => Filter::Not(Box::new(filter.clone())),
        filter => filter.clone(),
    }
}

fn all(parts: &[Filter], negated: bool) -> Filter {
    let mut all = Vec::with_capacity(parts.len());
    for part in parts {
        match normalized(part, negated) {
            Filter::And(more) => all.extend(more),
            part => all.push(part),
        }
    }
    Filter::And(all)
}

fn either(parts: &[Filter], negated: bool) -> Filter {
    let mut either: Vec<Filter> = Vec::with_capacity(parts.len());
    for part in parts {
        let parts = match normalized(part, negated) {
            Filter::Or(more) => more,
            Filter::And(only) if only.len() == 1 => only,
            part => vec![part],
        };
        parts.into_iter().for_each(|part| add_alternative(&mut either, part));
    }
    match either.len() {
        1 => either.swap_remove(0),
        _ => Filter::Or(either),
    }
}

/// Adds an alternative; of several that ask for values of one path, one is made that asks for any of them.
fn add_alternative(either: &mut Vec<Filter>, part: Filter) {
    let (path, values) = match part {
        Filter::Field(path, Predicate::Eq(value)) => (path, vec![value]),
        Filter::Field(path, Predicate::In(values)) => (path, values),
        other => return either.push(other),
    };
    let same = either
        .iter_mut()
        .find(|other| matches!(other, Filter::Field(of, Predicate::Eq(_) | Predicate::In(_)) if *of == path));
    match same {
        Some(Filter::Field(_, predicate)) => {
            let mut both: Vec<Value> = match std::mem::replace(predicate, Predicate::Exists(true)) {
                Predicate::In(values) => values,
                Predicate::Eq(value) => vec![value],
                _ => Vec::new(),
            };
            both.extend(values);
            *predicate = Predicate::In(both);
        }
        _ => either.push(Filter::Field(path, Predicate::In(values))),
    }
}

/// The operator that matches exactly the other documents, if there is one.
fn opposite(predicate: &Predicate) -> Option<Predicate> {
    Some(match predicate {
        Predicate::Eq(value) => Predicate::Ne(value.clone()),
        Predicate::Ne(value) => Predicate::Eq(value.clone()),
        Predicate::In(values) => Predicate::Nin(values.clone()),
        Predicate::Nin(values) => Predicate::In(values.clone()),
        Predicate::Exists(exists) => Predicate::Exists(!exists),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use blaze_core::field;

    use super::*;

    fn parts(filter: &Filter) -> String {
        Parts::of(filter).without(&[]).to_string()
    }

    #[test]
    fn negations_stand_as_deep_inside_as_they_can() {
        let (a, b) = (field("a").eq(1), field("b").lt(2));
        assert_eq!(parts(&!(a.clone().or(b.clone()))), "a != 1 and (not b < 2)".replace(['(', ')'], ""));
        assert_eq!(parts(&!!a.clone().and(b.clone())), "a = 1 and b < 2");
        assert_eq!(parts(&!field("a").ne(1)), "a = 1");
        assert_eq!(parts(&!field("a").not_in([1, 2]).and(field("b").exists(false))), "a in [1, 2] or b exists");
        assert_eq!(parts(&a.nor(b)), "a != 1 and not b < 2");
    }

    #[test]
    fn alternatives_of_one_path_become_one_list() {
        let filter = field("a").eq(1).or(field("b").eq(2)).or(field("a").is_in([3, 4])).or(field("a").eq(5));
        assert_eq!(parts(&filter), "a in [1, 3, 4, 5] or b in [2]");
        assert_eq!(parts(&field("a").eq(1).or(field("a").eq(2))), "a in [1, 2]");
        assert_eq!(parts(&Filter::Or(Vec::new())), "nothing");
    }
}
