//! How often terms stand at places of one another.

/// The positions of the parts of a phrase in a document.
#[derive(Clone)]
pub(super) struct Places {
    slop: i64,
    parts: Vec<Part>,
}

#[derive(Clone)]
struct Part {
    offset: i64,
    /// Parts before this one that have a term in common with it.
    shares: Vec<usize>,
    positions: Vec<u32>,
    /// Positions before this one were taken, or are behind.
    next: usize,
    /// The position for the match that is being put together.
    chosen: usize,
}

impl Places {
    /// Of parts with these offsets, ascending, of which each says which ones before have a term in common with it.
    pub(super) fn new(slop: u32, parts: impl IntoIterator<Item = (u32, Vec<usize>)>) -> Places {
        let part =
            |(offset, shares)| Part { offset: i64::from(offset), shares, positions: Vec::new(), next: 0, chosen: 0 };
        Places { slop: i64::from(slop), parts: parts.into_iter().map(part).collect() }
    }

    /// Where to put the positions of a part, ascending.
    pub(super) fn positions(&mut self, part: usize) -> &mut Vec<u32> {
        &mut self.parts[part].positions
    }

    /// False if no match has both of these parts, whatever the positions of others are.
    pub(super) fn may_meet(&self, one: usize, other: usize) -> bool {
        let [mut places, mut others] = [one, other].map(|part| {
            let part = &self.parts[part];
            part.positions.iter().map(|&position| i64::from(position) - part.offset)
        });
        let (mut place, mut of_other) = (places.next(), others.next());
        while let (Some(at), Some(other_at)) = (place, of_other) {
            if at.abs_diff(other_at) <= self.slop.unsigned_abs() {
                return true;
            }
            if at < other_at { place = places.next() } else { of_other = others.next() }
        }
        false
    }

    /// How many matches there are: at most as many as any part has positions.
    pub(super) fn count(&mut self) -> u32 {
        for part in &mut self.parts {
            part.next = 0;
        }
        if self.slop == 0 { self.count_exact() } else { self.count_near() }
    }

    /// By the part that is there least often; the others follow it.
    fn count_exact(&mut self) -> u32 {
        let fewest = self.parts.iter().enumerate().min_by_key(|(_, part)| part.positions.len());
        let Some((lead, _)) = fewest else { return 0 };
        let mut count = 0;
        'matches: for at in 0..self.parts[lead].positions.len() {
            let place = i64::from(self.parts[lead].positions[at]) - self.parts[lead].offset;
            for (index, part) in self.parts.iter_mut().enumerate() {
                if index != lead && part.advance(place + part.offset) != Some(place + part.offset) {
                    continue 'matches;
                }
            }
            count += 1;
        }
        count
    }

    /// From each place on where a part would be without slop, in order.
    fn count_near(&mut self) -> u32 {
        let mut places: Vec<i64> = Vec::new();
        for part in &self.parts {
            places.extend(part.positions.iter().map(|&position| i64::from(position) - part.offset));
        }
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter(|&place| self.takes(place)).count() as u32
    }

    /// True if all parts find a position from this place on, which they have taken then.
    fn takes(&mut self, place: i64) -> bool {
        for index in 0..self.parts.len() {
            let (before, rest) = self.parts.split_at_mut(index);
            let part = &mut rest[0];
            let start = place + part.offset;
            if part.advance(start).is_none() {
                return false;
            }
            let taken = |position: &u32| part.shares.iter().any(|&other| before[other].position() == *position);
            let Some(free) = part.positions[part.next..].iter().position(|position| !taken(position)) else {
                return false;
            };
            part.chosen = part.next + free;
            if i64::from(part.position()) > start + self.slop {
                return false;
            }
        }
        for part in &mut self.parts {
            part.next = part.chosen + 1;
        }
        true
    }
}

impl Part {
    /// Goes to the first position that is not before this one.
    fn advance(&mut self, target: i64) -> Option<i64> {
        while let Some(&position) = self.positions.get(self.next) {
            if i64::from(position) >= target {
                return Some(i64::from(position));
            }
            self.next += 1;
        }
        None
    }

    fn position(&self) -> u32 {
        self.positions[self.chosen]
    }
}
