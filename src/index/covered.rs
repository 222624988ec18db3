//! Values that an entry of an index gives back without its document.

use blaze_core::key::{self, Order};
use blaze_core::{Path, Result, Value};

use super::entries::RESTORABLE;

/// The values of the fields of an entry, exactly as the document has them, `None` for a field that is missing; nothing if they
/// cannot be restored: then the document must be read.
///
/// That is so where a number has another type than its key tells, a value was cut, the document has several entries, a path
/// leads through an array, or the entry was made by the first version.
pub(crate) fn covered_values(key: &[u8], value: &[u8], fields: &[(Path, Order)]) -> Result<Option<Vec<Option<Value>>>> {
    if value.first().is_none_or(|flags| flags & RESTORABLE == 0) {
        return Ok(None);
    }
    let mut rest = key.get(4..).unwrap_or_default();
    fields.iter().map(|(_, order)| key::read_value(&mut rest, *order)).collect::<Result<_>>().map(Some)
}

#[cfg(test)]
mod tests {
    use blaze_core::record::{Dictionary, Record, encode};
    use blaze_core::{Decimal, Document, DocumentId, field, traverse};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::entries::{long_way, short_way};
    use super::super::{Entries, Index, IndexFields, read_id};
    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let hard = [
            Value::Null,
            1.0.into(),
            (-0.0).into(),
            0.5.into(),
            f64::NAN.into(),
            u64::MAX.into(),
            Value::from(Decimal::new(false, 100, 2)),
            Value::from(Decimal::new(false, 1, 1)),
            "".into(),
            "a\0".into(),
            "long ".repeat(300).into(),
        ];
        let scalar = prop_oneof![2 => (-1..2_i64).prop_map(Value::from), 3 => select(hard.to_vec())];
        scalar.prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..3).prop_map(Value::Array),
                vec((select(vec!["c", "b"]), inner), 0..3).prop_map(|all| Value::Map(all.into_iter().collect())),
            ]
        })
    }

    fn bytes(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&Document::new().with("v", value.clone()), &Dictionary::default(), &mut bytes).unwrap();
        bytes
    }

    fn index() -> impl Strategy<Value = Index> {
        let indexes =
            [Index::on("a"), Index::on_desc("b.c"), Index::on("a").then_desc("b.c"), Index::on("b").then("a")];
        (select(indexes.to_vec()), any::<bool>())
            .prop_map(|(index, unique)| if unique { index.unique() } else { index })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn entries_have_their_id_and_what_they_give_back_is_what_the_document_has(
            index in index(),
            a in proptest::option::of(value()),
            b in proptest::option::of(value()),
            id in select(vec![DocumentId::from(1), "x".into(), u64::MAX.into()]),
        ) {
            let fields = [("a", a), ("b", b)].into_iter().filter_map(|(key, value)| Some((key, value?)));
            let document: Document = fields.collect();
            let definition = index.define(7).unwrap();
            let IndexFields::Fields(fields) = definition.parts().unwrap() else { panic!("an index over fields") };
            // A unique index refuses what is too long.
            let Ok(entries) = Entries::of(&definition, &id, &document) else { return Ok(()) };
            for (key, value) in entries.iter() {
                prop_assert_eq!(read_id(key, value, fields).unwrap().1, id.clone());
                let Some(values) = covered_values(key, value, fields).unwrap() else { continue };
                prop_assert_eq!(entries.len(), 1);
                for ((path, _), value) in fields.iter().zip(values) {
                    let there = traverse::get(&document, path);
                    prop_assert_eq!(value.as_ref().map(bytes), there.map(bytes), "{:?}", path);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_record_has_the_entries_of_its_document(
            index in index(),
            only in any::<bool>(),
            a in proptest::option::of(value()),
            b in proptest::option::of(value()),
        ) {
            let fields = [("a", a), ("b", b)].into_iter().filter_map(|(key, value)| Some((key, value?)));
            let document: Document = fields.collect();
            let index = if only { index.only(field("a").ne(0.5)) } else { index };
            let definition = index.define(7).unwrap();
            for dictionary in [Dictionary::default(), { let mut learnt = Dictionary::default(); learnt.learn(&document); learnt }] {
                let mut bytes = Vec::new();
                encode(&document, &dictionary, &mut bytes).unwrap();
                let record = Record::open(&bytes, &dictionary).unwrap();
                let of_record = Entries::of_record(&definition, &1.into(), &record.document());
                match Entries::of(&definition, &1.into(), &document) {
                    Ok(entries) => prop_assert_eq!(of_record.unwrap(), entries),
                    Err(error) => prop_assert_eq!(of_record.unwrap_err().to_string(), error.to_string()),
                }
            }
        }

        #[test]
        fn the_short_way_to_an_entry_leads_where_the_long_one_does(
            index in index(),
            a in proptest::option::of(value()),
            b in proptest::option::of(value()),
        ) {
            let fields = [("a", a), ("b", b)].into_iter().filter_map(|(key, value)| Some((key, value?)));
            let document: Document = fields.collect();
            let definition = index.define(7).unwrap();
            let short = short_way(&definition, &1.into(), &document);
            if let Some(entries) = short.unwrap() {
                prop_assert_eq!(entries, long_way(&definition, &1.into(), &document).unwrap());
            }
        }
    }

    #[test]
    fn common_documents_are_covered() {
        let definition = Index::on("a").then_desc("b.c").define(7).unwrap();
        let IndexFields::Fields(fields) = definition.parts().unwrap() else { panic!("an index over fields") };
        let covered = |document: Document| {
            let entries = Entries::of(&definition, &1.into(), &document).unwrap();
            let (key, value) = entries.iter().next().unwrap();
            covered_values(key, value, fields).unwrap()
        };
        let inner = Document::new().with("c", 0.5);
        assert_eq!(
            covered(Document::new().with("a", "x").with("b", inner)),
            Some(vec![Some("x".into()), Some(0.5.into())])
        );
        assert_eq!(covered(Document::new().with("a", 1)), Some(vec![Some(1.into()), None]));
        assert_eq!(covered(Document::new().with("a", 1.0)), None, "it would be read as an integer");
        assert_eq!(covered(Document::new().with("a", "x".repeat(2_000))), None, "it was cut");
    }
}
