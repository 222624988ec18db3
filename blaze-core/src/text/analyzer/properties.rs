use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use unicode_normalization::UnicodeNormalization;

use super::fold::fold;
use super::*;
use crate::limits::TEXT_TERM_BYTES_MAX;
use crate::value::strategy::value;

fn word() -> impl Strategy<Value = String> {
    select(vec!["the", "Über", "ran", "größer", "getName", "l'amour", "книгами", "x_y", "été", "b.c", "I"])
        .prop_map(str::to_owned)
}

pub(crate) fn analyzer() -> impl Strategy<Value = Analyzer> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let lengths = (option::of(0..5_usize), option::of(0..12_usize));
    let words = (vec(word(), 0..3), vec(vec(word(), 0..3), 0..3));
    (0..3_usize, option::of(select(Language::ALL.to_vec())), flags, lengths, words).prop_map(
        |(kind, language, (stems, stops, splits, keeps), (min, max), (stop_words, synonyms))| {
            let mut analyzer = [Analyzer::standard(), Analyzer::substring(), Analyzer::keyword()][kind].clone();
            if let Some(language) = language {
                analyzer = analyzer.language(language);
            }
            if !stems {
                analyzer = analyzer.without_stemming();
            }
            if !stops {
                analyzer = analyzer.without_stop_words();
            }
            if splits {
                analyzer = analyzer.split_identifiers();
            }
            if keeps {
                analyzer = analyzer.keep_accents();
            }
            if let Some(min) = min {
                analyzer = analyzer.min_token_length(min);
            }
            if let Some(max) = max {
                analyzer = analyzer.max_token_length(max);
            }
            analyzer.stop_words(stop_words).synonyms(synonyms)
        },
    )
}

/// Text in which scripts, marks and signs are near to each other.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let characters = "aAbZz09_.',:- \n\té\u{301}ßæIİıΣςйё\u{306}אב\u{5b7}\u{64e}كतिか\u{3099}カﾞ漢字한ᄒ\u{1161}ไม่ำ\u{ad}\u{200d}’😀🇩🇪";
    let mixed = vec(select(characters.chars().collect::<Vec<_>>()), 0..20).prop_map(|text| text.into_iter().collect());
    let words = vec(word(), 0..8).prop_map(|words| words.join(" "));
    prop_oneof![mixed, words, any::<String>()]
}

#[derive(Debug, PartialEq)]
struct Seen {
    term: String,
    position: u32,
    start: usize,
    end: usize,
}

fn tokens(analysis: &mut Analysis<'_>, text: &str) -> Vec<Seen> {
    let mut tokens = Vec::new();
    analysis.analyze(text, &mut |Token { term, position, start, end }| {
        tokens.push(Seen { term: term.to_owned(), position, start, end });
    });
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn terms_are_in_order_and_of_their_place_and_within_limits(analyzer in analyzer(), text in text()) {
        let (mut position, mut start) = (0, 0);
        for token in tokens(&mut analyzer.begin(), &text) {
            prop_assert!(!token.term.is_empty() && token.term.len() <= TEXT_TERM_BYTES_MAX);
            prop_assert!(position <= token.position && start <= token.start && token.start < token.end);
            prop_assert!(text.get(token.start..token.end).is_some(), "{token:?} splits a character");
            (position, start) = (token.position, token.start);
        }
    }

    #[test]
    fn what_was_analysed_before_does_not_matter(analyzer in analyzer(), texts in vec(text(), 0..4)) {
        let mut analysis = analyzer.begin();
        for text in texts {
            prop_assert_eq!(tokens(&mut analysis, &text), tokens(&mut analyzer.begin(), &text));
        }
    }

    #[test]
    fn a_query_finds_the_text_that_it_is(analyzer in analyzer(), text in text()) {
        let tokens = tokens(&mut analyzer.begin(), &text);
        for asked in analyzer.analyze_query(&text) {
            let is_there = |token: &Seen| token.term == asked.alternatives[0]
                && (token.position, token.start, token.end) == (asked.position, asked.start, asked.end);
            prop_assert!(tokens.iter().any(is_there), "{asked:?} is not among {tokens:?}");
        }
        prop_assert_eq!(tokens.is_empty(), analyzer.analyze_query(&text).is_empty());
    }

    #[test]
    fn a_text_is_found_by_each_part_of_it_with_substrings(text in text(), from: prop::sample::Index, to: prop::sample::Index) {
        let analyzer = Analyzer::substring();
        let starts: Vec<usize> = runs::units(&text, 0, text.len()).map(|(start, _)| start).chain([text.len()]).collect();
        let (from, to) = (*from.get(&starts), *to.get(&starts));
        let part = &text[from.min(to)..from.max(to)];
        let tokens = tokens(&mut analyzer.begin(), &text);
        let asked = analyzer.analyze_query(part);
        let found = |first: u32| asked.iter().all(|asked| tokens.iter().any(|token| {
            token.position == first + asked.position
                && if asked.is_prefix { token.term.starts_with(&asked.alternatives[0]) } else { token.term == asked.alternatives[0] }
        }));
        prop_assert!(asked.is_empty() || tokens.iter().any(|token| found(token.position)), "{part:?} in {text:?}");
    }

    #[test]
    fn terms_of_words_are_folded(text in text()) {
        for token in tokens(&mut Analyzer::standard().begin(), &text) {
            prop_assert_eq!(fold(&token.term), token.term);
        }
    }

    // Of what is normalised: an iota below a letter becomes a letter of its own in upper case, which other marks of that letter
    // must not come behind (The Unicode Standard, section 3.13).
    #[test]
    fn case_does_not_matter(text in text()) {
        let text: String = text.nfd().collect();
        let terms = |text: &str| tokens(&mut Analyzer::standard().begin(), text).into_iter()
            .map(|token| (token.term, token.position)).collect::<Vec<_>>();
        prop_assert_eq!(terms(&text.to_uppercase()), terms(&text.to_lowercase()));
    }

    #[test]
    fn a_prefix_of_a_word_begins_its_term(word in "[a-zA-Zéß]{1,12}", length in 1..12_usize) {
        let prefix: String = word.chars().take(length).collect();
        let analyzer = Analyzer::standard();
        let term = &tokens(&mut analyzer.begin(), &word)[0].term;
        prop_assert!(term.starts_with(&analyzer.fold_prefix(&prefix)));
    }

    #[test]
    fn what_is_stored_is_read_back(analyzer in analyzer()) {
        let _ = analyzer.validate();
        prop_assert_eq!(Analyzer::from_stored(&analyzer.to_stored()).unwrap(), analyzer);
    }

    #[test]
    fn any_value_is_read_or_refused(value in value(), name in select(vec!["language", "stems", "max_length", "stop_words", "synonyms"])) {
        let _ = Analyzer::from_stored(&value);
        let stored = crate::Document::new().with("kind", "words").with(name, value);
        if let Ok(analyzer) = Analyzer::from_stored(&crate::Value::Map(stored)) {
            let _ = analyzer.validate();
            let _ = analyzer.analyze_query("any text");
        }
    }
}
