//! Schemas: no JSON Schema and nothing stored panics, and what is read is written so that it means the same.

#![no_main]

use blaze_core::schema::InferredSchema;
use blaze_core::{Document, JsonForm, Schema, from_document, to_document};
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

fn check(schema: &Schema, document: &Document) {
    let stored = to_document(schema).expect("a schema can be stored");
    let again: Schema = from_document(stored).expect("what is stored can be read");
    assert_eq!(format!("{again:?}"), format!("{schema:?}"));
    let _ = schema.check(document);
    let _ = schema.violations(&Document::new());
    if schema.validate().is_ok() {
        let written = schema.to_json_schema();
        let read = Schema::from_json_schema(&written.document);
        if written.left_out.is_empty() {
            let read = read.expect("what is written can be read");
            assert_eq!(format!("{:?}", read.to_json_schema().document), format!("{:?}", written.document));
            for document in [document, &Document::new()] {
                assert_eq!(read.check(document).is_ok(), schema.check(document).is_ok(), "{schema:?} of {document:?}");
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut source = Unstructured::new(bytes);
    let mut inferred = InferredSchema::default();
    let mut documents = Vec::new();
    while let Ok(document) = blaze_fuzz::document(&mut source, 3)
        && documents.len() < 3
        && !source.is_empty()
    {
        inferred.observe(&document);
        documents.push(document);
    }
    let schema = inferred.to_schema();
    for document in &documents {
        schema.check(document).expect("a schema that was inferred of the document");
    }
    let document = documents.pop().unwrap_or_default();
    check(&schema, &document);
    let Ok(read) =
        std::str::from_utf8(bytes).map_err(drop).and_then(|text| JsonForm::Extended.read_document(text).map_err(drop))
    else {
        return;
    };
    if let Ok(schema) = Schema::from_json_schema(&read) {
        schema.validate().expect("what is read is valid");
        check(&schema, &document);
    }
    if let Ok(schema) = from_document::<Schema>(read) {
        check(&schema, &document);
    }
});
