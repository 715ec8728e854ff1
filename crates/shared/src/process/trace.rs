//! Traces across processes: what of a span travels with a record or a message, and what a span is tied to that answers it.
//! Where nobody traces, all of this is nothing.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header of W3C Trace Context.
const TRACEPARENT: &str = "traceparent";

/// What makes others part of the trace of `span`, as a W3C `traceparent`; nothing where nobody traces.
pub fn traceparent(span: &Span) -> Option<String> {
    let context = span.context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Makes `span` a part of the trace that `traceparent` tells of. To be called before the span is entered; what is no
/// `traceparent` begins a trace of its own.
pub fn follow(span: &Span, traceparent: Option<&str>) {
    if let Some(parent) = traceparent {
        // It fails where nobody traces.
        let _ = span.set_parent(context(parent));
    }
}

/// Points from `span`, which is a trace of its own, to the trace that `traceparent` tells of.
pub fn link(span: &Span, traceparent: Option<&str>) {
    if let Some(other) = traceparent {
        span.add_link(context(other).span().span_context().clone());
    }
}

/// Notes that what `span` stands for failed, and why. Never a secret.
pub fn fail(span: &Span, reason: &str) {
    span.set_status(Status::error(reason.to_owned()));
}

/// Names `span` more precisely than its kind. Never after what somebody sent.
pub fn rename(span: &Span, name: String) {
    span.context().span().update_name(name);
}

fn context(traceparent: &str) -> Context {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_traceparent_is_one() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let read = context(good);
        assert_eq!(read.span().span_context().trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(read.span().span_context().is_sampled() && read.span().span_context().is_remote());
        let zeros = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        for bad in ["", "00", &good[..40], zeros, "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"] {
            assert!(!context(bad).span().span_context().is_valid(), "{bad}");
        }
    }

    #[test]
    fn where_nobody_traces_nothing_happens() {
        let span = tracing::error_span!("lonely");
        follow(&span, Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        link(&span, Some("nonsense"));
        fail(&span, "broken");
        assert_eq!(traceparent(&span), None);
    }
}
