//! Filters through serde, for what has one among its fields: in the form in which they are stored.
//!
//! Paths are lists of keys, since a key may have a dot in it; patterns are their source.

use ::serde::de::{Deserializer, Error as _};
use ::serde::{Deserialize, Serialize, Serializer};

use super::{Filter, Pattern, Regex, TypeName};
use crate::path::Path;
use crate::value::Value;

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_stored().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Filter, D::Error> {
        Filter::from_stored(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.segments().iter().map(|segment| segment.key()))
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Path, D::Error> {
        Vec::<String>::deserialize(deserializer).map(Path::from_keys)
    }
}

impl Serialize for TypeName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TypeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TypeName, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

macro_rules! as_source {
    ($($type:ident),*) => {
        $(
            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.as_str())
                }
            }

            impl<'de> Deserialize<'de> for $type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                    String::deserialize(deserializer).map($type::new)
                }
            }
        )*
    };
}

as_source!(Regex, Pattern);

#[cfg(test)]
mod tests {
    use crate::filter::{TypeName, element, field};
    use crate::{Filter, Path, Value};

    #[test]
    fn every_operator_is_kept_as_it_was() {
        let filters = [
            field("a").eq(1).or(field("a.b").ne(1.0)).and(!field("c").is_in([1, 2])),
            field("a").lt("x").nor(field("a").le(Value::Null)),
            field("a").between(1, 2).and(field("a").has_type(TypeName::Number)).and(field("a").exists(false)),
            field("a").like("x%").and(field("a").regex("^x")).and(field("a").starts_with("x")),
            field("a").size(3).and(field("a").all([1, 2])).and(field("a").contains("x")),
            field("a").elem_match(element().ge(80).and(field("b").gt([1.5_f32]))),
            field(Path::from_keys(["with.dot"])).not_in(["x"]),
        ];
        for filter in filters {
            let kept = crate::to_value(&filter).unwrap();
            let read: Filter = crate::from_value(kept).unwrap();
            assert_eq!(format!("{read:?}"), format!("{filter:?}"));
        }
    }
}
