//! Licence expressions: does a list of allowed licences satisfy `(MIT OR Apache-2.0) AND Unicode-3.0`? Pure.

/// Whether somebody who accepts only the licences that `allows` may use what is licensed under `expression`.
///
/// `AND` binds more closely than `OR`; `/` is an old way to write `OR`; `X WITH Y` is one licence of that full name.
/// An expression that cannot be read is not satisfied.
pub(super) fn is_satisfied(expression: &str, allows: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut reader = Reader { words: spaced.split_whitespace().collect(), position: 0, allows };
    let satisfied = reader.alternatives();
    satisfied == Some(true) && reader.position == reader.words.len()
}

struct Reader<'a> {
    words: Vec<&'a str>,
    position: usize,
    allows: &'a dyn Fn(&str) -> bool,
}

impl<'a> Reader<'a> {
    fn alternatives(&mut self) -> Option<bool> {
        let mut satisfied = self.requirements()?;
        while self.accept("OR") {
            satisfied |= self.requirements()?;
        }
        Some(satisfied)
    }

    fn requirements(&mut self) -> Option<bool> {
        let mut satisfied = self.licence()?;
        while self.accept("AND") {
            satisfied &= self.licence()?;
        }
        Some(satisfied)
    }

    fn licence(&mut self) -> Option<bool> {
        if self.accept("(") {
            let inner = self.alternatives()?;
            return self.accept(")").then_some(inner);
        }
        let name = self.name()?;
        if !self.accept("WITH") {
            return Some((self.allows)(name));
        }
        let exception = self.name()?;
        Some((self.allows)(&format!("{name} WITH {exception}")))
    }

    fn name(&mut self) -> Option<&'a str> {
        let word = *self.words.get(self.position)?;
        self.position += 1;
        (!["(", ")", "AND", "OR", "WITH"].contains(&word)).then_some(word)
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self.words.get(self.position) == Some(&word);
        self.position += usize::from(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(expression: &str) -> bool {
        is_satisfied(expression, &|name| ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].contains(&name))
    }

    #[test]
    fn one_acceptable_way_is_enough() {
        for expression in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0 OR MIT",
            "GPL-3.0/MIT",
            "(MIT OR GPL-3.0) AND Apache-2.0",
            "GPL-3.0 AND BSL-1.0 OR MIT",
            "Apache-2.0 WITH LLVM-exception",
            "MIT AND (GPL-3.0 OR (Apache-2.0))",
        ] {
            assert!(allowed(expression), "{expression}");
        }
    }

    #[test]
    fn everything_required_must_be_acceptable() {
        for expression in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-3.0", "MIT WITH LLVM-exception"] {
            assert!(!allowed(expression), "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "MIT MIT", "OR MIT", "MIT WITH"] {
            assert!(!allowed(expression), "{expression}");
        }
    }
}
