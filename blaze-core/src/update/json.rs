//! Updates read from documents, with the operators of MongoDB.

use super::{Operator, Push, Update, overlap};
use crate::document::Document;
use crate::error::Result;
use crate::filter::{Quoted, element_filter};
use crate::json;
use crate::path::Path;
use crate::place::Place;
use crate::spelling;
use crate::value::Value;

const OPERATORS: [&str; 13] = [
    "$set",
    "$setOnInsert",
    "$currentDate",
    "$unset",
    "$rename",
    "$inc",
    "$mul",
    "$min",
    "$max",
    "$push",
    "$addToSet",
    "$pop",
    "$pull",
];

impl Update {
    /// Reads an update from a JSON text, as [`from_document`](Update::from_document) does from a document. What JSON lacks is
    /// spelt as in the [extended form](crate::JsonForm::Extended).
    ///
    /// # Errors
    /// As [`from_document`](Update::from_document); [`Invalid`](crate::ErrorKind::Invalid) with line and column when the text is
    /// no JSON object.
    ///
    /// ```
    /// use blaze_core::{Update, inc};
    ///
    /// assert_eq!(Update::from_json(r#"{"$inc": {"views": 1}}"#)?, inc("views", 1));
    /// # Ok::<(), blaze_core::Error>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Update> {
        Update::from_document(&json::read_with_operators(text)?)
    }

    /// Reads an update from a document such as `{"$set": {"title": "Solaris"}, "$inc": {"views": 1}}`.
    ///
    /// | operator | operand of each path |
    /// |---|---|
    /// | `$set $setOnInsert $min $max` | any value |
    /// | `$inc $mul` | a number |
    /// | `$unset` | is not looked at |
    /// | `$rename` | the other path, a string |
    /// | `$currentDate` | true, or `{"$type": "date"}` |
    /// | `$push` | a value, or `{"$each": [..]}` with a `$position` and a `$slice`: so many elements are kept, of the first ones, or of the last ones if it is negative |
    /// | `$addToSet` | a value, or `{"$each": [..]}` |
    /// | `$pop` | 1 for the last element, -1 for the first one |
    /// | `$pull` | a value or, in a map, a [filter](crate::Filter::from_element_document) on the elements |
    ///
    /// Paths may have steps `$[]` and `$[name]`; [`array_filter`](Update::array_filter) adds the filters for these. What
    /// the operators do is what the [module](super) says.
    ///
    /// ```
    /// use blaze_core::{Document, Update, push};
    ///
    /// let json = r#"{"$push": {"tags": "sf"}, "$set": {"reels.$[].seen": true}}"#;
    /// let update = Update::from_document(&serde_json::from_str(json)?)?;
    /// assert_eq!(update, push("tags", "sf").set("reels.$[].seen", true));
    ///
    /// let error = Update::from_document(&serde_json::from_str(r#"{"$inc": {"views": "1"}}"#)?).unwrap_err();
    /// assert_eq!(error.to_string(), r#"at $inc.views: "1" is a string, not a number"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), [`LimitExceeded`](crate::ErrorKind::LimitExceeded): the message begins with
    /// the place in the document.
    pub fn from_document(document: &Document) -> Result<Update> {
        let mut update = Update::default();
        for (name, operand) in document.iter() {
            let place = Place::Top.key(name);
            if !name.starts_with('$') {
                let name = Quoted(name);
                return Err(Place::Top.invalid(format!("{name} is no operator; they begin with $, as in $set")));
            }
            if !OPERATORS.contains(&name) {
                return Err(Place::Top.invalid(spelling::unknown("operator", name, &OPERATORS)));
            }
            for (key, operand) in place.map("a map of paths", operand)?.iter() {
                let place = place.key(key);
                let (path, operator) = (Path::from(key), read(name, operand, &place)?);
                path.validate().map_err(|error| place.locate(error))?;
                operator.validate(path.segments().len()).map_err(|error| place.locate(error))?;
                update = update.change(path, operator);
            }
        }
        // Array filters are still to come.
        update.check_count().map_err(|error| Place::Top.locate(error))?;
        overlap::refuse_overlaps(&update.paths()).map_err(|error| Place::Top.locate(error))?;
        Ok(update)
    }
}

/// The operator of a name that is known.
fn read(name: &str, operand: &Value, place: &Place<'_>) -> Result<Operator> {
    let value = || operand.clone();
    Ok(match name {
        "$set" => Operator::Set(value()),
        "$setOnInsert" => Operator::SetOnInsert(value()),
        "$min" => Operator::Min(value()),
        "$max" => Operator::Max(value()),
        "$inc" => Operator::Inc(value()),
        "$mul" => Operator::Mul(value()),
        "$rename" => Operator::Rename(place.string("a path", operand)?.into()),
        "$currentDate" => current_date(operand, place)?,
        "$push" => Operator::Push(push(operand, place)?),
        "$addToSet" => match modifiers(operand, &["$each"], place)? {
            Some(modifiers) => Operator::AddToSet(each(modifiers, place)?),
            None => Operator::AddToSet(vec![value()]),
        },
        "$pop" => match operand.as_i64() {
            Some(1) => Operator::PopLast,
            Some(-1) => Operator::PopFirst,
            _ => return Err(place.expected("1 or -1", operand)),
        },
        "$pull" => match operand {
            // As a filter it would match every element, which few would mean.
            Value::Map(map) if map.is_empty() => return Err(place.expected("a value or a filter", operand)),
            Value::Map(map) => Operator::PullWhere(element_filter(map, place)?),
            _ => Operator::Pull(value()),
        },
        _ => Operator::Unset,
    })
}

fn current_date(operand: &Value, place: &Place<'_>) -> Result<Operator> {
    match operand {
        Value::Bool(true) => Ok(Operator::SetNow),
        Value::Map(map) if map.len() == 1 && map.get("$type").and_then(Value::as_str) == Some("date") => {
            Ok(Operator::SetNow)
        }
        _ => Err(place.expected(r#"true or {"$type": "date"}"#, operand)),
    }
}

/// The map of modifiers, if the operand is one: a map with operators in it.
fn modifiers<'v>(operand: &'v Value, known: &[&str], place: &Place<'_>) -> Result<Option<&'v Document>> {
    match operand {
        Value::Map(map) if map.keys().any(|key| key.starts_with('$')) => {
            match map.keys().find(|key| !known.contains(key)) {
                Some(other) => Err(place.invalid(spelling::unknown("modifier", other, known))),
                None => Ok(Some(map)),
            }
        }
        _ => Ok(None),
    }
}

fn each(modifiers: &Document, place: &Place<'_>) -> Result<Vec<Value>> {
    let values = modifiers.get("$each").ok_or_else(|| place.invalid("\"$each\" is missing"))?;
    place.key("$each").array("an array", values).map(<[Value]>::to_vec)
}

fn push(operand: &Value, place: &Place<'_>) -> Result<Push> {
    let Some(modifiers) = modifiers(operand, &["$each", "$position", "$slice"], place)? else {
        return Ok(Push::new([operand.clone()]));
    };
    let integer = |name: &str| match modifiers.get(name) {
        None => Ok(None),
        Some(value) => {
            let integer = value.as_i64().ok_or_else(|| place.key(name).expected("an integer", value));
            integer.map(Some)
        }
    };
    let mut push = Push::new(each(modifiers, place)?);
    if let Some(position) = integer("$position")? {
        push = push.at(position);
    }
    let length = |slice: i64| usize::try_from(slice.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(match integer("$slice")? {
        None => push,
        Some(slice) if slice < 0 => push.keep_last(length(slice)),
        Some(slice) => push.keep_first(length(slice)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::filter::{element, field};
    use crate::update::{
        add_each_to_set, add_to_set, inc, max, min, mul, pop_first, pop_last, pull, pull_where, push_each, rename, set,
        set_now, set_on_insert, unset,
    };

    #[track_caller]
    fn reads(json: &str, expected: &Update) {
        let update = Update::from_document(&serde_json::from_str(json).unwrap()).unwrap();
        assert_eq!(format!("{update:?}"), format!("{expected:?}"), "{json}");
    }

    #[track_caller]
    fn refused(json: &str, message: &str) {
        let error = Update::from_document(&serde_json::from_str(json).unwrap()).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Invalid, message));
    }

    #[test]
    fn every_operator_has_its_form() {
        reads("{}", &Update::default());
        reads(r#"{"$set": {"a.b": 1, "c": {"$x": 2}}}"#, &set("a.b", 1).set("c", Document::new().with("$x", 2)));
        reads(r#"{"$setOnInsert": {"a": 1}, "$unset": {"b": ""}}"#, &set_on_insert("a", 1).unset("b"));
        reads(r#"{"$currentDate": {"a": true, "b": {"$type": "date"}}}"#, &set_now("a").set_now("b"));
        reads(r#"{"$rename": {"a": "b.c"}, "$unset": {"d": 1}}"#, &rename("a", "b.c").and(unset("d")));
        reads(r#"{"$inc": {"a": 1}, "$mul": {"b": 1.5}}"#, &inc("a", 1).and(mul("b", 1.5)));
        reads(r#"{"$min": {"a": 1}, "$max": {"b": "x"}}"#, &min("a", 1).and(max("b", "x")));
        reads(r#"{"$push": {"a": [1]}}"#, &crate::update::push("a", [1]));
        reads(r#"{"$push": {"a": {"$each": [1, 2]}}}"#, &push_each("a", [1, 2]));
        let json = r#"{"$push": {"a": {"$each": [1], "$position": -2, "$slice": -5}}}"#;
        reads(json, &push_each("a", Push::new([1]).at(-2).keep_last(5)));
        reads(r#"{"$push": {"a": {"$each": [], "$slice": 5}}}"#, &push_each("a", Push::new::<i64>([]).keep_first(5)));
        reads(r#"{"$addToSet": {"a": 1, "b": {"$each": [1]}}}"#, &add_to_set("a", 1).and(add_each_to_set("b", [1])));
        reads(r#"{"$pop": {"a": 1, "b": -1}}"#, &pop_last("a").and(pop_first("b")));
        reads(r#"{"$pull": {"a": 1, "b": [1]}}"#, &pull("a", 1).pull("b", [1]));
        reads(r#"{"$pull": {"a": {"$gte": 1}}}"#, &pull_where("a", element().ge(1)));
        reads(
            r#"{"$pull": {"a": {"b": 1, "c": {"$lt": 2}}}}"#,
            &pull_where("a", field("b").eq(1).and(field("c").lt(2))),
        );
        reads(r#"{"$set": {"a.$[x].b": 1}}"#, &set("a.$[x].b", 1));
    }

    #[test]
    fn errors_name_the_place_and_what_is_expected() {
        for (json, message) in [
            (r#"{"title": "x"}"#, r#"at the top level: "title" is no operator; they begin with $, as in $set"#),
            (r#"{"$ste": {"a": 1}}"#, r#"at the top level: unknown operator "$ste"; did you mean "$set"?"#),
            (r#"{"$set": 1}"#, "at $set: expected a map of paths, found the int 1"),
            (r#"{"$set": {"a..b": 1}}"#, r#"at $set.a..b: path "a..b" has an empty step"#),
            (r#"{"$inc": {"a": null}}"#, "at $inc.a: null is a null, not a number"),
            (r#"{"$rename": {"a": 1}}"#, "at $rename.a: expected a path, found the int 1"),
            (r#"{"$rename": {"a": ""}}"#, r#"at $rename.a: new name: path "" has an empty step"#),
            (r#"{"$pop": {"a": 2}}"#, "at $pop.a: expected 1 or -1, found the int 2"),
            (r#"{"$pull": {"a": {}}}"#, "at $pull.a: expected a value or a filter, found a map of 0"),
            (
                r#"{"$pull": {"a": {"b": {"$gtt": 1}}}}"#,
                r#"at $pull.a.b: unknown operator "$gtt"; did you mean "$gte"?"#,
            ),
            (
                r#"{"$currentDate": {"a": 1}}"#,
                r#"at $currentDate.a: expected true or {"$type": "date"}, found the int 1"#,
            ),
            (r#"{"$push": {"a": {"$each": 1}}}"#, "at $push.a.$each: expected an array, found the int 1"),
            (r#"{"$push": {"a": {"$slice": 1}}}"#, r#"at $push.a: "$each" is missing"#),
            (
                r#"{"$push": {"a": {"$each": [], "$sort": 1}}}"#,
                r#"at $push.a: unknown modifier "$sort"; known are $each, $position, $slice"#,
            ),
            (
                r#"{"$push": {"a": {"$each": [], "$position": "x"}}}"#,
                r#"at $push.a.$position: expected an integer, found the string "x""#,
            ),
            (
                r#"{"$set": {"a": 1}, "$inc": {"a.b": 1}}"#,
                "at the top level: two changes overlap in one update: a and a.b",
            ),
        ] {
            refused(json, message);
        }
    }
}
