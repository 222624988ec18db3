//! Every limit and its reason, in one place.

/// Bytes in a raw key of a keyspace, without the 4-byte keyspace id.
///
/// RocksDB compares and stores whole keys; beyond a few KiB they crowd out the block cache.
pub const KEY_BYTES_MAX: usize = 8 * 1024;

/// Bytes in a raw value of a keyspace.
pub const VALUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes in a chunk of an object, which is stored under a key of its own; the last one may be shorter.
///
/// Large enough that a disk reads it at the speed of its bandwidth and that its key weighs nothing; small enough that a
/// stream holds a few in memory, and that a read of ten bytes does not fetch a megabyte.
pub const OBJECT_CHUNK_BYTES: usize = 256 * 1024;

/// Bytes in one encoded document.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Levels of arrays and maps in a document, the document itself being the first.
///
/// Decoding recurses once a level; a hundred levels fit the smallest thread stack with room to spare.
pub const NESTING_MAX: usize = 100;

/// Bytes in a string or binary document id.
pub const ID_BYTES_MAX: usize = 1024;

/// Bytes in the name of a collection, keyspace or index, and in the label of a database.
pub const NAME_BYTES_MAX: usize = 128;

/// Bytes in one encoded index entry, id included: below it every entry fits a raw key.
pub const INDEX_ENTRY_BYTES_MAX: usize = KEY_BYTES_MAX;

/// Bytes of one value in an index entry: a longer encoding is cut there, and what is found by it is checked on the document.
///
/// Values differ early; what comes after a kilobyte would crowd out the block cache and hardly ever tells two apart. A unique
/// index, which must tell them apart, refuses a longer one.
pub const INDEX_VALUE_BYTES_MAX: usize = 1024;

/// Bytes of the filter of a partial index, which the catalog keeps and every write evaluates.
pub const INDEX_FILTER_BYTES_MAX: usize = 16 * 1024;

/// Entries that one document may have in one index through an array.
pub const INDEX_ENTRIES_PER_DOCUMENT_MAX: usize = 10_000;

/// Fields in a compound index.
pub const INDEX_FIELDS_MAX: usize = 16;

/// Indexes of one collection.
pub const INDEXES_PER_COLLECTION_MAX: usize = 64;

/// Dimensions of a vector.
pub const VECTOR_DIMENSIONS_MAX: usize = 4096;

/// Shapes (lists of keys) that the dictionary of a collection holds; later ones are spelt out in each record.
///
/// Real corpora need fewer than 400; the limit keeps a hostile one from filling memory.
pub const SHAPES_MAX: usize = 4096;

/// Keys that the dictionary of a collection holds; later ones are spelt out in each record.
pub const DICTIONARY_KEYS_MAX: usize = 65_536;

/// Bytes in a key that the dictionary holds; a longer one is spelt out in each record.
pub const DICTIONARY_KEY_BYTES_MAX: usize = 128;

/// Keys in a shape; a map of more keys is data rather than structure, and is spelt out.
pub const SHAPE_KEYS_MAX: usize = 256;

/// Levels of `and`, `or`, `not` and `elem_match` in a filter.
pub const FILTER_DEPTH_MAX: usize = 64;

/// Bytes in a regular expression, or a `like` pattern, of a filter.
pub const REGEX_BYTES_MAX: usize = 4096;

/// Bytes of memory that one compiled pattern of a filter may take: short expressions can repeat large classes.
pub const REGEX_COMPILED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Changes in one update: more are made by replacing the document.
pub const UPDATE_CHANGES_MAX: usize = 1_000;

/// Elements that the steps `$[]` and `$[name]` of one update may choose, those on the way to others included.
///
/// They are found before the first of them is changed, and remembered until the last one is.
pub const UPDATE_ELEMENTS_MAX: usize = 1_000_000;

/// Fields that a schema declares, nested ones included, and that an inferred one tells apart.
pub const SCHEMA_FIELDS_MAX: usize = 1_000;

/// Levels of arrays, maps and alternatives in a schema: the catalog keeps it as a document, in which each takes several.
pub const SCHEMA_DEPTH_MAX: usize = 12;

/// What of a document does not fit its schema, as far as the message says it.
pub const VIOLATIONS_MAX: usize = 10;

/// Bytes in one line of JSON, or one record of CSV, that is imported: a document of the greatest size, spelt at length.
pub const IMPORT_LINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Columns of CSV.
pub const CSV_COLUMNS_MAX: usize = 4096;

/// Bytes of keys and values that one transaction may write.
pub const TRANSACTION_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes of keys and values that the history may have to remember for the removal of one range.
///
/// They are read and written within the commit, which makes others wait.
pub const RANGE_HISTORY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes that the oracle may spend on remembering recent writes before it ends the oldest transactions.
pub const ORACLE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Vectors that are committed and not yet linked into the graph of their index: a full tail makes writers of that index wait.
///
/// Every search compares its query with each of them: a millisecond or so.
pub const VECTOR_TAIL_MAX: usize = 4_096;

/// Bytes of these vectors.
pub const VECTOR_TAIL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Vectors that one document may have in an index of several for each.
pub const VECTORS_PER_DOCUMENT_MAX: usize = 4_096;
/// Fields whose texts one index embeds.
pub const EMBEDDING_SOURCES_MAX: usize = 16;

/// Bytes of the text of a document that is embedded: what is longer is cut. Models read less.
pub const EMBEDDING_TEXT_BYTES_MAX: usize = 64 * 1024;

/// Texts that one call of an embedder takes.
pub const EMBEDDING_BATCH_MAX: usize = 1_024;

/// Bytes of texts from which no more are added to one call of an embedder.
pub const EMBEDDING_BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Vectors from which an index has a graph: below, looking at all of them is as fast.
pub const VECTOR_GRAPH_MIN: usize = 4_096;

/// Filters of which it is kept in memory what matches, beside each graph of a vector index: those that were used last.
pub const VECTOR_FILTERS_MAX: usize = 64;

/// Documents that may change after what matches a filter was found, until that is forgotten and found anew; searches with the
/// filter read those that come near.
pub const VECTOR_FILTER_CHANGES_MAX: usize = 16_384;

/// Candidates that a search by a graph keeps on its way.
pub const SEARCH_EF_MAX: usize = 8_192;

/// Queries that a vector index may be calibrated with: they are kept, and compared with all vectors.
pub const CALIBRATION_QUERIES_MAX: usize = 10_000;

/// Bytes of these queries.
pub const CALIBRATION_QUERY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Rows that one search may return.
pub const SEARCH_LIMIT_MAX: usize = 10_000;

/// Documents whose vectors one search takes as examples: each is read before the search begins.
pub const SEARCH_EXAMPLES_MAX: usize = 1_000;

/// Rows that one diverse search may return, those that are skipped included: each is compared with several times as many.
pub const SEARCH_DIVERSE_MAX: usize = 1_000;

/// Groups that one search may return: each may take a search of its own.
pub const SEARCH_GROUPS_MAX: usize = 1_000;

/// Bytes of documents and keys that one sort holds in memory.
pub const SORT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes of ids that one query remembers, to find no document twice and to intersect indexes.
pub const QUERY_IDS_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes of encoded values that one `distinct` holds in memory.
pub const DISTINCT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Documents of one sample, of which all ids are held in memory.
pub const SAMPLE_ROWS_MAX: usize = 100_000;

/// Documents on one page of a query, which are held in memory.
pub const PAGE_ROWS_MAX: usize = 10_000;

/// Bytes of the sort key and the id in a page token: a token goes into addresses and forms.
pub const PAGE_TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Levels of expressions inside each other.
pub const EXPRESSION_DEPTH_MAX: usize = 64;

/// Boundaries of the buckets of one expression.
pub const BUCKET_BOUNDARIES_MAX: usize = 10_000;

/// Stages of one pipeline, those of its facets included.
pub const PIPELINE_STAGES_MAX: usize = 100;

/// Bytes that the stages of one pipeline hold in memory together, unless the pipeline says otherwise.
pub const PIPELINE_MEMORY_BYTES: usize = 256 * 1024 * 1024;

/// The least memory that a pipeline may be given: below, not even one large document fits.
pub const PIPELINE_MEMORY_BYTES_MIN: usize = 64 * 1024;

/// The least memory that a bulk load sorts in.
pub const LOAD_MEMORY_BYTES_MIN: usize = 64 * 1024;

/// Bytes of cache that a database works with: below, it holds hardly more than what is being read.
pub const CACHE_BYTES_MIN: usize = 1024 * 1024;

/// Bytes of write buffers that a database works with: below, every few commits make a file.
pub const WRITE_BUFFER_BYTES_MIN: usize = 1024 * 1024;

/// Bytes of memory that a setting may ask for; more is a mistaken unit.
pub const MEMORY_BYTES_MAX: usize = if usize::BITS > 32 { 1 << (usize::BITS - 24) } else { usize::MAX };

/// Files that a database may have open: below, reads would do little but open them.
pub const OPEN_FILES_MIN: usize = 32;

/// Files that a database may have open: what systems allow a process at most.
pub const OPEN_FILES_MAX: usize = 1024 * 1024;

/// Background threads: more than machines have cores.
pub const BACKGROUND_JOBS_MAX: usize = 1024;

/// Fields in one text index.
pub const TEXT_FIELDS_MAX: usize = 16;

/// Levels of a text query inside each other: combinations, fields and boosts.
///
/// Reading and answering it recurse once a level.
pub const TEXT_QUERY_DEPTH_MAX: usize = 64;

/// Words, phrases, beginnings and fuzzy words of one text query: each takes cursors of its own.
pub const TEXT_QUERY_CLAUSES_MAX: usize = 1_024;

/// Bytes of the texts of one text query: some pages, of which every word is looked up.
pub const TEXT_QUERY_BYTES_MAX: usize = 16 * 1024;

/// Places by which the words of a phrase may be apart: far below what lies between two values of an array, so that no phrase
/// reaches from one into the next.
pub const TEXT_SLOP_MAX: u32 = 64;

/// Edits by which a fuzzy word may differ: with three, most short words are near each other.
pub const TEXT_EDITS_MAX: u8 = 2;

/// Bytes of a term: what is longer is cut there. No word is so long, and what begins alike for so long is nearly always equal.
pub const TEXT_TERM_BYTES_MAX: usize = 255;

/// Bytes of the stop words and synonyms of one analyzer, which the catalog keeps.
pub const ANALYZER_BYTES_MAX: usize = 64 * 1024;

/// Changes of a text index that are not folded: a writer waits for folds from there on. They take memory, and each search asks
/// all of them.
pub const TEXT_UNFOLDED_MAX: usize = 65_536;

/// Bytes of these changes.
pub const TEXT_UNFOLDED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Terms that a prefix or a fuzzy term of a text search stands for: of more, those that most documents have.
pub const TEXT_EXPANSIONS_MAX: usize = 1_024;

/// Terms, phrases and parts of phrases that one text search looks up: each holds a block of postings in memory.
pub const TEXT_CLAUSES_MAX: usize = 4_096;

/// Beginnings and fuzzy words that one text search looks for, counted for each field: each goes through dictionaries and may hold
/// eight bytes for each document that matches.
pub const TEXT_EXPANDED_CLAUSES_MAX: usize = 64;

/// Terms in one field of one document of a text index: all of them are in memory while it is written.
pub const TEXT_TOKENS_PER_FIELD_MAX: usize = 1_000_000;

/// Fields that one search highlights: each text is analysed again.
pub const SEARCH_HIGHLIGHTS_MAX: usize = 32;

/// Words that one suggestion answers: a list that people read.
pub const SUGGESTIONS_MAX: usize = 1_000;
