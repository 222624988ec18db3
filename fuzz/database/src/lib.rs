//! The database's own modules, what its fuzz targets see of them, and the model that its tests compare it with.

#![forbid(unsafe_code)]

include!(concat!(env!("OUT_DIR"), "/blaze.rs"));

/// What reads a graph, once more: the database hands it to nobody.
#[allow(dead_code, unused_imports, reason = "only what reads is of interest")]
#[path = "../../../src/vector"]
mod graph {
    #[path = "../embedding/layout.rs"]
    mod backlog;
    mod form;
    mod ids;
    mod layout;
    mod linked;
    mod row_cache;
    #[path = "../../fuzz/database/src/graph_rows.rs"]
    pub(crate) mod rows;
    mod stored;
}
pub mod inside;
#[allow(dead_code, unused_imports, reason = "the tests run it in their own way, too")]
pub mod model;
