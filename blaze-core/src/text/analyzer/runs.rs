//! Text of scripts that are written without spaces, or in which spaces are not between words.

use unicode_normalization::UnicodeNormalization;

use super::fold::attaches;

/// True for letters of Chinese, Japanese, Korean, Thai, Lao, Burmese and Khmer.
pub(super) fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{e01}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{2fdf}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3021}'..='\u{3029}'
        | '\u{3031}'..='\u{3035}'
        | '\u{3038}'..='\u{303c}'
        | '\u{3041}'..='\u{3096}'
        | '\u{309d}'..='\u{30ff}'
        | '\u{3105}'..='\u{318e}'
        | '\u{31a0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}'
        | '\u{1b000}'..='\u{1b16f}'
        | '\u{20000}'..='\u{3ffff}'
    ) && character.is_alphanumeric()
}

/// The end of the run that begins at `start`.
pub(super) fn end_of_run(text: &str, start: usize) -> usize {
    let goes_on = |character: char| is_unspaced(character) || attaches(character);
    text[start..].find(|character| !goes_on(character)).map_or(text.len(), |length| start + length)
}

/// The characters of `text` from `start` on, each with what attaches to it, by their bytes.
pub(super) fn units(text: &str, start: usize, end: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = start;
    std::iter::from_fn(move || {
        let from = at;
        let rest = text.get(from..end).filter(|rest| !rest.is_empty())?;
        let goes_on = |at: usize, character| attaches(character) || composes(&rest[..at], character);
        let behind = rest.char_indices().skip(1).find(|(at, character)| !goes_on(*at, *character));
        at = behind.map_or(end, |(length, _)| from + length);
        Some((from, at))
    })
}

/// True for a letter of Hangul, spelt for itself or in half width, that makes a syllable with what is before it.
fn composes(before: &str, letter: char) -> bool {
    matches!(letter, '\u{3131}'..='\u{318e}' | '\u{ffa0}'..='\u{ffdc}')
        && before.chars().chain([letter]).nfkc().count() == before.nfkc().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stay_with_their_character() {
        let text = "กุ้งe\u{301}x\u{1112}\u{1161}\u{11ab}ｶﾞ";
        let units: Vec<&str> = units(text, 0, text.len()).map(|(start, end)| &text[start..end]).collect();
        assert_eq!(units, ["กุ้", "ง", "e\u{301}", "x", "\u{1112}\u{1161}\u{11ab}", "ｶﾞ"]);
    }

    #[test]
    fn letters_of_hangul_that_make_a_syllable_stay_together() {
        let text = "\u{1100}\u{ffda}ㅋㅋㅏㅠㅠ그ㄳ";
        let units: Vec<&str> = units(text, 0, text.len()).map(|(start, end)| &text[start..end]).collect();
        assert_eq!(units, ["\u{1100}\u{ffda}", "ㅋ", "ㅋㅏ", "ㅠ", "ㅠ", "그ㄳ"]);
    }
}
