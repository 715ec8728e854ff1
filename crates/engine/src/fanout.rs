//! How many children each parent has, and where they stand. Pure.
//!
//! Children are ordered by parent and numbered through the whole table. Three classes (DESIGN §4): a constant number;
//! independent draws, stratified so that every block of parents gets the same quantiles in keyed order; and counted,
//! where a counting stage has left one number per block. In all three, a block's inside is recomputed where it is needed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::OnceLock;

use crate::counts::Counts;
use crate::error::{EngineError, Result};
use crate::modifiers::effect::Effect;
use crate::random::key::Key;
use crate::tables::Tables;

/// Parents per block.
pub const BLOCK: u64 = 1024;
/// How many blocks' insides a thread keeps; 8 KiB each.
const BLOCKS_KEPT: usize = 256;

/// The rule by which parents get children.
#[derive(Debug)]
pub enum Fanout {
    /// Every parent has the same number.
    Constant(u64),
    /// Every block of parents has the same numbers, in its own order.
    Stratified(Strata),
    /// Each parent's number depends on the parent, or is drawn for itself alone.
    Counted(Counted),
}

/// The numbers of children in one block.
#[derive(Debug)]
pub struct Strata {
    /// Orders each block.
    pub key: Key,
    /// The number at each of [`BLOCK`] equal quantiles, clipped.
    pub quantiles: Vec<u64>,
}

/// Numbers of children that only a counting stage can add up.
#[derive(Debug)]
pub struct Counted {
    /// The draw before scaling.
    pub strata: Strata,
    /// Whether each parent draws for itself, without stratification.
    pub independent: bool,
    /// What scales the draw, evaluated on the parent.
    pub effects: Vec<Effect>,
    /// The least and the most children after scaling.
    pub clip: (u64, u64),
    /// What the counting stage found: set once, when it is done.
    pub counts: OnceLock<Counts>,
}

/// What a thread keeps while it makes rows: the insides of recently used blocks.
#[derive(Debug, Default)]
pub struct Scratch {
    blocks: RefCell<HashMap<BlockOf, Inside>>,
}

/// A child table and a block of its parents.
type BlockOf = (usize, u64);
/// Where each parent's children begin within a block.
type Inside = Rc<[u64]>;

/// Answers about one child table.
#[derive(Clone, Copy)]
pub struct Children<'t> {
    /// All tables.
    pub tables: &'t Tables,
    /// The child table.
    pub table: usize,
    /// The thread's memory.
    pub scratch: &'t Rc<Scratch>,
}

impl Strata {
    /// Children in a whole block.
    pub fn block_total(&self) -> u64 {
        self.quantiles.iter().sum()
    }

    /// The numbers of one block's parents, in their order: a keyed shuffle (Fisher–Yates) of the quantiles.
    pub fn shuffled(&self, block: u64) -> Vec<u64> {
        let mut numbers = self.quantiles.clone();
        let first = block * BLOCK;
        for at in (1..numbers.len()).rev() {
            let other = self.key.below(first + at as u64, at as u64 + 1) as usize;
            numbers.swap(at, other);
        }
        numbers
    }
}

impl Fanout {
    /// The exact number of children of `parents` parents, or `None` while it is not counted.
    pub fn total(&self, parents: u64) -> Option<u64> {
        match self {
            Self::Constant(each) => parents.checked_mul(*each),
            Self::Stratified(strata) => {
                let whole = (parents / BLOCK).checked_mul(strata.block_total())?;
                let rest = (parents % BLOCK) as usize;
                let part: u64 = if rest == 0 { 0 } else { strata.shuffled(parents / BLOCK)[..rest].iter().sum() };
                whole.checked_add(part)
            }
            Self::Counted(counted) => counted.counts.get().map(Counts::total),
        }
    }

    /// The fewest and the most children that `parents` parents can have.
    pub fn bounds(&self, parents: (u64, u64)) -> (u64, u64) {
        match self {
            Self::Counted(counted) => {
                (parents.0.saturating_mul(counted.clip.0), parents.1.saturating_mul(counted.clip.1))
            }
            _ => (self.total(parents.0).unwrap_or(0), self.total(parents.1).unwrap_or(u64::MAX)),
        }
    }
}

impl<'t> Children<'t> {
    fn fanout(&self) -> &'t Fanout {
        &self.tables.table(self.table).parent.as_ref().expect("only child tables are asked for children").fanout
    }

    fn parents(&self) -> Result<u64> {
        self.tables.rows(self.tables.table(self.table).parent.as_ref().expect("a child table has a parent").table)
    }

    fn not_counted(&self) -> EngineError {
        EngineError::NotCounted { table: self.tables.table(self.table).name.clone() }
    }

    /// The first child of `block`.
    fn start(&self, block: u64) -> Result<u64> {
        match self.fanout() {
            Fanout::Constant(each) => Ok(block * BLOCK * each),
            Fanout::Stratified(strata) => Ok(block * strata.block_total()),
            Fanout::Counted(counted) => counted.counts.get().ok_or_else(|| self.not_counted())?.start(block),
        }
    }

    /// The block that holds `child`.
    fn block_of(&self, child: u64) -> Result<u64> {
        match self.fanout() {
            Fanout::Constant(each) => Ok(child / each / BLOCK),
            Fanout::Stratified(strata) => Ok(child / strata.block_total()),
            Fanout::Counted(counted) => counted.counts.get().ok_or_else(|| self.not_counted())?.block_of(child),
        }
    }

    /// Where each parent's children begin within its block, and at last where the block ends.
    fn inside(&self, block: u64) -> Result<Inside> {
        if let Some(kept) = self.scratch.blocks.borrow().get(&(self.table, block)) {
            return Ok(Rc::clone(kept));
        }
        let numbers = match self.fanout() {
            Fanout::Constant(each) => vec![*each; BLOCK as usize],
            Fanout::Stratified(strata) => strata.shuffled(block),
            Fanout::Counted(counted) => self.counted(counted, block)?,
        };
        let mut begins = Vec::with_capacity(numbers.len() + 1);
        let mut sum = 0;
        begins.push(0);
        for number in numbers {
            sum += number;
            begins.push(sum);
        }
        let begins: Inside = begins.into();
        let mut blocks = self.scratch.blocks.borrow_mut();
        if blocks.len() >= BLOCKS_KEPT {
            blocks.clear();
        }
        blocks.insert((self.table, block), Rc::clone(&begins));
        Ok(begins)
    }

    fn counted(&self, counted: &Counted, block: u64) -> Result<Vec<u64>> {
        let parents = block * BLOCK..(block * BLOCK + BLOCK).min(self.parents()?);
        let drawn: Vec<u64> = if counted.independent {
            let quantiles = &counted.strata.quantiles;
            let key = counted.strata.key;
            parents.clone().map(|row| quantiles[key.below(row, quantiles.len() as u64) as usize]).collect()
        } else {
            counted.strata.shuffled(block)[..(parents.end - parents.start) as usize].to_vec()
        };
        if counted.effects.is_empty() {
            return Ok(drawn);
        }
        let parent = self.tables.table(self.table).parent.as_ref().expect("a counted table has a parent").table;
        let frame = self.tables.frame(parent, parents.clone(), self.scratch);
        let mut scaled: Vec<f64> = drawn.iter().map(|number| *number as f64).collect();
        for effect in &counted.effects {
            effect.scale(&frame, &mut scaled)?;
        }
        // Rounded up or down by a draw, so that the mean is scaled exactly.
        let key = counted.strata.key.number(1);
        let (least, most) = counted.clip;
        Ok(parents
            .zip(scaled)
            .map(|(row, number)| ((number.max(0.0) + key.unit(row)).floor() as u64).clamp(least, most))
            .collect())
    }

    /// The number of children in each of some blocks: what a counting stage computes.
    pub fn count(&self, blocks: Range<u64>) -> Result<Vec<u64>> {
        let parents = self.parents()?;
        blocks
            .map(|block| {
                let inside = self.inside(block)?;
                Ok(inside[(parents - block * BLOCK).min(BLOCK) as usize])
            })
            .collect()
    }

    /// The children of one parent; `parent` may be one past the last.
    pub fn of(&self, parent: u64) -> Result<Range<u64>> {
        if let Fanout::Constant(each) = self.fanout() {
            return Ok(parent * each..(parent + 1) * each);
        }
        let (block, at) = (parent / BLOCK, (parent % BLOCK) as usize);
        let (start, inside) = (self.start(block)?, self.inside(block)?);
        Ok(start + inside[at]..start + inside[at + 1])
    }

    /// The parent of one child.
    pub fn parent_of(&self, child: u64) -> Result<u64> {
        if let Fanout::Constant(each) = self.fanout() {
            return Ok(child / each);
        }
        let block = self.block_of(child)?;
        let (start, inside) = (self.start(block)?, self.inside(block)?);
        Ok(block * BLOCK + inside.partition_point(|begin| start + begin <= child) as u64 - 1)
    }

    /// The parents of consecutive children.
    pub fn parents_of(&self, children: Range<u64>) -> Result<Vec<u64>> {
        let mut parents = Vec::with_capacity((children.end - children.start) as usize);
        if let Fanout::Constant(each) = self.fanout() {
            parents.extend(children.map(|child| child / each));
            return Ok(parents);
        }
        let mut child = children.start;
        while child < children.end {
            let mut parent = self.parent_of(child)?;
            let block = parent / BLOCK;
            let (start, inside) = (self.start(block)?, self.inside(block)?);
            let block_end = start + inside[inside.len() - 1];
            while child < children.end.min(block_end) {
                let end = (start + inside[(parent % BLOCK) as usize + 1]).min(children.end);
                parents.resize(parents.len() + (end.saturating_sub(child)) as usize, parent);
                child = child.max(end);
                parent += 1;
            }
        }
        Ok(parents)
    }
}
