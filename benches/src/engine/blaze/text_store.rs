//! Texts in documents of Blaze, written durably.

use blaze::{Collection, Database, Index, TextQuery};
use serde::Serialize;

use crate::Result;
use crate::dataset::text::TextSet;
use crate::engine::{TextPlace, TextStore};

pub(super) struct BlazeTextStore {
    database: Database,
}

#[derive(Serialize)]
struct Item {
    text: String,
}

impl BlazeTextStore {
    pub(super) fn open(database: Database) -> BlazeTextStore {
        BlazeTextStore { database }
    }

    fn collection(&self, place: TextPlace) -> Result<Collection<Item>> {
        Ok(self.database.collection(match place {
            TextPlace::Plain => "plain",
            TextPlace::Small => "small",
            TextPlace::Large => "large",
        })?)
    }
}

impl TextStore for BlazeTextStore {
    fn load(&self, place: TextPlace, texts: &TextSet, rows: u64) -> Result<()> {
        let collection = self.collection(place)?;
        let documents = (0..rows).map(|row| (row, Item { text: texts.text(row as usize) }));
        collection.bulk().insert_with_ids(documents)?;
        if place != TextPlace::Plain {
            collection.ensure_index(Index::text(["text"]))?;
        }
        Ok(self.database.settle()?)
    }

    fn insert(&self, place: TextPlace, id: u64, text: &str) -> Result<()> {
        Ok(self.collection(place)?.insert_with_id(id, &Item { text: text.to_owned() })?)
    }

    fn count(&self, place: TextPlace, word: &str) -> Result<u64> {
        Ok(self.collection(place)?.search().text(TextQuery::words(word)).count()?)
    }
}
