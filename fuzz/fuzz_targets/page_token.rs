//! Page tokens: no text panics, and what is parsed prints as it was and goes on at its place.

#![no_main]

use libfuzzer_sys::fuzz_target;

// The database itself is not built here: it would bring RocksDB along.
#[path = "../../src/query/page/token.rs"]
mod token;

/// What sees the functions that only the module above the tokens sees.
mod check {
    use super::token::PageToken;

    pub(super) fn parse(text: &str) {
        if let Ok(token) = text.parse::<PageToken>() {
            assert_eq!(token.to_string(), text, "a token has one spelling");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check::parse(text);
    }
    let Some((fingerprint, position)) = bytes.split_first_chunk() else { return };
    let fingerprint = u64::from_be_bytes(*fingerprint);
    let Ok(token) = token::PageToken::new(fingerprint, position.to_vec()) else { return };
    let again: token::PageToken = token.to_string().parse().expect("what was printed is parsed");
    assert_eq!(again.position_in(fingerprint).expect("of this query"), position);
    assert!(again.position_in(!fingerprint).is_err(), "another query");
    check::parse(&token.to_string());
});
