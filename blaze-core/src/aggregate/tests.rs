//! Accumulators, case by case, and sums against exact arithmetic.

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::value::Decimal;

/// Makes an accumulator of an expression.
type Make = fn(Expression) -> Accumulator;

fn accumulate(accumulator: Make, values: &[Option<Value>]) -> Result<Option<Value>> {
    let mut state = accumulator(Expression::from("x")).begin();
    for value in values {
        state.add(value.as_ref().map(Cow::Borrowed))?;
    }
    state.finish()
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse::<Decimal>().unwrap())
}

#[test]
fn missing_and_null_are_passed_over_or_kept_as_the_table_says() {
    let values = [None, Some(Value::Null), Some(Value::from(2)), Some(Value::from(1)), Some(Value::from(2.0)), None];
    let cases: [(Make, Option<Value>); 8] = [
        (Accumulator::Sum, Some(Value::from(5.0))),
        (Accumulator::Average, Some(Value::from(5.0 / 3.0))),
        (Accumulator::Min, Some(Value::from(1))),
        (Accumulator::Max, Some(Value::from(2))),
        (Accumulator::First, None),
        (Accumulator::Last, None),
        (Accumulator::Push, Some([Value::Null, 2.into(), 1.into(), 2.0.into()].into())),
        (Accumulator::AddToSet, Some([Value::Null, 1.into(), 2.into()].into())),
    ];
    for (accumulator, expected) in cases {
        let name = accumulator(Expression::from("x")).name();
        assert_eq!(accumulate(accumulator, &values).unwrap(), expected, "{name}");
    }
}

#[test]
fn of_nothing_there_is_what_the_table_says() {
    let cases: [(Make, Option<Value>); 8] = [
        (Accumulator::Sum, Some(Value::from(0))),
        (Accumulator::Average, Some(Value::Null)),
        (Accumulator::Min, Some(Value::Null)),
        (Accumulator::Max, Some(Value::Null)),
        (Accumulator::First, None),
        (Accumulator::Last, None),
        (Accumulator::Push, Some(Value::Array(Vec::new()))),
        (Accumulator::AddToSet, Some(Value::Array(Vec::new()))),
    ];
    for (accumulator, expected) in cases {
        let name = accumulator(Expression::from("x")).name();
        assert_eq!(accumulate(accumulator, &[]).unwrap(), expected, "{name}");
    }
}

#[test]
fn sums_are_exact_on_their_way_and_refused_only_at_their_end() {
    let values = |values: &[Value]| values.iter().cloned().map(Some).collect::<Vec<_>>();
    let there_and_back = values(&[u64::MAX.into(), u64::MAX.into(), i64::MIN.into(), i64::MIN.into(), i64::MIN.into()]);
    let expected = i128::from(u64::MAX) * 2 + i128::from(i64::MIN) * 3;
    let total = accumulate(Accumulator::Sum, &there_and_back).unwrap().unwrap();
    assert_eq!(total.to_owned(), Value::from(i64::try_from(expected).unwrap()));
    let error = accumulate(Accumulator::Sum, &values(&[u64::MAX.into(), 1.into()])).unwrap_err();
    assert!(error.to_string().contains("18446744073709551616"), "{error}");
    let average = accumulate(Accumulator::Average, &values(&[u64::MAX.into(), u64::MAX.into()])).unwrap();
    assert_eq!(average, Some(Value::from(u64::MAX as f64)));
    let floats = values(&[1e100.into(), 1.into(), (-1e100).into(), 0.5.into()]);
    assert_eq!(accumulate(Accumulator::Sum, &floats).unwrap(), Some(Value::from(1.5)));
    let infinite = values(&[f64::INFINITY.into(), 1.into()]);
    assert_eq!(accumulate(Accumulator::Sum, &infinite).unwrap(), Some(Value::from(f64::INFINITY)));
}

#[test]
fn decimals_stay_decimals_and_do_not_mix_with_floats() {
    let prices = [Some(decimal("0.10")), Some(decimal("0.20")), Some(Value::from(1))];
    let sum = accumulate(Accumulator::Sum, &prices).unwrap().unwrap();
    assert_eq!((sum.type_name(), &sum), ("decimal", &decimal("1.30")));
    let average = accumulate(Accumulator::Average, &prices[..2]).unwrap().unwrap();
    assert_eq!((average.type_name(), &average), ("decimal", &decimal("0.15")));
    let mixed = [Some(decimal("0.10")), Some(Value::from(0.5))];
    for values in [mixed.clone(), [mixed[1].clone(), mixed[0].clone()]] {
        let error = accumulate(Accumulator::Sum, &values).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("mixes decimals and floats"), "{error}");
    }
}

#[test]
fn what_is_no_number_is_refused_by_sums_alone() {
    let values = [Some(Value::from("1972")), Some(Value::from(3))];
    let error = accumulate(Accumulator::Average, &values).unwrap_err();
    assert_eq!(error.to_string(), r#""1972" is a string, not a number"#);
    assert_eq!(accumulate(Accumulator::Max, &values).unwrap(), Some(Value::from("1972")));
}

#[test]
fn growth_is_told_in_bytes() {
    let mut push = Accumulator::Push(Expression::from("x")).begin();
    let grown = push.add(Some(Cow::Owned(Value::from("x".repeat(100))))).unwrap();
    assert!((100..200).contains(&grown), "{grown}");
    let mut last = Accumulator::Last(Expression::from("x")).begin();
    assert_eq!(last.add(Some(Cow::Owned(Value::from("abc")))).unwrap(), 3);
    assert_eq!(last.add(Some(Cow::Owned(Value::from("a")))).unwrap(), -2);
    let mut set = Accumulator::AddToSet(Expression::from("x")).begin();
    assert!(set.add(Some(Cow::Owned(Value::from(1)))).unwrap() > 0);
    assert_eq!(set.add(Some(Cow::Owned(Value::from(1.0)))).unwrap(), 0, "equal values are kept once");
}

/// A number whose sums of a few hundred are exact in 128 bits.
fn small_multiple() -> impl Strategy<Value = (i64, i32)> {
    (any::<i32>().prop_map(i64::from), 0..60_i32)
}

proptest! {
    #[test]
    fn a_sum_of_floats_is_the_exact_sum_rounded_once(parts in proptest::collection::vec(small_multiple(), 0..40), turn: usize) {
        let float = |(mantissa, exponent): (i64, i32)| mantissa as f64 * 2_f64.powi(exponent);
        let exact: i128 = parts.iter().map(|(mantissa, exponent)| i128::from(*mantissa) << exponent).sum();
        let mut numbers: Vec<_> = parts.into_iter().map(|part| Some(Value::from(float(part)))).collect();
        numbers.push(Some(Value::from(0.0)));
        let length = numbers.len();
        numbers.rotate_left(turn % length);
        let sum = accumulate(Accumulator::Sum, &numbers).unwrap();
        prop_assert_eq!(sum, Some(Value::from(exact as f64)));
    }

    #[test]
    fn a_sum_of_floats_does_not_depend_on_their_order(mut numbers in proptest::collection::vec(any::<f64>().prop_filter("moderate", |n| n.abs() < 1e290), 0..20)) {
        let sum = |numbers: &[f64]| {
            let values: Vec<_> = numbers.iter().map(|number| Some(Value::from(*number))).collect();
            accumulate(Accumulator::Sum, &values).unwrap()
        };
        let forward = sum(&numbers);
        numbers.reverse();
        prop_assert_eq!(sum(&numbers), forward.clone());
        numbers.sort_by(f64::total_cmp);
        prop_assert_eq!(sum(&numbers), forward);
    }
}
