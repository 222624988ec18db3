//! The model test over the operations that bytes stand for.

use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

include!(concat!(env!("OUT_DIR"), "/model.rs"));

/// Steps of one run.
const STEPS_MAX: usize = 60;

/// Bytes that stand for a step: a seed, and which of the steps that are drawn from it is meant.
const STEP_BYTES: usize = 3;

/// Runs the steps that `bytes` stand for, each on its own, and panics when the answers differ.
pub fn run_bytes(bytes: &[u8]) {
    let chosen: Vec<Step> = bytes.as_chunks::<STEP_BYTES>().0.iter().take(STEPS_MAX).map(step_of).collect();
    if !chosen.is_empty() {
        run(&chosen).unwrap_or_else(|error| panic!("{error}"));
    }
}

fn step_of([high, low, which]: &[u8; STEP_BYTES]) -> Step {
    let mut seed = [0x5A; 16];
    seed[..2].copy_from_slice(&[*high, *low]);
    let random = TestRng::from_seed(RngAlgorithm::XorShift, &seed);
    let mut runner =
        TestRunner::new_with_rng(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }, random);
    let mut drawn = steps().new_tree(&mut runner).expect("steps can be drawn").current();
    let which = usize::from(*which) % drawn.len();
    drawn.swap_remove(which)
}
