//! The line of a pattern file that a fault speaks of.

/// The first line, counted from 1, that holds a `quoted` part of what a fault says: a `name:` before any other line.
pub(super) fn line(text: &str, what: &str) -> Option<usize> {
    let quoted = || what.split('`').skip(1).step_by(2).filter(|part| !part.is_empty());
    let find = |wanted: &dyn Fn(&str) -> bool| text.lines().position(wanted).map(|line| line + 1);
    let named = |part: &str| {
        find(&|line| {
            line.split("name:")
                .skip(1)
                .any(|rest| rest.trim_start().split([',', ' ', '}']).next() == Some(part))
        })
    };
    quoted().find_map(named).or_else(|| quoted().find_map(|part| find(&|line| line.contains(part))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_before_a_passage() {
        let text = "recognizers:\n  - name: a\n    context: [b]\n  - name: b\n    regex: 'x{2'\n  - {name: c, x: 1}\n";
        for (what, wanted) in [
            ("`b` has no examples", Some(4)),
            ("regex `x{2`: not closed", Some(5)),
            ("`c` is used twice", Some(6)),
            ("pattern `zzz`: no", None),
            ("no quotes", None),
        ] {
            assert_eq!(line(text, what), wanted, "{what}");
        }
    }
}
