//! Which spans are kept: of shards a share and every failure, of anything else what the standard sampler says.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SamplingDecision, SamplingResult, ShouldSample, Span, SpanData, SpanProcessor,
};

/// The span of an attempt, which is a trace of its own.
const SHARD: &str = "shard";

/// Traces that are held back at the same time, at most: as many attempts run, and some more.
const HELD: usize = 4_096;

/// Samples attempts by a share of their own. One that is not sampled is recorded all the same, since it may fail.
#[derive(Clone, Debug)]
pub(super) struct ShardSampler {
    shards: Sampler,
    others: Box<dyn ShouldSample>,
}

impl ShardSampler {
    pub(super) fn new(shard_ratio: f64, others: Box<dyn ShouldSample>) -> Self {
        Self { shards: Sampler::TraceIdRatioBased(shard_ratio), others }
    }
}

impl ShouldSample for ShardSampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let above = parent.filter(|parent| parent.has_active_span());
        match above.map(|above| above.span()) {
            None if name == SHARD => {
                let mut result = self.shards.should_sample(None, trace, name, kind, attributes, links);
                if result.decision == SamplingDecision::Drop {
                    result.decision = SamplingDecision::RecordOnly;
                }
                result
            }
            // A child of what is recorded and not sampled: of an attempt.
            Some(above) if above.is_recording() && !above.span_context().is_sampled() => SamplingResult {
                decision: SamplingDecision::RecordOnly,
                attributes: Vec::new(),
                trace_state: TraceState::default(),
            },
            _ => self.others.should_sample(parent, trace, name, kind, attributes, links),
        }
    }
}

/// Holds back the spans of attempts that are not sampled until the attempt ends, and lets them go if it failed.
#[derive(Debug)]
pub(super) struct KeepFailures<P> {
    next: P,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    spans: HashMap<TraceId, Vec<SpanData>>,
    /// The oldest first.
    order: VecDeque<TraceId>,
}

impl<P> KeepFailures<P> {
    pub(super) fn new(next: P) -> Self {
        Self { next, held: Mutex::default() }
    }
}

impl Held {
    /// Keeps a span for later.
    fn hold(&mut self, span: SpanData) {
        let trace = span.span_context.trace_id();
        let spans = self.spans.entry(trace).or_default();
        if spans.is_empty() {
            self.order.push_back(trace);
        }
        spans.push(span);
        if self.order.len() > HELD
            && let Some(oldest) = self.order.pop_front()
        {
            self.spans.remove(&oldest);
        }
    }

    /// The spans of a trace, which are not held any more.
    fn take(&mut self, trace: TraceId) -> Vec<SpanData> {
        let spans = self.spans.remove(&trace).unwrap_or_default();
        if !spans.is_empty() {
            self.order.retain(|held| *held != trace);
        }
        spans
    }
}

impl<P: SpanProcessor> SpanProcessor for KeepFailures<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.next.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            return self.next.on_end(span);
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if span.parent_span_id != SpanId::INVALID {
            return held.hold(span);
        }
        let children = held.take(span.span_context.trace_id());
        drop(held);
        if matches!(span.status, Status::Error { .. }) {
            children.into_iter().chain([span]).for_each(|span| self.next.on_end(sampled(span)));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

/// The span as one that is sampled: the others are not sent.
fn sampled(span: SpanData) -> SpanData {
    let of = &span.span_context;
    let flags = of.trace_flags().with_sampled(true);
    let span_context = SpanContext::new(of.trace_id(), of.span_id(), flags, of.is_remote(), of.trace_state().clone());
    SpanData { span_context, ..span }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use opentelemetry::trace::{Span as _, TraceFlags, Tracer, TracerProvider};
    use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SimpleSpanProcessor, SpanExporter};

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl SpanExporter for Kept {
        async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().expect("nobody panics").extend(spans.iter().map(|span| span.name.to_string()));
            Ok(())
        }
    }

    fn tracer(shard_ratio: f64, kept: &Kept) -> SdkTracer {
        let others = Box::new(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)));
        let sampler: Box<dyn ShouldSample> = Box::new(ShardSampler::new(shard_ratio, others));
        let next = SimpleSpanProcessor::new(kept.clone());
        let provider = SdkTracerProvider::builder().with_sampler(sampler).with_span_processor(KeepFailures::new(next));
        provider.build().tracer("test")
    }

    /// An attempt with a step.
    fn attempt(tracer: &SdkTracer, status: Status) {
        let mut shard = tracer.start("shard");
        shard.set_status(status);
        let within = Context::new().with_span(shard);
        tracer.start_with_context("rows", &within).end();
        within.span().end();
    }

    #[test]
    fn of_shards_a_share_is_kept_and_every_failure() {
        for (ratio, wanted) in [(0.0, vec!["rows", "shard"]), (1.0, vec!["rows", "shard", "rows", "shard"])] {
            let kept = Kept::default();
            let tracer = tracer(ratio, &kept);
            attempt(&tracer, Status::Ok);
            attempt(&tracer, Status::error("broken"));
            assert_eq!(*kept.0.lock().expect("nobody panics"), wanted, "{ratio}");
        }
    }

    #[test]
    fn other_spans_are_the_standard_samplers() {
        let kept = Kept::default();
        let tracer = tracer(0.0, &kept);
        let parent = |flags| SpanContext::new(TraceId::from(7), SpanId::from(7), flags, true, TraceState::default());
        for flags in [TraceFlags::SAMPLED, TraceFlags::default()] {
            let above = Context::new().with_remote_span_context(parent(flags));
            tracer.start_with_context("request", &above).end();
        }
        tracer.start("job").end();
        assert_eq!(*kept.0.lock().expect("nobody panics"), ["request", "job"]);
    }

    #[test]
    fn what_never_ends_is_forgotten() {
        let kept = Kept::default();
        let tracer = tracer(0.0, &kept);
        let contexts: Vec<Context> = (0..=HELD).map(|_| Context::new().with_span(tracer.start("shard"))).collect();
        for context in &contexts {
            tracer.start_with_context("rows", context).end();
        }
        for context in &contexts {
            context.span().set_status(Status::error("broken"));
            context.span().end();
        }
        let kept = kept.0.lock().expect("nobody panics");
        let count = |name: &str| kept.iter().filter(|kept| *kept == name).count();
        assert_eq!((count("shard"), count("rows")), (HELD + 1, HELD), "the oldest was let go");
    }
}
