use std::fs;

use proptest::prelude::*;

use super::*;

/// A file of each format with the same two vectors of three numbers.
fn files() -> Vec<(Format, Vec<u8>)> {
    let floats = [1.0_f32, 2.0, 3.0, 250.0, 5.0, 6.0].map(f32::to_le_bytes).concat();
    let halves = [0x3C00_u16, 0x4000, 0x4200, 0x5BD0, 0x4500, 0x4600].map(u16::to_le_bytes).concat();
    let bytes = [1, 2, 3, 250, 5, 6];
    let vecs = |one: &[u8], other: &[u8]| [&[3, 0, 0, 0], one, &[3, 0, 0, 0], other].concat();
    let integers = [1_i32, 2, 3, 250, 5, 6].map(i32::to_le_bytes).concat();
    vec![
        (Format::Npy, npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", &floats)),
        (Format::Npy, npy(2, "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }", &halves)),
        (Format::Npy, npy(3, "{\"shape\":(2,3),\"descr\":\"|u1\",\"fortran_order\":False}", &bytes)),
        (Format::Vecs(NumberType::F32), vecs(&floats[..12], &floats[12..])),
        (Format::Vecs(NumberType::U8), vecs(&bytes[..3], &bytes[3..])),
        (Format::Vecs(NumberType::I32), vecs(&integers[..12], &integers[12..])),
        (Format::Idx, [[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1].as_slice(), &bytes].concat()),
    ]
}

fn npy(version: u8, header: &str, numbers: &[u8]) -> Vec<u8> {
    let header = format!("{header:<70}\n");
    let length = (header.len() as u32).to_le_bytes();
    let length = if version == 1 { &length[..2] } else { &length };
    [b"\x93NUMPY", [version, 0].as_slice(), length, header.as_bytes(), numbers].concat()
}

fn decode(format: Format, bytes: &[u8]) -> Result<Matrix> {
    read(&format, bytes, bytes.len() as u64, usize::MAX)
}

fn error(format: Format, bytes: &[u8]) -> String {
    decode(format, bytes).unwrap_err().to_string()
}

#[test]
fn every_format_gives_the_same_vectors() {
    for (format, bytes) in files() {
        let vectors = decode(format, &bytes).unwrap();
        assert_eq!(vectors, Matrix::new(3, vec![1.0, 2.0, 3.0, 250.0, 5.0, 6.0]).unwrap(), "{format:?}");
        let first = read(&format, bytes.as_slice(), bytes.len() as u64, 1).unwrap();
        assert_eq!(first.numbers(), [1.0, 2.0, 3.0], "{format:?}");
    }
}

#[test]
fn a_file_that_is_cut_anywhere_or_goes_on_is_refused() {
    for (format, mut bytes) in files() {
        let whole_vectors = match format {
            Format::Vecs(_) => vec![bytes.len() / 2],
            _ => Vec::new(),
        };
        for length in (0..bytes.len()).filter(|length| !whole_vectors.contains(length)) {
            let message = error(format, &bytes[..length]);
            assert!(length == 0 || message.starts_with("byte "), "{format:?} of {length} bytes: {message}");
            // The length that the system told may be wrong by the time of reading.
            let longer = read(&format, &bytes[..length], bytes.len() as u64, usize::MAX);
            assert!(longer.is_err(), "{format:?} of {length} bytes");
        }
        bytes.push(0);
        assert!(decode(format, &bytes).is_err(), "{format:?} with a byte too many");
    }
}

#[test]
fn headers_that_promise_too_much_are_refused_before_anything_is_allocated() {
    let npy = |header: &str| error(Format::Npy, &npy(1, header, &[0; 12]));
    for (shape, expected) in [
        ("(1000000000000, 3)", "1000000000000 vectors of 3 numbers take 12000000000000 bytes, 12 are left"),
        ("(18446744073709551615, 100)", "18446744073709551615 vectors of 100 numbers are more than any file holds"),
        ("(1, 18446744073709551615)", "vectors of 18446744073709551615 numbers; 1 to 1048576 are possible"),
        ("(18446744073709551616, 3)", "no number of 64 bits in the shape"),
        ("(1, 0)", "vectors of 0 numbers; 1 to 1048576 are possible"),
        ("(0, 3)", "holds no vectors"),
        ("(3,)", "has the shape [3]; only two dimensions are read, vectors and their numbers"),
    ] {
        let message = npy(&format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}"));
        assert!(message.ends_with(expected), "{shape}: {message}");
    }
    let idx = [0, 0, 8, 4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255];
    assert_eq!(error(Format::Idx, &idx), "byte 16: images of too many numbers");
    let vecs = [255, 255, 255, 255];
    let message = error(Format::Vecs(NumberType::F32), &vecs);
    assert_eq!(message, "vectors of 4294967295 numbers; 1 to 1048576 are possible");
    let header = [b"\x93NUMPY\x02\x00".as_slice(), &[255; 4], &[0; 100]].concat();
    assert_eq!(error(Format::Npy, &header), "byte 8: a header of 4294967295 bytes; at most 65536 are read");
}

#[test]
fn what_is_not_read_is_named() {
    for (header, expected) in [
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3)}",
            "numbers of type '<f8'; '<f4', '<f2', '|u1' and '|i1' are read",
        ),
        (
            "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 3)}",
            "is in Fortran order, column by column; save numpy.ascontiguousarray of it",
        ),
        ("{'descr': '<f4', 'shape': (1, 3)}", "byte 10: the header has no 'fortran_order'"),
        ("{'descr': '<f4', 'shape': (1 3)}", "byte 39: ')' is missing in the header"),
        ("{'descr': '<f4', 'colour': 1}", "byte 27: an unknown key 'colour'"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3)} x", "byte 68: something follows the header"),
    ] {
        assert_eq!(error(Format::Npy, &npy(1, header, &[0; 12])), expected, "{header}");
    }
    assert_eq!(error(Format::Npy, b"\x93NUMPY\x04\x00"), "byte 6: version 4.0; 1.0, 2.0 and 3.0 are read");
    assert_eq!(error(Format::Idx, &[0, 0, 8, 1]), "byte 3: 1 dimensions; vectors have at least 2, labels have 1");
    assert_eq!(error(Format::Idx, &[0, 0, 13, 3]), "byte 2: numbers of type 0x0d; only 0x08, bytes, are read");
    assert_eq!(error(Format::Idx, &[0x1F, 0x8B, 8, 0]), "byte 0: is packed: unpack it first, with `gunzip -k`");
}

#[test]
fn numbers_and_dimensions_that_are_wrong_are_told_with_their_place() {
    let nan = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1)}", &[0, 0, 0, 0, 0, 0, 0xC0, 0x7F]);
    assert_eq!(error(Format::Npy, &nan), "byte 85: number 0 of vector 1: NaN is not finite");
    let other = [2, 0, 0, 0, 7, 7, 1, 0, 0, 0, 7, 7];
    assert_eq!(error(Format::Vecs(NumberType::U8), &other), "byte 6: vector 1 has 1 numbers, the first has 2");
}

#[test]
fn the_name_tells_the_format_and_stands_before_every_message() {
    let directory = tempfile::tempdir().unwrap();
    for (name, file) in [("a.npy", 0), ("a.FVECS", 3), ("a.bvecs", 4), ("a.ivecs", 5), ("train-images-idx3-ubyte", 6)] {
        let path = directory.path().join(name);
        fs::write(&path, &files()[file].1).unwrap();
        assert_eq!(read_vectors(&path, None).unwrap().rows(), 2, "{name}");
    }
    for (name, expected) in [
        ("train-images-idx3-ubyte.gz", "is packed: unpack it first, with `gunzip -k`"),
        ("vectors.csv", "is none of .npy, .fvecs, .bvecs, .ivecs and -idx3-ubyte"),
    ] {
        let path = directory.path().join(name);
        let message = read_vectors(&path, None).unwrap_err().to_string();
        assert_eq!(message, format!("{}: {expected}", path.display()));
    }
    assert!(read_vectors(&directory.path().join("absent.npy"), None).unwrap_err().to_string().contains("absent.npy: "));
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..200), file in 0..7_usize) {
        let (format, mut whole) = files().swap_remove(file);
        let _ = decode(format, &bytes);
        // The same, but as far as a header that is nearly right leads.
        for (position, byte) in bytes.iter().enumerate().take(3) {
            let at = (usize::from(*byte) * 7 + position) % whole.len();
            whole[at] = whole[at].wrapping_add(*byte);
        }
        if let Ok(vectors) = decode(format, &whole) {
            prop_assert!(vectors.numbers().iter().all(|number| number.is_finite()));
        }
    }
}
