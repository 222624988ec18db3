//! [`Isolation`] in the text form of a history.

use blaze_core::Isolation;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Text {
    Serializable,
    Snapshot,
}

pub(crate) fn serialize<S: Serializer>(isolation: &Isolation, serializer: S) -> Result<S::Ok, S::Error> {
    let text = match isolation {
        Isolation::Serializable => Text::Serializable,
        Isolation::Snapshot => Text::Snapshot,
    };
    text.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Isolation, D::Error> {
    Ok(match Text::deserialize(deserializer)? {
        Text::Serializable => Isolation::Serializable,
        Text::Snapshot => Isolation::Snapshot,
    })
}
