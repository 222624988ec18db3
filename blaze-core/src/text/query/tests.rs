//! What is typed, and what it is; what is refused, and how.

use super::TextQuery;
use crate::error::ErrorKind;
use crate::limits::{TEXT_QUERY_BYTES_MAX, TEXT_QUERY_CLAUSES_MAX, TEXT_QUERY_DEPTH_MAX, TEXT_SLOP_MAX};
use crate::path::Path;

fn word(text: &str) -> TextQuery {
    TextQuery::phrase(text)
}

fn parse(typed: &str) -> TextQuery {
    let query = TextQuery::parse(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
    let shown = query.to_string();
    assert_eq!(TextQuery::parse(&shown).unwrap(), query, "{typed} as {shown}");
    query
}

/// Says that what is typed is refused, what is shown of it, and the rest of the message.
fn refuses(typed: &str, character: usize, shown: &str, message: &str) {
    let error = TextQuery::parse(typed).unwrap_err();
    assert_eq!(error.to_string(), format!("text query, character {character}, at `{shown}`: {message}"));
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

fn boolean<const M: usize, const S: usize, const N: usize>(
    must: [TextQuery; M],
    should: [TextQuery; S],
    must_not: [TextQuery; N],
    least_should: usize,
) -> TextQuery {
    TextQuery::Boolean { must: must.into(), should: should.into(), must_not: must_not.into(), least_should }
}

#[test]
fn words_side_by_side_are_alternatives() {
    assert_eq!(parse("dune"), word("dune"));
    assert_eq!(parse("  space   opera\t"), word("space").or(word("opera")));
    assert_eq!(parse("space OR opera"), parse("space opera"));
    assert_eq!(parse("space opera dune"), TextQuery::any_of(["space", "opera", "dune"].map(word)));
    assert_eq!(parse("cats and dogs or not"), TextQuery::any_of(["cats", "and", "dogs", "or", "not"].map(word)));
}

#[test]
fn signs_say_what_must_and_what_must_not_be_there() {
    assert_eq!(parse("+space opera"), boolean([word("space")], [word("opera")], [], 0));
    assert_eq!(parse("space -musical"), boolean([], [word("space")], [word("musical")], 1));
    assert_eq!(parse("space NOT musical"), parse("space -musical"));
    assert_eq!(parse("+a"), boolean([word("a")], [], [], 0));
    assert_eq!(
        parse(r#"+"space opera" -title:dune -(a b)"#),
        boolean([word("space opera")], [], [word("dune").in_field("title"), word("a").or(word("b"))], 0)
    );
}

#[test]
fn and_binds_tighter_than_or_and_than_nothing() {
    assert_eq!(parse("a AND b"), word("a").and(word("b")));
    assert_eq!(parse("+a +b"), parse("a AND b"));
    assert_eq!(parse("a AND +b AND -c AND NOT d"), word("a").and(word("b")).and_not(word("c")).and_not(word("d")));
    assert_eq!(parse("NOT a AND b"), word("b").and_not(word("a")));
    assert_eq!(parse("a OR b AND c"), word("a").or(word("b").and(word("c"))));
    assert_eq!(parse("a b AND c d"), TextQuery::any_of([word("a"), word("b").and(word("c")), word("d")]));
    assert_eq!(parse("(a OR b) AND c"), word("a").or(word("b")).and(word("c")));
    assert_eq!(parse("NOT(a b) AND(c)"), word("c").and_not(word("a").or(word("b"))));
}

#[test]
fn parentheses_hold_together_and_may_say_how_many() {
    assert_eq!(parse("((dune))"), word("dune"));
    assert_eq!(parse("(a b) c"), TextQuery::any_of([word("a").or(word("b")), word("c")]));
    assert_eq!(parse("(a b c)~2"), TextQuery::at_least(2, ["a", "b", "c"].map(word)));
    assert_eq!(parse("(+a b c)~1^2"), boolean([word("a")], [word("b"), word("c")], [], 1).boost(2.0));
    assert_eq!(parse("(a)~1"), TextQuery::any_of([word("a")]));
    assert_eq!(parse("(a)(b)\"c\"d"), TextQuery::any_of(["a", "b", "c", "d"].map(word)));
}

#[test]
fn quotes_make_phrases() {
    assert_eq!(parse(r#""space opera""#), word("space opera"));
    assert_eq!(parse(r#""dune""#), parse("dune"));
    assert_eq!(parse(r#""space opera"~2"#), TextQuery::near("space opera", 2));
    assert_eq!(parse(r#""space opera"~any"#), TextQuery::words("space opera"));
    assert_eq!(parse(r#""space opera"~all^2"#), TextQuery::all_words("space opera").boost(2.0));
    assert_eq!(parse(r#""a \"b\" \\ (c) AND -d""#), word(r#"a "b" \ (c) AND -d"#));
    assert_eq!(parse("\u{201c}space opera\u{201d}"), word("space opera"), "what telephones make of quotes");
    assert_eq!(parse("\u{201e}a b\u{201c}~1"), TextQuery::near("a b", 1));
    assert_eq!(parse("\"a \u{201d} b\""), word("a \u{201d} b"));
}

#[test]
fn words_may_be_beginnings_or_fuzzy() {
    assert_eq!(parse("spa*"), TextQuery::prefix("spa"));
    assert_eq!(parse("spcae~1"), TextQuery::fuzzy("spcae", 1));
    assert_eq!(parse("spcae~2/3^0.5"), TextQuery::fuzzy_after("spcae", 2, 3).boost(0.5));
    assert_eq!(parse("spcae~"), TextQuery::fuzzy("spcae", 1), "short");
    assert_eq!(parse("oprea~ détente~"), TextQuery::fuzzy("oprea", 1).or(TextQuery::fuzzy("détente", 2)));
    assert_eq!(parse(r"space\ op*"), TextQuery::prefix("space op"));
    assert_eq!(parse(r"a\*"), word("a*"));
    assert_eq!(parse(r"a\~1"), word("a~1"));
}

#[test]
fn fields_are_paths_before_a_colon() {
    assert_eq!(parse("title:dune"), word("dune").in_field("title"));
    assert_eq!(parse("cast.name:kyle^2"), word("kyle").boost(2.0).in_field("cast.name"));
    assert_eq!(parse("title:(dune messiah)^2"), word("dune").or(word("messiah")).boost(2.0).in_field("title"));
    assert_eq!(parse(r#"title:"dune messiah"~1"#), TextQuery::near("dune messiah", 1).in_field("title"));
    assert_eq!(parse("title:(a body:b)"), word("a").or(word("b").in_field("body")).in_field("title"));
    assert_eq!(parse("(title:a)^2"), word("a").in_field("title").boost(2.0));
    assert_eq!(parse("заголовок:война"), word("война").in_field("заголовок"));
    assert_eq!(parse(r"my\ field:x"), word("x").in_field("my field"));
    assert_eq!(parse(r"a\.b.c:x"), word("x").in_field(Path::from_keys(["a.b", "c"])));
    assert_eq!(parse("title:a:b"), word("a:b").in_field("title"));
}

#[test]
fn what_only_looks_like_signs_is_searched_for_as_it_is() {
    let typed = r#"
        C++ 10:30 AT&T don't foo-bar - + a/b std::vec main() f(g(x))(y) http://example.org/a?b=c --release -> a~b
        2*3 12" foo"bar * ~5 ^_ C# @user #tag 100% a.b Dune: :- wait..:x 10.5 A&B [x] {x} ! && || ? ~/.cargo 0:x
        -=
    "#;
    for text in typed.split_whitespace().chain(["don\u{2019}t"]) {
        assert_eq!(parse(text), word(text), "{text}");
    }
    assert_eq!(parse("Dune: Part Two"), TextQuery::any_of(["Dune:", "Part", "Two"].map(word)));
    assert_eq!(parse("a - b"), TextQuery::any_of(["a", "-", "b"].map(word)));
    assert_eq!(parse("f(a b)"), parse("f (a b)"), "a blank inside makes it a group");
    assert_eq!(parse(r"C\"), word(r"C\"), "nothing is behind the backslash");
    assert_eq!(parse("(a -)"), word("a").or(word("-")));
}

#[test]
fn a_backslash_makes_text_of_what_follows() {
    assert_eq!(parse(r"\-a"), word("-a"));
    assert_eq!(parse(r"\AND"), word("AND"));
    assert_eq!(parse(r"title\:dune"), word("title:dune"));
    assert_eq!(parse(r"\(a\) \^ \\"), TextQuery::any_of(["(a)", "^", r"\"].map(word)));
    assert_eq!(parse(r"a\^2"), word("a^2"));
    assert_eq!(parse("+AND -OR title:NOT"), boolean([word("AND")], [word("NOT").in_field("title")], [word("OR")], 0));
}

#[test]
fn errors_say_which_character_and_what_would_be_right() {
    refuses(r#"é "space op"#, 3, r#""space op"#, r#"this quote is not closed; to search for a quote, write \""#);
    refuses("a (b c", 3, "(b c", r"this parenthesis is not closed; to search for it, write \(");
    refuses("a b) c", 4, ") c", r"nothing is open that this closes; to search for it, write \)");
    refuses("a ()", 3, "()", r"there is nothing in these parentheses; to search for them, write \(\)");
    refuses("a \" \"", 3, "\" \"", r#"there is nothing in these quotes; to search for a quote, write \""#);
    refuses("title:\"\"", 7, "\"\"", r#"there is nothing in these quotes; to search for a quote, write \""#);
    refuses(r"a \ ", 3, r"\ ", "this is blank; there is nothing to search for");
    refuses(
        "dune^much too much of this long text",
        5,
        "^much too much of this l...",
        r"after the ^ comes a number by which scores are multiplied, as in dune^2.5; to search for it, write \^",
    );
    refuses("a^0", 2, "^0", "boost is 0, it has to be a finite number above 0");
    refuses(
        "(a)^9999999999999999999999999999999999999999",
        4,
        "^99999999999999999999999...",
        "boost is inf, it has to be a finite number above 0",
    );
    refuses("foo~3", 4, "~3", "distance is 3, it can be from 1 to 2");
    refuses("foo*~1", 5, "~1", "a beginning is not fuzzy; leave out the * or the ~");
    refuses("(a b)~3", 6, "~3", "at least 3 are wanted of 2 that should be there");
    refuses("title:-x", 7, "-x", r"this belongs before the field; to search for it, put a \ before it");
    refuses("\"a b\"*", 6, "*", "a phrase takes no *; only a word of its own can be a beginning");
    for (typed, character, shown) in [("\"a b\"~x y", 6, "~x y"), ("\"a b\"~", 6, "~")] {
        let message = "after the ~ of a phrase comes a number of places, any or all; as in \"a b\"~2";
        refuses(typed, character, shown, message);
    }
}

#[test]
fn operators_want_something_on_both_sides() {
    let nothing = |side: &str, operator: &str| {
        format!(
            "there is nothing {side} {operator} that it could join; to search for the word, write it in small letters"
        )
    };
    refuses("AND a", 1, "AND a", &nothing("before", "AND"));
    refuses("a AND", 3, "AND", &nothing("after", "AND"));
    refuses("a AND OR b", 7, "OR b", &nothing("before", "OR"));
    refuses("OR", 1, "OR", &nothing("before", "OR"));
    refuses("(a OR)", 4, "OR)", &nothing("after", "OR"));
    refuses("a OR OR b", 6, "OR b", "OR stands here twice");
    refuses("a NOT", 3, "NOT", &nothing("after", "NOT"));
    refuses("a NOT -b", 3, "NOT -b", "NOT and + or - exclude each other; write one of them");
}

#[test]
fn only_exclusions_find_nothing() {
    let message = "this only says what is not to be found; write what is to be found, too";
    refuses("-a", 1, "-a", message);
    refuses("NOT a AND NOT b", 1, "NOT a AND NOT b", message);
    refuses("a (-b -c)", 3, "(-b -c)", message);
    let what = "what must not be there is no alternative; leave out the OR, or write AND for it";
    refuses("a OR -b", 6, "-b", what);
    refuses("NOT a OR b", 7, "OR b", what);
    refuses("+a OR b", 4, "OR b", "what must be there is no alternative; leave out the OR or the +");

    let error = (!word("a")).in_field("title").validate().unwrap_err();
    assert_eq!(error.to_string(), r#"text query: "-a" does not say what has to be found"#);
    assert!(word("b").or(!word("a")).validate().is_err());
    assert!(word("b").and(!word("a")).validate().is_ok());
    assert!(boolean([], [word("a")], [], 0).validate().is_err());
    let error = TextQuery::all_of([]).validate().unwrap_err();
    assert_eq!(error.to_string(), "text query: a combination of no queries");
}

#[test]
fn blank_texts_are_refused() {
    for blank in ["", "  ", "\u{3000}\n"] {
        let error = TextQuery::parse(blank).unwrap_err();
        assert_eq!(error.to_string(), "text query: there is nothing to search for, it is blank");
        for query in [TextQuery::words(blank), word(blank), TextQuery::prefix(blank), TextQuery::fuzzy(blank, 1)] {
            assert_eq!(query.validate().unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
}

#[test]
fn numbers_out_of_their_range_are_refused() {
    for factor in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(word("a").boost(factor).validate().unwrap_err().kind(), ErrorKind::Invalid);
    }
    for distance in [0, 3] {
        assert_eq!(TextQuery::fuzzy("a", distance).validate().unwrap_err().kind(), ErrorKind::Invalid);
    }
    let error = TextQuery::near("a b", TEXT_SLOP_MAX + 1).validate().unwrap_err();
    assert_eq!(error.to_string(), "text query: slop is 65, the limit is 64");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert_eq!(TextQuery::parse("\"a b\"~65").unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert!(word("a").in_field("a..b").validate().is_err());
}

#[test]
fn queries_are_limited_in_depth_clauses_and_bytes() {
    let kind = |typed: &str| TextQuery::parse(typed).unwrap_err().kind();
    let nested = |levels| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    assert_eq!(parse(&nested(TEXT_QUERY_DEPTH_MAX)), word("a"));
    assert_eq!(kind(&nested(TEXT_QUERY_DEPTH_MAX + 1)), ErrorKind::LimitExceeded);
    assert_eq!(kind(&format!("{}a{}", "(b ".repeat(60), ")^2".repeat(60))), ErrorKind::LimitExceeded);
    assert_eq!(kind(&nested(1_000_000)), ErrorKind::LimitExceeded);
    assert_eq!(kind(&"a ".repeat(TEXT_QUERY_CLAUSES_MAX + 1)), ErrorKind::LimitExceeded);
    assert!(TextQuery::parse(&"a ".repeat(TEXT_QUERY_CLAUSES_MAX)).is_ok());
    assert_eq!(kind(&"a".repeat(TEXT_QUERY_BYTES_MAX + 1)), ErrorKind::LimitExceeded);
    assert!(TextQuery::parse(&"a".repeat(TEXT_QUERY_BYTES_MAX)).is_ok());
}

#[test]
fn long_runs_of_signs_take_no_longer_than_other_texts() {
    for piece in [
        "(", ")", "a(", "a()", "(a)", "\"", "\"\"", "a:", "a.", "\\", "~", "^", "*", "+", "-", "a~", "OR ", "NOT ",
        "\u{301}",
    ] {
        let _ = TextQuery::parse(&piece.repeat(300_000));
    }
}

#[test]
fn an_index_has_only_its_fields() {
    let fields = [Path::from("title"), Path::from("cast.name")];
    let error = |typed: &str| TextQuery::parse_for(typed, &fields).unwrap_err().to_string();
    assert!(TextQuery::parse_for("title:dune cast.name:kyle 10:30 std::vec Note: x", &fields).is_ok());
    assert_eq!(
        error("dune year:1984"),
        "text query, character 6, at `year:1984`: unknown field \"year\"; known are title, cast.name. \
         To search for the text, write \\: for the colon"
    );
    assert_eq!(
        error("title: dune"),
        "text query, character 1, at `title: dune`: what to look for in the field follows the colon at once; \
         to search for the text, write \\:"
    );
    assert!(error("(a title:)").contains("at `title:)`"));

    let query = word("a").in_field("cast.nam").or(word("b").in_field("title")).and_not(word("c").in_field("title"));
    assert_eq!(query.fields(), [&Path::from("cast.nam"), &Path::from("title")]);
    let error = query.check_fields(&fields).unwrap_err().to_string();
    assert_eq!(error, "text query: unknown field \"cast.nam\"; did you mean \"cast.name\"?");
}

#[test]
fn queries_are_displayed_as_one_would_type_them() {
    let shown = |query: TextQuery| query.to_string();
    assert_eq!(shown(parse("a AND b AND NOT c")), "+a +b -c");
    assert_eq!(shown(parse("a  OR (b c)")), "a (b c)");
    assert_eq!(shown(TextQuery::words("space opera")), r#""space opera"~any"#);
    assert_eq!(shown(word("space opera").boost(2.0).in_field("title")), r#"title:"space opera"^2"#);
    assert_eq!(shown(word("a").and_maybe(word("b").or(word("c")))), "+a b c");
    assert_eq!(shown(word("AND").or(word("-x")).or(word("a:b"))), r"\AND \-x a\:b");
    assert_eq!(shown(word("C++").or(word("foo-bar")).or(word("don't"))), "C++ foo-bar don't");
    assert_eq!(shown(TextQuery::from("a b")), shown(TextQuery::words("a b")));
}
