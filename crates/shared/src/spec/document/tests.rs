//! What reading a document must give, and what it must refuse.

use super::*;

fn read(text: &str) -> (Option<Node>, Vec<String>) {
    let report = Report::strict();
    let node = parse(text, &report);
    (node, report.into_problems().iter().map(|p| format!("{}: {p}", p.line)).collect())
}

fn json(text: &str) -> String {
    read(text).0.map(|node| node.to_json().to_string()).unwrap_or_default()
}

#[test]
fn scalars_follow_yaml_1_2() {
    assert_eq!(
        json("[no, yes, on, True, ~, 12, -3, 1.5, 1e3, 0x1F, '7', 2024-01-01, 1.2.3, .5, +]"),
        r#"["no","yes","on",true,null,12,-3,1.5,1000.0,31,"7","2024-01-01","1.2.3",0.5,"+"]"#
    );
}

#[test]
fn json_is_read_as_it_is() {
    assert_eq!(json("{\n\t\"a\": [1, {\"b\": \"x\\u00e9\\/\"}],\n\t\"c\": null}"), r#"{"a":[1,{"b":"xé/"}],"c":null}"#);
}

#[test]
fn nodes_know_their_lines() {
    let (node, _) = read("a: 1\nb:\n  c: x\n");
    assert_eq!(node.unwrap().get("b").unwrap().get("c").unwrap().line, 3);
}

#[test]
fn duplicate_keys_are_named_with_both_lines() {
    assert_eq!(
        read("a: 1\nb: 2\na: 3\n").1,
        ["3: the key `a` is written twice, first on line 1; expected each key once"]
    );
}

#[test]
fn an_alias_bomb_is_stopped() {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..10 {
        text.push_str(&format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(",")));
    }
    let (node, problems) = read(&text);
    assert!(node.is_none());
    assert!(problems[0].contains("more than 1000000 values after its aliases are expanded"), "{problems:?}");
}

#[test]
fn few_aliases_of_a_long_text_are_stopped_too() {
    let long = "x".repeat(4 << 20);
    let aliases = ["*a"; 2_000].join(",");
    let (node, problems) = read(&format!("- &a '{long}'\n- [{aliases}]\n"));
    assert!(node.is_none());
    assert!(problems[0].contains("more than 33554432 bytes of text after its aliases are expanded"), "{problems:?}");
    let nested = (0..20).fold(format!("'{long}'"), |inner, at| format!("&a{at} [{inner}]"));
    assert!(read(&nested).1[0].contains("bytes of text"));
    assert!(read(&format!("- &a '{long}'\n- *a\n")).1.is_empty());
}

#[test]
fn what_is_wrong_on_every_line_is_counted() {
    let (_, problems) = read(&"a:\n".repeat(3_000));
    assert_eq!(problems.len(), 1_001);
    assert!(problems[1_000].contains("1999 more findings are not listed"), "{}", problems[1_000]);
}

#[test]
fn a_large_or_deep_or_broken_text_is_refused() {
    assert!(read(&"x".repeat(50_000_000)).1[0].contains("50000000 bytes"));
    assert!(read(&format!("{}{}", "[".repeat(100), "]".repeat(100))).1[0].contains("nested deeper than 64"));
    assert!(read("a: [1, 2").1[0].contains("not well-formed"));
    assert!(read("").1[0].contains("the document is empty"));
    assert!(read("a: 1\n---\nb: 2\n").1[0].contains("a second document begins here"));
}
