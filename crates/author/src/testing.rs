//! How specs are read in tests: as the command reads them.

use shardmill_engine::{ENGINES, Tables, compile as compiled};
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Node, Report, Spec};

pub(crate) const KNOWN: Known<'static> =
    Known { kinds: &["tables"], formats: &["parquet", "csv"], compressions: &["zstd", "none"], engines: ENGINES };

pub(crate) fn compile(tree: &Node, report: &Report) -> Option<Tables> {
    let spec = Spec::read(tree, &KNOWN, report)?;
    compiled(&spec, report)
}
