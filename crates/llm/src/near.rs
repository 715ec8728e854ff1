//! The nearest right name to a wrong one. Pure.

/// The name that was probably meant; nothing when none is near.
pub(crate) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(name, names).into_iter().next()
}

/// Up to three names that may have been meant, the nearest first.
pub(crate) fn near<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(score, _)| *score > 0.8)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().map(|(_, other)| other).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_found_and_what_is_not_is_not() {
        let names = ["gpt-5-mini", "gpt-5-nano", "claude-sonnet-5"];
        assert_eq!(nearest("gpt5-mini", names), Some("gpt-5-mini"));
        assert_eq!(nearest("llama", names), None);
    }
}
