//! Arbitrary values, documents and filters, made from the bytes that the fuzzer varies.

#![forbid(unsafe_code)]

use blaze_core::filter::{Pattern, Regex, TypeName};
use blaze_core::{Decimal, Document, Filter, Path, Predicate, Time, Uuid, Value, Vector};
use libfuzzer_sys::arbitrary::{Result, Unstructured};

/// Keys of documents and segments of paths: few, so that filters meet fields; one has a dot and two are numbers.
const KEYS: [&str; 8] = ["a", "b", "c", "", "x.y", "0", "1", "ключ"];

/// Any value, of at most `levels` levels of arrays and maps.
pub fn value(bytes: &mut Unstructured<'_>, levels: usize) -> Result<Value> {
    let kinds = if levels == 0 { 15 } else { 17 };
    Ok(match bytes.int_in_range(0..=kinds)? {
        0 => Value::Null,
        1 => Value::Bool(bytes.arbitrary()?),
        2 => Value::Int(bytes.arbitrary::<i8>()?.into()),
        3 => Value::Int(bytes.arbitrary()?),
        4 => Value::from(bytes.arbitrary::<u64>()?),
        5 => Value::Float(bytes.arbitrary()?),
        6 => Value::Float(f64::from(bytes.arbitrary::<i16>()?) / 16.0),
        7 => decimal(bytes.arbitrary()?, bytes.arbitrary()?, bytes.arbitrary()?),
        8 => decimal(bytes.arbitrary()?, bytes.arbitrary::<u8>()?.into(), bytes.int_in_range(0..=3)?),
        9 => Value::String(bytes.arbitrary()?),
        10 => Value::Bytes(bytes.arbitrary()?),
        11 => Value::Time(Time::from_micros(bytes.arbitrary()?)),
        12 => Value::Uuid(Uuid::from_bytes(bytes.arbitrary()?)),
        13 => Value::Vector(Vector::F32(bytes.arbitrary()?)),
        14 => Value::Vector(Vector::F16(bytes.arbitrary()?)),
        15 => Value::Vector(if bytes.arbitrary()? {
            Vector::I8(bytes.arbitrary()?)
        } else {
            Vector::Bits(bytes.arbitrary()?)
        }),
        16 => Value::Array(values(bytes, levels - 1)?),
        _ => Value::Map(document(bytes, levels - 1)?),
    })
}

fn decimal(negative: bool, coefficient: u128, scale: u8) -> Value {
    Decimal::new(negative, coefficient, scale).map_or(Value::Null, Value::Decimal)
}

fn values(bytes: &mut Unstructured<'_>, levels: usize) -> Result<Vec<Value>> {
    (0..bytes.int_in_range(0..=4)?).map(|_| value(bytes, levels)).collect()
}

/// Any document, with at most `levels` levels of arrays and maps inside.
pub fn document(bytes: &mut Unstructured<'_>, levels: usize) -> Result<Document> {
    let mut document = Document::new();
    for _ in 0..bytes.int_in_range(0..=5)? {
        let key = *bytes.choose(&KEYS)?;
        document.insert(key, value(bytes, levels)?);
    }
    Ok(document)
}

/// Any path, the empty one included.
pub fn path(bytes: &mut Unstructured<'_>) -> Result<Path> {
    let keys: Result<Vec<&str>> = (0..bytes.int_in_range(0..=3)?).map(|_| bytes.choose(&KEYS).copied()).collect();
    Ok(Path::from_keys(keys?))
}

/// Any filter of at most `levels` levels of operators; invalid ones too.
pub fn filter(bytes: &mut Unstructured<'_>, levels: usize) -> Result<Filter> {
    if levels == 0 {
        return Ok(Filter::Field(path(bytes)?, predicate(bytes, 0)?));
    }
    Ok(match bytes.int_in_range(0..=7)? {
        0 => Filter::And(filters(bytes, levels - 1)?),
        1 => Filter::Or(filters(bytes, levels - 1)?),
        2 => Filter::Nor(filters(bytes, levels - 1)?),
        3 => Filter::Not(Box::new(filter(bytes, levels - 1)?)),
        _ => Filter::Field(path(bytes)?, predicate(bytes, levels - 1)?),
    })
}

fn filters(bytes: &mut Unstructured<'_>, levels: usize) -> Result<Vec<Filter>> {
    (0..bytes.int_in_range(0..=3)?).map(|_| filter(bytes, levels)).collect()
}

fn predicate(bytes: &mut Unstructured<'_>, levels: usize) -> Result<Predicate> {
    let kinds = if levels == 0 { 16 } else { 17 };
    Ok(match bytes.int_in_range(0..=kinds)? {
        0 => Predicate::Eq(value(bytes, 2)?),
        1 => Predicate::Ne(value(bytes, 2)?),
        2 => Predicate::Lt(value(bytes, 2)?),
        3 => Predicate::Le(value(bytes, 2)?),
        4 => Predicate::Gt(value(bytes, 2)?),
        5 => Predicate::Ge(value(bytes, 2)?),
        6 => Predicate::Between(value(bytes, 2)?, value(bytes, 2)?),
        7 => Predicate::In(values(bytes, 2)?),
        8 => Predicate::Nin(values(bytes, 2)?),
        9 => Predicate::Exists(bytes.arbitrary()?),
        10 => Predicate::Type(*bytes.choose(&TypeName::ALL)?),
        11 => Predicate::StartsWith(bytes.arbitrary()?),
        12 => Predicate::Like(Pattern::new(bytes.arbitrary::<&str>()?)),
        13 => Predicate::Regex(Regex::new(bytes.arbitrary::<&str>()?)),
        14 => Predicate::Contains(value(bytes, 2)?),
        15 => Predicate::All(values(bytes, 2)?),
        16 => Predicate::Size(bytes.int_in_range(0..=5)?),
        _ => Predicate::ElemMatch(Box::new(filter(bytes, levels - 1)?)),
    })
}
