//! The database's own modules, what its fuzz targets see of them, and the model that its tests compare it with.

#![forbid(unsafe_code)]

include!(concat!(env!("OUT_DIR"), "/blaze.rs"));

pub mod inside;
#[allow(dead_code, unused_imports, reason = "the tests run it in their own way, too")]
pub mod model;
