//! The commented file that `init` writes and prints.

use super::table::{Kind, SETTINGS, Setting};

/// A commented file with every setting at its default, and the given values filled in.
pub fn commented_file(values: &[(&str, &str, String)]) -> String {
    let mut text = String::from(
        "# Settings of countersign. Each can also be given in the environment, as COUNTERSIGN_SECTION_KEY;\n\
         # secrets also as a file: `root_file = \"PATH\"` or COUNTERSIGN_SECRETS_ROOT_FILE.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            text.push_str(&format!("\n[{section}]\n"));
        }
        text.push_str(&format!("# {}\n", setting.about));
        let given = values
            .iter()
            .find(|value| value.0 == setting.section && value.1 == setting.key);
        match given {
            Some((_, _, value)) => {
                text.push_str(&format!("{} = {}\n", setting.key, quoted(setting, value)));
            }
            None => text.push_str(&format!(
                "#{} = {}\n",
                setting.key,
                quoted(setting, setting.default)
            )),
        }
    }
    text
}

fn quoted(setting: &Setting, value: &str) -> String {
    match setting.kind {
        Kind::Number | Kind::Flag => value.to_owned(),
        Kind::List if value.is_empty() => "[]".to_owned(),
        Kind::List => format!("[\"{value}\"]"),
        Kind::Text | Kind::Secret => toml::Value::String(value.to_owned()).to_string(),
    }
}
