//! `shardmill dataset`: what an installation has published, and how to get it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::json;
use shardmill_shared::job::Name;

use crate::client::ApiArgs;
use crate::download::{Download, Fetched};
use crate::jobs::{asked, show, text};
use crate::{exit, say};

#[derive(Debug, clap::Args)]
pub(crate) struct DatasetArgs {
    #[command(subcommand)]
    command: DatasetCommand,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, Subcommand)]
enum DatasetCommand {
    /// The datasets
    List,
    /// The published versions of a dataset
    Versions {
        /// The dataset
        #[arg(value_parser = Name::new)]
        name: Name,
    },
    /// The files of a version, with links where the store gives them
    Files {
        /// The dataset: NAME, NAME@VERSION or NAME@latest
        dataset: Wanted,
    },
    /// Where a version lies in the store, for programs that may read it there
    Path {
        /// The dataset: NAME, NAME@VERSION or NAME@latest
        dataset: Wanted,
    },
    /// Copy a version into a folder; what is there already is not fetched again
    Download {
        /// The dataset: NAME, NAME@VERSION or NAME@latest
        dataset: Wanted,
        /// The folder; the default is ./NAME
        #[arg(short, long, value_name = "DIR")]
        output: Option<PathBuf>,
        /// Only this table's files (repeatable)
        #[arg(long, value_name = "TABLE", value_parser = Name::new)]
        table: Vec<Name>,
    },
}

/// A version of a dataset as people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: Name,
    /// A number, or `latest`.
    version: String,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = text.split_once('@').unwrap_or((text, "latest"));
        let is_version = version == "latest" || version.parse::<u64>().is_ok();
        let name = Name::new(name).ok().filter(|_| is_version);
        let expected = || "expected NAME, NAME@VERSION or NAME@latest, where VERSION is a number".to_owned();
        name.map(|name| Self { name, version: version.to_owned() }).ok_or_else(expected)
    }
}

impl Wanted {
    fn resource(&self) -> String {
        format!("/v1/datasets/{}/versions/{}", self.name, self.version)
    }
}

/// Does something with datasets.
pub(crate) fn dataset(args: &DatasetArgs) -> Result<ExitCode> {
    asked(&args.api, async |client| {
        let answer = match &args.command {
            DatasetCommand::List => client.get("/v1/datasets", &[]).await?,
            DatasetCommand::Versions { name } => client.get(&format!("/v1/datasets/{name}/versions"), &[]).await?,
            DatasetCommand::Files { dataset } => client.get(&dataset.resource(), &[]).await?,
            DatasetCommand::Path { dataset } => {
                let version = client.get(&dataset.resource(), &[("limit", "1")]).await?;
                let location = version["location"].as_str().context("the store of this installation has no address")?;
                let told = if args.api.json { json!({"location": location}).to_string() } else { location.to_owned() };
                say::result(&told);
                return Ok(exit::OK);
            }
            DatasetCommand::Download { dataset, output, table } => {
                let version = client.get(&dataset.resource(), &[("limit", "1")]).await?;
                let folder = output.clone().unwrap_or_else(|| PathBuf::from(dataset.name.as_str()));
                let download = Download::of(client, &version, (&folder, table))?;
                let Fetched { files, bytes, kept } = download
                    .run(|line| {
                        if !args.api.json {
                            say::error(line)
                        }
                    })
                    .await?;
                let number = version["version"].as_u64().unwrap_or_default();
                if args.api.json {
                    let fetched = json!({"dataset": text(&version, "dataset"), "version": number, "folder": folder,
                        "files": files, "bytes": bytes, "kept": kept});
                    say::result(&fetched.to_string());
                } else {
                    let size = say::bytes(bytes);
                    say::result(&format!(
                        "{}@{number} is in {}: {files} files fetched ({size}), {kept} were there",
                        dataset.name,
                        folder.display()
                    ));
                }
                return Ok(exit::OK);
            }
        };
        show(&args.api, &answer);
        Ok(exit::OK)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_by_number_or_as_the_latest() {
        for (text, path) in [
            ("shop", "/v1/datasets/shop/versions/latest"),
            ("shop@latest", "/v1/datasets/shop/versions/latest"),
            ("shop@12", "/v1/datasets/shop/versions/12"),
        ] {
            assert_eq!(text.parse::<Wanted>().expect("reads").resource(), path);
        }
        for text in ["", "@1", "shop@", "shop@v1", "../shop", "shop@-1", "shop@1@2"] {
            assert!(text.parse::<Wanted>().is_err(), "{text}");
        }
    }
}
