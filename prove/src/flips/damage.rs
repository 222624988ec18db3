//! What is done to a file.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::Result;
use crate::random::Random;

/// Bytes at each end of a file that are hit more often than others: there files say what they are.
const ENDS: u64 = 160;

/// Bytes that are overwritten at most.
const RANGE_MAX: u64 = 8_192;

/// A change of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A bit is another one.
    Bit {
        /// The byte that it is in.
        at: u64,
        /// Its number.
        bit: u64,
    },
    /// A byte is another one.
    Byte {
        /// Where.
        at: u64,
        /// What it is combined with.
        with: u8,
    },
    /// A range is zero.
    Zeros {
        /// Where it begins.
        at: u64,
        /// How long it is.
        bytes: u64,
    },
    /// The file ends.
    Cut {
        /// Where.
        at: u64,
    },
    /// Bytes are appended.
    Grown {
        /// How many.
        bytes: u64,
    },
    /// The file is gone.
    Gone,
}

impl Damage {
    /// Some damage for a file of a length.
    #[must_use]
    pub fn choose(random: &Random, length: u64) -> Damage {
        if length == 0 {
            return if random.percent(50) { Damage::Grown { bytes: 1 + random.below(64) } } else { Damage::Gone };
        }
        let at = match random.below(4) {
            0 => random.below(ENDS.min(length)),
            1 => length - 1 - random.below(ENDS.min(length)),
            _ => random.below(length),
        };
        match random.below(100) {
            0..60 => Damage::Bit { at, bit: random.below(8) },
            60..75 => Damage::Byte { at, with: 1 + random.below(255) as u8 },
            75..85 => Damage::Zeros { at, bytes: 1 + random.below(RANGE_MAX.min(length - at)) },
            85..94 => Damage::Cut { at },
            94..98 => Damage::Grown { bytes: 1 + random.below(64) },
            _ => Damage::Gone,
        }
    }

    /// True if no more than a byte is changed.
    #[must_use]
    pub fn is_small(self) -> bool {
        matches!(self, Damage::Bit { .. } | Damage::Byte { .. })
    }

    /// Damages a file. What other names the file has stay whole.
    ///
    /// # Errors
    /// Those of the system.
    pub fn apply(self, path: &Path) -> Result<()> {
        let mut bytes = fs::read(path)?;
        fs::remove_file(path)?;
        match self {
            Damage::Bit { at, bit } => bytes[at as usize] ^= 1 << bit,
            Damage::Byte { at, with } => bytes[at as usize] ^= with,
            Damage::Zeros { at, bytes: length } => bytes[at as usize..(at + length) as usize].fill(0),
            Damage::Cut { at } => bytes.truncate(at as usize),
            Damage::Grown { bytes: more } => bytes.extend((0..more).map(|at| (at * 37 + 11) as u8)),
            Damage::Gone => return Ok(()),
        }
        Ok(fs::write(path, bytes)?)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Bit { at, bit } => write!(f, "bit {bit} of byte {at}"),
            Damage::Byte { at, with } => write!(f, "byte {at} by {with:#04x}"),
            Damage::Zeros { at, bytes } => write!(f, "{bytes} zeros at {at}"),
            Damage::Cut { at } => write!(f, "cut at {at}"),
            Damage::Grown { bytes } => write!(f, "{bytes} bytes more"),
            Damage::Gone => f.write_str("gone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Damage;
    use crate::random::Random;

    #[test]
    fn damage_changes_one_name_of_a_file_and_stays_within_it() {
        let directory = tempfile::tempdir().unwrap();
        let (whole, damaged) = (directory.path().join("whole"), directory.path().join("damaged"));
        for (number, length) in [0, 1, 5, 200, 20_000].into_iter().cycle().take(500).enumerate() {
            let bytes: Vec<u8> = (0..length).map(|at: u32| at as u8 | 1).collect();
            fs::write(&whole, &bytes).unwrap();
            let _ = fs::remove_file(&damaged);
            fs::hard_link(&whole, &damaged).unwrap();
            let damage = Damage::choose(&Random::of(&[number as u64]), u64::from(length));
            damage.apply(&damaged).unwrap();
            assert_eq!(fs::read(&whole).unwrap(), bytes, "{damage}");
            assert_ne!(fs::read(&damaged).ok(), Some(bytes), "{damage} of {length} bytes");
        }
    }
}
