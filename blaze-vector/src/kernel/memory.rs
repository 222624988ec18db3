//! Advice to the operating system about memory.

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
