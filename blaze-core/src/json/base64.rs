//! Bytes as text: base64 of RFC 4648, with padding.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// The bytes, or what is wrong with the text.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, String> {
    let (chunks, rest) = text.as_bytes().as_chunks::<4>();
    if !rest.is_empty() {
        return Err(format!("base64 comes in groups of 4 characters, here are {}", text.len()));
    }
    let mut bytes = Vec::with_capacity(chunks.len() * 3);
    for (position, chunk) in chunks.iter().enumerate() {
        let is_last = position + 1 == chunks.len();
        let padding =
            if is_last { chunk.iter().rev().take(2).take_while(|letter| **letter == b'=').count() } else { 0 };
        let mut bits = 0;
        for letter in &chunk[..4 - padding] {
            bits = bits << 6
                | digit(*letter).ok_or_else(|| format!("{:?} is no letter of base64", char::from(*letter)))?;
        }
        bits <<= 6 * padding;
        let decoded = bits.to_be_bytes();
        if decoded[4 - padding..].iter().any(|byte| *byte != 0) {
            return Err("base64 ends in bits that belong to no byte".to_owned());
        }
        bytes.extend_from_slice(&decoded[1..4 - padding]);
    }
    Ok(bytes)
}

fn digit(letter: u8) -> Option<u32> {
    let (first, value) = match letter {
        b'A'..=b'Z' => (b'A', 0),
        b'a'..=b'z' => (b'a', 26),
        b'0'..=b'9' => (b'0', 52),
        b'+' => return Some(62),
        b'/' => return Some(63),
        _ => return None,
    };
    Some(u32::from(letter - first) + value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_standard_hold() {
        let known =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (plain, text) in known {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn what_is_no_base64_is_refused_with_the_reason() {
        for (text, reason) in [
            ("Zg=", "groups of 4"),
            ("Z===", "'=' is no letter"),
            ("Zg==Zg==", "'=' is no letter"),
            ("Zh==", "belong to no byte"),
            ("Zm9é", "groups of 4"),
            ("Zm 9", "' ' is no letter"),
        ] {
            assert!(decode(text).unwrap_err().contains(reason), "{text:?} gave {:?}", decode(text));
        }
    }

    proptest! {
        #[test]
        fn bytes_round_trip(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn no_text_panics_and_each_has_one_spelling(text in "[A-Za-z0-9+/=é ]{0,12}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
