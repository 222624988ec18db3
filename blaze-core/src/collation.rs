//! Collations: how strings are compared where their bytes are not what people mean.

use std::borrow::Cow;
use std::cmp::Ordering;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::value::Value;

/// How strings are compared: without regard to case or accents, runs of digits as numbers.
///
/// The default compares them as ever: bytewise, which is by code point. Every option makes strings equal that the
/// default tells apart; between strings that stay different the order is total, the same on every machine, and by code
/// point of what the options leave. It is no order of a language's dictionary: å stands where the options put it, not
/// behind z.
///
/// | option | rule |
/// |---|---|
/// | [`ignore_case`](Collation::ignore_case) | strings are decomposed (NFD), then each character goes to lower, upper and lower case again, as the standard library's tables say: `ß`, `ẞ` and `ss` are equal, so are `σ` and `ς`. This is Unicode's full case folding but for Turkish `ı`, which equals `i`, and for the Greek iota subscript below capitals |
/// | [`ignore_accents`](Collation::ignore_accents) | strings are decomposed (NFD), and the accents of alphabets and the vowel points of Hebrew and Arabic left out: marks of the canonical combining classes 10 to 36 and from 200. Marks that make another letter stay: voicing marks of kana, vowel signs of Indic and Thai. Letters that do not decompose stay what they are: `ø`, `ł`, `æ` |
/// | [`numeric`](Collation::numeric) | a run of the digits `0` to `9` counts as the number it writes down, of any length, zeros in front aside: `file2` < `file10`, and `7` equals `007`. A sign, a point and the digits of other scripts are characters like others |
///
/// Decomposed or composed accents are the same to the first two. Values other than strings are not affected, nor are
/// strings in arrays and maps.
///
/// ```
/// use blaze_core::Collation;
/// use std::cmp::Ordering;
///
/// let natural = Collation::new().ignore_case().ignore_accents().numeric();
/// assert_eq!(natural.compare("Émile 2", "emile 10"), Ordering::Less);
/// assert_eq!(natural.compare("Straße", "STRASSE"), Ordering::Equal);
/// assert_eq!(Collation::new().compare("file2", "file10"), Ordering::Greater);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Collation {
    ignores_case: bool,
    ignores_accents: bool,
    is_numeric: bool,
}

impl Collation {
    /// The collation that compares strings bytewise.
    #[must_use]
    pub const fn new() -> Collation {
        Collation { ignores_case: false, ignores_accents: false, is_numeric: false }
    }

    /// Upper and lower case are equal.
    #[must_use]
    pub const fn ignore_case(mut self) -> Collation {
        self.ignores_case = true;
        self
    }

    /// Letters with and without accents are equal.
    #[must_use]
    pub const fn ignore_accents(mut self) -> Collation {
        self.ignores_accents = true;
        self
    }

    /// Runs of digits are compared as numbers.
    #[must_use]
    pub const fn numeric(mut self) -> Collation {
        self.is_numeric = true;
        self
    }

    /// True if upper and lower case are equal.
    #[must_use]
    pub const fn ignores_case(self) -> bool {
        self.ignores_case
    }

    /// True if letters with and without accents are equal.
    #[must_use]
    pub const fn ignores_accents(self) -> bool {
        self.ignores_accents
    }

    /// True if runs of digits are compared as numbers.
    #[must_use]
    pub const fn is_numeric(self) -> bool {
        self.is_numeric
    }

    /// A string whose bytewise order among those that this collation makes is its order of the strings they are made of;
    /// equal ones are made of strings that are equal under it.
    ///
    /// It is made to be compared and stored, not to be read. Takes time linear in `text`, for the default none.
    ///
    /// ```
    /// use blaze_core::Collation;
    ///
    /// let numeric = Collation::new().numeric();
    /// assert!(numeric.key("file2") < numeric.key("file10"));
    /// assert_eq!(numeric.key("file7"), numeric.key("file007"));
    /// ```
    #[must_use]
    pub fn key(self, text: &str) -> Cow<'_, str> {
        if self == Collation::new() {
            return Cow::Borrowed(text);
        }
        // What is left of ASCII is decomposed as it is.
        if !(self.ignores_case || self.ignores_accents) || text.is_ascii() {
            return Cow::Owned(self.fold(text.chars(), text.len()));
        }
        Cow::Owned(self.fold(text.nfd(), text.len()))
    }

    /// Compares two strings. To sort many, make their [keys](Collation::key) once.
    #[must_use]
    pub fn compare(self, left: &str, right: &str) -> Ordering {
        self.key(left).cmp(&self.key(right))
    }

    /// The value to compare in the place of `value`: the [`key`](Collation::key) of a string, any other value as it is.
    ///
    /// The order of [`Value`] among these is the collation's; it fits index keys and sorts alike.
    #[must_use]
    pub fn key_of(self, value: &Value) -> Cow<'_, Value> {
        match value {
            Value::String(text) => match self.key(text) {
                Cow::Borrowed(_) => Cow::Borrowed(value),
                Cow::Owned(key) => Cow::Owned(Value::String(key)),
            },
            _ => Cow::Borrowed(value),
        }
    }

    fn fold(self, characters: impl Iterator<Item = char>, length: usize) -> String {
        let mut key = String::with_capacity(length + 4);
        let mut digits = Digits::default();
        for character in characters.filter(|character| !(self.ignores_accents && is_accent(*character))) {
            if self.is_numeric && digits.take(character) {
                continue;
            }
            digits.end(&mut key);
            match self.ignores_case {
                true => push_folded(&mut key, character),
                false => key.push(character),
            }
        }
        digits.end(&mut key);
        key
    }
}

/// Marks of alphabets, which leave the letter what it is.
pub(crate) fn is_accent(character: char) -> bool {
    matches!(canonical_combining_class(character), 10..=36 | 200..)
}

/// Lower case alone would tell `ß` from `ss`, upper case alone `ẞ` from `ß`.
fn push_folded(key: &mut String, character: char) {
    if character.is_ascii() {
        key.push(character.to_ascii_lowercase());
        return;
    }
    key.extend(character.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase));
}

/// A run of digits on its way into a key: how many they are, then they themselves, without zeros in front.
///
/// What it is written as begins with a digit, so that numbers stand among other characters where digits do.
#[derive(Default)]
struct Digits {
    significant: String,
    is_zero: bool,
}

impl Digits {
    fn take(&mut self, character: char) -> bool {
        match character {
            '0' if self.significant.is_empty() => self.is_zero = true,
            '0'..='9' => self.significant.push(character),
            _ => return false,
        }
        true
    }

    fn end(&mut self, key: &mut String) {
        if self.significant.is_empty() && !self.is_zero {
            return;
        }
        if self.significant.is_empty() {
            self.significant.push('0');
        }
        push_length(key, self.significant.len());
        key.push_str(&self.significant);
        self.significant.clear();
        self.is_zero = false;
    }
}

/// Writes a length so that shorter ones come first: how many digits it has, then those.
fn push_length(key: &mut String, length: usize) {
    let length = length.to_string();
    // Nine digits or more of a length are counted by several digits.
    for _ in 0..length.len() / 9 {
        key.push('9');
    }
    key.push(char::from(b'0' + (length.len() % 9) as u8));
    key.push_str(&length);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    const CASE: Collation = Collation::new().ignore_case();
    const ACCENTS: Collation = Collation::new().ignore_accents();
    const NUMERIC: Collation = Collation::new().numeric();
    const NATURAL: Collation = CASE.ignore_accents().numeric();

    fn collation() -> impl Strategy<Value = Collation> {
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(ignores_case, ignores_accents, is_numeric)| {
            Collation { ignores_case, ignores_accents, is_numeric }
        })
    }

    /// Text of few characters, so that strings are often equal under a collation.
    fn text() -> impl Strategy<Value = String> {
        let characters = "aAbBzéÉe\u{301}ßẞsSσςΣåÅ\u{30a}İiıIøØ019 .漢\u{5d0}\u{5b7}\u{3ab}か\u{3099}";
        vec(select(characters.chars().collect::<Vec<_>>()), 0..8).prop_map(|text| text.into_iter().collect())
    }

    #[track_caller]
    fn equal(collation: Collation, texts: &[&str]) {
        for pair in texts.windows(2) {
            assert_eq!(collation.compare(pair[0], pair[1]), Ordering::Equal, "{pair:?} under {collation:?}");
        }
    }

    #[track_caller]
    fn ascending(collation: Collation, texts: &[&str]) {
        for pair in texts.windows(2) {
            assert_eq!(collation.compare(pair[0], pair[1]), Ordering::Less, "{pair:?} under {collation:?}");
        }
    }

    #[test]
    fn the_default_compares_bytes() {
        ascending(Collation::default(), &["B", "a", "e\u{301}", "f10", "f2", "é"]);
    }

    #[test]
    fn case_is_folded_in_full() {
        equal(CASE, &["Straße", "STRASSE", "STRAẞE", "strasse"]);
        equal(CASE, &["ΟΔΟΣ", "οδος", "οδοσ"]);
        equal(CASE, &["ﬃ", "FFI"]);
        equal(CASE, &["K", "k", "\u{212a}"]);
        equal(CASE, &["É", "é", "E\u{301}"]);
        equal(CASE, &["I", "i", "ı"]);
        ascending(CASE, &["a", "B", "c", "e", "É", "F"]);
    }

    #[test]
    fn accents_are_left_out_and_other_letters_stay() {
        equal(ACCENTS, &["Dvořák", "Dvorak"]);
        equal(ACCENTS, &["שָׁלוֹם", "שלום"]);
        equal(ACCENTS, &["مُحَمَّد", "محمد"]);
        for (left, right) in [("ø", "o"), ("が", "か"), ("कि", "क"), ("E", "e"), ("กุ", "ก")] {
            assert_ne!(ACCENTS.compare(left, right), Ordering::Equal, "{left} and {right}");
        }
    }

    #[test]
    fn digits_count_as_numbers_of_any_length() {
        ascending(
            NUMERIC,
            &["", " 1", "file", "file0", "file1", "file2", "file9a", "file10", "file010b", "file11", "filea"],
        );
        equal(NUMERIC, &["7", "007", "0000000000007"]);
        equal(NUMERIC, &["a0b", "a000b"]);
        ascending(NUMERIC, &["1.5", "1.10"]);
        let long = |digit: &str, length: usize| digit.repeat(length);
        ascending(NUMERIC, &[&long("9", 99), &long("1", 100), &long("2", 100), &long("1", 101), &long("1", 1000), ":"]);
        ascending(NUMERIC, &["/", "0", "99999999999999999999999", ":"]);
        assert_ne!(NUMERIC.compare("٣", "3"), Ordering::Equal, "digits of other scripts are characters");
    }

    #[test]
    fn lengths_are_in_order_however_long_they_are() {
        let lengths = [1, 9, 10, 99, 100, 99_999_999, 100_000_000, 999_999_999, 1_000_000_000, usize::MAX];
        let keys = lengths.map(|length| {
            let mut key = String::new();
            push_length(&mut key, length);
            key
        });
        assert!(keys.is_sorted() && keys.iter().all(|key| key.as_str() < ":"), "{keys:?}");
    }

    #[test]
    fn other_values_and_nested_strings_are_not_affected() {
        let values = [Value::Null, Value::from(1), Value::from(["B", "a"]), Value::from(vec![1_u8])];
        for value in values {
            assert_eq!(NATURAL.key_of(&value).as_ref(), &value);
        }
        assert_eq!(CASE.key_of(&Value::from("B")).as_ref(), &Value::from("b"));
    }

    proptest! {
        #[test]
        fn any_string_has_a_key_and_the_same_one_each_time(text: String, collation in collation()) {
            let key = collation.key(&text);
            prop_assert_eq!(&key, &collation.key(&text));
            prop_assert!(key.is_empty() || !text.is_empty());
        }

        #[test]
        fn case_does_not_matter(text in text(), other in collation()) {
            let collation = other.ignore_case();
            for other in [text.to_lowercase(), text.to_uppercase()] {
                prop_assert_eq!(collation.key(&text), collation.key(&other));
            }
        }

        #[test]
        fn composition_does_not_matter_where_characters_are_folded(text: String, accents: bool, numeric: bool) {
            let collation = Collation { ignores_case: !accents, ignores_accents: accents, is_numeric: numeric };
            let (composed, decomposed): (String, String) = (text.nfc().collect(), text.nfd().collect());
            prop_assert_eq!(collation.key(&text), collation.key(&composed));
            prop_assert_eq!(collation.key(&text), collation.key(&decomposed));
        }

        #[test]
        fn accents_do_not_matter(text in text(), accent in select(vec!['\u{300}', '\u{323}', '\u{5b8}', '\u{64e}'])) {
            let accented: String = text.chars().flat_map(|character| [character, accent]).collect();
            prop_assert_eq!(ACCENTS.key(&text), ACCENTS.key(&accented));
        }

        #[test]
        fn numbers_are_in_their_order(left: u128, right: u128, shift in 0..128_u32, before in text(), zeros in 0..4_usize) {
            let (left, right) = (left >> shift, right >> (shift / 2));
            let before = before.trim_end_matches(|character: char| character.is_ascii_digit());
            let write = |number: u128, zeros: usize| format!("{before}{}{number}", "0".repeat(zeros));
            prop_assert_eq!(NUMERIC.compare(&write(left, zeros), &write(right, 0)), left.cmp(&right));
        }

        #[test]
        fn where_no_digits_are_the_order_is_that_of_code_points(left in "[^0-9]{0,4}", right in "[^0-9]{0,4}") {
            prop_assert_eq!(NUMERIC.compare(&left, &right), left.cmp(&right));
        }

        #[test]
        fn the_order_of_values_is_that_of_their_strings(left in text(), right in text(), collation in collation()) {
            let (a, b) = (Value::from(left.as_str()), Value::from(right.as_str()));
            prop_assert_eq!(collation.key_of(&a).cmp(&collation.key_of(&b)), collation.compare(&left, &right));
        }
    }
}
