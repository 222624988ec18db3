//! Every mistake that the database can be made to make is found by a proof, which finds nothing where none is made.

mod audit;
mod creation;
mod deaths;
mod durability;
mod graph;
mod histories;
mod leftovers;
mod process;

use std::collections::BTreeSet;

use blaze::fault::Mistake;

use process::found_by;

/// What finds a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Proof {
    /// The auditor, of a database in which everything was done once.
    Audit,
    /// `blaze-check`, of the recorded history of transactions that meet.
    Histories,
    /// The auditor, of a database whose processes die where a batch was written.
    Deaths,
    /// Who looks at a new database whose process died as soon as it had its name.
    Creation,
    /// Who reads before the log is synced.
    Durability,
    /// Vectors that look for themselves by a graph.
    Graph,
    /// Who counts the rows that are left of what was dropped.
    Leftovers,
}

impl Proof {
    const ALL: [Proof; 7] = [
        Proof::Audit,
        Proof::Histories,
        Proof::Deaths,
        Proof::Creation,
        Proof::Durability,
        Proof::Graph,
        Proof::Leftovers,
    ];
}

/// A test for each mistake, and the table of what finds it, and by what words.
macro_rules! caught {
    ($($name:ident: $mistake:ident, $proof:ident, $words:literal;)*) => {
        const CAUGHT: &[(Mistake, Proof, &str)] = &[$((Mistake::$mistake, Proof::$proof, $words)),*];

        $(
            #[test]
            fn $name() {
                assert_caught(Mistake::$mistake);
            }
        )*
    };
}

caught! {
    a_commit_that_is_seen_before_it_is_durable_is_found: PublishedBeforeDurable, Durability, "is seen before the log is synced";
    a_transaction_in_two_batches_is_found_once_a_process_dies_between_them: SplitBatch, Deaths, "the feed tells of";
    a_lost_update_is_found: SkippedConflictCheck, Histories, "";
    a_write_skew_by_what_was_looked_for_is_found: SkippedReadCheck, Histories, "";
    an_old_value_in_the_cache_is_found: StaleCacheFill, Histories, "";
    a_write_that_a_savepoint_keeps_is_found: SavepointKeepsWrites, Audit, "\"pairs\"";
    an_addition_that_counts_twice_is_found: CounterAppliedTwice, Audit, "the counter \"totals\"";
    commits_that_go_back_in_time_are_found: MovedClock, Audit, "goes back";
    a_new_database_that_has_its_name_too_early_is_found: MarkerBeforeFiles, Creation, "CURRENT";
    a_lost_undo_record_is_found: LostUndo, Audit, "the people of the past";
    a_history_that_is_let_go_of_is_found: WrongFloor, Audit, "the people of the past";
    a_change_that_the_feed_leaves_out_is_found: LeftOutOfFeed, Audit, "told is None";
    an_entry_that_an_update_forgets_is_found: ForgottenIndexEntry, Audit, "index \"";
    a_second_document_in_a_unique_key_is_found: SkippedUniqueCheck, Audit, "a second document with the email";
    a_vector_that_an_update_forgets_is_found: ForgottenVector, Audit, "index \"embedding\"";
    a_node_that_no_edge_leads_to_is_found: UnrepairedEdge, Graph, "does not find itself";
    a_posting_that_an_update_forgets_is_found: ForgottenPosting, Audit, "text index";
    a_document_that_a_fold_brings_back_is_found: LostDelete, Audit, "is in 2 places";
    a_load_that_is_seen_before_it_is_there_is_found: TornLoad, Audit, "loaded";
    an_index_that_replaces_another_too_early_is_found: SwapWithoutOld, Audit, "index \"";
    rows_that_a_drop_leaves_are_found: LostReclaim, Leftovers, "rows are left";
}

/// What only a power cut shows.
const ELSEWHERE: [Mistake; 1] = [Mistake::SkippedSync];

fn assert_caught(mistake: Mistake) {
    let (_, proof, words) = CAUGHT.iter().find(|(of, ..)| *of == mistake).unwrap();
    let found = found_by(*proof, Some(mistake));
    let found = found.unwrap_or_else(|| panic!("{proof:?} does not find {mistake:?}"));
    assert!(found.contains(words), "{words:?} was to be found, and {proof:?} says of {mistake:?}: {found}");
}

#[test]
fn where_no_mistake_is_made_none_is_found() {
    for proof in Proof::ALL {
        assert_eq!(found_by(proof, None), None, "{proof:?}");
    }
}

#[test]
fn every_mistake_has_a_proof_that_finds_it() {
    let caught: Vec<Mistake> = CAUGHT.iter().map(|(mistake, ..)| *mistake).chain(ELSEWHERE).collect();
    assert_eq!(caught.len(), Mistake::ALL.len(), "each is caught once");
    assert_eq!(BTreeSet::from_iter(caught), BTreeSet::from(Mistake::ALL));
}
