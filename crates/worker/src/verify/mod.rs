//! Is a finished dataset right? Reads its files back and checks them against its manifest, its spec and the engine.

mod error;
mod options;
mod dataset;
mod files;
mod stream;
mod keys;
mod parallel;
pub mod json;

use std::path::Path;

use shardmill_engine::check::report::{CheckResult, Metadata, Report};

pub use error::VerifyError;
pub use options::VerifyOptions;

use dataset::Dataset;

/// Checks the dataset in the version folder `dir`. What is wrong with its rows and files is in the report, and
/// [`Report::is_good`] is the verdict on it.
///
/// # Errors
/// When there is no finished dataset, its manifest or spec cannot be read, or the engine cannot make its rows.
pub fn verify(dir: &Path, options: &VerifyOptions) -> Result<Report, VerifyError> {
    let dataset = Dataset::open(dir, options.threads)?;
    let mut results = vec![dataset.records.clone()];
    let mut looks = Vec::with_capacity(dataset.tables.list.len());
    for table in 0..dataset.tables.list.len() {
        results.extend(files::check(&dataset, table, options));
        let look = stream::look(&dataset, table, options)?;
        results.push(look.readable(&dataset.tables.table(table).name));
        results.extend(look.checks.finish()?);
        looks.push(look.checks);
    }
    results.extend(keys::check(&dataset, &looks, options));
    // Stable: within a group, results stay in the order of the spec.
    results.sort_by_key(|result: &CheckResult| result.group);
    let metadata = Metadata {
        dataset_name: dataset.spec.name.clone(),
        version: dataset.version(),
        data_directory: dir.display().to_string(),
        spec_digest: dataset.spec.digest(),
    };
    Ok(Report { metadata, results })
}
