//! Half precision: IEEE 754 binary16, and bfloat16, which has the exponents of single precision; each as its 16 bits.

/// The number of these 16 bits of binary16 in single precision, which is exact.
///
/// ```
/// assert_eq!(blaze_core::half::f32_of_f16(0x3C00), 1.0);
/// ```
#[must_use]
pub fn f32_of_f16(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7FFF);
    // The exponent is 112 too small; the multiplication mends it, of a subnormal, too, and is exact.
    let scaled = f32::from_bits(magnitude << 13) * f32::from_bits((127 + 112) << 23);
    let special = if magnitude >= 0x7C00 { 0x7F80_0000 } else { 0 };
    f32::from_bits(scaled.to_bits() | special | sign)
}

/// The nearest number of binary16, ties to even; from 65520 on that is infinity.
///
/// ```
/// assert_eq!(blaze_core::half::f16_of_f32(1.0001), 0x3C00);
/// ```
#[must_use]
pub fn f16_of_f32(number: f32) -> u16 {
    let sign = (number.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = number.to_bits() & 0x7FFF_FFFF;
    match magnitude {
        0x7F80_0001.. => sign | 0x7E00,
        0x477F_F000.. => sign | 0x7C00,
        // From 2^-14: drop 13 bits of the fraction; a carry runs into the exponent, as it should.
        0x3880_0000.. => {
            let odd = magnitude >> 13 & 1;
            let rounded = (magnitude + 0x0FFF + odd) >> 13;
            sign | (rounded - ((127 - 15) << 10)) as u16
        }
        // Adding 1/2 leaves as many bits of fraction as a subnormal has; the hardware rounds to even.
        _ => sign | ((f32::from_bits(magnitude) + 0.5).to_bits() - 0.5_f32.to_bits()) as u16,
    }
}

/// The number of these 16 bits of bfloat16 in single precision, which is exact.
///
/// ```
/// assert_eq!(blaze_core::half::f32_of_bf16(0x3F80), 1.0);
/// ```
#[must_use]
pub fn f32_of_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The nearest number of bfloat16, ties to even; the largest numbers of single precision become infinity.
///
/// ```
/// assert_eq!(blaze_core::half::bf16_of_f32(1.001), 0x3F80);
/// ```
#[must_use]
pub fn bf16_of_f32(number: f32) -> u16 {
    let bits = number.to_bits();
    if number.is_nan() {
        return (bits >> 16) as u16 | 0x0040; // what is cut off may be all that made it one
    }
    // A carry runs into the exponent, as it should.
    ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_half_precision_number_round_trips() {
        for bits in 0..=u16::MAX {
            let wide = f32_of_f16(bits);
            if wide.is_nan() {
                assert!(f16_of_f32(wide) & 0x7FFF > 0x7C00);
            } else {
                assert_eq!(f16_of_f32(wide), bits, "{wide}");
            }
        }
        assert_eq!([0x3C00, 0x0001, 0x7BFF].map(f32_of_f16), [1.0, 2.0_f32.powi(-24), 65504.0]);
    }

    /// Of the two neighbours, the nearer, or the even one; infinity stands where 65536 would.
    fn nearest(number: f32) -> u16 {
        let value = |bits: u16| if bits == 0x7C00 { 65536.0 } else { f64::from(f32_of_f16(bits)) };
        let below = (0..=0x7C00).rposition(|bits| value(bits) <= f64::from(number)).unwrap() as u16;
        let above = (below + 1).min(0x7C00);
        let (down, up) = (f64::from(number) - value(below), value(above) - f64::from(number));
        if down < up || (down == up && below & 1 == 0) { below } else { above }
    }

    #[test]
    fn every_bfloat16_round_trips() {
        for bits in 0..=u16::MAX {
            let wide = f32_of_bf16(bits);
            if wide.is_nan() {
                assert!(f32_of_bf16(bf16_of_f32(wide)).is_nan());
            } else {
                assert_eq!(bf16_of_f32(wide), bits, "{wide}");
            }
        }
        assert!(f32_of_bf16(bf16_of_f32(f32::from_bits(0x7F80_0001))).is_nan());
        assert_eq!(bf16_of_f32(f32::MAX), 0x7F80);
    }

    proptest! {
        #[test]
        fn bfloat16_takes_the_nearest(bits in 0..0x7F00_0000_u32, low in 0..0x7F00_u16) {
            let tie = f32::from_bits(u32::from(low) << 16 | 0x8000);
            for number in [f32::from_bits(bits), tie, tie.next_up(), tie.next_down()] {
                let below = (number.to_bits() >> 16) as u16;
                let (down, up) = (f64::from(f32_of_bf16(below)), f64::from(f32_of_bf16(below + 1)));
                let (down, up) = (f64::from(number) - down, up - f64::from(number));
                let nearest = if down < up || (down == up && below & 1 == 0) { below } else { below + 1 };
                prop_assert_eq!(bf16_of_f32(number), nearest, "{}", number);
                prop_assert_eq!(bf16_of_f32(-number), nearest | 0x8000, "{}", number);
            }
        }

        #[test]
        fn rounding_takes_the_nearest(bits in 0..0x4800_0000_u32, half in 0..0x7C00_u16) {
            let tie = (f32_of_f16(half) + f32_of_f16(half + 1).min(65536.0)) / 2.0;
            for number in [f32::from_bits(bits), tie, tie.next_up(), tie.next_down()] {
                prop_assert_eq!(f16_of_f32(number), nearest(number), "{}", number);
                prop_assert_eq!(f16_of_f32(-number), nearest(number) | 0x8000, "{}", number);
            }
        }
    }
}
