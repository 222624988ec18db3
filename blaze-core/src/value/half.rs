//! Half precision: IEEE 754 binary16, as its 16 bits.

/// The number in single precision, which is exact.
pub(super) fn f32_of_f16(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10 & 0x1F);
    let fraction = u32::from(bits & 0x03FF);
    match exponent {
        // Zero or subnormal: a multiple of 2^-24.
        0 => f32::from_bits((fraction as f32 * 2.0_f32.powi(-24)).to_bits() | sign),
        0x1F => f32::from_bits(sign | 0x7F80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13),
    }
}

/// The nearest half-precision number, ties to even; from 65520 on that is infinity.
pub(super) fn f16_of_f32(number: f32) -> u16 {
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

    proptest! {
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
