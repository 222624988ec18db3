//! Orders of a shop: a document as applications have them, in a Rust type of its own.

use serde::{Deserialize, Serialize};

use crate::distribution::{Random, fnv64};

/// An order: strings, numbers, a nested customer, an array of lines, a note that most do not have. About 600 bytes of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Unique, in no order.
    pub number: u64,
    /// One of [`STATUSES`]; no index is on it.
    pub status: String,
    /// Milliseconds since 1970; no two orders have the same.
    pub placed_ms: i64,
    /// From 5 to 1,000 or so.
    pub total: f64,
    /// Whether it is paid.
    pub paid: bool,
    /// Who ordered.
    pub customer: Customer,
    /// None to four words.
    pub tags: Vec<String>,
    /// What was ordered: one to five.
    pub lines: Vec<Line>,
    /// What one in four says.
    pub note: Option<String>,
}

/// Who ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// Two words.
    pub name: String,
    /// An address of a mailbox.
    pub email: String,
    /// One of 400.
    pub city: String,
    /// Two letters, one of 16.
    pub country: String,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it is called.
    pub product: String,
    /// Which it is.
    pub sku: u64,
    /// How many.
    pub quantity: u32,
    /// For one.
    pub price: f64,
}

/// The states of an order; one in 20 is the last.
pub const STATUSES: [&str; 5] = ["placed", "packed", "shipped", "delivered", "returned"];

const WORDS: [&str; 20] = [
    "amber", "birch", "cobalt", "delta", "ember", "fjord", "granite", "harbour", "indigo", "juniper", "kelp",
    "lantern", "meadow", "nimbus", "orchard", "pine", "quartz", "river", "saffron", "tundra",
];
const COUNTRIES: [&str; 16] =
    ["AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "IE", "IT", "NL", "NO", "PL", "PT", "SE"];

/// Milliseconds between two orders, if they were sorted.
const PLACED_EVERY_MS: i64 = 1_000;

impl Order {
    /// The order at a place; the same for the same seed.
    #[must_use]
    pub fn at(seed: u64, place: u64) -> Order {
        let mut random = Random::seeded(seed ^ fnv64(place));
        let lines: Vec<Line> = (0..1 + random.below(5)).map(|_| Line::random(&mut random)).collect();
        let total: f64 = lines.iter().map(|line| line.price * f64::from(line.quantity)).sum();
        let status = match random.below(20) {
            0 => STATUSES[4],
            other => STATUSES[(other % 4) as usize],
        };
        Order {
            number: Order::number(place),
            status: status.to_owned(),
            placed_ms: Order::placed_ms(place),
            total: (total * 100.0).round() / 100.0,
            paid: random.below(3) > 0,
            customer: Customer::random(&mut random),
            tags: (0..random.below(5)).map(|_| word(&mut random).to_owned()).collect(),
            lines,
            note: (random.below(4) == 0).then(|| words(&mut random, 12)),
        }
    }

    /// The id of the order at a place: all different, in no order.
    #[must_use]
    pub fn id(place: u64) -> i64 {
        (scattered(place) >> 1) as i64
    }

    /// The number of the order at a place: all different, in no order.
    #[must_use]
    pub fn number(place: u64) -> u64 {
        scattered(!place) >> 12
    }

    /// When the order at a place was placed: all different, in no order, evenly spread.
    #[must_use]
    pub fn placed_ms(place: u64) -> i64 {
        1_600_000_000_000 + (scattered(place ^ 0x5555) >> 24) as i64 * PLACED_EVERY_MS / 1_000
    }
}

/// Another number for each number: multiplication by an odd one can be undone, and so can the rest.
fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

impl Customer {
    fn random(random: &mut Random) -> Customer {
        let name = format!("{} {}", word(random), word(random));
        Customer {
            email: format!("{}.{}@example.com", name.replace(' ', "."), random.below(10_000)),
            name,
            city: format!("{} {}", word(random), word(random)),
            country: COUNTRIES[random.below(16) as usize].to_owned(),
        }
    }
}

impl Line {
    fn random(random: &mut Random) -> Line {
        Line {
            product: words(random, 2),
            sku: random.below(1 << 20),
            quantity: 1 + random.below(3) as u32,
            price: (500 + random.below(10_000)) as f64 / 100.0,
        }
    }
}

fn word(random: &mut Random) -> &'static str {
    WORDS[random.below(WORDS.len() as u64) as usize]
}

fn words(random: &mut Random, count: u64) -> String {
    (0..count).map(|_| word(random)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_numbers_and_times_are_all_different_and_orders_are_always_the_same() {
        let all = |of: fn(u64) -> u64| (0..100_000).map(of).collect::<HashSet<u64>>().len();
        assert_eq!(all(|place| Order::id(place) as u64), 100_000);
        assert_eq!(all(Order::number), 100_000);
        assert_eq!(all(|place| Order::placed_ms(place) as u64), 100_000);
        assert_eq!(Order::at(7, 3), Order::at(7, 3));
        assert_ne!(Order::at(7, 3), Order::at(7, 4));
        assert_ne!(Order::at(7, 3).total, Order::at(8, 3).total);
    }

    #[test]
    fn orders_have_the_size_and_the_shares_that_their_description_says() {
        let orders: Vec<Order> = (0..2_000).map(|place| Order::at(1, place)).collect();
        let bytes: usize = orders.iter().map(|order| serde_json::to_string(order).unwrap().len()).sum();
        let mean = bytes / orders.len();
        assert!((450..750).contains(&mean), "{mean} bytes of JSON");
        let returned = orders.iter().filter(|order| order.status == STATUSES[4]).count();
        assert!((60..150).contains(&returned), "{returned} of 2,000");
        assert!(
            orders
                .iter()
                .all(|order| serde_json::from_str::<Order>(&serde_json::to_string(order).unwrap()).unwrap() == *order)
        );
    }
}
