//! A model provider that costs nothing: it speaks the protocols of the real ones, enforces their limits, fails as they fail,
//! and keeps an exact bill. Answers and faults are functions of a seed and the request.

pub mod error;
mod limits;
pub mod options;
pub mod spread;
pub mod model;
pub mod tokens;
pub mod rates;
mod bucket;
pub mod fault;
mod schema;
mod answer;
mod embedding;
mod wire;
mod routes;
pub mod bill;
mod memory;
mod desk;
mod control;
mod serve;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinHandle;

pub use bill::Bill;
pub use error::{OptionError, StartError};
pub use fault::{Fault, Faults};
pub use model::{Model, Models};
pub use options::{LongPrompts, Options};
pub use rates::Limits;
pub use spread::Spread;

use desk::Desk;

/// A mock provider that runs in the current runtime until it is dropped.
#[derive(Debug)]
pub struct MockProvider {
    address: SocketAddr,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

impl MockProvider {
    /// Starts one. To be called inside a runtime.
    ///
    /// # Errors
    /// When it cannot listen at its address.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let address = options.listen;
        let error = |source| StartError { address, source };
        let listener = serve::listen(address).map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        let desk = Arc::new(Desk::new(options));
        let serving = tokio::spawn(serve::serve(Arc::clone(&desk), listener));
        Ok(Self { address, desk, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of its addresses, such as `http://127.0.0.1:4000`. OpenAI's clients want `/v1` behind it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it would charge until now.
    pub fn bill(&self) -> Bill {
        self.desk.bill()
    }

    /// Forgets what was counted; limits are full again.
    pub fn reset(&self) {
        self.desk.reset();
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.desk.set_faults(faults);
    }

    /// What every model lets pass from now on; all limits are full.
    pub fn set_limits(&self, limits: Limits) {
        self.desk.set_limits(limits);
    }
}

impl Drop for MockProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
