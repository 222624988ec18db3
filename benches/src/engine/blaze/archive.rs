//! A collection of Blaze of which the size is measured.

use blaze::{Collection, Database, DocumentId, Index, Value, field};
use serde_json::{Map, Value as Json};

use crate::Result;
use crate::engine::{Archive, ArchiveIndex};

const NAME: &str = "archive";

type Object = Map<String, Json>;

pub(super) struct BlazeArchive {
    database: Database,
    objects: Collection<Object>,
}

impl BlazeArchive {
    pub(super) fn open(database: Database) -> Result<BlazeArchive> {
        let objects = database.collection(NAME)?;
        Ok(BlazeArchive { database, objects })
    }
}

impl Archive for BlazeArchive {
    fn load(&self, objects: &mut dyn Iterator<Item = (i64, Object)>, indexes: &[ArchiveIndex]) -> Result<()> {
        let load = indexes.iter().fold(self.database.load_collection(NAME), |load, index| {
            let definition = Index::on(index.path);
            load.ensure_index(if index.unique { definition.unique() } else { definition })
        });
        let mut loader = load.begin()?;
        for (id, object) in objects {
            loader.insert_with_id(id, &object)?;
        }
        loader.finish()?;
        Ok(())
    }

    fn get(&self, id: i64) -> Result<Option<Object>> {
        Ok(self.objects.get(DocumentId::from(id))?.map(blaze::Found::into_value))
    }

    fn count(&self, path: &str, value: &Json) -> Result<u64> {
        let value: Value = serde_json::from_value(value.clone())?;
        Ok(self.objects.find(field(path).eq(value)).count()?)
    }

    fn compact(&self) -> Result<()> {
        Ok(self.database.compact()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.database.close()?)
    }
}
