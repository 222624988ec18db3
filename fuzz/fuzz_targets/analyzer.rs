//! Analyzers as the catalog keeps them, and what they make of any text: terms and snippets that are parts of the text.

#![no_main]

use blaze_core::limits::TEXT_TERM_BYTES_MAX;
use blaze_core::{Analyzer, Collation, Document, Highlighter, JsonForm, Language, Value};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

const KINDS: [&str; 4] = ["words", "substring", "keyword", "what"];
const FLAGS: [&str; 4] = ["stems", "stops_of_language", "splits_identifiers", "keeps_accents"];
const LENGTHS: [&str; 2] = ["min_length", "max_length"];

fn stored(source: &mut Unstructured<'_>) -> Result<Document> {
    let mut stored = Document::new().with("kind", *source.choose(&KINDS)?);
    if source.arbitrary()? {
        stored.insert("language", source.choose(&Language::ALL)?.name());
    }
    for _ in 0..source.int_in_range(0..=3)? {
        match source.int_in_range(0..=4)? {
            0 => drop(stored.insert(*source.choose(&LENGTHS)?, i64::from(source.arbitrary::<u8>()?))),
            1 => drop(stored.insert("stop_words", strings(source)?)),
            2 => drop(stored.insert("synonyms", vec![strings(source)?, strings(source)?])),
            3 => drop(stored.insert(*source.choose(&FLAGS)?, blaze_fuzz::value(source, 1)?)),
            _ => drop(stored.insert(*source.choose(&FLAGS)?, source.arbitrary::<bool>()?)),
        }
    }
    Ok(stored)
}

fn strings(source: &mut Unstructured<'_>) -> Result<Value> {
    let strings: Result<Vec<&str>> = (0..source.int_in_range(0..=3)?).map(|_| source.arbitrary()).collect();
    Ok(Value::Array(strings?.into_iter().map(Value::from).collect()))
}

fn analyze(analyzer: &Analyzer, text: &str) {
    let (mut last, mut terms) = (0, 0_usize);
    analyzer.analyze(text, &mut |token| {
        assert!(!token.term.is_empty() && token.term.len() <= TEXT_TERM_BYTES_MAX, "{:?}", token.term);
        assert!(text.get(token.start..token.end).is_some(), "{token:?} is no part of {text:?}");
        assert!(token.position >= last, "{token:?} steps back");
        last = token.position;
        terms += 1;
    });
    let snippets = Highlighter::new().fragment_length(40).highlight(text, analyzer, &|term| term.len() % 2 == 1);
    for snippet in snippets {
        assert!(text.get(snippet.range.clone()).is_some(), "{snippet:?} is no part of {text:?}");
        let mut from = snippet.range.start;
        for marked in snippet.highlights {
            assert!(from <= marked.start && marked.end <= snippet.range.end, "{marked:?} of {:?}", snippet.range);
            assert!(text.get(marked.clone()).is_some(), "{marked:?} is no part of {text:?}");
            from = marked.end;
        }
    }
}

fn check(value: &Value, text: &str) {
    let Ok(analyzer) = Analyzer::from_stored(value) else { return };
    assert_eq!(Analyzer::from_stored(&analyzer.to_stored()).expect("what is stored can be read"), analyzer);
    if analyzer.validate().is_ok() {
        analyze(&analyzer, text);
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) =
        std::str::from_utf8(bytes).map_err(drop).and_then(|text| JsonForm::Extended.read(text).map_err(drop))
    {
        check(&value, "Die Vögel (1963) und the_birds of XMLHttp");
    }
    let mut source = Unstructured::new(bytes);
    let Ok(stored) = stored(&mut source) else { return };
    let text = String::from_utf8_lossy(source.take_rest()).into_owned();
    check(&Value::Map(stored), &text);
    for collation in [Collation::new(), Collation::new().ignore_case().ignore_accents().numeric()] {
        let _ = collation.key(&text);
    }
});
