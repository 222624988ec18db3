//! CRC-32C (Castagnoli), the checksum of files in a backup.

/// What each byte does to the checksum, for the eight positions in a word.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut position = 1;
    while position < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[position - 1][byte];
            tables[position][byte] = before >> 8 ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        position += 1;
    }
    tables
}

/// The checksum of some bytes, given that of what stands before them, which is 0 for nothing.
pub(super) fn extend(before: u32, bytes: &[u8]) -> u32 {
    let mut crc = u64::from(!before);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let mixed = (crc ^ u64::from_le_bytes(*word)).to_le_bytes();
        crc = 0;
        for (position, byte) in mixed.into_iter().enumerate() {
            crc ^= u64::from(TABLES[7 - position][usize::from(byte)]);
        }
    }
    let mut crc = crc as u32;
    for byte in rest {
        crc = crc >> 8 ^ TABLES[0][(crc as u8 ^ byte) as usize];
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_checksum_of_rfc_3720() {
        assert_eq!(extend(0, b"123456789"), 0xE306_9283);
        assert_eq!(extend(0, &[0; 32]), 0x8A91_36AA);
        assert_eq!(extend(0, &[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(extend(0, &(0..32).collect::<Vec<_>>()), 0x46DD_794E);
    }

    #[test]
    fn parts_give_what_the_whole_gives() {
        let bytes: Vec<u8> = (0..100).collect();
        for cut in 0..bytes.len() {
            assert_eq!(extend(extend(0, &bytes[..cut]), &bytes[cut..]), extend(0, &bytes), "cut at {cut}");
        }
    }
}
