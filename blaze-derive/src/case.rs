//! The cases of `#[serde(rename_all = "…")]`.

/// How field names, written in snake case, are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    const ALL: [(&str, Case); 8] = [
        ("lowercase", Case::Lower),
        ("UPPERCASE", Case::Upper),
        ("PascalCase", Case::Pascal),
        ("camelCase", Case::Camel),
        ("snake_case", Case::Snake),
        ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
        ("kebab-case", Case::Kebab),
        ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
    ];

    pub(crate) fn from_name(name: &str) -> Option<Case> {
        Case::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, case)| case)
    }

    /// The stored name of `field`, by serde's rules for fields, which change only ASCII letters.
    pub(crate) fn apply(self, field: &str) -> String {
        match self {
            Case::Lower | Case::Snake => field.to_owned(),
            Case::Upper | Case::ScreamingSnake => field.to_ascii_uppercase(),
            Case::Kebab => field.replace('_', "-"),
            Case::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
            Case::Pascal => pascal(field),
            Case::Camel => {
                let pascal = pascal(field);
                let mut chars = pascal.chars();
                chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
            }
        }
    }
}

fn pascal(field: &str) -> String {
    let mut pascal = String::with_capacity(field.len());
    let mut starts_word = true;
    for character in field.chars() {
        if character == '_' {
            starts_word = true;
        } else {
            pascal.push(if starts_word { character.to_ascii_uppercase() } else { character });
            starts_word = false;
        }
    }
    pascal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_renamed_as_serde_renames_them() {
        for (name, expected) in [
            ("lowercase", "release_year"),
            ("UPPERCASE", "RELEASE_YEAR"),
            ("PascalCase", "ReleaseYear"),
            ("camelCase", "releaseYear"),
            ("snake_case", "release_year"),
            ("SCREAMING_SNAKE_CASE", "RELEASE_YEAR"),
            ("kebab-case", "release-year"),
            ("SCREAMING-KEBAB-CASE", "RELEASE-YEAR"),
        ] {
            assert_eq!(Case::from_name(name).unwrap().apply("release_year"), expected, "{name}");
        }
        assert_eq!(Case::from_name("camel"), None);
    }

    #[test]
    fn odd_names_are_renamed_without_a_panic() {
        assert_eq!(Case::Camel.apply("_a__b_"), "aB");
        assert_eq!(Case::Camel.apply("über_maß"), "überMaß");
        assert_eq!(Case::Camel.apply("_"), "");
    }
}
