//! JSON in one form only, so that the same value always has the same bytes: RFC 8785 (JCS), for values without fractions.

use serde::Serialize;
use serde_json::Value;

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
pub fn canonical<T: Serialize>(value: &T) -> Result<String, NotCanonical> {
    let value = serde_json::to_value(value).map_err(|_| NotCanonical::Unwritable)?;
    let mut text = String::with_capacity(1_024);
    write(&value, &mut text)?;
    Ok(text)
}

fn write(value: &Value, text: &mut String) -> Result<(), NotCanonical> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => {
            let fits = number.as_u64().is_some_and(|n| n <= LARGEST)
                || number.as_i64().is_some_and(|n| n.unsigned_abs() <= LARGEST);
            if !fits {
                return Err(NotCanonical::Number);
            }
            text.push_str(&number.to_string());
        }
        Value::String(string) => write_string(string, text)?,
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write(item, text)?;
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            // RFC 8785, section 3.2.3: by UTF-16 code units. For ASCII names that is the order of their bytes.
            if names.iter().all(|name| name.is_ascii()) {
                names.sort_unstable();
            } else {
                names.sort_by(|one, other| one.encode_utf16().cmp(other.encode_utf16()));
            }
            text.push('{');
            for (at, name) in names.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_string(name, text)?;
                text.push(':');
                write(&members[name], text)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

/// The library's escapes are those of RFC 8785, section 3.2.2.2.
fn write_string(string: &str, text: &mut String) -> Result<(), NotCanonical> {
    text.push_str(&serde_json::to_string(string).map_err(|_| NotCanonical::Unwritable)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
