use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::*;
use crate::text::analyzer::properties::{analyzer, text};
use crate::text::language::Language;

fn plain() -> Highlighter {
    Highlighter::new().marks("[", "]").escape_html(false)
}

fn texts(highlighter: &Highlighter, text: &str, words: &[&str]) -> Vec<String> {
    let is_found = |term: &str| words.contains(&term);
    let snippets = highlighter.highlight(text, &Analyzer::standard(), &is_found);
    snippets.into_iter().map(|snippet| snippet.text).collect()
}

const STORY: &str = "The harbour was quiet. A ship came in at night, and nobody saw the ship. \
    In the morning the captain went ashore to look for coffee. He found a café near the harbour. \
    The ship left with the captain and all of the coffee.";

#[test]
fn a_short_text_is_shown_whole() {
    assert_eq!(texts(&plain(), "A ship came in.", &["ship", "in"]), ["A [ship] came [in]."]);
}

#[test]
fn nothing_found_shows_nothing() {
    assert!(texts(&plain(), STORY, &["whale"]).is_empty());
    assert!(texts(&plain(), "", &["whale"]).is_empty());
    assert!(texts(&plain().fragments(0), STORY, &["ship"]).is_empty());
}

#[test]
fn the_best_snippet_has_the_most_different_terms() {
    let best = &texts(&plain().fragment_length(60).fragments(1), STORY, &["ship", "captain", "coffee"])[0];
    assert_eq!(best, "The [ship] left with the [captain] and all of the [coffee].");
}

#[test]
fn snippets_are_sentences_where_they_fit_and_else_words() {
    let highlighter = plain().fragment_length(64);
    assert_eq!(
        texts(&highlighter, STORY, &["night", "cafe"]),
        ["A ship came in at [night], and nobody saw the ship.", "He found a [café] near the harbour.",]
    );
    assert_eq!(texts(&plain().fragment_length(22), STORY, &["captain"])[0], "the [captain] went");
}

#[test]
fn marks_are_around_the_words_as_they_are_written() {
    let english = Analyzer::standard().language(Language::English);
    let snippets = plain().highlight("Connected CONNECTIONS", &english, &|term| term == "connect");
    assert_eq!(snippets[0].text, "[Connected] [CONNECTIONS]");
    let snippets = plain().highlight("Süßes", &Analyzer::substring(), &|term| ["uss", "sse"].contains(&term));
    assert_eq!(snippets[0].text, "S[üße]s");
    let snippets =
        plain().highlight("在東京都内", &Analyzer::standard(), &|term| ["東京", "京都"].contains(&term));
    assert_eq!(snippets[0].text, "在[東京都]内");
}

#[test]
fn prefixes_are_up_to_who_asks() {
    let snippets = plain().highlight("space spaceship", &Analyzer::standard(), &|term| term.starts_with("spaces"));
    assert_eq!(snippets[0].text, "space [spaceship]");
}

#[test]
fn html_is_escaped_unless_it_is_said_otherwise() {
    let (text, found) = ("<b title=\"x\">R&D's</b>", |term: &str| term == "r" || term == "x");
    let snippets = Highlighter::new().highlight(text, &Analyzer::standard(), &found);
    assert_eq!(snippets[0].text, { "&lt;b title=&quot;<mark>x</mark>&quot;&gt;<mark>R</mark>&amp;D&#39;s&lt;/b&gt;" });
    assert_eq!(plain().highlight(text, &Analyzer::standard(), &found)[0].text, "<b title=\"[x]\">[R]&D's</b>");
}

#[test]
fn a_word_longer_than_a_snippet_is_cut() {
    let snippets = plain().fragment_length(10).highlight(&"x".repeat(400), &Analyzer::keyword(), &|_| true);
    assert_eq!(snippets.len(), 1);
    assert_eq!(snippets[0].text, format!("[{}]", "x".repeat(10)));
}

#[test]
fn the_whole_text_may_be_asked_for() {
    let all = texts(&plain().fragment_length(usize::MAX), STORY, &["morning"]);
    assert_eq!(all, [STORY.replace("morning", "[morning]")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn snippets_of_any_text_are_whole_characters_and_say_where_they_are(
        parts in prop::collection::vec(text(), 0..5),
        analyzer in analyzer(),
        length in 0..40_usize,
        fragments in 0..4_usize,
        divisor in 1..4_usize,
    ) {
        let text = parts.join(" ");
        let highlighter = plain().fragment_length(length).fragments(fragments);
        let snippets = highlighter.highlight(&text, &analyzer, &|term| term.len() % divisor == 0);
        prop_assert!(snippets.len() <= fragments);
        let mut boundaries: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
        boundaries.push(text.len());
        for (number, snippet) in snippets.iter().enumerate() {
            let mut unmarked = String::new();
            let mut at = snippet.range.start;
            for found in &snippet.highlights {
                prop_assert!(at <= found.start && found.start < found.end && found.end <= snippet.range.end);
                unmarked.push_str(&text[at..found.start]);
                unmarked.push_str(&format!("[{}]", &text[found.clone()]));
                at = found.end;
                prop_assert!(boundaries.contains(&found.start) && boundaries.contains(&found.end));
            }
            unmarked.push_str(&text[at..snippet.range.end]);
            prop_assert_eq!(&snippet.text, &unmarked);
            prop_assert!(!snippet.highlights.is_empty());
            prop_assert!(boundaries.contains(&snippet.range.start) && boundaries.contains(&snippet.range.end));
            for other in &snippets[..number] {
                prop_assert!(other.range.end <= snippet.range.start || snippet.range.end <= other.range.start);
            }
        }
    }
}
