//! What a collection that is being loaded will be, and the commit that makes it so.

use std::sync::Arc;

use blaze_core::fault::{self, Point};
use blaze_core::record::DictionaryEntry;
use blaze_core::{Direction, Durability, Error, Family, Isolation, KeyRange, Result, Timestamp};

use crate::catalog::{self, Definition, Kind, Orphan, prefix, prefixed};
use crate::database::core::Core;
use crate::embedding::SharedEmbedder;
use crate::index::{self, Index, IndexDefinition};
use crate::migration::MigrationDefinition;
use crate::session::{RetryLimits, Scope, Session, retry};
use crate::validation::SchemaDefinition;

/// A collection that no name leads to yet.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) id: u32,
    pub(super) indexes: Vec<IndexDefinition>,
    /// What the indexes embed by that the load declares, each by its place among them.
    embedders: Vec<(usize, SharedEmbedder)>,
    /// The numbers that the indexes have which the collection had when the load began.
    numbers_before: Vec<u32>,
    /// The indexes among them that the collection of this name had when the load began.
    taken_over: Vec<String>,
    /// What its documents have to look like.
    pub(super) schema: Option<Box<SchemaDefinition>>,
    /// The form that they have.
    migration: MigrationDefinition,
    /// Of a subcollection, the collection above.
    pub(super) parent: Option<String>,
    replaces: bool,
    /// Where its rows are, until it has its name.
    orphans: Vec<Orphan>,
    /// The commit with which the load began.
    pub(super) begun_at: Timestamp,
}

impl Target {
    /// Gives out numbers for the collection and its indexes, and declares their keys orphans.
    pub(super) fn begin(core: &Arc<Core>, name: &str, replaces: bool, declared: &[Index]) -> Result<Target> {
        core.check_writable()?;
        catalog::validate_name(name, Kind::Collection.as_str())?;
        let declared =
            declared.iter().map(|index| Ok((index.define(0)?, index.embedder()))).collect::<Result<Vec<_>>>()?;
        let there = Scope::Database(Arc::clone(core)).read(|session| {
            let there = catalog::find(session, name, Kind::Collection)?;
            there.as_ref().map_or(Ok(()), |there| check_replaceable(session, name, there.id, replaces))?;
            Ok(there)
        })?;
        let schema = there.as_ref().and_then(|there| there.schema.clone());
        if let Some(there) = &there {
            there.migration.check_at_rest(name)?;
        }
        let migration = there.as_ref().map(|there| there.migration).unwrap_or_default();
        let parent = there.as_ref().and_then(|there| there.parent.clone());
        let mut indexes = there.map_or_else(Vec::new, |there| there.indexes.clone());
        indexes.retain(|index| !index.replaces()); // what was begun to replace one goes with the old documents
        let taken_over = indexes.iter().map(|index| index.name.clone()).collect();
        let numbers_before = indexes.iter().map(|index| index.id).collect();
        let mut embedders = Vec::new();
        for (wanted, embedder) in declared {
            let place = match indexes.iter().position(|there| there.name == wanted.name) {
                Some(place) => {
                    indexes[place].check_like(&wanted)?;
                    place
                }
                None => {
                    index::check_room(name, &indexes)?;
                    indexes.push(wanted);
                    indexes.len() - 1
                }
            };
            embedders.extend(embedder.map(|embedder| (place, embedder.clone())));
        }
        let id = catalog::allocate(core)?;
        for index in &mut indexes {
            *index = index.complete_under(catalog::allocate(core)?);
        }
        let of_indexes = indexes.iter().map(|index| Orphan::new(index.family(), prefix(index.id)));
        let orphans: Vec<Orphan> = [Orphan::new(Family::Data, prefix(id))].into_iter().chain(of_indexes).collect();
        let begun_at = retry(core, RetryLimits::default(), || {
            let session = Session::read_write(core, Isolation::Serializable, Durability::Buffered)?;
            orphans.iter().try_for_each(|orphan| orphan.declare(&session))?;
            session.commit()
        })?;
        fault::reached(Point::LoadBegun);
        let name = name.to_owned();
        Ok(Target {
            name,
            id,
            indexes,
            embedders,
            numbers_before,
            taken_over,
            schema,
            migration,
            parent,
            replaces,
            orphans,
            begun_at,
        })
    }

    /// Has the name lead to the collection, in one commit, and lets go of what it led to before.
    pub(super) fn publish(&mut self, core: &Arc<Core>, documents: u64, dictionary: &[DictionaryEntry]) -> Result<()> {
        let embedders = self.all_embedders(core); // soon those of the old indexes are forgotten
        let (published_at, dropped) = retry(core, RetryLimits::default(), || {
            let session = Session::read_write(core, Isolation::Serializable, core.durability)?;
            let dropped = self.show(&session, documents, dictionary)?;
            Ok((session.commit()?, dropped))
        })?;
        fault::reached(Point::LoadPublished);
        self.orphans.clear();
        embedders.iter().for_each(|(index, embedder)| core.embedding.attach(*index, embedder));
        self.indexes
            .iter()
            .filter(|index| index.family() == Family::Vector)
            .for_each(|index| core.vectors.want(core, index.id));
        let texts = self.indexes.iter().filter(|index| index.family() == Family::Text);
        // The collection is there. Where this fails, what is not folded is folded later.
        let _ = core.texts.fold_all(core, &texts.map(|index| index.id).collect::<Vec<_>>(), false);
        for orphan in &dropped {
            // No name leads there. Where this fails, the next opening sees to it.
            let _ = orphan.reclaim(core, published_at);
        }
        Ok(())
    }

    /// What indexes embed by once the collection has its name.
    fn all_embedders(&self, core: &Core) -> Vec<(u32, SharedEmbedder)> {
        let before = self.numbers_before.iter().map(|number| core.embedding.embedder(*number)).enumerate();
        let taken_over = before.filter_map(|(place, embedder)| Some((place, embedder?)));
        let all = taken_over.chain(self.embedders.iter().cloned());
        all.filter_map(|(place, embedder)| Some((self.indexes.get(place)?.id, embedder))).collect()
    }

    fn show(&self, session: &Session, documents: u64, dictionary: &[DictionaryEntry]) -> Result<Vec<Orphan>> {
        let there = catalog::find(session, &self.name, Kind::Collection)?;
        if let Some(there) = &there {
            check_replaceable(session, &self.name, there.id, self.replaces)?;
        }
        self.check_indexes(there.as_deref())?;
        self.check_schema(there.as_deref())?;
        if there.as_ref().and_then(|there| there.parent.as_ref()) != self.parent.as_ref() {
            let name = &self.name;
            return Err(Error::invalid(format!("the subcollection {name:?} was dropped while it was loaded")));
        }
        let dropped = catalog::remove_name(session, &self.name, Kind::Collection)?;
        self.orphans.iter().try_for_each(|orphan| orphan.adopt(session))?;
        for entry in dictionary {
            let key = prefixed(self.id, &entry.ordinal().to_be_bytes());
            session.put(Family::Catalog, key, entry.to_bytes(), None)?;
        }
        // Whatever else was set for the collection stays set.
        let settings = there.map_or_else(|| Definition::new(Kind::Collection, self.id), |there| (*there).clone());
        let mut definition = Definition { id: self.id, indexes: self.indexes.clone(), ..settings };
        catalog::count_as_new(session, &mut definition, documents)?;
        catalog::put(session, &self.name, &definition)?;
        definition.tracked().map_or(Ok(()), |tracking| session.track(tracking))?;
        Ok(dropped)
    }

    /// Refuses to bring back an index that was dropped meanwhile, and to lose one that was built.
    fn check_indexes(&self, there: Option<&Definition>) -> Result<()> {
        let now = there.map_or(&[][..], |there| &there.indexes);
        let lost = now
            .iter()
            .filter(|index| !index.replaces())
            .find(|index| !self.indexes.iter().any(|own| own.name == index.name && own.is_like(index)));
        let dropped = self.taken_over.iter().find(|name| !now.iter().any(|index| index.name == **name));
        let (index, change) = match (lost, dropped) {
            (None, None) => return Ok(()),
            (Some(index), _) => (&index.name, "built"),
            (None, Some(name)) => (name, "dropped"),
        };
        Err(Error::invalid(format!(
            "the index {index:?} of the collection {:?} was {change} while that was loaded",
            self.name
        )))
    }

    /// Refuses documents that a schema set meanwhile has not seen, or that come before they are migrated.
    fn check_schema(&self, there: Option<&Definition>) -> Result<()> {
        let number = |schema: &SchemaDefinition| schema.number;
        let now = there.and_then(|there| there.schema.as_deref());
        if now.map(number) != self.schema.as_deref().map(number) {
            let name = &self.name;
            return Err(Error::invalid(format!(
                "the schema of the collection {name:?} was changed while that was loaded"
            )));
        }
        if there.map(|there| there.migration).unwrap_or_default() != self.migration {
            let name = &self.name;
            return Err(Error::invalid(format!("the collection {name:?} was migrated while it was loaded")));
        }
        Ok(())
    }

    /// Removes what was written, if no name leads to it.
    pub(super) fn abandon(&mut self, core: &Arc<Core>) {
        for orphan in self.orphans.drain(..) {
            // Where it fails, as after a commit of unknown outcome, the next opening sees to it.
            let _ = orphan.reclaim(core, Timestamp::ZERO);
        }
    }
}

/// Refuses a collection with documents, unless it is to be replaced.
fn check_replaceable(session: &Session, name: &str, id: u32, replaces: bool) -> Result<()> {
    let documents = KeyRange::prefix(&prefix(id));
    match !replaces && session.cursor(Family::Data, &documents, Direction::Forward)?.next()?.is_some() {
        false => Ok(()),
        true => Err(Error::already_exists(format!(
            "the collection {name:?} has documents, and only a new, an empty or a replaced one is loaded"
        ))),
    }
}
