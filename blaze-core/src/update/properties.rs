//! Each operator against a plain evaluation that makes the document anew, on random documents.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Operator, Push, Update};
use crate::document::Document;
use crate::filter::{Filter, Predicate, element};
use crate::path::Path;
use crate::value::{Decimal, Time, Value};

const NOW: Time = Time::from_micros(7);

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (-2..4_i64).prop_map(Value::from),
        select(vec![-0.0, 0.0, 1.0, 2.5, f64::NAN]).prop_map(Value::from),
        select(vec![i64::MIN, i64::MAX]).prop_map(Value::from),
        Just(Value::from(u64::MAX)),
        (0..30_u128, 0..3_u8).prop_map(|(digits, scale)| Value::from(Decimal::new(false, digits, scale))),
        "[ab]".prop_map(Value::from),
    ]
}

fn key() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "0", "1"])
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            2 => vec(inner.clone(), 0..4).prop_map(Value::Array),
            1 => vec((key(), inner), 0..3).prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    })
}

fn document() -> impl Strategy<Value = Document> {
    vec((key(), value()), 0..4).prop_map(|entries| entries.into_iter().collect())
}

fn steps() -> impl Strategy<Value = Vec<&'static str>> {
    let inner = select(vec!["a", "b", "0", "1", "2", "$[]", "$[x]"]);
    (key(), vec(inner, 0..3)).prop_map(|(first, rest)| std::iter::once(first).chain(rest).collect())
}

fn filter() -> impl Strategy<Value = Filter> {
    let predicate = prop_oneof![scalar().prop_map(Predicate::Ge), scalar().prop_map(Predicate::Ne)];
    (any::<bool>(), predicate).prop_map(|(of_element, predicate)| match element().exists(true) {
        Filter::Field(path, _) if of_element => Filter::Field(path, predicate),
        _ => Filter::Field(Path::from("a"), predicate),
    })
}

fn push() -> impl Strategy<Value = Push> {
    let keep = prop_oneof![Just(None), (any::<bool>(), 0..4_usize).prop_map(Some)];
    (vec(scalar(), 0..3), proptest::option::of(-4..5_i64), keep).prop_map(|(values, position, keep)| {
        let push = Push::new(values);
        let push = position.map_or(push.clone(), |position| push.at(position));
        match keep {
            None => push,
            Some((true, length)) => push.keep_first(length),
            Some((false, length)) => push.keep_last(length),
        }
    })
}

fn operator() -> impl Strategy<Value = Operator> {
    let number = || scalar().prop_filter("a number", |value| super::number::check(value).is_ok());
    prop_oneof![
        value().prop_map(Operator::Set),
        value().prop_map(Operator::SetOnInsert),
        Just(Operator::SetNow),
        Just(Operator::Unset),
        vec(key(), 1..3).prop_map(|keys| Operator::Rename(Path::from_keys(keys))),
        number().prop_map(Operator::Inc),
        number().prop_map(Operator::Mul),
        value().prop_map(Operator::Min),
        value().prop_map(Operator::Max),
        push().prop_map(Operator::Push),
        vec(scalar(), 0..4).prop_map(Operator::AddToSet),
        Just(Operator::PopFirst),
        Just(Operator::PopLast),
        scalar().prop_map(Operator::Pull),
        filter().prop_map(Operator::PullWhere),
    ]
}

/// What a place holds becomes, or why not; `None` is a missing value.
type Next = Result<Option<Value>, ()>;

/// The value with `change` made at `steps` in it, all of it made anew.
fn at(
    old: Option<&Value>,
    steps: &[&str],
    creates: bool,
    chosen: &Filter,
    change: &dyn Fn(Option<&Value>) -> Next,
) -> Next {
    let Some((step, rest)) = steps.split_first() else { return change(old) };
    if step.starts_with("$[") {
        return match old {
            None if creates => Err(()),
            None => Ok(None),
            Some(Value::Array(array)) => {
                let each = array.iter().map(|element| match *step == "$[]" || chosen.matches_element(element) {
                    true => at(Some(element), rest, creates, chosen, change)?.ok_or(()),
                    false => Ok(element.clone()),
                });
                Ok(Some(Value::Array(each.collect::<Result<_, _>>()?)))
            }
            Some(_) => Err(()),
        };
    }
    match old {
        None if !creates => Ok(None),
        None => at(Some(&Value::from(Document::new())), steps, creates, chosen, change),
        Some(Value::Map(map)) => {
            let next = at(map.get(step), rest, creates, chosen, change)?;
            let mut map = map.clone();
            match next {
                Some(value) => drop(map.insert(*step, value)),
                None => drop(map.remove(step)),
            }
            Ok(Some(map.into()))
        }
        Some(Value::Array(array)) => {
            let index: usize = step.parse().map_err(drop)?;
            if index > array.len() || (index == array.len() && !creates) {
                return if creates { Err(()) } else { Ok(Some(array.clone().into())) };
            }
            let next = at(array.get(index), rest, creates, chosen, change)?.ok_or(())?;
            let tail = array.get(index + 1..).unwrap_or_default();
            Ok(Some([&array[..index], &[next], tail].concat().into()))
        }
        Some(_) => Err(()),
    }
}

fn array_of(old: Option<&Value>) -> Result<Vec<Value>, ()> {
    match old {
        None => Ok(Vec::new()),
        Some(value) => value.as_array().map(<[Value]>::to_vec).ok_or(()),
    }
}

fn pushed(push: &Push, array: &[Value], position: Option<i64>, keep: Option<(bool, usize)>) -> Vec<Value> {
    let length = array.len() as i64;
    let start = position.map_or(length, |position| if position < 0 { length + position } else { position });
    let start = start.clamp(0, length) as usize;
    let whole = [&array[..start], push.values(), &array[start..]].concat();
    match keep {
        None => whole,
        Some((true, keep)) => whole.into_iter().take(keep).collect(),
        Some((false, keep)) => whole.iter().rev().take(keep).rev().cloned().collect(),
    }
}

fn change(operator: &Operator, old: Option<&Value>, inserting: bool) -> Next {
    let lowest = |a: &Value, b: &Value| if b < a { b.clone() } else { a.clone() };
    let pulled = |goes: &dyn Fn(&Value) -> bool| match old {
        None => Ok(None),
        Some(_) => Ok(Some(array_of(old)?.into_iter().filter(|element| !goes(element)).collect::<Value>())),
    };
    let popped = |part: &dyn Fn(&[Value]) -> Vec<Value>| match old {
        None => Ok(None),
        Some(_) => Ok(Some(Value::Array(part(&array_of(old)?)))),
    };
    match operator {
        Operator::Set(value) => Ok(Some(value.clone())),
        Operator::SetOnInsert(value) => Ok(if inserting { Some(value.clone()) } else { old.cloned() }),
        Operator::SetNow => Ok(Some(NOW.into())),
        Operator::Unset => Ok(None),
        Operator::Inc(step) => {
            old.map_or(Ok(step.clone()), |old| super::number::add(old, step)).map(Some).map_err(drop)
        }
        Operator::Mul(factor) => match old {
            None => Ok(Some(super::number::zero_like(factor))),
            Some(old) => super::number::multiply(old, factor).map(Some).map_err(drop),
        },
        Operator::Min(value) => Ok(Some(old.map_or(value.clone(), |old| lowest(old, value)))),
        Operator::Max(value) => {
            Ok(Some(old.map_or(value.clone(), |old| if value > old { value } else { old }.clone())))
        }
        Operator::AddToSet(values) => {
            let mut array = array_of(old)?;
            for value in values {
                if !array.contains(value) {
                    array.push(value.clone());
                }
            }
            Ok(Some(array.into()))
        }
        Operator::PopFirst => popped(&|array| array.iter().skip(1).cloned().collect()),
        Operator::PopLast => popped(&|array| array.iter().rev().skip(1).rev().cloned().collect()),
        Operator::Pull(value) => pulled(&|element| element == value),
        Operator::PullWhere(filter) => pulled(&|element| filter.matches_element(element)),
        Operator::Push(push) => Ok(Some(pushed(push, &array_of(old)?, None, None).into())),
        Operator::Rename(_) => Err(()),
    }
}

/// The document after the change, by way of another one.
fn naively(
    document: &Document,
    steps: &[&str],
    operator: &Operator,
    chosen: &Filter,
    inserting: bool,
) -> Result<Document, ()> {
    if matches!(operator, Operator::SetOnInsert(_)) && !inserting {
        return Ok(document.clone());
    }
    let whole = Value::from(document.clone());
    let creates = operator.creates();
    let next = match operator {
        Operator::Rename(to) => {
            let keys: Vec<&str> = to.segments().iter().map(|segment| segment.key()).collect();
            let moved = std::cell::RefCell::new(None);
            let taken = at(Some(&whole), steps, false, chosen, &|old| {
                *moved.borrow_mut() = old.cloned();
                Ok(None)
            })?;
            match moved.into_inner() {
                None => taken,
                moved => at(taken.as_ref(), &keys, true, chosen, &|_| Ok(moved.clone()))?,
            }
        }
        _ => at(Some(&whole), steps, creates, chosen, &|old| change(operator, old, inserting))?,
    };
    next.and_then(|value| value.as_map().cloned()).ok_or(())
}

fn text(document: &Document) -> String {
    format!("{document:?}")
}

fn update(steps: &[&str], operator: Operator, chosen: &Filter) -> Update {
    let update = Update::default().change(Path::from_keys(steps.iter().copied()), operator);
    if steps.contains(&"$[x]") { update.array_filter("x", chosen.clone()) } else { update }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn every_operator_does_what_the_plain_evaluation_does(
        document in document(), steps in steps(), operator in operator(), chosen in filter(), inserting: bool,
    ) {
        let update = update(&steps, operator.clone(), &chosen);
        prop_assume!(update.validate().is_ok());
        prop_assume!(!matches!(&operator, Operator::Push(push) if *push != Push::new(push.values().to_vec())));
        let mut changing = document.clone();
        let changed = match inserting {
            true => update.insert_into(&mut changing, NOW),
            false => update.apply_at(&mut changing, NOW),
        };
        match (changed, naively(&document, &steps, &operator, &chosen, inserting)) {
            (Ok(changed), Ok(expected)) => {
                prop_assert_eq!(text(&changing), text(&expected), "{:?}", update);
                prop_assert_eq!(changed, text(&document) != text(&changing), "{:?} on {:?}", update, document);
            }
            (Err(error), expected) => {
                prop_assert!(expected.is_err(), "{} instead of {:?}", error, expected);
                prop_assert_eq!(text(&changing), text(&document), "a failed update left traces");
            }
            (Ok(_), Err(())) => prop_assert!(false, "{:?} on {:?} should fail", update, document),
        }
    }

    #[test]
    fn values_go_where_they_are_pushed_and_the_bound_holds(
        array in vec(scalar(), 0..5), values in vec(scalar(), 0..3), position in proptest::option::of(-6..7_i64),
        keep in proptest::option::of((any::<bool>(), 0..6_usize)),
    ) {
        let push = Push::new(values);
        let built = position.map_or(push.clone(), |position| push.clone().at(position));
        let built = match keep {
            None => built,
            Some((true, length)) => built.keep_first(length),
            Some((false, length)) => built.keep_last(length),
        };
        let mut document = Document::new().with("a", array.clone());
        let before = text(&document);
        let changed = super::push_each("a", built).apply(&mut document).unwrap();
        let expected = Document::new().with("a", pushed(&push, &array, position, keep));
        prop_assert_eq!(text(&document), text(&expected));
        prop_assert_eq!(changed, before != text(&document));
    }

    #[test]
    fn several_changes_are_made_together_or_not_at_all(
        document in document(), parts in vec((steps(), operator()), 1..4), chosen in filter(),
    ) {
        let whole = parts.iter().fold(Update::default(), |whole, (steps, operator)| {
            whole.and(update(steps, operator.clone(), &chosen))
        });
        let mut changing = document.clone();
        match whole.apply_at(&mut changing, NOW) {
            Ok(changed) => prop_assert_eq!(changed, text(&document) != text(&changing), "{:?} on {:?}", whole, document),
            Err(error) => {
                prop_assert!(!error.to_string().is_empty());
                prop_assert_eq!(text(&changing), text(&document), "a failed update left traces");
            }
        }
    }

    #[test]
    fn products_are_exact_or_refused(left in any::<i64>(), right in any::<u64>(), digits in 0..u64::MAX, scale in 0..=38_u8) {
        let product = |left: Value, right: Value| super::number::multiply(&left, &right);
        match product(left.into(), right.into()) {
            Ok(Value::Int(int)) => prop_assert_eq!(i128::from(left) * i128::from(right), i128::from(int)),
            Ok(Value::UInt(int)) => prop_assert_eq!(i128::from(left) * i128::from(right), i128::from(int)),
            Ok(other) => prop_assert!(false, "{:?} is not an integer", other),
            Err(_) => {
                let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
                let exact = i128::from(left) * i128::from(right);
                prop_assert!(!range.contains(&exact), "{} fits", exact);
            }
        }
        let decimal = Decimal::new(left < 0, digits.into(), scale).unwrap();
        let whole = Decimal::new(false, right.into(), 0).unwrap();
        match product(decimal.into(), whole.into()) {
            Ok(Value::Decimal(product)) => {
                // 64 bits times 64 bits fit a coefficient.
                let expected = Decimal::new(left < 0, u128::from(digits) * u128::from(right), scale).unwrap();
                prop_assert_eq!(product, expected);
            }
            other => prop_assert!(false, "{:?} is not a decimal", other),
        }
    }
}
