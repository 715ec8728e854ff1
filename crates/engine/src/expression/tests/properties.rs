//! Properties over generated texts: nothing panics, rows do not see each other.

use proptest::prelude::*;

use super::{ExpressionError, check, columns, evaluate, shown, value};
use crate::expression::Expression;

/// Fragments that are likely to be right, so that the parser's depths are reached.
fn fragments() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "1",
        "2.5",
        "'t'",
        "quantity",
        "price",
        "ratio",
        "name",
        "status",
        "created_at",
        "born",
        "active",
        "null",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "==",
        "<",
        "and",
        "or",
        "not",
        "in",
        "between",
        "is",
        "(",
        ")",
        ",",
        "if",
        "else",
        "case",
        "when",
        "then",
        "end",
        "min(",
        "round(",
        "substr(",
        "date_trunc(",
        "add_months(",
    ]);
    prop::collection::vec(words, 0..14).prop_map(|words| words.join(" "))
}

/// Numeric expressions that are mostly right.
fn numbers() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "quantity",
        "price",
        "ratio",
        "product.price",
        "`odd name`",
        "0",
        "-3",
        "2.5",
        "0.001",
        "null",
        "7_000_000_000",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(6, 48, 3, |inner| {
        let form = prop::sample::select(vec![
            "(A + B)",
            "(A - B)",
            "A * B",
            "(A) / (B)",
            "(A) // (B)",
            "(A) % (B)",
            "-(A)",
            "abs(A)",
            "round(A, 1)",
            "floor(A)",
            "min(A, B, C)",
            "max(A, B)",
            "coalesce(A, B)",
            "nullif(A, B)",
            "(A if B < C else B)",
            "if(A in (B, C), A, C)",
            "case when A between B and C then A when B > C then B end",
            "sign(A)",
            "clamp(A, 0, 10)",
            "(A if active and not A == B else C)",
            "int(A)",
            "float(A)",
            "decimal(A, 20, 3)",
            "pow(A, 2)",
            "length(string(A))",
            "hash_bucket(A, 9)",
            "(A if status == 'new' or A is null else B)",
        ]);
        (form, inner.clone(), inner.clone(), inner).prop_map(|(form, a, b, c)| {
            let replaced = form.chars().map(|character| match character {
                'A' => a.clone(),
                'B' => b.clone(),
                'C' => c.clone(),
                other => other.to_string(),
            });
            replaced.collect()
        })
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = Expression::parse(&text);
    }

    #[test]
    fn no_fragments_make_check_or_evaluation_panic(text in fragments()) {
        if let Ok(array) = evaluate(&text) {
            prop_assert_eq!(array.len(), 4);
        }
    }

    #[test]
    fn spans_are_within_the_text(text in "[a-z0-9é'`(), +*<=.]{0,30}") {
        if let Err(error) = Expression::parse(&text) {
            prop_assert!(text.get(error.span).is_some());
        }
    }

    #[test]
    fn division_is_python_s(a in -1000_i64..1000, b in -50_i64..50) {
        prop_assume!(b != 0);
        let quotient: i64 = value(&format!("{a} // {b}")).parse().unwrap();
        let rest: i64 = value(&format!("{a} % {b}")).parse().unwrap();
        prop_assert_eq!(quotient * b + rest, a);
        prop_assert!(rest == 0 || (rest < 0) == (b < 0));
    }

    #[test]
    fn a_row_s_value_does_not_depend_on_its_batch(text in numbers()) {
        let typed = check(&text);
        // Most texts pass: were they rejected instead, proptest would give up and fail.
        prop_assume!(typed.is_ok());
        let typed = typed.unwrap();
        let columns = columns();
        let row = |row: usize| typed.evaluate(1, &|name| Ok::<_, ExpressionError>(columns[name].slice(row, 1)));
        match evaluate(&text) {
            Ok(whole) => {
                for at in 0..4 {
                    let alone = row(at).map(|array| shown(&array));
                    prop_assert_eq!(alone, Ok(shown(&whole.slice(at, 1))));
                }
            }
            Err(_) => prop_assert!((0..4).any(|at| row(at).is_err())),
        }
    }
}
