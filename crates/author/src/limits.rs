//! Every bound of writing specs, with its reason. Pure.

/// The longest description: beyond it nobody describes, somebody pastes.
pub const DESCRIPTION_BYTES_MAX: usize = 128 << 10;
/// Words of a description that are looked at where no model is asked: what matters stands near its beginning.
pub const DESCRIPTION_WORDS_MAX: usize = 2_000;
/// The part of a word that is kept: longer ones are no words.
pub const WORD_CHARS_MAX: usize = 40;
/// The part of a description that stands above the spec, in characters: the spec stays readable.
pub const QUOTED_CHARS_MAX: usize = 160;
/// Things that are named as not understood: nobody reads more.
pub const UNKNOWN_MAX: usize = 12;
/// Rounds of bringing a template to the wanted numbers of rows: each halves what is left, or the rows are too few for more.
pub const FITTINGS_MAX: usize = 10;
/// Rows of each table that are made to try a spec.
pub const TRIED_ROWS: u64 = 5;
/// Children of one parent, on the average, above which a spec is tried with fewer: figures over them take their time.
pub const TRIED_CHILDREN_MAX: f64 = 1_000.0;
/// The children that a parent has then.
pub const TRIED_CHILDREN: i128 = 20;
/// Rows of a table above which a spec with tables that must be counted is tried with fewer.
pub const TRIED_COUNTED_ROWS_MAX: i128 = 20_000;
/// Findings that one question to a model names: a model that is told fifty mends none.
pub const FINDINGS_MAX: usize = 20;
/// Rounds of mending names without a model: one mended name may show the next that is wrong.
pub const MENDINGS_MAX: usize = 6;
/// Repairs by a model at most, whatever is asked for.
pub const REPAIRS_MAX: u32 = 10;
/// The longest answer of a model, in tokens: a spec of thirty tables has some 9 000.
pub const ANSWER_TOKENS_MAX: u32 = 12_000;
/// The longest answer with questions, in tokens.
pub const QUESTIONS_TOKENS_MAX: u32 = 1_000;
/// Questions to the one who describes.
pub const QUESTIONS_MAX: usize = 2;
/// The longest question that is shown, in characters.
pub const QUESTION_CHARS_MAX: usize = 300;
/// The widest line of YAML that is written for a column; wider ones are broken into lines.
pub const LINE_CHARS: usize = 140;
