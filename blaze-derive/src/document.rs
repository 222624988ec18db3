//! The expansion of `#[derive(Document)]`.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Error, Field, Fields, Result};

use crate::case::Case;
use crate::serde_attribute::{FieldAttributes, case_of_struct};

/// The constant `FIELDS` of the struct and the type of that constant.
///
/// The type lives in an anonymous constant: it cannot collide with a name of the user's.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let case = case_of_struct(&input.attrs)?;
    let (name, visibility) = (&input.ident, &input.vis);
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let document = quote!(#name #type_generics);

    let members = members(named_fields(input)?, case)?;
    let declarations = members.iter().map(|member| member.declaration(&document));
    let values = members.iter().map(Member::value);

    let fields_type = format_ident!("{}Fields", name.unraw());
    let type_doc = format!("The stored fields of [`{}`], each with its type.", name.unraw());
    let constant_doc = "The names of this document's stored fields, each with its type.";
    Ok(quote! {
        const _: () = {
            #[doc = #type_doc]
            #[allow(dead_code, non_snake_case)]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #visibility struct #fields_type #impl_generics #where_clause {
                #(#declarations,)*
            }

            #[automatically_derived]
            #[allow(dead_code)]
            impl #impl_generics #document #where_clause {
                #[doc = #constant_doc]
                #visibility const FIELDS: #fields_type #type_generics = #fields_type { #(#values,)* };
            }
        };
    })
}

fn named_fields(input: &DeriveInput) -> Result<impl Iterator<Item = &Field>> {
    let found = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Ok(fields.named.iter()),
            Fields::Unnamed(_) => "a tuple struct",
            Fields::Unit => "a unit struct",
        },
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    let message = format!("#[derive(Document)] needs a struct with named fields; `{}` is {found}", input.ident);
    Err(Error::new_spanned(&input.ident, message))
}

/// The name under which the id of a document is stored.
const ID_FIELD: &str = "_id";

/// One stored field.
struct Member<'a> {
    field: &'a Field,
    stored_name: String,
    is_id: bool,
}

/// The stored fields, or everything that is wrong with them.
fn members<'a>(fields: impl Iterator<Item = &'a Field>, case: Option<Case>) -> Result<Vec<Member<'a>>> {
    let mut members: Vec<Member<'a>> = Vec::new();
    let mut errors: Option<Error> = None;
    for field in fields {
        match Member::new(field, case) {
            Ok(Some(member)) => members.push(member),
            Ok(None) => {}
            Err(error) => match &mut errors {
                Some(errors) => errors.combine(error),
                None => errors = Some(error),
            },
        }
    }
    errors.map_or(Ok(members), Err)
}

impl<'a> Member<'a> {
    fn new(field: &'a Field, case: Option<Case>) -> Result<Option<Member<'a>>> {
        let attributes = FieldAttributes::parse(&field.attrs)?;
        let Some(ident) = &field.ident else { return Ok(None) };
        let stored_name = attributes.rename.unwrap_or_else(|| {
            let name = ident.unraw().to_string();
            case.map_or_else(|| name.clone(), |case| case.apply(&name))
        });
        let FieldAttributes { is_id, is_skipped, .. } = attributes;
        if is_id && (is_skipped || stored_name != ID_FIELD) {
            let message = format!(
                "the id of a document is its field `{ID_FIELD}`: write #[serde(rename = \"{ID_FIELD}\")] beside \
                 #[blaze(id)], and do not skip it"
            );
            return Err(Error::new_spanned(field, message));
        }
        Ok((!is_skipped).then_some(Member { field, stored_name, is_id }))
    }

    fn declaration(&self, document: &TokenStream) -> TokenStream {
        let Field { vis, ident, ty, .. } = self.field;
        let value_type = with_self(ty.to_token_stream(), document);
        let doc = format!("The field `{}`.", self.stored_name);
        quote!(#[doc = #doc] #vis #ident: ::blaze::TypedField<#document, #value_type>)
    }

    fn value(&self) -> TokenStream {
        let (ident, name) = (&self.field.ident, &self.stored_name);
        match self.is_id {
            true => quote!(#ident: ::blaze::TypedField::of_id()),
            false => quote!(#ident: ::blaze::TypedField::new(#name)),
        }
    }
}

/// Spells out `Self`, which would mean another type where the tokens go.
fn with_self(tokens: TokenStream, document: &TokenStream) -> TokenStream {
    let replace = |token| match token {
        TokenTree::Ident(ident) if ident == "Self" => document.clone(),
        TokenTree::Group(group) => {
            let mut replaced = Group::new(group.delimiter(), with_self(group.stream(), document));
            replaced.set_span(group.span());
            TokenTree::Group(replaced).into()
        }
        token => token.into(),
    };
    tokens.into_iter().flat_map::<TokenStream, _>(replace).collect()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    /// The expansion without its spaces.
    fn expanded(input: &DeriveInput) -> String {
        expand(input).unwrap().to_string().replace(' ', "")
    }

    /// Pairs of a member and its stored name.
    fn names(input: &DeriveInput) -> Vec<(String, String)> {
        let expansion = expanded(input);
        let (_, values) = expansion.rsplit_once("Fields{").unwrap();
        let pairs = values.split(',').filter_map(|value| value.split_once(":::blaze::TypedField::new(\""));
        pairs.map(|(member, name)| (member.to_owned(), name.trim_end_matches("\")").to_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|&(member, name)| (member.to_owned(), name.to_owned())).collect()
    }

    fn message(input: &DeriveInput) -> String {
        expand(input).unwrap_err().to_string()
    }

    #[test]
    fn a_struct_gets_one_typed_member_for_each_field_with_its_visibility() {
        let input = parse_quote! {
            pub struct Movie { pub title: String, year: i32, pub(crate) genres: Vec<String> }
        };
        let expected: TokenStream = quote! {
            const _: () = {
                #[doc = "The stored fields of [`Movie`], each with its type."]
                #[allow(dead_code, non_snake_case)]
                #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
                pub struct MovieFields {
                    #[doc = "The field `title`."] pub title: ::blaze::TypedField<Movie, String>,
                    #[doc = "The field `year`."] year: ::blaze::TypedField<Movie, i32>,
                    #[doc = "The field `genres`."] pub(crate) genres: ::blaze::TypedField<Movie, Vec<String> >,
                }

                #[automatically_derived]
                #[allow(dead_code)]
                impl Movie {
                    #[doc = "The names of this document's stored fields, each with its type."]
                    pub const FIELDS: MovieFields = MovieFields {
                        title: ::blaze::TypedField::new("title"),
                        year: ::blaze::TypedField::new("year"),
                        genres: ::blaze::TypedField::new("genres"),
                    };
                }
            };
        };
        assert_eq!(expand(&input).unwrap().to_string(), expected.to_string());
    }

    #[test]
    fn stored_names_follow_serde() {
        let input = parse_quote! {
            #[derive(Clone)]
            #[serde(rename_all = "camelCase", deny_unknown_fields, crate = "serde")]
            struct Movie {
                #[serde(rename = "_id", default)]
                id: u64,
                #[serde(default = "year", skip_serializing_if = "Option::is_none")]
                release_year: Option<i32>,
                #[serde(rename(serialize = "t", deserialize = "t"), alias = "x", bound(serialize = "T: Clone"))]
                title: String,
                r#type: String,
                #[serde(skip)]
                cached: u8,
                #[serde(skip_serializing)]
                #[serde(default)]
                forgotten: u8,
                #[doc = "read back as its default"]
                #[serde(skip_deserializing)]
                written: u8,
            }
        };
        let expected = pairs(&[
            ("id", "_id"),
            ("release_year", "releaseYear"),
            ("title", "t"),
            ("r#type", "type"),
            ("written", "written"),
        ]);
        assert_eq!(names(&input), expected);
    }

    #[test]
    fn a_case_may_be_given_for_both_directions() {
        let input = parse_quote! {
            #[serde(rename_all(serialize = "kebab-case", deserialize = "kebab-case"))]
            struct Movie { release_year: i32 }
        };
        assert_eq!(names(&input), pairs(&[("release_year", "release-year")]));
    }

    #[test]
    fn generics_and_self_reach_the_members() {
        let input = parse_quote! {
            struct Tree<'a, T: Clone = u8, const N: usize = 3> where T: Send {
                name: &'a str,
                children: Vec<(Self, [T; N])>,
            }
        };
        let expansion = expanded(&input);
        for part in [
            "structTreeFields<'a,T:Clone,constN:usize>whereT:Send{",
            "name:::blaze::TypedField<Tree<'a,T,N>,&'astr>",
            "children:::blaze::TypedField<Tree<'a,T,N>,Vec<(Tree<'a,T,N>,[T;N])>>",
            "impl<'a,T:Clone,constN:usize>Tree<'a,T,N>whereT:Send{",
            "constFIELDS:TreeFields<'a,T,N>=",
        ] {
            assert!(expansion.contains(part), "{part} is not in {expansion}");
        }
    }

    #[test]
    fn flatten_is_an_error_that_says_what_to_do() {
        let message = message(&parse_quote!(
            struct Movie {
                #[serde(flatten)]
                extra: Extra,
            }
        ));
        assert!(message.starts_with("#[derive(Document)] cannot see the fields of a type under #[serde(flatten)]"));
        assert!(message.contains("use field("), "{message}");
    }

    #[test]
    fn the_id_is_stored_under_its_name_and_its_type_is_checked() {
        let input = parse_quote!(
            struct Movie {
                #[blaze(id)]
                #[serde(rename = "_id")]
                id: String,
                title: String,
            }
        );
        assert!(expanded(&input).contains("id:::blaze::TypedField::of_id(),title:::blaze::TypedField::new("));
        for (input, expected) in [
            (
                parse_quote!(
                    struct Movie {
                        #[blaze(id)]
                        id: String,
                    }
                ),
                "write #[serde(rename = \"_id\")]",
            ),
            (
                parse_quote!(
                    struct Movie {
                        #[blaze(id)]
                        #[serde(rename = "_id", skip)]
                        id: String,
                    }
                ),
                "do not skip it",
            ),
            (
                parse_quote!(
                    struct Movie {
                        #[blaze(key)]
                        id: String,
                    }
                ),
                "the only attribute of a field is #[blaze(id)]",
            ),
        ] {
            let message = message(&input);
            assert!(message.contains(expected), "{message:?}, expected {expected:?}");
        }
    }

    #[test]
    fn every_wrong_field_is_reported_at_once() {
        let error = expand(&parse_quote! {
            struct Movie {
                #[serde(flatten)] a: A,
                #[serde(rename(serialize = "x", deserialize = "y"))] b: B,
                #[serde(rename(serialize = "x"))] c: C,
            }
        })
        .unwrap_err();
        let messages: Vec<String> = error.into_iter().map(|error| error.to_string()).collect();
        assert_eq!(messages.len(), 3, "{messages:?}");
        assert_eq!(messages[1], "#[derive(Document)] needs the same name for serialize and deserialize");
        assert_eq!(messages[2], messages[1]);
    }

    #[test]
    fn only_structs_with_named_fields_that_are_stored_as_such_are_accepted() {
        for (input, expected) in [
            (
                parse_quote!(
                    enum Movie {
                        A,
                    }
                ),
                "needs a struct with named fields; `Movie` is an enum",
            ),
            (parse_quote!(union Movie { a: u8 }), "needs a struct with named fields; `Movie` is a union"),
            (
                parse_quote!(
                    struct Movie(u8);
                ),
                "needs a struct with named fields; `Movie` is a tuple struct",
            ),
            (
                parse_quote!(
                    struct Movie;
                ),
                "needs a struct with named fields; `Movie` is a unit struct",
            ),
            (
                parse_quote!(
                    #[serde(transparent)]
                    struct Movie {
                        a: u8,
                    }
                ),
                "cannot name the fields of a struct with #[serde(transparent)]",
            ),
            (
                parse_quote!(
                    #[serde(from = "Raw", into = "Raw")]
                    struct Movie {
                        a: u8,
                    }
                ),
                "cannot name the fields of a struct with #[serde(into)]",
            ),
            (
                parse_quote!(
                    #[serde(rename_all = "camel")]
                    struct Movie {
                        a: u8,
                    }
                ),
                "a case that serde does not know",
            ),
        ] {
            let message = message(&input);
            assert!(message.contains(expected), "{message:?}, expected {expected:?}");
        }
    }
}
