//! Counters: values of 8 bytes, an `i64` in big-endian order.

use std::collections::HashMap;

use super::{Family, KeyRange, Write};
use crate::error::{Error, Result};

/// The bytes under which a counter is stored.
///
/// ```
/// use blaze_core::counter;
///
/// assert_eq!(counter::decode(&counter::encode(-3))?, -3);
/// # Ok::<(), blaze_core::Error>(())
/// ```
#[must_use]
pub fn encode(count: i64) -> [u8; 8] {
    count.to_be_bytes()
}

/// The count that a value holds.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid) when it is no counter: when it has not 8 bytes.
pub fn decode(value: &[u8]) -> Result<i64> {
    let bytes = value
        .try_into()
        .map_err(|_| Error::invalid(format!("a value of {} bytes is no counter, which has 8", value.len())))?;
    Ok(i64::from_be_bytes(bytes))
}

/// The sum of a counter, or of none, and `delta`.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid) when the value is no counter;
/// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when the sum is beyond an `i64`.
pub fn add(value: Option<&[u8]>, delta: i64) -> Result<i64> {
    let count = value.map_or(Ok(0), decode)?;
    count
        .checked_add(delta)
        .ok_or_else(|| Error::limit_exceeded(format!("{count} + {delta} is beyond the limits of a counter, 64 bits")))
}

/// Makes a put of each addition in the list of writes of one commit. `latest` answers what is stored before it.
///
/// # Errors
/// As [`add`], and what `latest` returns. The list is then not to be used.
pub fn resolve(writes: &mut [Write], mut latest: impl FnMut(Family, &[u8]) -> Result<Option<Vec<u8>>>) -> Result<()> {
    if !writes.iter().any(|write| matches!(write, Write::Add { .. })) {
        return Ok(());
    }
    let mut last_writes = HashMap::<(Family, Vec<u8>), usize>::new();
    let mut removals = Vec::<(Family, KeyRange, usize)>::new();
    for position in 0..writes.len() {
        let (earlier, rest) = writes.split_at_mut(position);
        let write = &mut rest[0];
        if let Write::DeleteRange { family, range } = write {
            removals.push((*family, range.clone(), position));
            continue;
        }
        if let Write::Add { family, key, delta } = write {
            let removal = removals.iter().rev().find(|(of, range, _)| of == family && range.contains(key));
            let removed_at = removal.map(|(_, _, at)| *at);
            let written_at = last_writes.get(&(*family, key.clone())).copied();
            let count = match written_at.max(removed_at).map(|at| &earlier[at]) {
                Some(Write::Put { value, .. }) => add(Some(value), *delta)?,
                Some(_) => add(None, *delta)?,
                None => add(latest(*family, key)?.as_deref(), *delta)?,
            };
            *write = Write::put(*family, std::mem::take(key), encode(count));
        }
        if let Some(key) = write.key()
            && !matches!(write, Write::Touch { .. })
        {
            last_writes.insert((write.family(), key.to_vec()), position);
        }
    }
    Ok(())
}
