//! What a kernel works on: columns and constants, read alike. Pure.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Datum, PrimitiveArray, StringArray, StringBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int32Type, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDateTime};

use crate::value::Type;

/// What a kernel refuses, as the end of a sentence that begins with the expression: "overflows int".
pub(super) type Refusal = String;

/// A vectorised operation: a value per row from its operands.
pub(super) type Kernel = fn(&Call<'_>) -> Result<ArrayRef, Refusal>;

/// Bytes one text may have: what keeps nested `replace` from filling the memory.
pub(super) const CELL_BYTES_MAX: usize = 1 << 20;
/// Bytes the texts of one batch may have: their offsets are 32-bit.
const BATCH_BYTES_MAX: usize = i32::MAX as usize;

/// A column, or one value for all rows.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) array: ArrayRef,
    /// Whether the array has one value, meant for all rows.
    pub(super) constant: bool,
}

impl Datum for Operand {
    fn get(&self) -> (&dyn Array, bool) {
        (&*self.array, self.constant)
    }
}

impl Operand {
    /// A value per row.
    pub(super) const fn column(array: ArrayRef) -> Self {
        Self { array, constant: false }
    }

    /// One value for all rows.
    pub(super) const fn constant(array: ArrayRef) -> Self {
        Self { array, constant: true }
    }

    /// The same with dictionaries written out, for kernels that need one exact Arrow type.
    pub(super) fn plain(&self) -> Result<Self, Refusal> {
        let DataType::Dictionary(_, values) = self.array.data_type() else { return Ok(self.clone()) };
        let array = cast(&self.array, values).map_err(refused)?;
        Ok(Self { array, constant: self.constant })
    }
}

/// The refusal of an Arrow kernel that is not expected to refuse.
pub(super) fn refused(error: impl std::fmt::Display) -> Refusal {
    format!("fails: {error}")
}

/// One application of a kernel.
pub(super) struct Call<'a> {
    /// The type of the result.
    pub(super) kind: Type,
    /// The types of the operands.
    pub(super) kinds: &'a [Type],
    /// The number of results: 1 where all operands are constants.
    pub(super) rows: usize,
    /// The operands.
    pub(super) operands: &'a [Operand],
}

impl<'a> Call<'a> {
    /// An operand's values, which the check has made sure are of this Arrow type.
    pub(super) fn cells<T: ArrowPrimitiveType>(&self, at: usize) -> Cells<'a, T> {
        let operand = &self.operands[at];
        Cells { array: operand.array.as_primitive::<T>(), stride: usize::from(!operand.constant) }
    }

    /// An operand's truth values.
    pub(super) fn truths(&self, at: usize) -> &'a BooleanArray {
        self.operands[at].array.as_boolean()
    }

    /// An operand's texts.
    pub(super) fn texts(&self, at: usize) -> Texts<'a> {
        let operand = &self.operands[at];
        let (keys, values) = match operand.array.as_dictionary_opt::<Int32Type>() {
            Some(dictionary) => (Some(dictionary.keys()), dictionary.values().as_string::<i32>()),
            None => (None, operand.array.as_string::<i32>()),
        };
        Texts { keys, values, stride: usize::from(!operand.constant) }
    }

    /// An operand's points in time; a date is its midnight.
    pub(super) fn moments(&self, at: usize) -> Moments<'a> {
        match self.kinds[at] {
            Type::Date => Moments::Dates(self.cells(at)),
            _ => Moments::Times(self.cells(at)),
        }
    }

    /// A value per row.
    pub(super) fn collect<T: ArrowPrimitiveType>(
        &self,
        value: impl Fn(usize) -> Result<Option<T::Native>, Refusal>,
    ) -> Result<PrimitiveArray<T>, Refusal> {
        (0..self.rows).map(value).collect()
    }

    /// A value per row that cannot be refused.
    pub(super) fn map<T: ArrowPrimitiveType>(&self, value: impl Fn(usize) -> Option<T::Native>) -> ArrayRef {
        Arc::new((0..self.rows).map(value).collect::<PrimitiveArray<T>>())
    }

    /// A truth value per row.
    pub(super) fn test(&self, value: impl Fn(usize) -> Option<bool>) -> ArrayRef {
        Arc::new((0..self.rows).map(value).collect::<BooleanArray>())
    }

    /// A text per row: `write` appends it, or says that it is null.
    pub(super) fn write(
        &self,
        write: impl Fn(usize, &mut String) -> Result<Option<()>, Refusal>,
    ) -> Result<ArrayRef, Refusal> {
        let mut texts = StringBuilder::with_capacity(self.rows, 16 * self.rows);
        let (mut cell, mut total) = (String::new(), 0);
        for row in 0..self.rows {
            cell.clear();
            if write(row, &mut cell)?.is_none() {
                texts.append_null();
                continue;
            }
            total += cell.len();
            within(cell.len(), CELL_BYTES_MAX, "one text")?;
            within(total, BATCH_BYTES_MAX, "one batch")?;
            texts.append_value(&cell);
        }
        Ok(Arc::new(texts.finish()))
    }
}

/// Refuses more bytes than a text or a batch may have.
pub(super) fn within(bytes: usize, most: usize, of: &str) -> Result<(), Refusal> {
    if bytes <= most { Ok(()) } else { Err(format!("makes {bytes} bytes of text, {of} may have {most}")) }
}

/// Numbers, dates or times by row.
pub(super) struct Cells<'a, T: ArrowPrimitiveType> {
    array: &'a PrimitiveArray<T>,
    stride: usize,
}

impl<T: ArrowPrimitiveType> Cells<'_, T> {
    /// The row's value, if it is not null.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<T::Native> {
        let at = row * self.stride;
        self.array.is_valid(at).then(|| self.array.value(at))
    }

    /// The row's value, or anything where it is null.
    #[inline]
    pub(super) fn raw(&self, row: usize) -> T::Native {
        self.array.value(row * self.stride)
    }
}

/// Texts by row.
pub(super) struct Texts<'a> {
    keys: Option<&'a PrimitiveArray<Int32Type>>,
    values: &'a StringArray,
    stride: usize,
}

impl<'a> Texts<'a> {
    /// The row's text, if it is not null.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        let row = row * self.stride;
        let at = match self.keys {
            Some(keys) => keys.is_valid(row).then(|| keys.value(row) as usize)?,
            None => row,
        };
        self.values.is_valid(at).then(|| self.values.value(at))
    }
}

/// Points in time by row.
pub(super) enum Moments<'a> {
    Dates(Cells<'a, Date32Type>),
    Times(Cells<'a, TimestampMicrosecondType>),
}

/// Microseconds in a day.
pub(super) const DAY_US: i64 = 86_400_000_000;

impl Moments<'_> {
    /// Microseconds since 1970.
    #[inline]
    pub(super) fn micros(&self, row: usize) -> Option<i64> {
        match self {
            Self::Dates(dates) => Some(i64::from(dates.get(row)?) * DAY_US),
            Self::Times(times) => times.get(row),
        }
    }

    /// Days since 1970.
    #[inline]
    pub(super) fn days(&self, row: usize) -> Option<i64> {
        Some(self.micros(row)?.div_euclid(DAY_US))
    }

    /// The calendar's reading of it, null outside the calendar's 262 000 years.
    #[inline]
    pub(super) fn civil(&self, row: usize) -> Option<NaiveDateTime> {
        DateTime::from_timestamp_micros(self.micros(row)?).map(|moment| moment.naive_utc())
    }
}
