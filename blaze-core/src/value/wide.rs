//! Integers wide enough to compare a decimal with a float.

/// An integer of 320 bits, the highest first: room for 128 bits shifted by 179.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wide([u64; 5]);

impl Wide {
    /// The product, which is exact.
    pub(super) fn product(a: u128, b: u128) -> Wide {
        let (a_high, a_low, b_high, b_low) = (a >> 64, a as u64 as u128, b >> 64, b as u64 as u128);
        let low = a_low * b_low;
        // Neither sum overflows: (2^64-1)^2 + 2 * (2^64-1) = 2^128-1.
        let middle = a_high * b_low + (low >> 64);
        let crossed = a_low * b_high + u128::from(middle as u64);
        let high = a_high * b_high + (middle >> 64) + (crossed >> 64);
        Wide([0, (high >> 64) as u64, high as u64, crossed as u64, low as u64])
    }

    /// The number times 2^`bits`, which must fit.
    pub(super) fn shifted(self, bits: u32) -> Wide {
        let (limbs, bits) = ((bits / 64) as usize, bits % 64);
        let limb = |place: usize| self.0.get(place).copied().unwrap_or(0);
        Wide(std::array::from_fn(|place| {
            let (upper, lower) = (limb(place + limbs), limb(place + limbs + 1));
            if bits == 0 { upper } else { upper << bits | lower >> (64 - bits) }
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn products_and_shifts_agree_with_long_hand(a: u128, b: u128, bits in 0..=64_u32) {
            // By halves of 32 bits, the lowest first, with a carry.
            let halves = |n: u128| std::array::from_fn::<u64, 4, _>(|place| u64::from((n >> (32 * place)) as u32));
            let mut sums = [0_u64; 10];
            for (i, a) in halves(a).into_iter().enumerate() {
                for (j, b) in halves(b).into_iter().enumerate() {
                    let mut carry = a * b;
                    for sum in &mut sums[i + j..] {
                        let total = *sum + (carry & 0xFFFF_FFFF);
                        *sum = total & 0xFFFF_FFFF;
                        carry = (carry >> 32) + (total >> 32);
                    }
                }
            }
            let product = Wide::product(a, b);
            let expected = std::array::from_fn(|place| sums[9 - 2 * place] << 32 | sums[8 - 2 * place]);
            prop_assert!(product.0 == expected);
            let doubled = (0..bits).fold(product, |n, _| {
                let carry = |place: usize| n.0.get(place).map_or(0, |limb| limb >> 63);
                Wide(std::array::from_fn(|place| n.0[place] << 1 | carry(place + 1)))
            });
            prop_assert!(product.shifted(bits) == doubled);
        }
    }
}
