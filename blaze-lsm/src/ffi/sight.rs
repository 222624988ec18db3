//! What RocksDB says about itself, and the switches of its background work.

use blaze_core::{Family, KeyRange, Result};
use librocksdb_sys as sys;

use super::Engine;
use super::call::checked;
use crate::error;

impl Engine {
    /// A number of the whole database.
    pub(crate) fn property(&self, name: &str) -> Result<u64> {
        let value = self.database.property_int_value(name);
        Ok(value.map_err(|error| error::rocks(name, &error))?.unwrap_or(0))
    }

    /// A number of one family.
    pub(crate) fn family_property(&self, family: Family, name: &str) -> Result<u64> {
        let Some(family) = self.family(family) else { return Ok(0) };
        let value = self.database.property_int_value_cf(family, name);
        Ok(value.map_err(|error| error::rocks(name, &error))?.unwrap_or(0))
    }

    /// A text about one family, if there is one of this name.
    pub(crate) fn family_text(&self, family: Family, name: &str) -> Result<Option<String>> {
        let Some(family) = self.family(family) else { return Ok(None) };
        let value = self.database.property_value_cf(family, name);
        value.map_err(|error| error::rocks(name, &error))
    }

    /// Lets compactions begin by themselves, or not.
    pub(crate) fn set_automatic_compactions(&self, enabled: bool) -> Result<()> {
        let disabled = if enabled { "false" } else { "true" };
        self.families.iter().flatten().try_for_each(|family| {
            let set = self.database.set_options_cf(family, &[("disable_auto_compactions", disabled)]);
            set.map_err(|error| error::rocks("pausing compactions", &error))
        })
    }

    /// About how many bytes a range takes, in memory and on disk, large values included.
    pub(crate) fn approximate_bytes(&self, family: Family, range: &KeyRange) -> Result<u64> {
        let Some(family) = self.raw_family(family) else { return Ok(0) };
        let start = range.start();
        let end = range.end().unwrap_or(&[0xFF; 64]); // above every key that anything stores
        let flags = sys::rocksdb_size_approximation_flags_include_memtable
            | sys::rocksdb_size_approximation_flags_include_files
            | sys::rocksdb_size_approximation_flags_include_blob_files;
        let (start_data, start_bytes) = (start.as_ptr().cast(), start.len());
        let (end_data, end_bytes) = (end.as_ptr().cast(), end.len());
        let mut bytes = 0;
        // SAFETY: each array has one element, which is valid during the call; the database is open and the family its.
        checked("measuring", |error| unsafe {
            sys::rocksdb_approximate_sizes_cf_with_flags(
                self.raw(),
                family,
                1,
                &raw const start_data,
                &raw const start_bytes,
                &raw const end_data,
                &raw const end_bytes,
                flags as u8,
                &raw mut bytes,
                error,
            );
        })?;
        Ok(bytes)
    }
}
