//! The path of a call, on providers that say what a test wants: order, money, retries, fallback, repair.

use std::sync::Arc;

use serde_json::json;
use shardmill_shared::job::NanoUsd;

use super::*;
use crate::address::{Asker, HoldId, Question};
use crate::config::{Kind, ProviderConfig};
use crate::doors::{Answer, Journal};
use crate::error::Class;
use crate::reply::{Finish, Usage};
use crate::request::{Parameters, Request};
use crate::testing::{KEY, Script, Scripted, Step, chat, gateway_of, gateway_to};

fn chain(routes: &[&str]) -> Vec<Route> {
    routes.iter().map(|route| route.parse().expect("a route")).collect()
}

fn doors(scripted: &Scripted) -> Doors<'_> {
    Doors { purse: Some(scripted), pace: scripted, journal: scripted }
}

fn question() -> Request {
    Request::of("hello", Parameters::with_at_most(100))
}

const ASKER: Asker<'static> = Asker { row_key: b"row 1", draw: 0 };

async fn ask(gateway: &Gateway, doors: Doors<'_>, routes: &[&str], request: &Request) -> Result<Told, AskError> {
    let chain = chain(routes);
    gateway.ask(Ask { doors, chain: &chain, request, asker: ASKER, repairs: 2 }).await
}

fn worst(script: &Script, call: usize) -> u64 {
    script.calls()[call].body.to_string().len() as u64 + 200
}

#[tokio::test]
async fn a_call_passes_every_door_in_order_and_an_answer_is_never_bought_twice() {
    let script = Script::start([Step::chat("hi\u{7}")]).await;
    let gateway = gateway_to(&[&script.url]);
    let scripted = Scripted::with_cap(1_000);
    let told = ask(&gateway, doors(&scripted), &["a/m"], &question()).await.expect("answers");
    assert_eq!((told.text.as_str(), told.finish, told.source, told.calls), ("hi", Finish::Done, Source::Bought, 1));
    assert_eq!((told.paid, told.saved), (NanoUsd(20), NanoUsd(0)));
    let worst = worst(&script, 0);
    let wanted = ["find", "admit a/m", &format!("hold 0 {worst}"), "record", "settle 0 20"];
    assert_eq!(scripted.log(), wanted);
    let again = ask(&gateway, doors(&scripted), &["a/m"], &question()).await.expect("answers");
    assert_eq!((again.source, again.calls, again.paid, again.saved), (Source::Known, 0, NanoUsd(0), NanoUsd(20)));
    assert_eq!((script.calls().len(), scripted.spent()), (1, (20, false)));
    let call = &script.calls()[0];
    assert!(call.head.starts_with("post /v1/chat/completions ") && call.head.contains("user-agent: shardmill/"));
    assert_eq!(call.body["max_tokens"], 100);
}

#[tokio::test]
async fn a_lost_call_counts_as_spent_and_its_retry_is_held_anew() {
    for step in [Step::HangUp, Step::Half(b"{\"choices\": [".to_vec())] {
        let script = Script::start([step, Step::chat("hi")]).await;
        let gateway = gateway_to(&[&script.url]);
        let scripted = Scripted::with_cap(10_000);
        let told = ask(&gateway, doors(&scripted), &["a/m"], &question()).await.expect("answers");
        let worst = worst(&script, 0);
        assert_eq!((told.calls, told.paid), (2, NanoUsd(worst + 20)));
        assert_eq!(scripted.spent(), (worst + 20, false));
        assert!(scripted.log().contains(&format!("hold 1 {worst}")), "{:?}", scripted.log());
    }
}

#[tokio::test]
async fn two_who_want_the_same_answer_at_once_buy_it_once() {
    let script = Script::start([]).await;
    let gateway = gateway_to(&[&script.url]);
    let scripted = Scripted::with_cap(10_000);
    let request = question();
    let want = || ask(&gateway, doors(&scripted), &["a/m"], &request);
    let (first, second) = tokio::join!(want(), want());
    let paid = [first.expect("answers").paid, second.expect("answers").paid];
    assert_eq!((paid, script.calls().len()), ([NanoUsd(20), NanoUsd(0)], 1));
}

#[tokio::test]
async fn what_an_attempt_that_died_left_is_not_paid_for_twice_and_not_waited_for() {
    let script = Script::start([Step::chat("hi")]).await;
    let gateway = gateway_to(&[&script.url]);
    let scripted = Scripted::with_cap(10_000);
    let address = Question::new(&question(), ASKER, gateway.instruction.as_bytes()).to(Kind::OpenAiCompatible, "m");
    scripted.bury(HoldId { address, attempt: 0 }, 300);
    let told = ask(&gateway, doors(&scripted), &["a/m"], &question()).await.expect("answers");
    assert_eq!((told.paid, scripted.spent().0), (NanoUsd(20), 320));
    assert!(scripted.log().contains(&"settle 1 20".to_owned()), "{:?}", scripted.log());
}

#[tokio::test]
async fn a_budget_that_is_spent_stops_before_the_call() {
    let script = Script::start([]).await;
    let gateway = gateway_to(&[&script.url]);
    let scripted = Scripted::with_cap(100);
    let error = ask(&gateway, doors(&scripted), &["a/m"], &question()).await.expect_err("too dear");
    assert!(matches!(error, AskError::Over { cap: NanoUsd(100), .. }), "{error}");
    let scripted = Scripted::with_cap(400);
    assert!(ask(&gateway, doors(&scripted), &["a/m"], &question()).await.is_ok());
    scripted.bury(HoldId { address: crate::Address(shardmill_shared::job::Digest::of(b"x")), attempt: 0 }, 370);
    let other = Request::of("other", Parameters::with_at_most(100));
    let error = ask(&gateway, doors(&scripted), &["a/m"], &other).await.expect_err("is spent");
    assert_eq!((error, script.calls().len()), (AskError::Exhausted, 1));
}

#[tokio::test]
async fn an_unpriced_model_is_refused_under_a_budget_and_asked_without_one() {
    let script = Script::start([]).await;
    let providers = [(Name::new("a").expect("a name"), ProviderConfig::at(Kind::OpenAiCompatible, &script.url))].into();
    let prices = Prices::new(&BTreeMap::new()).expect("prices");
    let parts = Parts { providers, prices, prompts: Prompts::shipped() };
    let clock = Arc::new(crate::testing::LeapingClock::default());
    let gateway = Gateway::new(parts, clock, |_| None).expect("a gateway");
    let scripted = Scripted::with_cap(10_000);
    let error = ask(&gateway, doors(&scripted), &["a/m"], &question()).await.expect_err("no price");
    assert!(matches!(&error, AskError::Misconfigured(what) if what.contains("[prices.\"a/m\"]")), "{error}");
    assert_eq!(script.calls().len(), 0);
    let free = Doors { purse: None, ..doors(&scripted) };
    assert!(ask(&gateway, free, &["a/m"], &question()).await.is_ok());
}

#[tokio::test]
async fn a_limit_is_waited_for_as_the_provider_says_and_costs_nothing() {
    let limited = |name, value: &str| {
        Step::Answer(429, vec![(name, value.to_owned())], b"{\"error\": {\"message\": \"slow down\"}}".to_vec())
    };
    let script = Script::start([limited("retry-after", "7"), limited("retry-after-ms", "90"), Step::chat("hi")]).await;
    let gateway = gateway_to(&[&script.url]);
    let scripted = Scripted::with_cap(10_000);
    let told = ask(&gateway, doors(&scripted), &["a/m"], &question()).await.expect("answers");
    assert_eq!((told.calls, told.paid), (3, NanoUsd(20)));
    assert!((7_090..=9_090).contains(&gateway.clock.now_ms()), "{}", gateway.clock.now_ms());
    let log = scripted.log();
    assert!(log.contains(&"heard 0 Some(7000)".to_owned()) && log.contains(&"heard 0 Some(90)".to_owned()), "{log:?}");
}

#[tokio::test]
async fn a_provider_that_is_down_gives_way_to_the_next_and_both_are_named_when_none_answers() {
    let down = |status| Step::json(status, &json!({"error": {"message": "sorry"}}));
    let first = Script::start(vec![down(500); 20]).await;
    let second = Script::start([Step::chat("hi")]).await;
    let gateway = gateway_to(&[&first.url, &second.url]);
    let scripted = Scripted::with_cap(10_000);
    let told = ask(&gateway, doors(&scripted), &["a/m", "b/n"], &question()).await.expect("answers");
    assert_eq!((told.route.to_string().as_str(), told.calls, told.paid), ("b/n", 6, NanoUsd(20)));
    // The fallback's answer is known; the first choice is not asked again.
    let again = ask(&gateway, doors(&scripted), &["a/m", "b/n"], &question()).await.expect("answers");
    assert_eq!((again.source, first.calls().len(), second.calls().len()), (Source::Known, 5, 1));
    for _ in 0..8 {
        second.then(down(529));
    }
    let other = Request::of("other", Parameters::with_at_most(100));
    let error = ask(&gateway, doors(&scripted), &["a/m", "b/n"], &other).await.expect_err("both are down");
    let AskError::Unavailable { class: Class::Overloaded, message, .. } = error else { panic!("{error}") };
    assert_eq!(message, "a/m: the provider failed with 500: sorry; b/n: overloaded: sorry");
}

#[tokio::test]
async fn json_is_repaired_with_the_exact_problems_and_rejected_at_the_end() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let schema = Arc::new(Schema::new("numbers", schema).expect("a schema"));
    let request = question().as_json(schema);
    let script = Script::start([Step::chat("```json\n{\"n\": \"two\"}\n```"), Step::chat("Sure: {\"n\": 2}")]).await;
    let gateway = gateway_to(&[&script.url]);
    let scripted = Scripted::with_cap(100_000);
    let told = ask(&gateway, doors(&scripted), &["a/m"], &request).await.expect("answers");
    assert_eq!((told.value, told.calls, told.paid), (Some(json!({"n": 2})), 2, NanoUsd(40)));
    let calls = script.calls();
    assert_eq!(calls[0].body["response_format"]["json_schema"]["name"], "numbers");
    let repair = calls[1].body["messages"][2]["content"].as_str().expect("a text");
    assert!(repair.contains("- $.n: expected an integer, found \"two\""), "{repair}");
    // A second time nothing is bought: neither the wrong answer nor its repair.
    let again = ask(&gateway, doors(&scripted), &["a/m"], &request).await.expect("answers");
    assert_eq!((again.calls, again.saved, script.calls().len()), (0, NanoUsd(40), 2));
    let other = Request::of("other", Parameters::with_at_most(100)).as_json(Arc::clone(request.schema().expect("one")));
    for text in ["no\u{1b}", "{}", "[]"] {
        script.then(Step::chat(text));
    }
    let error = ask(&gateway, doors(&scripted), &["a/m"], &other).await.expect_err("never fits");
    let AskError::Rejected(rejection) = error else { panic!("{error}") };
    assert_eq!((rejection.class, rejection.calls, rejection.paid), (Class::Invalid, 3, NanoUsd(60)));
    assert_eq!((rejection.raw.as_str(), rejection.usage.output_tokens), ("[]", 15));
    assert_eq!(rejection.reasons, ["$: expected an object, found an array"]);
}

#[tokio::test]
async fn a_schema_that_a_server_does_not_take_goes_into_the_prompt_once_and_for_all() {
    let schema = Arc::new(Schema::new("list", json!({"type": "array"})).expect("a schema"));
    let refusal = json!({"object": "error", "message": "Unsupported field: response_format", "code": 400});
    let script = Script::start([Step::json(400, &refusal), Step::chat("[1]"), Step::chat("[2]")]).await;
    let gateway = gateway_to(&[&script.url]);
    let scripted = Scripted::with_cap(100_000);
    let told =
        ask(&gateway, doors(&scripted), &["a/m"], &question().as_json(Arc::clone(&schema))).await.expect("answers");
    assert_eq!((told.value, told.paid), (Some(json!([1])), NanoUsd(20)));
    let other = Request::of("other", Parameters::with_at_most(100)).as_json(schema);
    let told = ask(&gateway, doors(&scripted), &["a/m"], &other).await.expect("answers");
    assert_eq!((told.value, told.calls), (Some(json!([2])), 1));
    let calls = script.calls();
    assert!(calls[0].body.get("response_format").is_some() && calls[2].body.get("response_format").is_none());
    let system = calls[2].body["messages"][0]["content"].as_str().expect("a text");
    assert!(system.contains("{\"type\":\"array\"}"), "{system}");
}

#[tokio::test]
async fn a_refusal_is_a_rejected_row_that_is_paid_once_and_asked_of_nobody_else() {
    let script = Script::start([Step::json(200, &chat("I cannot help with that", "content_filter"))]).await;
    let other = Script::start([]).await;
    let gateway = gateway_to(&[&script.url, &other.url]);
    let scripted = Scripted::with_cap(100_000);
    for paid in [20, 0] {
        let error = ask(&gateway, doors(&scripted), &["a/m", "b/m"], &question()).await.expect_err("refuses");
        let AskError::Rejected(rejection) = error else { panic!("{error}") };
        assert_eq!((rejection.class, rejection.paid), (Class::Refused, NanoUsd(paid)));
    }
    let filtered = json!({"error": {"code": "content_filter", "message": "the content management policy"}});
    script.then(Step::json(400, &filtered));
    let question = Request::of("worse", Parameters::with_at_most(100));
    let error = ask(&gateway, doors(&scripted), &["a/m", "b/m"], &question).await.expect_err("refuses");
    assert!(matches!(&error, AskError::Rejected(rejection) if rejection.class == Class::Refused), "{error}");
    assert_eq!((script.calls().len(), other.calls().len()), (2, 0));
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_text_but_no_json() {
    let script = Script::start((0..4).map(|_| Step::json(200, &chat("{\"n\": [1, 2", "length")))).await;
    let gateway = gateway_to(&[&script.url]);
    let scripted = Scripted::with_cap(100_000);
    let told = ask(&gateway, doors(&scripted), &["a/m"], &question()).await.expect("is a text");
    assert_eq!(told.finish, Finish::Length);
    let schema = Arc::new(Schema::new("any", json!({"type": "object"})).expect("a schema"));
    let error = ask(&gateway, doors(&scripted), &["a/m"], &question().as_json(schema)).await.expect_err("is cut off");
    let AskError::Rejected(rejection) = error else { panic!("{error}") };
    assert_eq!((rejection.class, rejection.calls), (Class::CutOff, 3));
    assert!(rejection.reasons[0].contains("cut off at 100 tokens"), "{:?}", rejection.reasons);
}

#[tokio::test]
async fn a_prompt_that_surely_does_not_fit_is_refused_before_it_costs_anything() {
    let mut config = ProviderConfig::at(Kind::OpenAi, "http://127.0.0.1:9/v1");
    config.models = vec!["gpt-4o".to_owned()];
    let providers = [(Name::new("a").expect("a name"), config)].into();
    let parts =
        Parts { providers, prices: Prices::new(&BTreeMap::new()).expect("prices"), prompts: Prompts::shipped() };
    let gateway = Gateway::new(parts, Arc::new(crate::testing::LeapingClock::default()), |_| Some(KEY.to_owned()));
    let gateway = gateway.expect("a gateway");
    let scripted = Scripted::with_cap(u64::MAX);
    let long = Request::of("x".repeat(1_100_000), Parameters::with_at_most(100));
    let error = ask(&gateway, doors(&scripted), &["a/gpt-4o"], &long).await.expect_err("too long");
    assert!(matches!(&error, AskError::Rejected(rejection) if rejection.class == Class::ContextTooLong), "{error}");
    assert_eq!(scripted.log(), ["find"]);
    let error = ask(&gateway, doors(&scripted), &["a/gpt-5"], &question()).await.expect_err("is not in the list");
    assert!(matches!(&error, AskError::Misconfigured(what) if what.contains("it has gpt-4o")), "{error}");
}

#[tokio::test]
async fn an_answer_that_could_not_be_kept_is_settled_and_said_to_be_lost() {
    let script = Script::start([]).await;
    let gateway = gateway_to(&[&script.url]);
    let scripted = Scripted { is_deaf: true, ..Scripted::with_cap(100_000) };
    let error = ask(&gateway, doors(&scripted), &["a/m"], &question()).await.expect_err("is lost");
    assert!(matches!(error, AskError::Journal(_)), "{error}");
    assert_eq!(scripted.spent(), (20, false));
}

#[tokio::test]
async fn every_model_of_the_chain_is_looked_up_before_any_is_bought() {
    let scripts = [Script::start([]).await, Script::start([]).await];
    let gateway = gateway_to(&[&scripts[0].url, &scripts[1].url]);
    let scripted = Scripted::with_cap(100_000);
    let address = Question::new(&question(), ASKER, gateway.instruction.as_bytes()).to(Kind::OpenAiCompatible, "n");
    let usage = Some(Usage { input_tokens: 1, ..Usage::default() });
    let answer =
        Answer { text: "old".to_owned(), finish: Finish::Done, usage, model: None, tier: None, paid: NanoUsd(5) };
    scripted.journal.record(&HoldId { address, attempt: 0 }, &answer, &bytes::Bytes::new()).await.expect("keeps");
    let told = ask(&gateway, doors(&scripted), &["a/m", "b/n"], &question()).await.expect("is known");
    assert_eq!((told.text.as_str(), told.saved, told.calls), ("old", NanoUsd(5), 0));
    assert!(scripts.iter().all(|script| script.calls().is_empty()));
}

#[tokio::test]
async fn a_missing_key_names_its_variable_and_a_wrong_one_is_never_repeated() {
    let refusal =
        json!({"error": {"message": format!("Incorrect API key provided: {KEY}."), "code": "invalid_api_key"}});
    let script = Script::start([Step::json(401, &refusal)]).await;
    let config = |env: &str| ProviderConfig {
        api_key_env: Some(env.to_owned()),
        ..ProviderConfig::at(Kind::OpenAiChat, &script.url)
    };
    let gateway = gateway_of(vec![config("ABSENT_KEY"), config("A_KEY")]);
    let scripted = Scripted::with_cap(100_000);
    let error = ask(&gateway, doors(&scripted), &["a/m"], &question()).await.expect_err("no key").to_string();
    assert!(error.contains("ABSENT_KEY") && error.contains("providers.a.api_key_env"), "{error}");
    assert_eq!(script.calls().len(), 0);
    let error = ask(&gateway, doors(&scripted), &["b/m"], &question()).await.expect_err("wrong key");
    let said = format!("{error} {error:?} {gateway:?}");
    assert!(said.contains("the key is refused (401)") && !said.contains(KEY), "{said}");
    assert!(script.calls()[0].head.contains(&format!("authorization: bearer {KEY}")));
}

#[tokio::test]
async fn a_tenant_sees_its_providers_only() {
    let gateway = gateway_to(&["http://127.0.0.1:9/v1"]);
    let tenant = |name| Name::new(name).expect("a name");
    assert!(gateway.check(&chain(&["a/m"]), &tenant("default")).is_ok());
    let error = gateway.check(&chain(&["a/m", "aa/m"]), &tenant("other")).expect_err("sees none").to_string();
    assert_eq!(error, "there is no provider `a` in [providers]; there is no provider `aa` in [providers]");
}
