//! The derive macro of Blaze, re-exported by the crate `blaze`: use it from there.

#![forbid(unsafe_code)]

mod case;
mod document;
mod serde_attribute;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Gives a struct typed names for its stored fields, so that a misspelt field or a value of the wrong type does not
/// compile.
///
/// The struct gets an associated constant `FIELDS` with one member for each field, of the same name and visibility and
/// of the type `blaze::TypedField`:
///
/// ```ignore
/// #[derive(Serialize, Deserialize, blaze::Document)]
/// #[serde(rename_all = "camelCase")]
/// struct Movie {
///     title: String,
///     release_year: i32, // stored as "releaseYear"
/// }
///
/// let recent = Movie::FIELDS.release_year.ge(2015); // the same as field("releaseYear").ge(2015)
/// ```
///
/// The stored name follows `#[serde(rename = "…")]` and `#[serde(rename_all = "…")]`. A field that serde does not write
/// (`skip`, `skip_serializing`) has no member. Attributes that make the stored form another one than the fields show
/// (`flatten`; `transparent`, `into` and names that differ between writing and reading) are compile errors: use
/// `field("…")` for such types. A field with `serialize_with` or `with` is typed by its Rust type, whatever the function
/// writes.
///
/// `#[blaze(id)]` marks the field that is the document's id, stored as `_id`:
///
/// ```ignore
/// #[derive(Serialize, Deserialize, blaze::Document)]
/// struct Movie {
///     #[blaze(id)]
///     #[serde(rename = "_id")]
///     id: String,
///     title: String,
/// }
/// ```
///
/// That the name is right and the type can be an id (`blaze::IdField`) is checked when it is compiled.
#[proc_macro_derive(Document, attributes(serde, blaze))]
pub fn derive_document(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    document::expand(&input).unwrap_or_else(|error| error.into_compile_error()).into()
}
