//! Traces of this process: to an OpenTelemetry collector, over HTTP. They are lost rather than waited for.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{Key, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, ResourceDetector, SdkProvidedResourceDetector};
use opentelemetry_sdk::trace::{BatchSpanProcessor, Config, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterFn;

use super::Role;
use super::logs::Sink;
use crate::config::{TracesConfig, is_traced_by_environment};

mod keep;

use keep::{KeepFailures, ShardSampler};

/// What all roles are called; which one it is, an attribute tells.
const SERVICE: &str = "shardmill";

/// Where a process says what it is called.
const SERVICE_NAME: Key = Key::from_static_str("service.name");

/// How long a collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the end of a process waits for its last spans.
const FAREWELL: Duration = Duration::from_secs(2);

/// The way out for spans.
#[derive(Debug)]
pub(super) struct Traces {
    provider: SdkTracerProvider,
}

/// Starts the traces of this process, if somebody wants them. To be called within a runtime.
pub(super) fn start(role: Role, config: &TracesConfig) -> Result<Option<(Traces, Sink)>> {
    ensure!(
        (0.0..=1.0).contains(&config.shard_ratio),
        "traces.shard_ratio is {}; expected a share from 0 to 1",
        config.shard_ratio
    );
    if config.endpoint.is_none() && !is_traced_by_environment() {
        return Ok(None);
    }
    let traces = Traces { provider: provider(role, config)? };
    let layer = tracing_opentelemetry::layer()
        .with_tracer(traces.provider.tracer(SERVICE))
        // Else a job's span would begin before it is known whose trace it goes on with.
        .with_context_activation(false)
        .with_tracked_inactivity(false)
        .with_location(false)
        .with_threads(false)
        .with_target(false);
    // Our own spans, and of what is logged within them only what went wrong.
    let ours = FilterFn::new(|of| of.target().starts_with(SERVICE) && (of.is_span() || *of.level() <= Level::WARN))
        .with_max_level_hint(LevelFilter::DEBUG);
    Ok(Some((traces, layer.with_filter(ours).boxed())))
}

fn provider(role: Role, config: &TracesConfig) -> Result<SdkTracerProvider> {
    let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let client = Collector { client, runtime: Handle::current(), is_lost: AtomicBool::new(false) };
    let exporter = SpanExporter::builder().with_http().with_http_client(client);
    let exporter = match &config.endpoint {
        Some(endpoint) => exporter.with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/'))),
        None => exporter,
    };
    // The library's own words would show the address, and an address may hold a password.
    let refused = |_| anyhow!("traces.endpoint cannot be used; expected an address like http://collector:4318");
    let batches = BatchSpanProcessor::builder(exporter.build().map_err(refused)?).build();
    let sampler = ShardSampler::new(config.shard_ratio, Config::default().sampler);
    Ok(SdkTracerProvider::builder()
        .with_resource(resource(role))
        .with_sampler(Box::new(sampler) as Box<dyn opentelemetry_sdk::trace::ShouldSample>)
        .with_span_processor(KeepFailures::new(batches))
        .build())
}

/// Who sends: what the environment says of it has the last word.
fn resource(role: Role) -> Resource {
    let given = SdkProvidedResourceDetector.detect().get(&SERVICE_NAME).map(|name| name.to_string());
    let name = given.filter(|name| !name.starts_with("unknown_service")).unwrap_or_else(|| SERVICE.to_owned());
    let own = [
        KeyValue::new(SERVICE_NAME, name),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", super::doors::host()),
        KeyValue::new("shardmill.role", role.as_str()),
    ];
    Resource::builder_empty().with_attributes(own).with_detector(Box::new(EnvResourceDetector::new())).build()
}

impl Traces {
    /// Sends what is left, for a moment.
    pub(super) fn end(self) {
        if self.provider.shutdown_with_timeout(FAREWELL).is_err() {
            tracing::debug!("the last spans were not sent");
        }
    }
}

/// The collector. Spans are sent from a thread of the library's own, which knows no runtime.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    runtime: Handle,
    /// Whether it did not answer the last time: told once, however often it is tried.
    is_lost: AtomicBool,
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move { client.send_bytes(request).await }).await;
        let sent = sent.unwrap_or_else(|fault| Err(fault.into()));
        let is_lost = !sent.as_ref().is_ok_and(|answer| answer.status().is_success());
        if self.is_lost.swap(is_lost, Ordering::Relaxed) != is_lost {
            if is_lost {
                tracing::warn!("the collector of traces does not take them: they are lost until it does");
            } else {
                tracing::info!("the collector of traces takes them again");
            }
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(endpoint: Option<&str>, shard_ratio: f64) -> String {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = TracesConfig { endpoint: endpoint.map(str::to_owned), shard_ratio };
        start(Role::Worker, &config).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[tokio::test]
    async fn settings_that_cannot_be_are_refused_and_show_no_password() {
        assert_eq!(refusal(None, 1.5), "traces.shard_ratio is 1.5; expected a share from 0 to 1");
        assert!(refusal(None, f64::NAN).starts_with("traces.shard_ratio is NaN"));
        let refused = refusal(Some("http://user:secret@no port:x"), 0.5);
        assert!(refused.starts_with("traces.endpoint cannot be used") && !refused.contains("secret"), "{refused}");
        assert_eq!(refusal(Some("http://127.0.0.1:9"), 0.0), "");
    }
}
