//! What tests and benchmarks need beyond cargo: each a private copy, prepared before them and stopped after them.
//!
//! A test that needs one carries its marker in its name (`needs_python_…`), so that it can be left out, and counted,
//! where the service cannot be had. To add a service: one file, and one line in `ALL`.

mod packages;
mod python;
mod servers;

use std::ffi::OsString;

use anyhow::{Result, bail, ensure};

use crate::say;
use crate::workspace::{AskedBy, Workspace};

const ALL: &[&dyn Service] = &[&python::READERS, &python::SDKS, &python::S3, &servers::RABBITMQ, &servers::REDIS];

/// What the cluster is measured with.
const OF_BENCHMARKS: &[&dyn Service] = &[&python::PEER, &python::S3, &servers::RABBITMQ, &servers::REDIS];

/// What a cluster for playing consists of.
const OF_PLAY: &[&dyn Service] = &[&python::S3, &servers::RABBITMQ, &servers::REDIS];

/// How much of the machine the tests may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Tests that need a service are left out.
    CargoOnly,
    /// Every service is prepared.
    Everything,
}

/// One thing that some tests need.
trait Service {
    /// What the reader calls it.
    fn name(&self) -> &'static str;
    /// The part of a test's name that says it needs this.
    fn marker(&self) -> &'static str;
    /// The Debian packages that bring it.
    fn packages(&self) -> &'static [&'static str];
    /// Whether those packages, or their like, are here.
    fn is_installed(&self) -> bool;
    /// Brings it up. It goes down when the returned value is dropped.
    fn start(&self, workspace: &Workspace) -> Result<Started>;
}

/// A service that is up.
struct Started {
    /// What the tests are told about it.
    environment: Vec<(&'static str, OsString)>,
}

/// A service that is not there, and why.
pub(crate) struct Skipped {
    /// See `Service::marker`.
    pub(crate) marker: &'static str,
    /// For the reader, with the remedy.
    pub(crate) reason: String,
}

/// The services for one run of the tests.
pub(crate) struct Prepared {
    started: Vec<Started>,
    /// What has to be left out.
    pub(crate) skipped: Vec<Skipped>,
}

impl Prepared {
    /// The variables that tell the tests where the services are.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, &OsString)> {
        self.started.iter().flat_map(|started| started.environment.iter().map(|(name, value)| (*name, value)))
    }
}

/// Brings up what `reach` allows. In CI a service that does not come up is an error; a person gets the remedy.
pub(crate) fn prepare(workspace: &Workspace, reach: Reach) -> Result<Prepared> {
    let mut prepared = Prepared { started: Vec::new(), skipped: Vec::new() };
    for service in ALL {
        let outcome = match reach {
            Reach::CargoOnly => Err("--quick was asked for".to_owned()),
            Reach::Everything => bring_up(*service, workspace).map_err(|error| format!("{error:#}")),
        };
        match outcome {
            Ok(started) => prepared.started.push(started),
            Err(reason) if reach == Reach::Everything && workspace.asked_by == AskedBy::Ci => {
                bail!("{} is needed in CI: {reason}", service.name())
            }
            Err(reason) => {
                say::line(&format!("SKIPPING tests that need {}: {reason}", service.name()));
                prepared.skipped.push(Skipped { marker: service.marker(), reason });
            }
        }
    }
    Ok(prepared)
}

/// Brings up all that the benchmarks of a cluster need: a table without its peers would look complete.
pub(crate) fn prepare_benchmarks(workspace: &Workspace) -> Result<Prepared> {
    prepare_all(OF_BENCHMARKS, workspace)
}

/// Runs servers for playing until Ctrl-C. They are a program of their own, so that this one stays quick to build.
pub(crate) fn up(workspace: &Workspace) -> Result<()> {
    let prepared = prepare_all(OF_PLAY, workspace)?;
    say::step("start RabbitMQ, Redis and S3");
    let mut run = workspace.cargo(&["run", "--quiet", "--package", "shardmill-servers", "--bin", "services"]);
    let ended = run.envs(prepared.environment()).status()?;
    ensure!(ended.success(), "the servers ended: {ended}");
    Ok(())
}

fn prepare_all(services: &[&dyn Service], workspace: &Workspace) -> Result<Prepared> {
    let started: Result<Vec<Started>> = services.iter().map(|service| bring_up(*service, workspace)).collect();
    Ok(Prepared { started: started?, skipped: Vec::new() })
}

fn bring_up(service: &dyn Service, workspace: &Workspace) -> Result<Started> {
    say::step(&format!("prepare {}", service.name()));
    if !service.is_installed() {
        packages::install(service.packages(), workspace.asked_by)?;
    }
    service.start(workspace)
}
