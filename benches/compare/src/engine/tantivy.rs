//! `tantivy`, a library for full-text search.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use blaze_bench::Result;
use blaze_bench::engine::{
    Engine, EngineOptions, Faculty, TextFormula, TextHit, TextItems, TextQuestion, TextSize, Texts, WordWeight,
};
use blaze_bench::measure::{directory_bytes, measure};
use std::path::PathBuf;
use tantivy::collector::TopDocs;
use tantivy::columnar::Column;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::query::{BooleanQuery, PhraseQuery, Query, TermQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, Term};

/// What its own example gives a writer.
const HEAP_BYTES: usize = 50_000_000;
const ID: &str = "id";
const TEXT: &str = "text";

/// The crate `tantivy`, its files mapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tantivy;

impl Engine for Tantivy {
    fn name(&self) -> &'static str {
        "tantivy"
    }

    fn version(&self) -> String {
        env!("LOCKED_TANTIVY").to_owned()
    }

    fn faculties(&self) -> &'static [Faculty] {
        &[Faculty::Texts]
    }

    fn configuration(&self, _options: &EngineOptions) -> Vec<String> {
        vec![format!(
            "texts: feature mmap; positions and field norms, nothing stored, ids in a fast field; tokenizer 'whitespace'; one \
             thread that writes, with a heap of {HEAP_BYTES} bytes; building ends when nothing is left to merge by its policy; \
             its BM25 rounds lengths"
        )]
    }

    fn open_texts(&self, options: &EngineOptions) -> Result<Box<dyn Texts>> {
        let mut schema = Schema::builder();
        let id = schema.add_u64_field(ID, FAST);
        let indexing = TextFieldIndexing::default().set_tokenizer("whitespace");
        let indexing = indexing.set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let text = schema.add_text_field(TEXT, TextOptions::default().set_indexing_options(indexing));
        let directory = options.directory.join("tantivy");
        std::fs::create_dir(&directory)?;
        let index = Index::create_in_dir(&directory, schema.build())?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Box::new(TantivyTexts { index, reader, id, text, directory, opened: RwLock::default() }))
    }
}

struct TantivyTexts {
    index: Index,
    reader: IndexReader,
    id: Field,
    text: Field,
    directory: PathBuf,
    opened: RwLock<Option<Opened>>,
}

/// What searches read.
struct Opened {
    searcher: Searcher,
    /// For each segment the ids of its documents.
    ids: Vec<Column<u64>>,
}

impl TantivyTexts {
    fn writer(&self) -> Result<IndexWriter> {
        Ok(self.index.writer_with_num_threads(1, HEAP_BYTES)?)
    }

    fn add(
        &self,
        writer: &mut IndexWriter,
        items: TextItems<'_>,
        rows: std::ops::Range<u64>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let last = rows.end;
        for row in rows {
            let mut document = TantivyDocument::default();
            document.add_u64(self.id, row);
            document.add_text(self.text, items.texts.text(row as usize));
            writer.add_document(document)?;
            if (row + 1) % 1000 == 0 || row + 1 == last {
                progress(row + 1);
            }
        }
        writer.commit()?;
        Ok(())
    }

    fn reload(&self) -> Result<()> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let ids = searcher.segment_readers().iter().map(|segment| segment.fast_fields().u64(ID));
        let ids = ids.collect::<tantivy::Result<Vec<_>>>()?;
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = Some(Opened { searcher, ids });
        Ok(())
    }

    fn term(&self, word: &str) -> Term {
        Term::from_field_text(self.text, word)
    }

    fn word(&self, word: &str) -> Box<dyn Query> {
        Box::new(TermQuery::new(self.term(word), IndexRecordOption::WithFreqs))
    }

    fn query(&self, question: &TextQuestion) -> Box<dyn Query> {
        let words = || question.words().iter().map(|word| self.word(word)).collect();
        match question {
            TextQuestion::Any(one) | TextQuestion::All(one) if one.len() == 1 => self.word(&one[0]),
            TextQuestion::Any(_) => Box::new(BooleanQuery::union(words())),
            TextQuestion::All(_) => Box::new(BooleanQuery::intersection(words())),
            TextQuestion::Phrase(words) => {
                Box::new(PhraseQuery::new(words.iter().map(|word| self.term(word)).collect()))
            }
        }
    }
}

impl Texts for TantivyTexts {
    fn load(&self, items: TextItems<'_>, rows: u64, progress: &mut dyn FnMut(u64)) -> Result<Duration> {
        let build = || {
            let mut writer = self.writer()?;
            self.add(&mut writer, items, 0..rows, progress)?;
            writer.wait_merging_threads()?;
            self.reload()
        };
        let (took, built): (Duration, Result<()>) = measure(build);
        built?;
        Ok(took)
    }

    fn insert(&self, items: TextItems<'_>, first: u64) -> Result<()> {
        self.add(&mut self.writer()?, items, first..items.texts.rows() as u64, &mut |_| ())?;
        self.reload()
    }

    fn merge(&self) -> Result<()> {
        let mut writer = self.writer()?;
        let segments = self.index.searchable_segment_ids()?;
        if segments.len() > 1 {
            writer.merge(&segments).wait()?;
        }
        self.reload()?; // nobody reads the old segments any more
        writer.garbage_collect_files().wait()?;
        Ok(writer.wait_merging_threads()?)
    }

    fn search(&self, question: &TextQuestion, limit: usize) -> Result<Vec<TextHit>> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        let Some(Opened { searcher, ids }) = &*opened else { return Err("nothing is loaded".into()) };
        let found = searcher.search(&*self.query(question), &TopDocs::with_limit(limit).order_by_score())?;
        let hit = |(score, address): (f32, tantivy::DocAddress)| {
            let id = ids[address.segment_ord as usize].first(address.doc_id).ok_or("a document has no id")?;
            Ok(TextHit { id, score })
        };
        found.into_iter().map(hit).collect()
    }

    fn formula(&self) -> TextFormula {
        TextFormula { name: "tantivy", weight: WordWeight::Positive, length: rounded, counts_empty: true }
    }

    fn size(&self) -> Result<TextSize> {
        let bytes = directory_bytes(&self.directory)?.length_bytes;
        Ok(TextSize { index_bytes: Some(bytes), total_bytes: bytes })
    }
}

/// A length as its field norms keep it, in a byte.
fn rounded(length: u32) -> u32 {
    let kept = (0..=u8::MAX).map(FieldNormReader::id_to_fieldnorm);
    kept.take_while(|kept| *kept <= length).last().unwrap_or(0)
}
