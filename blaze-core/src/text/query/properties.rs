//! Laws of text queries and query strings, on random ones.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::TextQuery;
use crate::path::Path;

/// Pieces that mean something in a query string, and some that do not.
const PIECES: [&str; 40] = [
    "a", "b", "title", "AND", "OR", "NOT", "any", "all", "1", "2", ".", "0.5", " ", " ", " ", "\t", "\u{3000}", "\"",
    "\"", "\u{201c}", "\u{201d}", "(", "(", ")", ")", "+", "-", "~", "*", "^", ":", "/", "\\", "=", "<", ">", "é",
    "漢", "न्", "🚀",
];

fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => vec(select(PIECES.to_vec()), 0..16).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

fn text() -> impl Strategy<Value = String> {
    let pieces = vec(select(PIECES.to_vec()), 1..6).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => pieces, 1 => any::<String>(), 1 => "[a-z]{1,6}"]
        .prop_map(|text| if text.trim().is_empty() { format!("x{text}") } else { text })
}

fn path() -> impl Strategy<Value = Path> {
    let key = prop_oneof![
        "[a-z]{1,4}".prop_map(String::from),
        vec(select(PIECES.to_vec()), 1..4).prop_map(|pieces| pieces.concat()),
    ];
    vec(key, 1..3).prop_map(Path::from_keys)
}

fn factor() -> impl Strategy<Value = f32> {
    prop_oneof![
        select(vec![0.5, 1.0, 2.0, f32::MIN_POSITIVE, f32::MAX, 1e-45]),
        any::<f32>().prop_map(|factor| if factor.is_normal() { factor.abs() } else { 3.0 }),
    ]
}

fn boolean(inner: impl Strategy<Value = TextQuery> + Clone) -> impl Strategy<Value = TextQuery> {
    let parts = || vec(inner.clone(), 0..3);
    (parts(), parts(), parts(), 0..3_usize).prop_map(|(must, mut should, must_not, least)| {
        if must.is_empty() && should.is_empty() {
            should.push(TextQuery::phrase("x"));
        }
        let least_should = least.clamp(usize::from(must.is_empty()), should.len());
        TextQuery::Boolean { must, should, must_not, least_should }
    })
}

/// Any valid query.
fn query() -> impl Strategy<Value = TextQuery> {
    let leaf = prop_oneof![
        text().prop_map(TextQuery::words),
        text().prop_map(TextQuery::all_words),
        text().prop_map(TextQuery::phrase),
        (text(), 0..=64_u32).prop_map(|(text, slop)| TextQuery::near(text, slop)),
        text().prop_map(TextQuery::prefix),
        (text(), 1..=2_u8, select(vec![0, 1, u32::MAX]))
            .prop_map(|(text, distance, prefix_length)| { TextQuery::fuzzy_after(text, distance, prefix_length) }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            2 => boolean(inner.clone()),
            1 => (inner.clone(), path()).prop_map(|(inner, path)| inner.in_field(path)),
            1 => (inner, factor()).prop_map(|(inner, factor)| inner.boost(factor)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn what_a_valid_query_displays_reads_as_an_equal_one(query in query()) {
        query.validate().unwrap();
        let shown = query.to_string();
        prop_assert_eq!(TextQuery::parse(&shown).unwrap(), query, "{}", shown);
    }

    #[test]
    fn it_reads_so_for_an_index_on_the_fields_that_it_names(query in query()) {
        let fields: Vec<Path> = query.fields().into_iter().cloned().collect();
        query.check_fields(&fields).unwrap();
        let shown = query.to_string();
        prop_assert_eq!(TextQuery::parse_for(&shown, &fields).unwrap(), query, "{}", shown);
    }

    #[test]
    fn whatever_is_typed_is_a_valid_query_or_an_error_that_says_where(typed in typed()) {
        match TextQuery::parse(&typed) {
            Ok(query) => {
                query.validate().unwrap();
                prop_assert_eq!(TextQuery::parse(&query.to_string()).unwrap(), query);
            }
            Err(error) => {
                let message = error.to_string();
                prop_assert!(message.starts_with("text query"), "{}", message);
                if let Some(rest) = message.strip_prefix("text query, character ") {
                    let number: usize = rest.split(',').next().unwrap().parse().unwrap();
                    prop_assert!((1..=typed.chars().count().max(1)).contains(&number), "{}", message);
                }
            }
        }
    }

    #[test]
    fn words_without_signs_are_searched_for_as_they_are(words in vec("[a-zé漢0-9]{1,6}", 1..6)) {
        let query = TextQuery::parse(&words.join(" ")).unwrap();
        let expected = words.iter().map(TextQuery::phrase).reduce(TextQuery::or).unwrap();
        prop_assert_eq!(query, expected);
    }

    #[test]
    fn any_text_is_searched_for_as_it_is_in_quotes(text in text()) {
        let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        prop_assert_eq!(TextQuery::parse(&quoted).unwrap(), TextQuery::phrase(text));
    }

    #[test]
    fn excluding_twice_is_no_exclusion(query in query(), other in query()) {
        prop_assert_eq!(!!query.clone(), query.clone());
        prop_assert_eq!(query.clone().and(!other.clone()), query.and(!!!other));
    }
}
