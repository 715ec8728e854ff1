//! Limits as each provider counts them.

use super::*;

#[test]
fn anthropic_counts_requests_input_and_made_output() {
    let world = World::limited(Limits {
        requests_per_minute: Some(60),
        input_tokens_per_minute: Some(6_000),
        output_tokens_per_minute: Some(15),
        ..Limits::default()
    });
    let body = hello(MESSAGES, "mock-1", 50_000);
    let (first, seen) = world.open(MESSAGES, &keys(), body.to_string().as_bytes());
    assert_eq!(seen.header("anthropic-ratelimit-requests-remaining"), Some("59"));
    assert_eq!(seen.header("anthropic-ratelimit-input-tokens-remaining"), Some("5996"));
    assert_eq!(seen.header("anthropic-ratelimit-output-tokens-remaining"), Some("15"), "nothing is reserved");
    assert_eq!(seen.header("anthropic-ratelimit-tokens-limit"), Some("6015"));
    assert_eq!(seen.header("anthropic-ratelimit-requests-reset"), Some("1970-01-01T00:00:01Z"));
    let (second, seen) = world.open(MESSAGES, &keys(), body.to_string().as_bytes());
    assert_eq!(seen.verdict.status, 200);
    first.close(200);
    second.close(200);
    let refused = world.ask(MESSAGES, &body);
    assert_eq!((refused.verdict.status, &refused.body["error"]["type"]), (429, &json!("rate_limit_error")));
    assert_eq!(refused.header("retry-after"), Some("24"), "6 tokens at a quarter a second");
    world.clock.advance(23_999);
    assert_eq!(world.ask(MESSAGES, &body).verdict.status, 429, "an earlier retry fails");
    world.clock.advance(1);
    assert_eq!(world.ask(MESSAGES, &body).verdict.status, 200);
}

#[test]
fn openai_reserves_the_larger_of_prompt_and_limit_and_counts_refused_requests() {
    let limits = Limits { requests_per_minute: Some(60), tokens_per_minute: Some(1_000), ..Limits::default() };
    let world = World::limited(limits);
    let seen = world.ask(CHAT, &hello(CHAT, "mock-1", 900));
    assert_eq!(seen.header("x-ratelimit-remaining-tokens"), Some("100"));
    assert_eq!(seen.header("x-ratelimit-reset-tokens"), Some("54s"));
    assert_eq!(seen.header("x-ratelimit-limit-requests"), Some("60"));
    let refused = world.ask(CHAT, &hello(CHAT, "mock-1", 101));
    assert_eq!((refused.verdict.status, &refused.body["error"]["type"]), (429, &json!("tokens")));
    assert_eq!(refused.body["error"]["code"], "rate_limit_exceeded");
    assert_eq!((refused.header("retry-after-ms"), refused.header("retry-after")), (Some("60"), Some("1")));
    assert_eq!(refused.header("x-ratelimit-remaining-requests"), Some("58"), "the refused one counts");
    world.clock.advance(60);
    assert_eq!(world.ask(CHAT, &hello(CHAT, "mock-1", 101)).verdict.status, 200);
}

#[test]
fn azure_adds_prompt_and_limit_and_bedrock_gives_back() {
    let world = World::limited(Limits { tokens_per_minute: Some(1_000), ..Limits::default() });
    assert_eq!(world.ask(AZURE, &hello(AZURE, "", 996)).header("x-ratelimit-remaining-tokens"), Some("0"));
    world.desk.reset();
    let (call, _) = world.open(CONVERSE, &keys(), hello(CONVERSE, "", 900).to_string().as_bytes());
    let refused = world.ask(CONVERSE, &hello(CONVERSE, "", 900));
    assert_eq!((refused.verdict.status, refused.header("x-amzn-errortype")), (429, Some("ThrottlingException")));
    call.close(200);
    assert_eq!(world.ask(CONVERSE, &hello(CONVERSE, "", 900)).verdict.status, 200, "14 of 904 were used");
    let unset = json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]});
    assert_eq!(world.ask(CONVERSE, &unset).verdict.status, 429, "without a limit the model's is reserved");
}

#[test]
fn a_limit_of_calls_at_a_time_says_nothing_of_itself() {
    let world = World::limited(Limits { concurrency: Some(1), ..Limits::default() });
    let (call, _) = world.open(MESSAGES, &keys(), hello(MESSAGES, "mock-1", 5).to_string().as_bytes());
    let refused = world.ask(MESSAGES, &hello(MESSAGES, "mock-1", 5));
    assert_eq!((refused.verdict.status, refused.header("retry-after")), (429, None));
    drop(call);
    assert_eq!(world.ask(MESSAGES, &hello(MESSAGES, "mock-1", 5)).verdict.status, 200);
    assert_eq!(world.desk.bill().cut_off, 1, "a call that nobody waits for is cut off");
}

#[test]
fn limits_and_faults_change_while_it_runs() {
    let world = World::limited(Limits { requests_per_minute: Some(1), ..Limits::default() });
    let status = || world.ask(CHAT, &hello(CHAT, "mock-1", 5)).verdict.status;
    assert_eq!([status(), status()], [200, 429]);
    world.desk.set_limits(Limits::default());
    assert_eq!([status(), status()], [200, 200]);
    world.desk.set_faults(Faults::read("unavailable:100%").expect("faults"));
    assert_eq!(status(), 503);
    world.desk.reset();
    assert_eq!((world.desk.bill().calls, status()), (0, 503), "what was set stays");
}
