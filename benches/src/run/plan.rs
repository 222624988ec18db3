//! Which workloads run, at which sizes, how often.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::dataset::corpus::Corpus;
use crate::distribution::Distribution;
use crate::report::Skipped;
use crate::workload::{
    Commits, DocumentSource, DocumentWorkload, Endurance, EnginePart, EngineWorkload, OrderPart, OrderWorkload,
    OrderedMap, Reopen, SizeWorkload, TextPart, TextTable, VectorPart, VectorSource, VectorTable, VectorWorkload,
    Workload, Ycsb, ycsb,
};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// About ten minutes on two cores.
    Quick,
    /// Everything, at the sizes that others publish; hours.
    Full,
}

/// A workload, how often it runs on each engine, and in how much memory.
#[derive(Clone, Debug)]
pub struct Step {
    /// What runs.
    pub workload: Workload,
    /// How often.
    pub rounds: u32,
    /// Bytes of memory for the process, page cache included, where the system can limit it.
    pub memory_bytes: u64,
}

impl Step {
    /// Bytes for the engine's own cache: a quarter of the memory.
    #[must_use]
    pub fn cache_bytes(&self) -> usize {
        usize::try_from(self.memory_bytes / 4).unwrap_or(usize::MAX)
    }
}

/// What is to be measured, and what is left out.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What is left out, and why.
    pub skipped: Vec<Skipped>,
}

const MIB: u64 = 1 << 20;
/// Less memory is not measured: a process does not fit into it.
const MEMORY_BYTES_MIN: u64 = 64 * MIB;
/// Memory where vectors are searched, at least: the rivals are libraries that know no limit.
const VECTOR_MEMORY_BYTES_MIN: u64 = 4096 * MIB;
/// Memory where texts are searched, at least.
const TEXT_MEMORY_BYTES_MIN: u64 = 1024 * MIB;
/// Memory where only space is measured: a quarter of it is the cache that Blaze has by default.
const SIZE_MEMORY_BYTES: u64 = 256 * MIB;

impl Plan {
    /// The plan of a profile. External data are looked for in `data`; `memory_bytes` replaces the memory of those
    /// workloads whose data are to fit, `rounds` how often everything runs.
    #[must_use]
    pub fn of(profile: Profile, data: Option<&Path>, memory_bytes: Option<u64>, rounds: Option<u32>) -> Plan {
        let mut plan = Plan::default();
        match profile {
            Profile::Quick => plan.quick(memory_bytes.unwrap_or(1024 * MIB)),
            Profile::Full => plan.full(memory_bytes.unwrap_or(4096 * MIB)),
        }
        let memory = memory_bytes.unwrap_or(2048 * MIB);
        plan.documents(profile, data, memory);
        plan.vectors(profile, data, memory_bytes.unwrap_or(4096 * MIB));
        if let Some(rounds) = rounds {
            plan.steps.iter_mut().for_each(|step| step.rounds = rounds);
        }
        plan
    }

    /// The engine's own table over so many rows. `memory_bytes` replaces the memory of the parts whose data are to fit.
    #[must_use]
    pub fn of_engine(rows: u64, memory_bytes: Option<u64>, rounds: u32) -> Plan {
        let mut plan = Plan::default();
        for part in EngineWorkload::PARTS {
            let workload = EngineWorkload { part, rows };
            let data = workload.data_bytes();
            let (rounds, memory) = match part {
                // A quarter of the memory is cache, so that is twice the data: all of them fit, and so does what an engine
                // keeps beside blocks.
                EnginePart::Reads | EnginePart::Writes => (rounds, memory_bytes.unwrap_or((8 * data).max(256 * MIB))),
                EnginePart::Past => (rounds, memory_bytes.unwrap_or((12 * data).max(256 * MIB))), // two databases
                EnginePart::DurableCommits => (rounds, memory_bytes.unwrap_or(1024 * MIB)),
                EnginePart::BeyondMemory => (1, data / 4),
            };
            let workload = Workload::Engine(workload);
            if memory < MEMORY_BYTES_MIN {
                let least = 4 * MEMORY_BYTES_MIN.div_ceil(data / rows.max(1));
                plan.skipped.push(skipped(&workload.name(), &format!("it takes at least {least} rows")));
            } else {
                plan.add(workload, rounds, memory);
            }
        }
        plan
    }

    /// The documents' own table over so many orders; inserts are measured as the collection grows to five times as many. The
    /// size of documents is measured with a corpus that is looked for in `data`.
    #[must_use]
    pub fn of_orders(orders: u64, data: Option<&Path>, memory_bytes: Option<u64>, rounds: u32) -> Plan {
        let mut plan = Plan::default();
        for part in OrderWorkload::PARTS {
            let orders = if part == OrderPart::Growth { 5 * orders } else { orders };
            let workload = OrderWorkload { part, orders };
            // A quarter of the memory is cache, so that is twice the data.
            let memory = memory_bytes.unwrap_or((8 * workload.data_bytes()).max(256 * MIB));
            plan.add(Workload::Orders(workload), rounds, memory);
        }
        let size = SizeWorkload { corpus: Corpus::Tate(data.map(Path::to_path_buf)) };
        match size.corpus.missing() {
            Some(why) => plan.skipped.push(skipped(&Workload::Size(size).name(), &why)),
            // The same in each round.
            None => plan.add(Workload::Size(size), 1, memory_bytes.unwrap_or(SIZE_MEMORY_BYTES)),
        }
        plan
    }

    /// The vectors' own table, with so many generated vectors where there are most; sets of files are looked for in `data`.
    #[must_use]
    pub fn of_vector_table(vectors: u64, data: Option<&Path>, memory_bytes: Option<u64>, rounds: u32) -> Plan {
        let mut plan = Plan::default();
        for part in VectorPart::all(vectors, data.map(Path::to_path_buf)) {
            // A quarter of the memory is cache, so that is twice the vectors, and what a graph takes beside them.
            let memory = memory_bytes.unwrap_or((8 * part.data_bytes()).max(VECTOR_MEMORY_BYTES_MIN));
            let missing = part.missing();
            let workload = Workload::VectorTable(VectorTable { part });
            match missing {
                Some(why) => plan.skipped.push(skipped(&workload.name(), &why)),
                None => plan.add(workload, rounds, memory),
            }
        }
        plan
    }

    /// The texts' own table, with so many generated texts; those of files are looked for in `data`.
    #[must_use]
    pub fn of_text_table(texts: u64, data: Option<&Path>, memory_bytes: Option<u64>, rounds: u32) -> Plan {
        let mut plan = Plan::default();
        for part in TextPart::all(texts, data.map(Path::to_path_buf)) {
            // The harness has the texts in memory, too, and finds out the true answers.
            let memory = memory_bytes.unwrap_or((12 * part.data_bytes()).max(TEXT_MEMORY_BYTES_MIN));
            let missing = part.missing();
            let workload = Workload::TextTable(TextTable { part });
            match missing {
                Some(why) => plan.skipped.push(skipped(&workload.name(), &why)),
                None => plan.add(workload, rounds, memory),
            }
        }
        plan
    }

    /// The user's own documents with the user's own questions.
    ///
    /// # Errors
    /// When a file is not there, or a question cannot be read.
    pub fn of_documents(documents: PathBuf, questions: PathBuf, memory_bytes: u64, rounds: u32) -> Result<Plan> {
        let source = DocumentSource::Lines { documents, questions };
        if let Some(why) = source.missing() {
            return Err(why.into());
        }
        let workload = Workload::Document(DocumentWorkload::full(source));
        Ok(Plan { steps: vec![Step { workload, rounds, memory_bytes }], skipped: Vec::new() })
    }

    /// The user's own vectors.
    ///
    /// # Errors
    /// When a file is not there.
    pub fn of_vectors(vectors: PathBuf, queries: Option<PathBuf>, memory_bytes: u64, rounds: u32) -> Result<Plan> {
        let source = VectorSource::File { vectors, queries, limit: None };
        if let Some(why) = source.missing() {
            return Err(why.into());
        }
        let workload = Workload::Vector(VectorWorkload::full(source));
        Ok(Plan { steps: vec![Step { workload, rounds, memory_bytes }], skipped: Vec::new() })
    }

    /// Keeps the workloads whose name contains one of `wanted`.
    pub fn keep(&mut self, wanted: &[String]) {
        let is_wanted = |name: &str| wanted.iter().any(|part| name.to_lowercase().contains(&part.to_lowercase()));
        self.steps.retain(|step| is_wanted(&step.workload.name()));
        self.skipped.retain(|skipped| is_wanted(&skipped.what));
    }

    /// Leaves out what `applies` to, and says why.
    pub fn leave_out(&mut self, applies: fn(&Workload) -> bool, why: &str) {
        let (left_out, kept): (Vec<Step>, Vec<Step>) = self.steps.drain(..).partition(|step| applies(&step.workload));
        self.steps = kept;
        self.skipped.extend(left_out.iter().map(|step| skipped(&step.workload.name(), why)));
    }

    fn add(&mut self, workload: Workload, rounds: u32, memory_bytes: u64) {
        self.steps.push(Step { workload, rounds, memory_bytes });
    }

    fn quick(&mut self, memory: u64) {
        self.add(Workload::OrderedMap(OrderedMap::quick()), 3, memory);
        self.add(Workload::Commits(Commits::quick()), 3, memory);
        self.add(Workload::Reopen(Reopen::quick()), 1, memory);
        self.ycsb(Distribution::Zipfian, 50_000, 50_000, 3, memory);
        self.ycsb_beyond_memory(128 * MIB, 4_000, 1);
        self.add(Workload::Endurance(Endurance::quick()), 1, memory);
    }

    fn full(&mut self, memory: u64) {
        self.add(Workload::OrderedMap(OrderedMap::full()), 3, memory);
        self.add(Workload::Commits(Commits::full()), 3, memory);
        self.add(Workload::Reopen(Reopen::full()), 3, memory);
        for distribution in [Distribution::Zipfian, Distribution::Uniform] {
            self.ycsb(distribution, 1_000_000, 1_000_000, 3, memory);
        }
        self.ycsb_beyond_memory(1024 * MIB, 200_000, 3);
        self.add(Workload::Endurance(Endurance::full()), 1, memory);
    }

    fn ycsb(&mut self, distribution: Distribution, records: u64, operations: u64, rounds: u32, memory: u64) {
        let share = memory as f64 / (records * ycsb::RECORD_BYTES) as f64;
        self.add(Workload::Ycsb(Ycsb::new(records, operations, distribution, share)), rounds, memory);
    }

    /// Four times as much data as memory.
    fn ycsb_beyond_memory(&mut self, memory: u64, operations: u64, rounds: u32) {
        let records = 4 * memory / ycsb::RECORD_BYTES;
        self.add(Workload::Ycsb(Ycsb::new(records, operations, Distribution::Uniform, 0.25)), rounds, memory);
    }

    fn documents(&mut self, profile: Profile, data: Option<&Path>, memory: u64) {
        for source in DocumentSource::all(profile, data) {
            match source.missing() {
                Some(why) => self.skipped.push(skipped(&source.name(), &why)),
                None => {
                    let (workload, rounds) = match profile {
                        Profile::Quick => (DocumentWorkload::quick(source), 2),
                        Profile::Full => (DocumentWorkload::full(source), 3),
                    };
                    self.add(Workload::Document(workload), rounds, memory);
                }
            }
        }
    }

    fn vectors(&mut self, profile: Profile, data: Option<&Path>, memory: u64) {
        for source in VectorSource::all(profile, data) {
            match source.missing() {
                Some(why) => self.skipped.push(skipped(&source.name(), &why)),
                None => {
                    let (workload, rounds) = match profile {
                        Profile::Quick => (VectorWorkload::quick(source), 1),
                        Profile::Full => (VectorWorkload::full(source), 3),
                    };
                    self.add(Workload::Vector(workload), rounds, memory);
                }
            }
        }
    }
}

fn skipped(what: &str, why: &str) -> Skipped {
    Skipped { what: what.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Faculty;

    #[test]
    fn both_profiles_measure_all_that_engines_can_store() {
        for profile in [Profile::Quick, Profile::Full] {
            let plan = Plan::of(profile, None, None, Some(2));
            for faculty in [Faculty::KeyValue, Faculty::Documents, Faculty::Vectors] {
                assert!(plan.steps.iter().any(|step| step.workload.faculty() == faculty), "{profile:?}: {faculty:?}");
            }
            assert!(plan.steps.iter().all(|step| step.rounds == 2));
            assert!(!plan.skipped.is_empty(), "what is looked for in --data is named");
        }
    }

    #[test]
    fn the_engines_table_has_all_parts_and_leaves_out_what_so_few_rows_cannot_show() {
        let plan = Plan::of_engine(2_000_000, None, 3);
        assert_eq!((plan.steps.len(), plan.skipped.len()), (5, 0));
        for step in &plan.steps {
            assert!(matches!(step.workload.faculty(), Faculty::Transactions | Faculty::Past), "{step:?}");
            let data = 2_000_000 * 174;
            let fits = step.cache_bytes() as u64 > data;
            match step.workload.needs_little_memory() {
                true => assert_eq!((step.memory_bytes, step.rounds), (data / 4, 1)),
                false => assert!(step.rounds == 3 && (fits || step.workload.is_durable()), "{step:?}"),
            }
        }
        let small = Plan::of_engine(1000, None, 1);
        assert_eq!((small.steps.len(), small.skipped.len()), (4, 1));
        assert!(small.skipped[0].what.contains("four times memory"), "{:?}", small.skipped);
    }

    #[test]
    fn the_documents_own_table_measures_the_size_of_a_corpus_where_there_is_one() {
        let plan = Plan::of_orders(1_000, None, None, 2);
        assert_eq!((plan.steps.len(), plan.skipped.len()), (OrderWorkload::PARTS.len(), 1));
        assert!(plan.skipped[0].what.starts_with("size on disk"), "{:?}", plan.skipped);

        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("tate-artworks.jsonl.zst"), "").unwrap();
        let plan = Plan::of_orders(1_000, Some(data.path()), None, 2);
        let size = plan.steps.last().unwrap();
        assert_eq!((size.workload.faculty(), size.rounds, plan.skipped.len()), (Faculty::Archive, 1, 0));
    }

    #[test]
    fn the_vectors_own_table_measures_generated_vectors_and_those_of_files_where_they_are() {
        let plan = Plan::of_vector_table(10_000, None, None, 2);
        assert!(plan.skipped.iter().all(|skipped| skipped.why.contains("--data")), "{:?}", plan.skipped);
        for faculty in [Faculty::VectorIndex, Faculty::VectorStore] {
            assert!(plan.steps.iter().any(|step| step.workload.faculty() == faculty), "{faculty:?}");
        }
        assert_eq!(plan.steps.len() + plan.skipped.len(), VectorPart::all(1, None).len());
        assert!(plan.steps.iter().all(|step| step.rounds == 2));
        let mut names: Vec<String> = plan.steps.iter().map(|step| step.workload.name()).collect();
        names.dedup();
        assert_eq!(names.len(), plan.steps.len(), "{names:?}");
    }

    #[test]
    fn the_texts_own_table_measures_generated_texts_and_those_of_files_where_they_are() {
        let plan = Plan::of_text_table(10_000, None, None, 2);
        assert!(plan.skipped.iter().all(|skipped| skipped.why.contains("--data")), "{:?}", plan.skipped);
        for faculty in [Faculty::Texts, Faculty::TextStore] {
            assert!(plan.steps.iter().any(|step| step.workload.faculty() == faculty), "{faculty:?}");
        }
        assert_eq!(plan.steps.len() + plan.skipped.len(), TextPart::all(1, None).len());
        assert!(plan.steps.iter().all(|step| step.rounds == 2));
    }

    #[test]
    fn workloads_are_kept_by_a_part_of_their_name() {
        let mut plan = Plan::of(Profile::Quick, None, None, None);
        plan.keep(&["ycsb".to_owned()]);
        assert!(!plan.steps.is_empty() && plan.steps.iter().all(|step| step.workload.name().starts_with("YCSB")));
        let before = plan.steps.len();
        plan.leave_out(Workload::needs_little_memory, "memory cannot be limited here");
        assert_eq!((plan.steps.len(), plan.skipped.len()), (before - 1, 1));
        assert!(plan.skipped[0].what.contains("larger than memory"));
    }
}
