use blaze_core::ErrorKind;
use proptest::prelude::*;

use super::*;

#[test]
fn each_metric_measures_what_its_documentation_says() {
    let distance = |metric, a: [f32; 2], b: [f32; 2]| Query::new(metric, &a).unwrap().distance(&b).unwrap();
    assert_eq!(distance(Metric::Cosine, [2.0, 0.0], [5.0, 0.0]), 0.0);
    assert_eq!(distance(Metric::Cosine, [2.0, 0.0], [0.0, 3.0]), 1.0);
    assert_eq!(distance(Metric::Cosine, [2.0, 0.0], [-1.0, 0.0]), 2.0);
    assert_eq!(distance(Metric::L2, [1.0, 1.0], [4.0, 5.0]), 5.0);
    assert_eq!(distance(Metric::Dot, [1.0, 2.0], [3.0, 4.0]), -11.0);
    let bits = Query::new(Metric::Hamming, &[0b1010_1010u8, 0xff]).unwrap();
    assert_eq!(bits.dimension(), 16);
    assert_eq!(bits.distance(&[0b0101_0101u8, 0xfe]).unwrap(), 9.0);
}

#[test]
fn a_query_that_cannot_be_compared_says_why() {
    let message = |metric, vector: &[f32]| Query::new(metric, vector).unwrap_err().to_string();
    assert_eq!(message(Metric::L2, &[]), "in the query: a vector of 0 components has no distance");
    assert_eq!(message(Metric::L2, &[0.0, f32::NAN]), "in the query: component 1 of the vector is NaN");
    assert_eq!(
        message(Metric::L2, &[0.0; 4097]),
        "in the query: a vector of 4097 components is above the limit of 4096"
    );
    assert_eq!(message(Metric::Hamming, &[0.0; 8]), "in the query: vector is of numbers, metric hamming compares bits");
}

#[test]
fn a_query_is_as_it_would_be_stored_unless_no_copy_can_hold_it() {
    let stored = |metric, copies, vector: &[f32]| {
        let query = Query::new(metric, vector).unwrap().over(copies);
        match query.as_stored(&mut Vec::new()) {
            VectorRef::F32(numbers) => numbers.to_vec(),
            VectorRef::Bits(bits) => panic!("{bits:?} are no numbers"),
        }
    };
    for metric in [Metric::Cosine, Metric::L2] {
        assert_eq!(stored(metric, Copies::F32, &[0.1, 3.0]), [0.1, 3.0]);
        assert_eq!(stored(metric, Copies::F16, &[0.1, 3.0]), [0.099_975_586, 3.0]);
        assert_eq!(stored(metric, Copies::F16, &[0.1, 70_000.0]), [0.1, 70_000.0]);
    }
    assert_eq!(stored(Metric::Dot, Copies::F16, &[0.1, 3.0]), [0.1, 3.0]);
    let bits = Query::new(Metric::Hamming, &[1u8, 2]).unwrap();
    assert!(matches!(bits.as_stored(&mut Vec::new()), VectorRef::Bits([1, 2])));
}

#[test]
fn another_dimension_or_kind_is_an_error_and_never_a_panic() {
    let query = Query::new(Metric::Cosine, &[1.0; 8]).unwrap();
    assert_eq!(query.distance(&[1.0; 7]).unwrap_err().to_string(), "vector has 7 components, the index has 8");
    assert_eq!(query.distance(&[1u8]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(query.distance_to_stored(&[1; 31], &mut Vec::new()).unwrap_err().kind(), ErrorKind::Corruption);
    let bits = Query::new(Metric::Hamming, &[1u8]).unwrap();
    assert_eq!(bits.distance(&[1.0; 8]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(bits.distance_to_stored(&[1; 2], &mut Vec::new()).unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn distances_to_copies_are_those_to_what_the_copies_hold() {
    let vector = [0.1, -3.3, 70.7];
    for (copies, metric) in Copies::ALL.into_iter().flat_map(|copies| [(copies, Metric::Cosine), (copies, Metric::L2)])
    {
        let query = Query::new(metric, &[1.0, 2.0, 3.0]).unwrap().over(copies);
        let (mut stored, mut held, mut buffer) = (Vec::new(), Vec::new(), Vec::new());
        copies.write(&vector, &mut stored);
        copies.read(&stored, 3, &mut held).unwrap();
        for offset in 0..4 {
            let lies = [vec![0; offset], stored.clone()].concat(); // wherever it lies in memory
            let distance = query.distance_to_stored(&lies[offset..], &mut buffer).unwrap();
            assert_eq!(distance, query.distance(&held).unwrap(), "{copies} from {offset} on");
        }
    }
}

#[test]
fn vectors_that_were_never_validated_are_infinitely_far_rather_than_nan() {
    for metric in [Metric::Cosine, Metric::L2, Metric::Dot] {
        let query = Query::new(metric, &[1.0, -1.0]).unwrap();
        assert_eq!(query.distance(&[f32::NAN, 0.0]).unwrap(), f32::INFINITY, "{metric}");
    }
    let query = Query::new(Metric::Cosine, &[1.0, -1.0]).unwrap();
    assert_eq!(query.distance(&[0.0, 0.0]).unwrap(), f32::INFINITY);
}

fn pair() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    (1usize..200).prop_flat_map(|len| {
        let numbers = proptest::collection::vec(-1e3f32..1e3, len);
        (numbers.clone(), numbers)
    })
}

proptest! {
    #[test]
    fn distances_agree_with_double_precision((a, b) in pair(), exponent in -14i32..14) {
        let scale = 10f32.powi(exponent); // lengths from 1e-11 up to 1e18
        let b: Vec<f32> = b.into_iter().map(|number| number * scale).collect();
        prop_assume!(Query::new(Metric::Cosine, &a).is_ok() && Query::new(Metric::Cosine, &b).is_ok());
        let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
            a.iter().zip(&b).map(|(&a, &b)| term(a.into(), b.into())).sum()
        };
        let dot = sum(&|a, b| a * b);
        let lengths = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
        let l2 = sum(&|a, b| (a - b).powi(2)).sqrt();
        let epsilon = a.len() as f64 * f64::from(f32::EPSILON);
        for (metric, expected, tolerance) in [
            (Metric::Cosine, 1.0 - dot / lengths, epsilon),
            (Metric::L2, l2, epsilon * l2),
            (Metric::Dot, -dot, epsilon * lengths),
        ] {
            let query = Query::new(metric, &a).unwrap();
            let distance = query.distance(&b).unwrap();
            let error = (f64::from(distance) - expected).abs();
            prop_assert!(error <= tolerance + 1e-30, "{metric}: {distance}, expected {expected}");
            let mut stored = Vec::new();
            crate::write_vector(&b, &mut stored);
            prop_assert_eq!(query.distance_to_stored(&stored, &mut Vec::new()).unwrap(), distance);
        }
    }
}
