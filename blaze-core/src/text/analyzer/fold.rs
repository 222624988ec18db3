//! What is the same to a search: case, accents, widths and other spellings of a character.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::collation::is_accent;

/// Writes `text` in lower case, compatible spellings of characters made one, accents composed with their letters.
pub(crate) fn push_lower(text: &str, lower: &mut String) {
    if text.is_ascii() {
        let start = lower.len();
        lower.push_str(text);
        lower[start..].make_ascii_lowercase();
        return;
    }
    // Decomposed again after the change of case, which makes characters that decompose.
    lower.extend(text.nfkd().filter_map(seen).flat_map(lower_case).nfkc());
}

/// Writes lower case `text` without its accents, and letters that have one in their drawing as those of the alphabet.
pub(crate) fn push_without_accents(text: &str, folded: &mut String) {
    if text.is_ascii() {
        folded.push_str(text);
        return;
    }
    let mut before = '\0';
    let kept = text.nfd().filter(|&character| {
        let keeps = !is_accent(character) || (before, character) == ('и', '\u{306}'); // й is no и with an accent
        before = character;
        keeps
    });
    for character in kept.nfc() {
        match alphabetic(character) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(character),
        }
    }
}

/// `text` as terms have it.
#[cfg(test)]
pub(crate) fn fold(text: &str) -> String {
    let (mut lower, mut folded) = (String::new(), String::new());
    push_lower(text, &mut lower);
    push_without_accents(&lower, &mut folded);
    folded
}

/// A word in lower case, and without its accents if it has some.
pub(crate) fn with_and_without_accents(word: &str) -> impl Iterator<Item = String> + use<> {
    let (mut lower, mut folded) = (String::new(), String::new());
    push_lower(word, &mut lower);
    push_without_accents(&lower, &mut folded);
    let folded = (folded != lower).then_some(folded);
    std::iter::once(lower).chain(folded)
}

/// True for what belongs to the character before it: marks, vowels and finals of Hangul, voicing marks of half width.
pub(crate) fn attaches(character: char) -> bool {
    matches!(character, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}' | '\u{ff9e}' | '\u{ff9f}' | '\u{200c}' | '\u{200d}')
        || is_combining_mark(character)
}

/// The character, unless nobody sees it; apostrophes are one.
fn seen(character: char) -> Option<char> {
    match character {
        '\u{2019}' => Some('\''),
        // Soft hyphens, joiners and directions, variation selectors, and the stroke that stretches Arabic words.
        '\u{ad}'
        | '\u{640}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}' => None,
        _ => Some(character),
    }
}

/// Upper case on the way makes `ß` and `ẞ` the same `ss`, and both sigmas one.
fn lower_case(character: char) -> impl Iterator<Item = char> {
    character.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// The letters of the alphabet for one that does not decompose into them.
fn alphabetic(character: char) -> Option<&'static str> {
    Some(match character {
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ŧ' => "t",
        'ŋ' => "n",
        'ĸ' => "k",
        'ɨ' => "i",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn folds(texts: &[(&str, &str)]) {
        for (text, folded) in texts {
            assert_eq!(&fold(text), folded, "{text}");
        }
    }

    #[test]
    fn case_and_accents_are_folded_in_every_alphabet() {
        folds(&[
            ("Crème BRÛLÉE", "creme brulee"),
            ("Straße STRASSE STRAẞE", "strasse strasse strasse"),
            ("Ærøskøbing", "aeroskobing"),
            ("Łódź Đorđe", "lodz dorde"),
            ("ΟΔΥΣΣΕΎΣ", "οδυσσευσ"),
            ("İstanbul ISPARTA ısparta", "istanbul isparta isparta"),
            ("Ёлка", "елка"),
            ("أَحْمَد", "احمد"),
            ("שָׁלוֹם", "שלום"),
            ("Việt Nam", "viet nam"),
            ("don’t", "don't"),
        ]);
    }

    #[test]
    fn compatible_spellings_are_one() {
        folds(&[("ﬁn", "fin"), ("ＡＢＣ１２", "abc12"), ("ｶﾞｷﾞ", "ガギ"), ("x²", "x2"), ("e\u{301}", "e"), ("ℌ", "h")]);
        folds(&[("co\u{ad}op", "coop"), ("\u{1112}\u{1161}\u{11ab}", "한")]);
    }

    #[test]
    fn marks_that_make_another_letter_stay() {
        folds(&[("война", "война"), ("が", "が"), ("कि", "कि"), ("กุ", "กุ"), ("ไม่", "ไม่")]);
    }

    #[test]
    fn folding_any_character_twice_changes_nothing() {
        for character in '\0'..=char::MAX {
            let once = fold(character.encode_utf8(&mut [0; 4]));
            assert_eq!(fold(&once), once, "{character:?} U+{:x}", u32::from(character));
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text: String) {
            let once = fold(&text);
            prop_assert_eq!(&fold(&once), &once);
        }
    }
}
