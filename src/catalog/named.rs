//! What a handle keeps of the name that it stands for.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use blaze_core::{Family, PointRead, ReadPoint, Result, Timestamp, Tracking};

use super::definition::{Definition, Kind};
use super::place::{KnownPlace, Place};
use super::{expiring, get, layout, open};
use crate::database::core::Core;
use crate::session::{CatalogVersion, Scope, Session};

/// A name of the catalog as the handles of one scope know it, with what was last found under it: while the catalog stays
/// as it was, an operation reads nothing of it and waits for nobody.
#[derive(Debug)]
pub(crate) struct Named {
    name: String,
    kind: Kind,
    /// The key of its row.
    key: Vec<u8>,
    /// True if all sessions that ask are one and the same.
    one_session: bool,
    last: ArcSwapOption<Found>,
    place: KnownPlace,
}

/// What was found, and in which catalog.
#[derive(Debug)]
struct Found {
    version: CatalogVersion,
    definition: Arc<Definition>,
}

/// Where reads and writes go. Whoever commits writes on their own adds the [`guard`](Named::guard).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) id: u32,
    pub(crate) tracked: Option<Tracking>,
    /// True if values say until when they are there.
    pub(crate) expiring: bool,
}

impl Target {
    fn of(definition: &Definition) -> Target {
        Target { id: definition.id, tracked: definition.tracked(), expiring: definition.expiring }
    }
}

impl Named {
    /// Sees to it that `name` is there: creates it, or answers `NotFound` in a snapshot.
    pub(crate) fn open(scope: &Scope, name: &str, kind: Kind) -> Result<Arc<Named>> {
        open(scope, name, kind)?;
        Ok(Arc::new(Named::new(scope, name, kind)))
    }

    /// Sees to it that the keyspace `name` is there and that its values may expire.
    pub(crate) fn open_expiring(scope: &Scope, name: &str) -> Result<Arc<Named>> {
        expiring::open(scope, name)?;
        Ok(Arc::new(Named::new(scope, name, Kind::Keyspace)))
    }

    fn new(scope: &Scope, name: &str, kind: Kind) -> Named {
        Named {
            name: name.to_owned(),
            kind,
            key: layout::name_key(name),
            one_session: matches!(scope, Scope::Session(_)),
            last: ArcSwapOption::empty(),
            place: KnownPlace::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The definition as a session sees it, which guards it.
    pub(crate) fn definition(&self, session: &Session) -> Result<Arc<Definition>> {
        let version = session.catalog_version();
        let known = self.known(version, Arc::clone);
        match known {
            Some(definition) => self.guard_again(session, definition.tracked()).map(|()| definition),
            None => self.find(session, version),
        }
    }

    /// Where reads and writes of a session go, which guards it.
    pub(crate) fn target(&self, session: &Session) -> Result<Target> {
        let version = session.catalog_version();
        match self.known(version, |definition| Target::of(definition)) {
            Some(target) => self.guard_again(session, target.tracked).map(|()| target),
            None => self.find(session, version).map(|definition| Target::of(&definition)),
        }
    }

    /// Where reads and writes at a read point go.
    pub(crate) fn target_at(&self, core: &Arc<Core>, point: &Arc<dyn ReadPoint>) -> Result<Target> {
        let version = CatalogVersion::at(&**point);
        match self.known(version, |definition| Target::of(definition)) {
            Some(target) => Ok(target),
            None => Ok(Target::of(&*self.find(&Session::over(core, Arc::clone(point)), version)?)),
        }
    }

    /// Where to read in a catalog, if it is the one that was looked at last.
    pub(crate) fn place_in(&self, catalog_ts: Timestamp) -> Option<Place> {
        self.place.get(catalog_ts)
    }

    /// Where writes go in a catalog that nobody has a read point of, if it is the one that is known.
    pub(crate) fn target_in(&self, catalog_ts: Timestamp) -> Option<Target> {
        self.known(CatalogVersion::of(catalog_ts), |definition| Target::of(definition))
    }

    /// What a commit must find unchanged.
    pub(crate) fn guard(&self) -> PointRead {
        PointRead { family: Family::Catalog, key: self.key.clone() }
    }

    /// What was found last, if the catalog is still that one.
    fn known<R>(&self, version: CatalogVersion, of: impl FnOnce(&Arc<Definition>) -> R) -> Option<R> {
        let last = self.last.load();
        last.as_ref().filter(|found| found.version == version).map(|found| of(&found.definition))
    }

    /// Guards the name in a session that did not find it in the catalog itself.
    fn guard_again(&self, session: &Session, tracking: Option<Tracking>) -> Result<()> {
        if self.one_session || session.is_read_only() {
            return Ok(());
        }
        session.guard(Family::Catalog, &self.key)?;
        tracking.map_or(Ok(()), |tracking| session.track(tracking))
    }

    #[cold]
    fn find(&self, session: &Session, version: CatalogVersion) -> Result<Arc<Definition>> {
        let definition = get(session, &self.name, self.kind)?;
        // What one session has not committed is nothing to another.
        if self.one_session || version.is_committed() {
            if version.is_committed() {
                let place = Place { id: definition.id, expiring: definition.expiring };
                self.place.set(version.committed_ts(), place);
            }
            self.last.store(Some(Arc::new(Found { version, definition: Arc::clone(&definition) })));
        }
        Ok(definition)
    }
}
