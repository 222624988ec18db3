//! Memory: advice about it, to the operating system and to the processor, and numbers as they lie in it.

/// What is asked for huge pages should start at a multiple of this.
pub(crate) const HUGE_PAGE: usize = 2 << 20;

/// Asks for huge pages behind the elements, where they cover whole ones. A graph is read at random, and with small pages
/// each row that it reads costs a walk through the page table as well. Nothing happens where the system knows no such
/// advice or does not follow it.
#[cfg(all(target_os = "linux", not(miri)))]
#[expect(unsafe_code, reason = "a system call")]
pub(crate) fn advise_huge_pages<T>(elements: &mut [T]) {
    use std::ffi::{c_int, c_void};

    unsafe extern "C" {
        fn madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int;
    }
    const MADV_HUGEPAGE: c_int = 14;

    let skipped = elements.as_ptr().cast::<u8>().align_offset(HUGE_PAGE);
    let length = size_of_val(elements).saturating_sub(skipped) / HUGE_PAGE * HUGE_PAGE;
    if length > 0 {
        let start = elements.as_mut_ptr().cast::<u8>().wrapping_add(skipped);
        // SAFETY: the range is whole pages within memory that is borrowed alone; this advice changes how the pages are
        // backed and not what they hold, and a refusal changes nothing.
        let _ = unsafe { madvise(start.cast(), length, MADV_HUGEPAGE) };
    }
}

/// Nothing is known to ask for here.
#[cfg(not(all(target_os = "linux", not(miri))))]
pub(crate) fn advise_huge_pages<T>(_: &mut [T]) {}

/// Starts to fetch what will be read soon, so that who reads it need not wait: a hint, which changes nothing else.
///
/// Where vectors lie anywhere in memory, the next one is fetched while one is compared.
///
/// ```
/// use blaze_vector::kernel::{prefetch, squared_l2};
///
/// let (query, vectors) = (vec![0.5; 64], vec![vec![1.0; 64], vec![2.0; 64]]);
/// let mut least = f32::INFINITY;
/// for (place, vector) in vectors.iter().enumerate() {
///     vectors.get(place + 1).into_iter().for_each(|next| prefetch(next));
///     least = least.min(squared_l2(&query, vector));
/// }
/// assert_eq!(least, 16.0);
/// ```
#[inline(always)]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "a hint by raw pointer"))]
pub fn prefetch<T>(row: &[T]) {
    // Into the second cache and not the first, for which a core waits for far fewer lines at a time: searches of Fashion-MNIST
    // take 31 us instead of 44, the codes of a batch of nodes all fetched before the first is read (EPYC 9004, 2026-11-23).
    #[cfg(target_arch = "x86_64")]
    for line in (0..size_of_val(row)).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: the address is within the slice; a prefetch reads nothing that the program sees.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(row.as_ptr().cast::<i8>().add(line)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// Stored numbers as they lie in memory: none if they do not lie so that they can be read as numbers, or are not of whole ones.
#[cfg(target_endian = "little")]
#[expect(unsafe_code, reason = "bytes that are numbers")]
pub(crate) fn stored_numbers(bytes: &[u8]) -> Option<&[f32]> {
    // SAFETY: any four bytes are a number of single precision; what is not aligned for one is left over at an end.
    let (before, numbers, after) = unsafe { bytes.align_to::<f32>() };
    (before.is_empty() && after.is_empty()).then_some(numbers)
}

/// Stored numbers are in the order of the other processors.
#[cfg(target_endian = "big")]
pub(crate) fn stored_numbers(_: &[u8]) -> Option<&[f32]> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_numbers_are_read_where_they_lie_or_not_at_all() {
        let numbers = [1.5_f32, -2.0, f32::MIN_POSITIVE, 1e30, 0.0];
        let mut bytes = [0_u8; 64];
        let aligned = bytes.as_ptr().align_offset(align_of::<f32>());
        for offset in 0..8 {
            for length in 1..=numbers.len() {
                let place = aligned + offset..aligned + offset + 4 * length;
                let stored: Vec<u8> = numbers[..length].iter().flat_map(|number| number.to_le_bytes()).collect();
                bytes[place.clone()].copy_from_slice(&stored);
                match stored_numbers(&bytes[place]) {
                    Some(found) => assert_eq!((found, offset % 4), (&numbers[..length], 0)),
                    None => assert!(offset % 4 != 0 || cfg!(target_endian = "big")),
                }
            }
        }
        assert_eq!(stored_numbers(&bytes[aligned..aligned + 7]), None, "not of whole numbers");
    }
}
