//! Charts, drawn here as SVG: without scripts, without styles of their own (the stylesheet colours them), with a title and a
//! description for whoever listens. What a chart shows stands beside it as a table as well.

use std::fmt::Write as _;

use crate::domain::figures::start_of;

/// The day as `2026-11-23`.
pub fn date(day: i64) -> String {
    start_of(day).to_string().chars().take(10).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A number with its thousands apart.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// The next number above that begins with 1, 2 or 5 and goes on with zeros: where the scale ends.
fn ceiling(most: i64) -> i64 {
    let mut step = 1_i64;
    loop {
        for factor in [1, 2, 5] {
            let end = step.saturating_mul(factor);
            if end >= most || end == i64::MAX {
                return end;
            }
        }
        step = step.saturating_mul(10);
    }
}

/// Bars by day: a wide one behind, a narrow one before it. Hovering a day tells both.
#[derive(Clone, Debug)]
pub struct Days<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub first: i64,
    pub behind: (&'a str, Vec<i64>),
    pub before: (&'a str, Vec<i64>),
}

const HEIGHT: i64 = 200;
const STEP: i64 = 10;

impl Days<'_> {
    /// Where the scale ends.
    pub fn top(&self) -> i64 {
        ceiling(
            self.behind
                .1
                .iter()
                .chain(&self.before.1)
                .copied()
                .max()
                .unwrap_or(0)
                .max(1),
        )
    }

    fn described(&self) -> String {
        let count = self.behind.1.len();
        let sum = |values: &[i64]| grouped(values.iter().sum());
        let best = self
            .behind
            .1
            .iter()
            .enumerate()
            .max_by_key(|(at, value)| (**value, std::cmp::Reverse(*at)));
        let best = best.map_or_else(String::new, |(at, value)| {
            let day = date(self.first + i64::try_from(at).unwrap_or(0));
            format!(" Most on one day: {} on {day}.", grouped(*value))
        });
        format!(
            "{count} days from {}: {} {}, {} {}.{best}",
            date(self.first),
            sum(&self.behind.1),
            self.behind.0,
            sum(&self.before.1),
            self.before.0
        )
    }

    pub fn svg(&self) -> String {
        let top = self.top();
        let width = STEP * i64::try_from(self.behind.1.len().max(1)).unwrap_or(1);
        let mut svg = format!(
            "<svg class=\"days\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-text\"><title id=\"{id}-title\">{}</title><desc id=\"{id}-text\">{}</desc>",
            escaped(self.title),
            escaped(&self.described()),
            id = self.id
        );
        for quarter in 1..4 {
            let y = HEIGHT * quarter / 4;
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"0\" x2=\"{width}\" y1=\"{y}\" y2=\"{y}\"/>"
            );
        }
        let days = self.behind.1.iter().zip(&self.before.1);
        for (day, (x, (behind, before))) in (self.first..).zip((0..).step_by(10).zip(days)) {
            let height = |value: i64| {
                let share = i128::from(HEIGHT) * i128::from(value.max(0)) / i128::from(top);
                i64::try_from(share)
                    .unwrap_or(HEIGHT)
                    .max(i64::from(value > 0))
            };
            let _ = write!(svg, "<g><title>{}: ", date(day));
            let _ = write!(
                svg,
                "{} {}, {} {}</title><rect class=\"hit\" x=\"{x}\" y=\"0\" width=\"{STEP}\" height=\"{HEIGHT}\"/>",
                grouped(*behind),
                escaped(self.behind.0),
                grouped(*before),
                escaped(self.before.0)
            );
            for (class, value, inset) in [("behind", *behind, 1), ("before", *before, 3)] {
                let tall = height(value);
                if tall > 0 {
                    let _ = write!(
                        svg,
                        "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{tall}\"/>",
                        x + inset,
                        HEIGHT - tall,
                        STEP - 2 * inset
                    );
                }
            }
            svg.push_str("</g>");
        }
        svg.push_str("</svg>");
        svg
    }
}

/// A bar that is so many percent of its row, for a share that stands beside it in words.
pub fn bar(part: i64, whole: i64) -> String {
    let tenths = if whole <= 0 {
        0
    } else {
        (i128::from(part) * 1_000 / i128::from(whole)).clamp(0, 1_000)
    };
    format!(
        "<svg class=\"share\" aria-hidden=\"true\" focusable=\"false\"><rect class=\"rest\" width=\"100%\" height=\"100%\" \
         rx=\"4\"/><rect class=\"part\" width=\"{}.{}%\" height=\"100%\" rx=\"4\"/></svg>",
        tenths / 10,
        tenths % 10
    )
}

/// A small line of values without axes.
pub fn sparkline(title: &str, values: &[i64]) -> String {
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let count = i64::try_from(values.len()).unwrap_or(1);
    let mut points = String::new();
    for (at, value) in (0_i64..).zip(values) {
        let x = if count > 1 { 120 * at / (count - 1) } else { 0 };
        let y = 22 - 20 * value.max(&0) / most;
        let _ = write!(points, "{x},{y} ");
    }
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 120 24\" preserveAspectRatio=\"none\" role=\"img\"><title>{}</title>\
         <polyline points=\"{}\"/></svg>",
        escaped(title),
        points.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_says_in_words_what_it_shows_and_each_day_can_be_hovered() {
        let days = Days {
            id: "x",
            title: "Signups & confirmations",
            first: 20_780,
            behind: ("signed up", vec![0, 12_000, 3]),
            before: ("confirmed", vec![0, 7, 3]),
        };
        let svg = days.svg();
        assert_eq!(days.top(), 20_000);
        assert!(svg.contains("Signups &amp; confirmations"), "{svg}");
        assert!(svg.contains("3 days from 2026-11-23: 12,003 signed up, 10 confirmed. Most on one day: 12,000 on 2026-11-24."));
        assert!(svg.contains("<title>2026-11-24: 12,000 signed up, 7 confirmed</title>"));
        assert!(!svg.contains("style="));
    }

    #[test]
    fn a_value_that_is_there_is_seen_however_small_and_nothing_divides_by_nothing() {
        let days = Days {
            id: "x",
            title: "t",
            first: 0,
            behind: ("a", vec![1_000_000, 1]),
            before: ("b", vec![0, 0]),
        };
        assert!(days.svg().contains("y=\"199\" width=\"8\" height=\"1\""));
        assert!(bar(1, 0).contains("width=\"0.0%\"") && bar(2, 1).contains("width=\"100.0%\""));
        assert!(
            sparkline("t", &[]).contains("points=\"\"") && sparkline("t", &[5]).contains("0,2")
        );
        assert_eq!(grouped(-1_234_567), "-1,234,567");
    }
}
