//! Placeholder while the build is set up.
