//! Engines in programs of their own.

use std::path::Path;

use super::{Engine, EngineOptions, Faculty};
use crate::report::EngineInfo;
use crate::run;

/// An engine that cannot be linked into this program, because both bring a library that a program can have only once. Its
/// jobs run in another program, which is built with the same harness and so speaks its protocol.
#[derive(Clone, Copy, Debug)]
pub struct Apart {
    /// What the other program calls it.
    pub name: &'static str,
    /// What it can store.
    pub faculties: &'static [Faculty],
    /// Where the program is once it is built. After a change of the harness it has to be built again.
    pub program: &'static str,
    /// The command that builds it.
    pub build: &'static str,
}

impl Apart {
    /// What the other program says about the engine.
    fn describe(&self, cache_bytes: usize) -> EngineInfo {
        run::describe(Path::new(self.program), self.name, cache_bytes).unwrap_or_else(|error| EngineInfo {
            name: self.name.to_owned(),
            version: "unknown".to_owned(),
            configuration: vec![format!("{} does not describe it: {error}", self.program)],
        })
    }
}

impl Engine for Apart {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> String {
        self.describe(0).version
    }

    fn faculties(&self) -> &'static [Faculty] {
        self.faculties
    }

    fn configuration(&self, options: &EngineOptions) -> Vec<String> {
        self.describe(options.cache_bytes).configuration
    }

    fn program(&self) -> Option<&Path> {
        Some(Path::new(self.program))
    }

    fn missing(&self) -> Option<String> {
        let is_missing = !Path::new(self.program).is_file();
        is_missing.then(|| format!("its program {} is not there; this builds it: {}", self.program, self.build))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_missing_and_the_message_says_what_builds_it() {
        let apart =
            Apart { name: "other", faculties: &[Faculty::Orders], program: "no/such/program", build: "make it" };
        let why = apart.missing().unwrap();
        assert!(why.contains("no/such/program") && why.ends_with("make it"), "{why}");
        assert_eq!(apart.version(), "unknown");
        let configuration = apart.configuration(&EngineOptions { directory: "/".into(), cache_bytes: 1 });
        assert!(configuration[0].starts_with("no/such/program does not describe it"), "{configuration:?}");
    }
}
