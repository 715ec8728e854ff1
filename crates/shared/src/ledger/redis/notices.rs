//! Who waits for changes: a subscription of the whole ledger, begun when somebody first waits.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::StreamExt;
use redis::Client;
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

/// Notices a waiter may fall behind before it looks for itself.
const BEHIND: usize = 1_024;
/// How long the server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// After so long a silence the server is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(5);
/// The wait before a lost subscription is made again; until then, anything may have changed.
const PAUSE: Duration = Duration::from_millis(500);

/// That a job changed.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) job: String,
    pub(super) revision: u64,
}

/// The subscription. It ends when this is dropped.
pub(super) struct Notices {
    client: Client,
    channel: String,
    ears: Arc<Ears>,
    task: OnceLock<AbortHandle>,
}

struct Ears {
    notices: broadcast::Sender<Notice>,
    /// Grows with each notice, and whenever one may have been missed.
    changes: watch::Sender<u64>,
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl Notices {
    pub(super) fn new(client: Client, channel: String) -> Self {
        let ears = Ears { notices: broadcast::Sender::new(BEHIND), changes: watch::Sender::new(0) };
        Self { client, channel, ears: Arc::new(ears), task: OnceLock::new() }
    }

    /// The notices from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Notice> {
        self.begin();
        self.ears.notices.subscribe()
    }

    /// How often any job may have changed.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.begin();
        self.ears.changes.subscribe()
    }

    fn begin(&self) {
        self.task.get_or_init(|| {
            let (client, channel, ears) = (self.client.clone(), self.channel.clone(), Arc::clone(&self.ears));
            tokio::spawn(async move { ears.hear_for_ever(&client, &channel).await }).abort_handle()
        });
    }
}

impl Ears {
    async fn hear_for_ever(&self, client: &Client, channel: &str) {
        loop {
            if let Err(reason) = self.hear(client, channel).await {
                tracing::debug!("no notices from the ledger: {reason}");
            }
            self.missed();
            sleep(PAUSE).await;
        }
    }

    /// Hears until the subscription is lost; why it was.
    async fn hear(&self, client: &Client, channel: &str) -> Result<(), String> {
        let lost = |error: redis::RedisError| error.category().to_owned();
        let late = |_| "no answer".to_owned();
        let subscribed = async {
            let mut subscription = client.get_async_pubsub().await?;
            subscription.subscribe(channel).await?;
            Ok(subscription)
        };
        let (mut sink, mut stream) = timeout(ANSWER_WITHIN, subscribed).await.map_err(late)?.map_err(lost)?.split();
        self.missed();
        loop {
            match timeout(SILENCE, stream.next()).await {
                Ok(Some(message)) => self.heard(message.get_payload_bytes()),
                Ok(None) => return Err("the connection ended".to_owned()),
                Err(_) => {
                    let _: redis::Value = timeout(ANSWER_WITHIN, sink.ping()).await.map_err(late)?.map_err(lost)?;
                }
            }
        }
    }

    fn heard(&self, payload: &[u8]) {
        let text = String::from_utf8_lossy(payload);
        if let Some((job, revision)) = text.split_once(' ')
            && let Ok(revision) = revision.parse()
        {
            // Nobody may be waiting for a job.
            let _ = self.notices.send(Notice { job: job.to_owned(), revision });
        }
        self.missed();
    }

    fn missed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }
}
