//! A column without a generator gets one from its name and type. Pure.

use super::draft::ColumnDraft;
use super::site::Site;
use crate::generators::Generator;

/// The generator that the name and type of a column ask for.
pub fn generator(draft: &ColumnDraft<'_>, _is_key: bool, _site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    draft.place.problem("no generator", "one")
}

/// What [`generator`] chooses, for people.
pub fn describes(_draft: &ColumnDraft<'_>, _is_key: bool) -> String {
    "inferred".to_owned()
}
