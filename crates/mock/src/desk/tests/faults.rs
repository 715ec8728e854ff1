//! Faults as each provider shows them.

use super::*;

#[test]
fn each_fault_looks_as_it_does_at_each_provider() {
    for (fault, statuses) in [
        ("server_error", [500; 5]),
        ("unavailable", [503; 5]),
        ("overloaded", [529, 503, 503, 503, 503]),
        ("rate_limited", [429; 5]),
        ("spend_limit", [400, 429, 429, 429, 400]),
        ("unauthorized", [401, 401, 401, 401, 403]),
        ("html", [502; 5]),
        ("error_body", [200; 5]),
    ] {
        let world = World::faulty(&format!("{fault}:100%"));
        for (path, status) in TALKING.into_iter().zip(statuses) {
            let seen = world.ask(path, &hello(path, "mock-1", 20));
            assert_eq!(seen.verdict.status, status, "{fault} {path}");
            assert_eq!(seen.header("retry-after"), None, "{fault} {path}");
            assert_eq!(seen.body.is_null(), fault == "html", "{fault} {path}");
        }
        let bill = world.desk.bill();
        assert_eq!((bill.charged, bill.by_fault[fault]), (0, 5), "{fault}");
    }
    let world = World::faulty("spend_limit:100%");
    let seen = world.ask(MESSAGES, &hello(MESSAGES, "mock-1", 20));
    assert!(seen.body["error"]["message"].as_str().is_some_and(|text| text.contains("specified API usage limits")));
    assert_eq!(world.ask(CHAT, &hello(CHAT, "mock-1", 20)).body["error"]["code"], "insufficient_quota");
}

#[test]
fn a_lost_answer_is_charged_and_counts_as_cut_off() {
    for (fault, ending) in [("timeout", Ending::Never), ("reset", Ending::Reset), ("half_body", Ending::Half)] {
        let world = World::faulty(&format!("{fault}:100%"));
        for path in TALKING {
            assert_eq!(world.ask(path, &hello(path, "mock-1", 20)).verdict.ending, ending);
        }
        let bill = world.desk.bill();
        assert_eq!((bill.charged, bill.cut_off, bill.answered), (5, 5, 0), "{fault}");
        assert_eq!(bill.cost_nano_dollars, 5 * (4 * 1_000 + 10 * 5_000));
    }
}

#[test]
fn a_refusal_has_the_shape_of_its_provider() {
    let world = World::new(|_| ());
    let seen = |path| world.ask(path, &hello(path, "mock-1+refusal", 20));
    let message = seen(MESSAGES).body;
    assert_eq!((&message["stop_reason"], &message["stop_details"]["type"]), (&json!("refusal"), &json!("refusal")));
    let choice = seen(CHAT).body["choices"][0]["message"].clone();
    assert!(choice["content"].is_null() && choice["refusal"].is_string(), "{choice}");
    assert_eq!(seen(RESPONSES).body["output"][0]["content"][0]["type"], "refusal");
    let forced = [("authorization", "Bearer k"), ("api-key", "k"), ("x-mock-fault", "refusal")];
    let refused = world.say(AZURE, &forced, hello(AZURE, "", 20).to_string().as_bytes());
    assert_eq!((refused.verdict.status, &refused.body["error"]["code"]), (400, &json!("content_filter")));
    let refused = world.say(CONVERSE, &forced, hello(CONVERSE, "", 20).to_string().as_bytes());
    assert_eq!(refused.body["stopReason"], "content_filtered");
    let unknown = world.ask(CHAT, &hello(CHAT, "mock-1+refusl", 20));
    assert!(unknown.body["error"]["message"].as_str().is_some_and(|text| text.contains("did you mean `refusal`")));
}

#[test]
fn a_request_that_met_a_fault_draws_anew_when_it_comes_again() {
    let world = World::faulty("server_error:50%");
    let statuses = |number: u64| -> Vec<u16> {
        let body = hello(CHAT, "mock-1", 50 + number);
        (0..12).map(|_| world.ask(CHAT, &body).verdict.status).collect()
    };
    let runs: Vec<Vec<u16>> = (0..200).map(statuses).collect();
    let failed_first = runs.iter().filter(|run| run[0] == 500).count();
    assert!((70..130).contains(&failed_first), "{failed_first}");
    for run in &runs {
        let failures = run.iter().take_while(|status| **status == 500).count();
        assert!(failures < 12 && run[failures..].iter().all(|status| *status == 200), "{run:?}");
    }
    world.desk.reset();
    assert_eq!((0..200).map(statuses).collect::<Vec<_>>(), runs, "and the same after a reset");
}

#[test]
fn latency_is_drawn_and_slow_answers_take_longer() {
    let world = World::new(|options| options.latency = Spread::Even { least: 20, most: 300 });
    let wait = |model: &str| world.ask(CHAT, &hello(CHAT, model, 9)).verdict.wait_ms;
    assert!((20..=300).contains(&wait("mock-1")));
    assert_eq!(wait("mock-1"), wait("mock-1"));
    assert!(wait("mock-1+slow") >= 2_000);
}
