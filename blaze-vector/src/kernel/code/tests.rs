use proptest::prelude::*;

use super::*;
use crate::code::{RowsOf, Slab};

type Kernel = Box<dyn Fn(&[u8], Vec<&[u8]>, &mut [i32])>;

/// What the dispatcher chooses, and every version that this processor can run.
fn all() -> Vec<(&'static str, Kernel)> {
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "elsewhere what is chosen is all there is"))]
    let mut all: Vec<(&'static str, Kernel)> = vec![
        ("dispatched", Box::new(|q, r, o| nibble_dots(q, r.into_iter(), o))),
        ("scalar", Box::new(|q, r, o| scalar::nibble_dots(q, r.into_iter(), o))),
    ];
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor was just seen to have AVX2.
            all.push(("avx2", Box::new(|q, r, o| unsafe { simd::avx2::nibble_dots(q, r.into_iter(), o) })));
        }
        if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor was just seen to have AVX-512F and VNNI.
            all.push(("avx512", Box::new(|q, r, o| unsafe { simd::avx512::nibble_dots(q, r.into_iter(), o) })));
        }
    }
    all
}

fn check(query: &[u8], rows: &Slab<u8>) {
    let slots: Vec<u32> = (0..rows.rows() as u32).rev().collect();
    let expected: Vec<i32> = slots
        .iter()
        .map(|&slot| {
            let row = rows.row(slot as usize);
            let code = |i: usize| row[i / 128 * 64 + i % 64] >> if i % 128 < 64 { 0 } else { 4 } & 15;
            (0..query.len()).map(|i| i32::from(code(i)) * i32::from(query[i] as i8)).sum()
        })
        .collect();
    for (name, kernel) in all() {
        let mut out = vec![7; slots.len() + 1];
        kernel(query, RowsOf::new(rows, &slots, |_| {}).collect(), &mut out);
        assert_eq!(out[..slots.len()], expected, "{name}, {} lines", rows.stride() / LINE);
        assert_eq!(out[slots.len()], 7, "{name} writes no more than it was asked for");
    }
}

fn slab(rows: &[Vec<u8>]) -> Slab<u8> {
    let mut slab = Slab::new(rows[0].len());
    slab.grow(rows.len(), 0);
    for (i, row) in rows.iter().enumerate() {
        slab.row_mut(i).copy_from_slice(row);
    }
    slab
}

#[test]
fn the_largest_codes_and_queries_do_not_overflow_at_any_dimension() {
    for lines in 1..=32 {
        for byte in [127u8, 128, 0, 255] {
            check(&vec![byte; lines * 128], &slab(&vec![vec![255; lines * LINE]; 3]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_version_agrees_with_the_plain_sum(
        (query, rows) in (1usize..8, 1usize..20).prop_flat_map(|(lines, rows)| (
            proptest::collection::vec(any::<u8>(), lines * 128),
            proptest::collection::vec(proptest::collection::vec(any::<u8>(), lines * LINE), rows),
        )),
    ) {
        check(&query, &slab(&rows));
    }

    #[test]
    fn bits_of_rows_are_counted_one_by_one(
        (query, rows) in (1usize..70, 1usize..20).prop_flat_map(|(bytes, rows)| (
            proptest::collection::vec(any::<u8>(), bytes),
            proptest::collection::vec(proptest::collection::vec(any::<u8>(), bytes), rows),
        )),
    ) {
        let slab = slab(&rows);
        let slots: Vec<u32> = (0..rows.len() as u32).collect();
        let expected: Vec<i32> = rows
            .iter()
            .map(|row| row.iter().zip(&query).map(|(a, b)| (a ^ b).count_ones() as i32).sum())
            .collect();
        let mut out = [vec![0; rows.len()], vec![0; rows.len()]];
        hammings(&query, RowsOf::new(&slab, &slots, |_| {}), &mut out[0]);
        scalar::hammings(&query, RowsOf::new(&slab, &slots, |_| {}), &mut out[1]);
        prop_assert_eq!(&out, &[expected.clone(), expected]);
    }
}
