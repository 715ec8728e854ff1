//! The language as a whole: precedence, messages, nulls, decimals, bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::util::display::array_value_to_string;

use super::*;

mod properties;

const PRICE: Type = Type::Decimal { precision: 10, scale: 2 };

/// Four rows; the last is null everywhere.
fn columns() -> BTreeMap<&'static str, ArrayRef> {
    let times = [1_706_659_200_000_000, 1_709_210_096_500_000, 0].map(Some);
    let times = TimestampMicrosecondArray::from_iter(times.into_iter().chain([None]));
    let prices = Decimal128Array::from(vec![Some(1999), Some(10), Some(-250), None]);
    let status: DictionaryArray<Int32Type> = [Some("new"), Some("paid"), Some("new"), None].into_iter().collect();
    BTreeMap::from([
        ("quantity", Arc::new(Int64Array::from(vec![Some(3), Some(0), Some(-7), None])) as ArrayRef),
        ("ratio", Arc::new(Float64Array::from(vec![Some(0.5), Some(-0.0), Some(2.5), None]))),
        ("price", Arc::new(prices.with_data_type(PRICE.arrow()))),
        ("name", Arc::new(StringArray::from(vec![Some("Ada"), Some("Bo"), Some(""), None]))),
        ("status", Arc::new(status)),
        ("active", Arc::new(BooleanArray::from(vec![Some(true), Some(false), Some(true), None]))),
        ("created_at", Arc::new(times.with_timezone("UTC"))),
        ("born", Arc::new(Date32Array::from(vec![Some(0), Some(19_782), Some(-1), None]))),
        ("product.price", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        ("odd name", Arc::new(Int64Array::from(vec![5, 6, 7, 8]))),
    ])
}

fn kind_of(name: &str) -> Option<Type> {
    Some(match name {
        "quantity" | "product.price" | "odd name" => Type::Int,
        "ratio" => Type::Float,
        "price" => PRICE,
        "name" | "status" => Type::Text,
        "active" => Type::Bool,
        "created_at" => Type::Time,
        "born" => Type::Date,
        _ => return None,
    })
}

fn check(text: &str) -> Result<Typed, ExpressionError> {
    let candidates: Vec<&str> = columns().keys().copied().collect();
    Expression::parse(text)?.check(&kind_of, &candidates)
}

fn evaluate(text: &str) -> Result<ArrayRef, ExpressionError> {
    let columns = columns();
    check(text)?.evaluate(4, &|name| Ok::<_, ExpressionError>(Arc::clone(&columns[name])))
}

fn shown(array: &dyn Array) -> String {
    let show = |row| if array.is_null(row) { "null".into() } else { array_value_to_string(array, row).unwrap() };
    (0..array.len()).map(show).collect::<Vec<String>>().join(" ")
}

/// The values of all rows and the type.
fn values(text: &str) -> String {
    let array = evaluate(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let kind = check(text).unwrap().kind();
    assert!(evaluate::fits(&array, kind), "{text} gives {} as {kind}", array.data_type());
    format!("{} : {kind}", shown(&array))
}

/// The value of an expression without columns.
fn value(text: &str) -> String {
    let kind = check(text).unwrap_or_else(|error| panic!("{text}: {error}")).kind();
    let text = if kind == Type::Text { text.to_owned() } else { format!("string({text})") };
    shown(&evaluate(&text).unwrap()).split(' ').next().unwrap().to_owned()
}

/// A problem as `message @ place ~ suggestion`.
fn problem(text: &str) -> String {
    let error = evaluate(text).expect_err(text);
    let suggestion = error.suggestion.map(|suggestion| format!(" ~ {suggestion}")).unwrap_or_default();
    format!("{} @ {}..{}{suggestion}", error.message, error.span.start, error.span.end)
}

fn assert_all(cases: &[(&str, &str)], result: fn(&str) -> String) {
    let wrong = |(text, expected): &(&str, &str)| {
        let found = result(text);
        (found != *expected).then(|| format!("{text}\n  gives    {found}\n  expected {expected}"))
    };
    let wrong: Vec<String> = cases.iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn operators_bind_as_in_python() {
    let cases = [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("2 * 7 // 3", "4"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("7 / 2", "3.5"),
        ("- 2 * 3", "-6"),
        ("not 1 == 2", "true"),
        ("!true == false", "true"),
        ("true or false and false", "true"),
        ("(true or false) and false", "false"),
        ("not true or true", "true"),
        ("not (true or true)", "false"),
        ("1 < 2 and 2 < 3 || false", "true"),
        ("1 + 1 in (2, 3)", "true"),
        ("2 not in (1, 3) and 1 not between 2 and 3", "true"),
        ("1 between 0 and 2 and false", "false"),
        ("1 if false else 2 if false else 3", "3"),
        ("1 if true or false else 2", "1"),
        ("1 + 1 if true else 5", "2"),
        ("if(1 > 2, 'a', 'b')", "b"),
        ("IF(1 <> 2, 'a', 'b')", "a"),
        ("case when 1 = 2 then 'x' when 2 = 2 then 'y' else 'z' end", "y"),
        ("1 is not null and null is null", "true"),
        ("1_000 + .5", "1000.5"),
        ("-9223372036854775808 + 0", "-9223372036854775808"),
        ("'a' + \"b\"", "ab"),
    ];
    assert_all(&cases, value);
}

#[test]
fn every_example_of_a_function_gives_what_its_documentation_says() {
    for function in functions() {
        assert!(function.example.contains(function.name), "{}", function.name);
        assert_eq!(value_of_example(function.example), function.result, "{}", function.example);
        assert!(function.describes.ends_with('.'), "{}", function.name);
    }
}

fn value_of_example(example: &str) -> String {
    let array = evaluate(&format!("string({example})")).unwrap_or_else(|error| panic!("{example}: {error}"));
    array_value_to_string(&array, 0).unwrap()
}

#[test]
fn columns_are_combined_row_by_row() {
    let cases = [
        ("price * quantity", "59.97 0.00 17.50 null : decimal(29,2)"),
        ("price * 1.2", "23.988 0.120 -3.000 null : decimal(12,3)"),
        ("price + 1", "20.99 1.10 -1.50 null : decimal(11,2)"),
        ("price / 3", "6.663333 0.033333 -0.833333 null : decimal(14,6)"),
        ("price // 3", "6 0 -1 null : int"),
        ("price % 3", "1.99 0.10 0.50 null : decimal(10,2)"),
        ("price * ratio", "9.995 -0.0 -6.25 null : float"),
        ("-price", "-19.99 -0.10 2.50 null : decimal(10,2)"),
        ("quantity / 2", "1.5 0.0 -3.5 null : float"),
        ("quantity % 4", "3 0 1 null : int"),
        ("12 // quantity", "4 null -2 null : int"),
        ("1 / quantity", "0.3333333333333333 null -0.14285714285714285 null : float"),
        ("ratio == 0", "false true false null : bool"),
        ("ratio > -1.5 and quantity > 0", "true false false null : bool"),
        ("price > 10", "true false false null : bool"),
        ("price in (0.1, -2.5)", "false true true null : bool"),
        ("status == 'new'", "true false true null : bool"),
        ("'new' != status", "false true false null : bool"),
        ("status == name", "false false false null : bool"),
        ("status in ('paid', 'sent')", "false true false null : bool"),
        ("upper(status)", "NEW PAID NEW null : string"),
        ("status if quantity > 0 else name", "new Bo  null : string"),
        ("name < 'B'", "true false true null : bool"),
        ("created_at >= '2024-02-01'", "false true false null : bool"),
        ("born < created_at", "true true true null : bool"),
        ("min(quantity, 2)", "2 0 -7 null : int"),
        ("max(price, 0)", "19.99 0.10 0.00 null : decimal(10,2)"),
        ("clamp(quantity, -1, 1)", "1 0 -1 null : int"),
        ("coalesce(quantity, product.price)", "3 0 -7 4 : int"),
        ("`odd name` + product.price", "6 8 10 12 : int"),
        ("add_days(born, quantity)", "1970-01-04 2024-02-29 1969-12-24 null : date"),
        ("upper(name)", "ADA BO  null : string"),
        ("lower('ŠEST ' + upper(name))", "šest ada šest bo šest  null : string"),
        ("concat(name, '-', quantity)", "Ada-3 Bo-0 --7 null : string"),
        ("round(price, 1)", "20.00 0.10 -2.50 null : decimal(10,2)"),
        ("floor(price)", "19 0 -3 null : int"),
        ("case when quantity > 0 then 1 when quantity < 0 then 2.5 end", "1.0 null 2.5 null : float"),
        ("1 if active else 0", "1 0 1 0 : int"),
        ("7", "7 7 7 7 : int"),
        ("status", "new paid new null : string"),
        ("decimal(null, 5, 2)", "null null null null : decimal(5,2)"),
    ];
    assert_all(&cases, values);
}

#[test]
fn nulls_are_three_valued() {
    let cases = [
        ("null and false", "false"),
        ("null and true", "null"),
        ("null or true", "true"),
        ("null or false", "null"),
        ("not null", "null"),
        ("1 + null", "null"),
        ("1 == null", "null"),
        ("1 in (1, null)", "true"),
        ("1 in (2, null)", "null"),
        ("1 between 2 and null", "false"),
        ("1 if null else 2", "2"),
        ("coalesce(1 / 0, 0.0)", "0.0"),
        ("min(1, null)", "null"),
        ("concat('a', null)", "null"),
        ("ln(0) is null", "true"),
        ("null is null", "true"),
    ];
    assert_all(&cases, value);
    assert_eq!(values("active and quantity > 0"), "true false false null : bool");
    assert_eq!(values("active or true"), "true true true true : bool");
}

#[test]
fn decimals_are_exact() {
    let cases = [
        ("0.1 + 0.2 == 0.3", "true"),
        ("decimal('0.1', 3, 1) + decimal('0.2', 3, 1) == 0.3", "true"),
        ("float('0.1') + float('0.2') == 0.3", "false"),
        ("decimal(1.005, 9, 2)", "1.00"),
        ("decimal(1.015, 9, 2)", "1.02"),
        ("decimal(1, 9, 2) / 8", "0.125000"),
        ("decimal('9999999999.99', 12, 2) * 3 == decimal('29999999999.97', 13, 2)", "true"),
        ("round(decimal('2.345', 9, 3), 2)", "2.340"),
        ("round(decimal('2.355', 9, 3), 2)", "2.360"),
        ("float(decimal('0.3', 3, 1))", "0.3"),
        ("decimal('99999999999999999999999999999999999999', 38, 0) > 1.5", "true"),
        ("-1.5 < decimal('-99999999999999999999999999999999999999', 38, 0)", "false"),
        ("decimal('2', 38, 0) == decimal('0.5', 38, 37)", "false"),
        ("decimal('2', 38, 0) == decimal('2', 38, 37)", "true"),
    ];
    assert_all(&cases, value);
}

#[test]
fn problems_name_the_thing_the_place_and_the_remedy() {
    let cases = [
        ("", "expected a value, found the end @ 0..0"),
        ("1 +", "expected a value, found the end @ 3..3"),
        ("1 2", "expected an operator or the end, found `2` @ 2..3"),
        ("(1", "expected `)`, found the end @ 2..2"),
        ("and", "expected a value, found `and` @ 0..3"),
        ("2 ** 3", "`**` is not an operator here @ 2..4 ~ pow(a, b)"),
        ("1 < 2 < 3", "comparisons cannot be chained @ 6..7 ~ a < b and b < c"),
        ("1 if true", "expected `else`, found the end @ 9..9"),
        ("if(true, 1)", "`if` takes 3 arguments, found 2 @ 0..11 ~ if(condition, then, otherwise)"),
        ("case when true then 1", "expected `when`, `else` or `end`, found the end @ 21..21"),
        ("1 in 2", "expected `(` after `in`, found `2` @ 5..6"),
        ("1 in ()", "`in` needs at least one value @ 0..7"),
        (
            "9223372036854775808",
            "`9223372036854775808` does not fit int @ 0..19 ~ decimal('9223372036854775808', 38, 0)",
        ),
        ("1 + prise", "there is no column `prise` @ 4..9 ~ price"),
        ("country", "there is no column `country` @ 0..7"),
        ("uper(name)", "there is no function `uper` @ 0..4 ~ upper(…)"),
        (
            "substr(name)",
            "`substr` takes 2 to 3 arguments, found 1 @ 0..12 ~ substr(text: string, start: int, length?: int) -> string",
        ),
        ("upper(quantity)", "`upper` needs string as `text`, found int @ 6..14 ~ string(quantity)"),
        ("year(quantity)", "`year` needs date or datetime as `t`, found int @ 5..13"),
        ("year('soon')", "`'soon'` cannot read 'soon' as datetime @ 5..11"),
        ("min(1, 'a')", "cannot use `min` on int and string @ 7..10"),
        ("decimal(1, 9, quantity)", DECIMAL_DIGITS),
        ("date(1)", "`date` cannot be made from int @ 5..6"),
        ("quantity + name", "`+` does not take int and string @ 0..15 ~ string(quantity) + name"),
        ("active * 2", "`*` does not take bool and int @ 0..10"),
        (
            "created_at - created_at",
            "`-` does not take datetime and datetime @ 0..23 ~ seconds_between(created_at, created_at)` or `days_between(created_at, created_at)",
        ),
        ("created_at + 1", "`+` does not take datetime and int @ 0..14 ~ add_days(created_at, 1)"),
        ("quantity == name", "cannot compare int and string @ 12..16"),
        ("created_at > '2024-02-30'", "`'2024-02-30'` cannot read '2024-02-30' as datetime @ 13..25"),
        ("not quantity", "`not` needs bool, found int @ 4..12 ~ quantity != 0"),
        ("1 if name else 2", "a condition needs bool, found string @ 5..9 ~ name != ''"),
        ("-name", "`-` needs a number, found string @ 1..5"),
        ("null", "the type of null is not known here @ 0..4 ~ float(null)"),
        ("quantity * 9223372036854775807", "`quantity * 9223372036854775807` overflows int @ 0..30"),
        ("1 + int(name)", "`int(name)` cannot read 'Ada' as int @ 4..13"),
        ("int(1e300)", "`int(1e300)` overflows int with 1e300 @ 0..10"),
        ("decimal(price * 100, 5, 2)", "`decimal(price * 100, 5, 2)` overflows decimal(5,2) @ 0..26"),
        ("hash_bucket(name, 0)", "`hash_bucket(name, 0)` needs at least 1 bucket, found 0 @ 0..20"),
        ("lpad(name, 9999999)", "`lpad(name, 9999999)` makes 9999996 bytes of text, one text may have 1048576 @ 0..19"),
        ("strftime(born, '%Q')", "`strftime(born, '%Q')` does not know the format '%Q' @ 0..20"),
    ];
    assert_all(&cases, problem);
}

const DECIMAL_DIGITS: &str = "`decimal` needs a precision of 1 to 38 and a scale of 0 to the precision, both as numbers \
                              @ 0..23 ~ decimal(x, 18, 2)";

#[test]
fn a_branch_is_evaluated_for_its_own_rows_only() {
    assert_eq!(values("int(name) if name == '12' else quantity"), "3 0 -7 null : int");
    assert_eq!(values("9223372036854775807 + quantity if quantity < 0 else 1"), "1 1 9223372036854775800 1 : int");
    assert!(evaluate("9223372036854775807 + quantity if quantity > 0 else 1").is_err());
}

#[test]
fn the_arrow_type_does_not_depend_on_the_branches_taken() {
    for text in ["status if quantity > 0 else name", "status if quantity < 100 else name", "status if true else name"] {
        assert_eq!(*evaluate(text).unwrap().data_type(), Type::Text.arrow(), "{text}");
    }
}

#[test]
fn only_what_may_be_null_is_said_to_be() {
    let adds = |text| Expression::parse(text).unwrap().may_add_nulls();
    for text in ["a / b", "a // 0", "a % (1 + b)", "case when a then b end", "coalesce(a, None)", "abs(ln(a))"] {
        assert!(adds(text), "{text}");
    }
    for text in ["a / 2", "round(a * b, 2)", "a if b is null else c", "case when a then b else c end", "a % 0.5"] {
        assert!(!adds(text), "{text}");
    }
}

#[test]
fn names_are_listed_in_reading_order() {
    let names = Expression::parse("if(b > 1, product.price, `odd name`) + b").unwrap().names();
    let expected = [("b", 3..4), ("product.price", 10..23), ("odd name", 25..35), ("b", 39..40)];
    assert_eq!(names, expected.map(|(name, span)| (name.to_owned(), span)));
    let typed = check("quantity + `odd name` + quantity").unwrap();
    assert_eq!(typed.columns().collect::<Vec<_>>(), [("quantity", Type::Int), ("odd name", Type::Int)]);
}

#[test]
fn words_of_case_are_columns_elsewhere() {
    let kind = |_: &str| Some(Type::Int);
    for text in ["end - then", "case + when", "between between 1 and end"] {
        assert!(Expression::parse(text).unwrap().check(&kind, &[]).is_ok(), "{text}");
    }
}

#[test]
fn slices_and_splits_give_the_same_rows() {
    let texts = [
        "price * quantity",
        "upper(status)",
        "status == 'new' or active",
        "status if quantity > 0 else concat(name, status)",
        "min(quantity, `odd name`, 4)",
        "strftime(created_at, '%Y-%m')",
        "is_null(status)",
        "ratio <= 0",
        "price in (0.1, -2.5)",
        "coalesce(status, name, 'x')",
        "nullif(quantity, 0)",
        "hash_bucket(status, 1000)",
    ];
    let columns = columns();
    for text in texts {
        let typed = check(text).unwrap();
        let whole = evaluate(text).unwrap();
        for (start, rows) in [(0, 1), (1, 2), (2, 2), (3, 1), (4, 0)] {
            let part = |name: &str| Ok::<_, ExpressionError>(columns[name].slice(start, rows));
            let part = typed.evaluate(rows, &part).unwrap();
            assert_eq!(shown(&part), shown(&whole.slice(start, rows)), "{text} at {start}");
        }
    }
}

#[test]
fn a_column_of_another_shape_is_refused() {
    let typed = check("quantity + 1").unwrap();
    let give = |array: ArrayRef| typed.evaluate(2, &|_| Ok::<_, ExpressionError>(Arc::clone(&array))).unwrap_err();
    let wrong = give(Arc::new(StringArray::from(vec!["a", "b"])));
    assert_eq!(wrong.message, "column `quantity` is Utf8, expected int");
    let short = give(Arc::new(Int64Array::from(vec![1])));
    assert_eq!(short.message, "column `quantity` has 1 values for 2 rows");
}

#[test]
fn nesting_is_bounded_and_the_bound_is_reachable() {
    let deep = |open: &str, close: &str, levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    assert!(check(&deep("(", ")", 199)).is_ok());
    assert!(check(&deep("abs(", ")", 199)).is_ok());
    assert!(check(&deep("if(true, ", ", 2)", 199)).is_ok());
    assert!(check(&deep("quantity + ", "", 1)).is_ok());
    let too_deep = |text: &str| {
        let message = Expression::parse(text).unwrap_err().message;
        assert_eq!(message, "the expression is nested more than 200 levels deep");
    };
    too_deep(&deep("(", ")", 20_000));
    too_deep(&deep("- ", "", 20_000));
    too_deep(&deep("not ", "", 10_000));
    too_deep(&deep("1 + ", "", 10_000));
    too_deep(&deep("1 if true else ", "", 4_000));
    too_deep(&format!("case {} end", "when true then 1 ".repeat(3_000)));
    assert!(Expression::parse(&"1 ".repeat(40_000)).unwrap_err().message.starts_with("the expression has 80000 bytes"));
}
