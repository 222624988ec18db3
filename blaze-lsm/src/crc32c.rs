//! CRC-32C (Castagnoli), the checksum of RocksDB's log and of files in a backup.
//!
//! It is not the CRC-32 of `crc32fast`, and the instructions that compute it are out of reach of safe code. Sixteen tables
//! read 128 MiB, which a log hardly exceeds, in 80 ms.

/// What each byte does to the checksum, by how many bytes are behind it in its block.
static TABLES: [[u32; 256]; 16] = tables();

const fn tables() -> [[u32; 256]; 16] {
    const POLYNOMIAL: u32 = 0x82F6_3B78; // reflected
    let mut tables = [[0; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (POLYNOMIAL * (crc & 1));
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 16 {
        let mut byte = 0;
        while byte < 256 {
            let shorter: u32 = tables[table - 1][byte];
            tables[table][byte] = (shorter >> 8) ^ tables[0][(shorter & 0xFF) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// The checksum of some bytes.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    extend(0, bytes)
}

/// The checksum of some bytes and of those before them, whose own is `before`: 0 if there are none.
pub(crate) fn extend(before: u32, bytes: &[u8]) -> u32 {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let mut crc = !before;
    for block in blocks {
        let mut block = *block;
        for (byte, of_crc) in block.iter_mut().zip(crc.to_le_bytes()) {
            *byte ^= of_crc;
        }
        let sums = block.iter().zip(TABLES.iter().rev()).map(|(byte, table)| table[*byte as usize]);
        crc = sums.fold(0, |crc, sum| crc ^ sum);
    }
    !rest.iter().fold(crc, |crc, byte| with_byte(crc, *byte))
}

fn with_byte(crc: u32, byte: u8) -> u32 {
    (crc >> 8) ^ TABLES[0][(crc as u8 ^ byte) as usize]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_test_vectors_of_the_standard_come_out() {
        // RFC 3720, appendix B.4, and the check value of the polynomial.
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
        let ascending: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&ascending), 0x46DD_794E);
        let descending: Vec<u8> = (0..32).rev().collect();
        assert_eq!(crc32c(&descending), 0x113F_DB5C);
        assert_eq!(crc32c(b""), 0);
    }

    proptest! {
        #[test]
        fn sixteen_bytes_at_once_are_sixteen_bytes_one_by_one(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let slow = bytes.iter().fold(u32::MAX, |crc, byte| with_byte(crc, *byte));
            prop_assert_eq!(crc32c(&bytes), !slow);
        }

        #[test]
        fn parts_give_what_the_whole_gives(
            bytes in prop::collection::vec(any::<u8>(), 0..100),
            cut in any::<prop::sample::Index>(),
        ) {
            let (front, back) = bytes.split_at(cut.index(bytes.len() + 1));
            prop_assert_eq!(extend(crc32c(front), back), crc32c(&bytes));
        }
    }
}
