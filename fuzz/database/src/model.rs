//! The model test over the operations that bytes stand for.

use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

include!(concat!(env!("OUT_DIR"), "/model.rs"));

/// Runs the steps that are drawn with `bytes` in the place of random ones, and panics when the answers differ.
pub fn run_bytes(bytes: &[u8]) {
    let random = TestRng::from_seed(RngAlgorithm::PassThrough, bytes);
    let config = ProptestConfig { failure_persistence: None, max_local_rejects: 64, ..ProptestConfig::default() };
    if let Ok(drawn) = steps().new_tree(&mut TestRunner::new_with_rng(config, random)) {
        run(&drawn.current()).unwrap_or_else(|error| panic!("{error}"));
    }
}
