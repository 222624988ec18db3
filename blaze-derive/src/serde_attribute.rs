//! What `#[serde(…)]` says about the stored name of a field, and `#[blaze(…)]` about its part.

use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, LitStr, Result, Token, parenthesized, token};

use crate::case::Case;

/// The case in which a struct stores its field names, if it says one.
pub(crate) fn case_of_struct(attributes: &[Attribute]) -> Result<Option<Case>> {
    let mut case = None;
    each(attributes, "serde", |meta| {
        for key in ["transparent", "into", "remote"] {
            if meta.path.is_ident(key) {
                return Err(meta.error(format!(
                    "#[derive(Document)] cannot name the fields of a struct with #[serde({key})]: \
                     it is not stored as its fields; use field(\"…\")"
                )));
            }
        }
        if !meta.path.is_ident("rename_all") {
            return skip_value(meta);
        }
        let name = one_name(meta)?;
        let known = Case::from_name(&name.value());
        case = Some(known.ok_or_else(|| syn::Error::new(name.span(), "a case that serde does not know"))?);
        Ok(())
    })?;
    Ok(case)
}

/// How one field is stored.
#[derive(Debug, Default)]
pub(crate) struct FieldAttributes {
    /// The name that `rename` gives.
    pub(crate) rename: Option<String>,
    /// True if serde does not write the field.
    pub(crate) is_skipped: bool,
    /// True if it is the id of the document.
    pub(crate) is_id: bool,
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<FieldAttributes> {
        let mut found = FieldAttributes::default();
        each(attributes, "serde", |meta| {
            if meta.path.is_ident("flatten") {
                return Err(meta.error(
                    "#[derive(Document)] cannot see the fields of a type under #[serde(flatten)]: \
                     write them out in this struct, remove `flatten` to nest them, or remove the derive and use \
                     field(\"…\")",
                ));
            }
            if meta.path.is_ident("rename") {
                found.rename = Some(one_name(meta)?.value());
                return Ok(());
            }
            found.is_skipped |= meta.path.is_ident("skip") || meta.path.is_ident("skip_serializing");
            skip_value(meta)
        })?;
        each(attributes, "blaze", |meta| match meta.path.is_ident("id") {
            true => {
                found.is_id = true;
                Ok(())
            }
            false => Err(meta.error("the only attribute of a field is #[blaze(id)]")),
        })?;
        Ok(found)
    }
}

fn each(attributes: &[Attribute], name: &str, mut then: impl FnMut(&ParseNestedMeta<'_>) -> Result<()>) -> Result<()> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
        .try_for_each(|attribute| attribute.parse_nested_meta(|meta| then(&meta)))
}

/// The name in `key = "name"` or in `key(serialize = "name", deserialize = "name")`.
fn one_name(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    if meta.input.peek(Token![=]) {
        return meta.value()?.parse();
    }
    let mut names: [Option<LitStr>; 2] = [None, None];
    meta.parse_nested_meta(|nested| {
        let side = usize::from(nested.path.is_ident("deserialize"));
        names[side] = Some(nested.value()?.parse()?);
        Ok(())
    })?;
    match names {
        [Some(write), Some(read)] if write.value() == read.value() => Ok(write),
        _ => Err(meta.error("#[derive(Document)] needs the same name for serialize and deserialize")),
    }
}

/// Steps over `= value` or `(…)`, which syn wants consumed.
fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(token::Paren) {
        let content;
        parenthesized!(content in meta.input);
        content.parse::<TokenStream>()?;
    }
    Ok(())
}
