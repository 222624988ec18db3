//! Parts of a query put together: all of them, some of them, one without another.

use blaze_core::Result;

use super::unit::Unit;
use crate::END;

/// Documents that match all parts.
pub(super) struct All<U> {
    /// In the order of the query, in which scores add up.
    units: Vec<U>,
    /// Which part leads, and which follow: the rarest first.
    order: Vec<usize>,
    document: u32,
}

impl<U: Unit> All<U> {
    /// All of at least one part.
    pub(super) fn new(units: Vec<U>) -> Result<All<U>> {
        let mut order: Vec<usize> = (0..units.len()).collect();
        order.sort_by_key(|&index| units[index].cost());
        let mut all = All { units, order, document: END };
        if let Some(&lead) = all.order.first() {
            let target = all.units[lead].document();
            all.settle(target)?;
        }
        Ok(all)
    }

    /// Goes to the first document from `target` on that matches all.
    fn settle(&mut self, mut target: u32) -> Result<u32> {
        'search: while target != END {
            for &index in &self.order {
                let unit = &mut self.units[index];
                let mut document = unit.document();
                if document < target {
                    document = unit.seek(target)?;
                }
                if document > target {
                    target = document;
                    continue 'search;
                }
            }
            break;
        }
        self.document = target;
        Ok(target)
    }
}

impl<U: Unit> Unit for All<U> {
    fn document(&self) -> u32 {
        self.document
    }

    fn next(&mut self) -> Result<u32> {
        if self.document == END { Ok(END) } else { self.settle(self.document + 1) }
    }

    fn seek(&mut self, target: u32) -> Result<u32> {
        self.settle(target.max(self.document))
    }

    fn score(&mut self) -> Result<f32> {
        self.units.iter_mut().try_fold(0.0, |score, unit| Ok(score + unit.score()?))
    }

    fn block(&mut self, target: u32) -> Result<(u32, f32)> {
        let target = target.max(self.document);
        let (mut last, mut bound) = (END - 1, 0.0);
        for unit in &mut self.units {
            let (end, most) = unit.block(target)?;
            last = last.min(end);
            bound += most;
        }
        Ok((last, bound))
    }

    fn ceiling(&self) -> f32 {
        self.units.iter().map(Unit::ceiling).sum()
    }

    fn cost(&self) -> u64 {
        self.units.iter().map(Unit::cost).min().unwrap_or(0)
    }
}

/// Documents that match any part, or several.
pub(super) struct Any<U> {
    units: Vec<U>,
    least: usize,
    document: u32,
    bounds: Vec<f32>,
}

impl<U: Unit> Any<U> {
    /// At least so many, one or more, of the parts.
    pub(super) fn new(units: Vec<U>, least: usize) -> Result<Any<U>> {
        let mut any = Any { units, least, document: 0, bounds: Vec::new() };
        any.settle()?;
        Ok(any)
    }

    /// Finds the first document that enough parts are at, which are all at or behind the same one.
    fn settle(&mut self) -> Result<u32> {
        loop {
            self.document = self.units.iter().map(Unit::document).min().unwrap_or(END);
            if self.least <= 1 || self.document == END {
                return Ok(self.document);
            }
            let matching = self.units.iter().filter(|unit| unit.document() == self.document).count();
            if matching >= self.least {
                return Ok(self.document);
            }
            self.step()?;
        }
    }

    fn step(&mut self) -> Result<()> {
        for unit in &mut self.units {
            if unit.document() == self.document && self.document != END {
                unit.next()?;
            }
        }
        Ok(())
    }
}

impl<U: Unit> Unit for Any<U> {
    #[inline]
    fn document(&self) -> u32 {
        self.document
    }

    fn next(&mut self) -> Result<u32> {
        self.step()?;
        self.settle()
    }

    fn seek(&mut self, target: u32) -> Result<u32> {
        for unit in &mut self.units {
            if unit.document() < target {
                unit.seek(target)?;
            }
        }
        self.settle()
    }

    fn score(&mut self) -> Result<f32> {
        let mut score = 0.0;
        for unit in &mut self.units {
            if unit.document() == self.document {
                score += unit.score()?;
            }
        }
        Ok(score)
    }

    fn block(&mut self, target: u32) -> Result<(u32, f32)> {
        let mut last = END - 1;
        self.bounds.clear();
        for unit in &mut self.units {
            let (end, bound) = unit.block(target)?;
            last = last.min(end);
            self.bounds.push(bound);
        }
        let here = self.units.iter().zip(&self.bounds).filter(|(unit, _)| unit.document() <= last);
        Ok((last, here.map(|(_, bound)| bound).sum()))
    }

    fn ceiling(&self) -> f32 {
        self.units.iter().map(Unit::ceiling).sum()
    }

    fn cost(&self) -> u64 {
        self.units.iter().map(Unit::cost).sum()
    }
}

/// Documents that match one part; others add to the score.
pub(super) struct Preferring<U> {
    lead: U,
    others: Vec<U>,
}

impl<U: Unit> Preferring<U> {
    pub(super) fn new(lead: U, others: Vec<U>) -> Preferring<U> {
        Preferring { lead, others }
    }
}

impl<U: Unit> Unit for Preferring<U> {
    fn document(&self) -> u32 {
        self.lead.document()
    }

    fn next(&mut self) -> Result<u32> {
        self.lead.next()
    }

    fn seek(&mut self, target: u32) -> Result<u32> {
        self.lead.seek(target)
    }

    fn score(&mut self) -> Result<f32> {
        let document = self.lead.document();
        let mut more = 0.0;
        for unit in &mut self.others {
            if unit.document() < document {
                unit.seek(document)?;
            }
            if unit.document() == document {
                more += unit.score()?;
            }
        }
        Ok(self.lead.score()? + more)
    }

    fn block(&mut self, target: u32) -> Result<(u32, f32)> {
        let (mut last, mut bound) = self.lead.block(target)?;
        let target = target.max(self.lead.document());
        for unit in &mut self.others {
            let (end, most) = unit.block(target)?;
            last = last.min(end);
            bound += most;
        }
        Ok((last, bound))
    }

    fn ceiling(&self) -> f32 {
        self.lead.ceiling() + self.others.iter().map(Unit::ceiling).sum::<f32>()
    }

    fn cost(&self) -> u64 {
        self.lead.cost()
    }
}

/// Documents that match one part and not the other.
pub(super) struct Without<U> {
    unit: U,
    except: U,
}

impl<U: Unit> Without<U> {
    pub(super) fn new(unit: U, except: U) -> Result<Without<U>> {
        let mut without = Without { unit, except };
        without.settle()?;
        Ok(without)
    }

    fn settle(&mut self) -> Result<u32> {
        loop {
            let document = self.unit.document();
            if document == END {
                return Ok(END);
            }
            if self.except.document() < document {
                self.except.seek(document)?;
            }
            if self.except.document() != document {
                return Ok(document);
            }
            self.unit.next()?;
        }
    }
}

impl<U: Unit> Unit for Without<U> {
    fn document(&self) -> u32 {
        self.unit.document()
    }

    fn next(&mut self) -> Result<u32> {
        self.unit.next()?;
        self.settle()
    }

    fn seek(&mut self, target: u32) -> Result<u32> {
        self.unit.seek(target)?;
        self.settle()
    }

    fn score(&mut self) -> Result<f32> {
        self.unit.score()
    }

    fn block(&mut self, target: u32) -> Result<(u32, f32)> {
        self.unit.block(target)
    }

    fn ceiling(&self) -> f32 {
        self.unit.ceiling()
    }

    fn cost(&self) -> u64 {
        self.unit.cost()
    }
}
