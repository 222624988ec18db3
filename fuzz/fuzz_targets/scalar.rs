//! Texts of single values: none panics, and what is read is printed so that it reads as the same.

#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use blaze_core::filter::TypeName;
use blaze_core::{Decimal, Language, Path, Time, Uuid, counter};
use blaze_vector::{Code, Copies, Metric};
use libfuzzer_sys::fuzz_target;

fn round_trip<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let printed = value.to_string();
        assert_eq!(printed.parse::<T>().expect("what was printed can be read"), value, "{printed}");
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(count) = counter::decode(bytes) {
        assert_eq!(counter::encode(count).as_slice(), bytes);
        let _ = counter::add(Some(bytes), -1);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    round_trip::<Decimal>(text);
    round_trip::<Time>(text);
    round_trip::<TypeName>(text);
    round_trip::<Language>(text);
    round_trip::<Metric>(text);
    round_trip::<Copies>(text);
    round_trip::<Code>(text);
    if let Ok(uuid) = Uuid::parse(text) {
        assert_eq!(Uuid::parse(&uuid.to_string()).expect("what was printed can be read"), uuid);
    }
    let path = Path::from(text);
    let _ = path.validate();
    assert_eq!(Path::from(path.to_string().as_str()).to_string(), path.to_string());
});
