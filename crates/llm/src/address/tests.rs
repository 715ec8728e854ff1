//! An address depends on everything that an answer depends on, and on nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::request::{Parameters, Turn};
use crate::structured::Schema;

fn request() -> Request {
    Request::of("question", Parameters::with_at_most(100))
}

fn address(request: &Request, row_key: &[u8], draw: u32) -> Address {
    Question::new(request, Asker { row_key, draw }, b"instruction").to(Kind::Anthropic, "model")
}

#[test]
fn the_address_of_an_answer_never_changes() {
    let parameters = Parameters { temperature: Some(0.5), seed: Some(7), ..Parameters::with_at_most(100) };
    let request = Request::of("question", parameters).with_system("be brief");
    let golden = "52e7343c736c65fde5487a5bf08353f01df61660";
    assert_eq!(&address(&request, b"row 1", 2).to_string()[..40], golden);
}

#[test]
fn whatever_changes_the_answer_changes_the_address() {
    let schema = |name, value| Arc::new(Schema::new(name, value).expect("a schema"));
    let turn = |role, text: &str| Turn { role, text: text.into() };
    let edited = |edit: &dyn Fn(&mut Request)| {
        let mut request = request();
        edit(&mut request);
        request
    };
    let requests = [
        request(),
        edited(&|r| r.parameters.temperature = Some(0.0)),
        edited(&|r| r.parameters.top_p = Some(0.0)),
        edited(&|r| r.parameters.max_output_tokens = 101),
        edited(&|r| r.parameters.seed = Some(0)),
        edited(&|r| r.parameters.stop = vec!["a".to_owned(), "b".to_owned()]),
        edited(&|r| r.parameters.stop = vec!["ab".to_owned()]),
        edited(&|r| r.system = Some("".into())),
        edited(&|r| r.system = Some("question".into())),
        edited(&|r| r.turns = vec![turn(Role::User, "quest"), turn(Role::User, "ion")]),
        edited(&|r| r.turns = vec![turn(Role::Assistant, "question")]),
        request().as_json(schema("a", json!({}))),
        request().as_json(schema("b", json!({}))),
        request().as_json(schema("a", json!({"type": "object"}))),
    ];
    let mut addresses: BTreeSet<Address> = requests.iter().map(|request| address(request, b"1", 0)).collect();
    assert_eq!(addresses.len(), requests.len());
    let request = request();
    addresses.extend([address(&request, b"2", 0), address(&request, b"1", 1), address(&request, b"", 0)]);
    let question = Question::new(&request, Asker { row_key: b"1", draw: 0 }, b"instruction");
    addresses.extend([question.to(Kind::Anthropic, "other"), question.to(Kind::OpenAi, "model")]);
    assert_eq!(addresses.len(), requests.len() + 5);
}

#[test]
fn both_zeros_are_one_and_holds_of_one_answer_differ() {
    let zero = |zero| Request::of("q", Parameters { temperature: Some(zero), ..Parameters::with_at_most(1) });
    let answer = address(&zero(0.0), b"", 0);
    assert_eq!(answer, address(&zero(-0.0), b"", 0));
    let [first, second] = [0, 1].map(|attempt| HoldId { address: answer, attempt });
    assert!(first != second && first.draw() != second.draw() && first.to_string() != second.to_string());
}
