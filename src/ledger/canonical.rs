//! JSON in one form only, so that the same value always has the same bytes: RFC 8785 (JCS), for values without fractions.

mod writer;

use serde::Serialize;

/// The largest integer that every JSON reader keeps exactly (RFC 8785, section 3.2.2.3): 2^53.
const LARGEST: u64 = 1 << 53;

/// Why a value has no canonical form here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    #[error("a number is no integer of at most 2^53")]
    Number,
    #[error("the value cannot be written as JSON")]
    Unwritable,
}

/// Writes a value in canonical form: members sorted, no spaces, the shortest escapes.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<String, NotCanonical> {
    let mut writer = writer::Writer::default();
    value.serialize(&mut writer)?;
    writer.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_example_of_rfc_8785_without_its_fractions_is_written_as_there() {
        // Section 3.2.2 and 3.2.3: sorting and string escapes.
        let value: Value = serde_json::from_str(
            "{\"numbers\":[333333333,4,2],\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\
             \"literals\":[null,true,false]}",
        )
        .unwrap();
        assert_eq!(
            canonical(&value).unwrap(),
            "{\"literals\":[null,true,false],\"numbers\":[333333333,4,2],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
    }

    #[test]
    fn members_are_sorted_by_utf_16_code_units_as_in_rfc_8785_section_3_2_3() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis"
        });
        let text = canonical(&value).unwrap();
        let order = [
            "Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew",
        ];
        let places: Vec<usize> = order.iter().map(|word| text.find(word).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn fractions_and_huge_numbers_are_refused() {
        assert_eq!(canonical(&json!(1.5)), Err(NotCanonical::Number));
        assert_eq!(
            canonical(&json!((1_u64 << 53) + 1)),
            Err(NotCanonical::Number)
        );
        assert_eq!(canonical(&json!(-7)).unwrap(), "-7");
    }
}
