//! What was measured of a vector graph: arbitrary bytes never panic, and what is read is written as it was.

#![no_main]

use blaze_vector::{Calibration, RecallTarget};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(calibration) = Calibration::read(bytes) else { return };
    let mut written = Vec::new();
    calibration.write(&mut written);
    assert_eq!(written, bytes, "one form for each calibration");
    let target = RecallTarget::new(0.99).expect("a recall that can be aimed at");
    for (k, nodes) in [(1, 0), (10, 5_000), (100, 50), (10_000, usize::MAX)] {
        let _ = calibration.choose(target, k, nodes, 5_000);
        let _ = calibration.best(k, nodes, 5_000);
    }
});
