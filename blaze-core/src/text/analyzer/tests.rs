use super::*;
use crate::ErrorKind;
use crate::limits::{ANALYZER_BYTES_MAX, TEXT_TERM_BYTES_MAX};
use crate::value::Value;

/// Terms with their positions.
fn terms(analyzer: &Analyzer, text: &str) -> String {
    let mut terms = Vec::new();
    analyzer.analyze(text, &mut |token| terms.push(format!("{}@{}", token.term, token.position)));
    terms.join(" ")
}

/// What the terms are made of.
fn sources<'a>(analyzer: &Analyzer, text: &'a str) -> Vec<&'a str> {
    let mut sources = Vec::new();
    analyzer.analyze(text, &mut |token| sources.push(&text[token.start..token.end]));
    sources
}

/// Tokens of a query: `+` continues the word before, `*` is a prefix.
fn query(analyzer: &Analyzer, text: &str) -> String {
    let shown = analyzer.analyze_query(text).into_iter().map(|token| {
        let (continues, prefix) = (if token.continues { "+" } else { "" }, if token.is_prefix { "*" } else { "" });
        format!("{continues}{}{prefix}@{}", token.alternatives.join("|"), token.position)
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn words_are_folded_and_counted() {
    let standard = Analyzer::standard();
    assert_eq!(terms(&standard, "Das Café, 3.14 — naïve!"), "das@0 cafe@1 3.14@2 naive@3");
    assert_eq!(terms(&standard, " \t…—!? 😀"), "");
    assert_eq!(sources(&standard, "»Größe« (Ｘ１)"), ["Größe", "Ｘ１"]);
}

#[test]
fn scripts_with_spaces_are_words() {
    let standard = Analyzer::standard();
    for (text, expected) in [
        ("Война и мир", "война@0 и@1 мир@2"),
        ("Όδυσσέας", "οδυσσεασ@0"),
        ("שָׁלוֹם עולם", "שלום@0 עולם@1"),
        ("كتابٌ جديد", "كتاب@0 جديد@1"),
        ("नमस्ते दुनिया", "नमस्ते@0 दुनिया@1"),
        ("Tiếng Việt", "tieng@0 viet@1"),
    ] {
        assert_eq!(terms(&standard, text), expected, "{text}");
    }
}

#[test]
fn scripts_without_spaces_are_pairs_of_characters_and_the_last_one() {
    let standard = Analyzer::standard();
    assert_eq!(terms(&standard, "東京都に Tower"), "東京@0 京都@1 都に@2 に@3 tower@4");
    assert_eq!(terms(&standard, "東 京"), "東@0 京@1");
    assert_eq!(terms(&standard, "한국어"), "한국@0 국어@1 어@2");
    assert_eq!(terms(&standard, "ｶﾞｷ"), "ガキ@0 キ@1");
    assert_eq!(sources(&standard, "กุ้งดี"), ["กุ้ง", "งดี", "ดี"]);
}

#[test]
fn queries_for_them_are_phrases_and_a_single_character_is_a_beginning() {
    let standard = Analyzer::standard();
    assert_eq!(query(&standard, "東京都 Tower"), "東京@0 +京都@1 tower@3");
    assert_eq!(query(&standard, "都"), "都*@0");
}

#[test]
fn a_language_leaves_out_words_that_say_nothing_and_keeps_their_places() {
    let english = Analyzer::standard().language(Language::English);
    assert_eq!(terms(&english, "The connections of the Runners aren't lost"), "connect@1 runner@4 lost@6");
    let plain = english.clone().without_stemming();
    assert_eq!(terms(&plain, "The connections of"), "connections@1");
    assert_eq!(terms(&english, "Résumés"), terms(&english, "resume"));
    assert_eq!(terms(&english.without_stop_words(), "The connections of"), "the@0 connect@1 of@2");
}

#[test]
fn forms_of_words_meet_whatever_the_language() {
    for (language, left, right) in [
        (Language::Danish, "Undersøgelse", "undersøgelser"),
        (Language::Dutch, "lichamen", "Lichaam"),
        (Language::Finnish, "Talossa", "talosta"),
        (Language::French, "L’amour", "amours"),
        (Language::German, "Häuser", "Hauses"),
        (Language::Italian, "dell'opera", "opere"),
        (Language::Norwegian, "havnen", "HAVNER"),
        (Language::Portuguese, "Históricas", "histórico"),
        (Language::Russian, "Книгами", "книга"),
        (Language::Spanish, "Canciones", "canción"),
        (Language::Swedish, "flickorna", "flickor"),
    ] {
        let analyzer = Analyzer::standard().language(language);
        let (left, right) = (terms(&analyzer, left), terms(&analyzer, right));
        assert!(left == right && !left.is_empty(), "{language}: {left} and {right}");
    }
}

#[test]
fn accents_may_matter() {
    let swedish = Analyzer::standard().keep_accents();
    assert_eq!(terms(&swedish, "Säl SA\u{308}L sal"), "säl@0 säl@1 sal@2");
    assert_eq!(swedish.fold_prefix("SÄ"), "sä");
}

#[test]
fn stop_words_are_left_out_however_they_are_written() {
    let analyzer = Analyzer::standard().stop_words(["Déjà"]);
    assert_eq!(terms(&analyzer, "déjà vu DEJA de\u{301}ja\u{300}"), "vu@1");
}

#[test]
fn words_too_short_or_too_long_leave_a_gap() {
    let analyzer = Analyzer::standard().min_token_length(2).max_token_length(4);
    assert_eq!(terms(&analyzer, "a bc defg hijkl mn 東"), "bc@1 defg@2 mn@4 東@5");
}

#[test]
fn a_term_is_cut_where_it_is_too_long() {
    let word = "ö".repeat(300);
    for analyzer in [Analyzer::standard().keep_accents(), Analyzer::keyword().keep_accents()] {
        let mut lengths = Vec::new();
        analyzer.analyze(&word, &mut |token| lengths.push((token.term.len(), token.end)));
        assert_eq!(lengths, [(TEXT_TERM_BYTES_MAX - 1, word.len())]);
        assert_eq!(analyzer.analyze_query(&word)[0].alternatives[0].len(), TEXT_TERM_BYTES_MAX - 1);
    }
}

#[test]
fn substrings_are_every_three_characters_and_the_last_ones() {
    let substring = Analyzer::substring();
    assert_eq!(terms(&substring, "Süß e"), "sus@0 uss@1 ss @2 s e@3  e@4 e@5");
    assert_eq!(sources(&substring, "aß"), ["aß", "ß", "ß"]);
    assert_eq!(terms(&substring, "ab"), "ab@0 b@1");
    assert_eq!(query(&substring, "usag"), "usa@0 +sag@1");
    assert_eq!(query(&substring, "us"), "us*@0");
    assert_eq!(query(&substring, ""), "");
}

#[test]
fn long_texts_of_substrings_are_all_there() {
    let text = "abcdefghij".repeat(2_000);
    let mut count = 0;
    Analyzer::substring().analyze(&text, &mut |token| {
        assert_eq!(token.term, &text[token.start..token.end]);
        count += 1;
    });
    assert_eq!(count, text.len());
}

#[test]
fn a_keyword_is_the_whole_text() {
    assert_eq!(terms(&Analyzer::keyword(), "New York, ÖL"), "new york, ol@0");
    assert_eq!(terms(&Analyzer::keyword(), ""), "");
}

#[test]
fn identifiers_are_their_parts_and_at_the_first_the_whole() {
    let code = Analyzer::standard().split_identifiers();
    assert_eq!(terms(&code, "fn getUserName(x)"), "fn@0 getusername@1 get@1 user@2 name@3 x@4");
    assert_eq!(terms(&code, "self.max_size = 3.14"), "self@0 maxsize@1 max@1 size@2 3.14@3");
    assert_eq!(sources(&code, "a_bC"), ["a_bC", "a", "b", "C"]);
    assert_eq!(terms(&code, "__init__"), "init@0");
}

#[test]
fn queries_for_identifiers_are_phrases_of_their_parts() {
    let code = Analyzer::standard().split_identifiers();
    assert_eq!(query(&code, "open get_user now"), "open@0 get@1 +user@2 now@3");
    assert_eq!(code.fold_prefix("get_us"), "getus");
    let english = code.language(Language::English);
    assert_eq!(query(&english, "isThis mine theOcean"), "isthi@0 mine@2 ocean@4");
}

#[test]
fn synonyms_are_alternatives_of_queries_alone() {
    let analyzer = Analyzer::standard().language(Language::English).synonyms([
        vec!["Car", "automobiles"],
        vec!["car", "wagon"],
        vec!["film", "movie"],
    ]);
    analyzer.validate().unwrap();
    assert_eq!(query(&analyzer, "red cars"), "red@0 car|automobil|wagon@1");
    assert_eq!(query(&analyzer, "movies"), "movi|film@0");
    assert_eq!(terms(&analyzer, "red cars"), "red@0 car@1");
    let plain = analyzer.without_stemming();
    assert_eq!(query(&plain, "car cars"), "car|automobiles|wagon@0 cars@1", "terms of synonyms are made anew");
}

#[test]
fn a_prefix_is_folded_and_not_brought_to_a_stem() {
    let english = Analyzer::standard().language(Language::English);
    assert_eq!(english.fold_prefix(" Connécti "), "connecti");
    assert_eq!(english.fold_prefix("th"), "th");
    assert_eq!(Analyzer::keyword().fold_prefix("New Y"), "new y");
    assert_eq!(Analyzer::substring().fold_prefix("W\t"), "w ");
}

#[test]
fn options_that_do_not_fit_are_refused_by_name() {
    for (analyzer, message) in [
        (
            Analyzer::substring().language(Language::Dutch),
            "an analyzer of substrings has a language: only one of words can",
        ),
        (Analyzer::keyword().stop_words(["a"]), "an analyzer of keywords has stop words: only one of words can"),
        (
            Analyzer::standard().min_token_length(5).max_token_length(3),
            "leaves out words below 5 and above 3 characters",
        ),
        (Analyzer::standard().stop_words(["in der"]), "the stop word \"in der\" is not one word"),
        (Analyzer::standard().stop_words([""]), "the stop word \"\" is not one word"),
        (Analyzer::standard().stop_words(["的"]), "is of a script without spaces"),
        (Analyzer::standard().synonyms([["one"]]), "a group of synonyms has only \"one\", at least 2 words are needed"),
        (
            Analyzer::standard().synonyms([["car", "motor car"]]),
            "the synonym \"motor car\" has 2 words, one is possible",
        ),
        (Analyzer::standard().synonyms([["a", "?"]]), "the synonym \"?\" is no word, or one that is left out"),
        (Analyzer::standard().synonyms([["car", "自動車"]]), "the synonym \"自動車\" is more than one term"),
    ] {
        let error = analyzer.validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(message), "{error}");
    }
    let many = Analyzer::standard().stop_words([&"x".repeat(ANALYZER_BYTES_MAX + 1)]);
    assert_eq!(many.validate().unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn what_is_usual_is_valid() {
    for analyzer in [
        Analyzer::default(),
        Analyzer::substring().keep_accents(),
        Analyzer::keyword().synonyms([["New York", "NYC"]]),
        Analyzer::standard().language(Language::French).stop_words(["aujourd'hui"]).split_identifiers(),
    ] {
        analyzer.validate().unwrap();
    }
}

#[test]
fn what_is_stored_stays_as_it_is() {
    let analyzer = Analyzer::standard()
        .language(Language::German)
        .without_stemming()
        .without_stop_words()
        .stop_words(["Ähm"])
        .synonyms([["auto", "Wagen"]])
        .split_identifiers()
        .keep_accents()
        .min_token_length(2)
        .max_token_length(40);
    let json = r#"{"kind":"words","language":"german","stems":false,"stops_of_language":false,"splits_identifiers":true,
        "keeps_accents":true,"min_length":2,"max_length":40,"stop_words":["ahm","ähm"],"synonyms":[["auto","Wagen"]]}"#;
    let stored = crate::Document::new().with("kind", "words");
    assert_eq!(Analyzer::standard().to_stored(), Value::Map(stored));
    assert_eq!(analyzer.to_stored(), Value::Map(crate::Document::from_json(json).unwrap()));
}

#[test]
fn stored_values_that_are_no_analyzer_are_refused() {
    let words = || crate::Document::new().with("kind", "words");
    for (value, message) in [
        (Value::Null, "a stored analyzer is null, not a map"),
        (Value::Map(crate::Document::new()), "a stored analyzer has null for \"kind\""),
        (Value::Map(words().with("language", "klingon")), "a stored analyzer has \"klingon\" for \"language\""),
        (Value::Map(words().with("min_length", -1)), "a stored analyzer has int for \"min_length\""),
        (Value::Map(words().with("colour", "red")), "a stored analyzer has \"colour\", which none has"),
        (Value::Map(words().with("synonyms", Value::from(["a"]))), "a stored analyzer has \"a\" for \"synonyms\""),
    ] {
        let error = Analyzer::from_stored(&value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption);
        assert_eq!(error.to_string(), message);
    }
}
