//! Values from the file, and those of the environment over them; what is wrong with them is collected.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::table::{self, Kind, SETTINGS, environment_name};

/// Collects values and problems.
pub(super) struct Reader<'a> {
    pub(super) values: BTreeMap<(&'static str, &'static str), String>,
    pub(super) problems: Vec<String>,
    pub(super) folder: &'a Path,
    pub(super) file_holds_secrets: bool,
    pub(super) secret_files: Vec<PathBuf>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        text: &str,
        environment: &BTreeMap<String, String>,
        folder: &'a Path,
    ) -> Self {
        let mut reader = Self {
            values: BTreeMap::new(),
            problems: Vec::new(),
            folder,
            file_holds_secrets: false,
            secret_files: Vec::new(),
        };
        reader.read_file(text);
        reader.read_environment(environment);
        reader
    }

    fn read_file(&mut self, text: &str) {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                // The parser's own message quotes the line, which may hold a secret.
                self.problems
                    .push(format!("the file is not TOML: {}", error.message()));
                return;
            }
        };
        for (section, entries) in &table {
            let Some(entries) = entries.as_table() else {
                self.problems.push(format!(
                    "\"{section}\" stands outside a section; write it below its [section]"
                ));
                continue;
            };
            for (key, value) in entries {
                self.read_entry(section, key, value);
            }
        }
    }

    fn read_entry(&mut self, section: &str, key: &str, value: &toml::Value) {
        if let Some(setting) = table::find(section, key) {
            let is_text = |item: &toml::Value| item.is_str();
            let wrong = match value {
                toml::Value::Array(items) if !items.iter().all(is_text) => {
                    Some("a list holds texts; write each in quotes")
                }
                toml::Value::Table(_) => Some("is one value and no section"),
                _ => None,
            };
            if let Some(what) = wrong {
                self.wrong(section, key, what);
            }
            let text = match value {
                toml::Value::String(text) => text.clone(),
                // Told above; a second problem with its text would say nothing more.
                toml::Value::Table(_) => return,
                toml::Value::Array(items) => items
                    .iter()
                    .filter_map(toml::Value::as_str)
                    .collect::<Vec<_>>()
                    .join(","),
                other => other.to_string(),
            };
            // A database's URL is secret for the password that may stand in it.
            let is_url = (setting.section, setting.key) == ("database", "url");
            let holds_secret = setting.kind == Kind::Secret && (!is_url || text.contains('@'));
            self.file_holds_secrets |= holds_secret && !text.is_empty();
            self.values.insert((setting.section, setting.key), text);
            return;
        }
        let of_file = key
            .strip_suffix("_file")
            .and_then(|key| table::find(section, key));
        match (of_file, value.as_str()) {
            (Some(setting), Some(path)) if setting.kind == Kind::Secret => {
                self.read_secret_file(setting, &self.folder.join(path));
            }
            _ => self.problems.push(format!(
                "[{section}] {key} is not a setting; `countersign init --print` shows all there are"
            )),
        }
    }

    fn read_environment(&mut self, environment: &BTreeMap<String, String>) {
        for (name, value) in environment {
            if !name.starts_with("COUNTERSIGN_")
                || name == "COUNTERSIGN_CONFIG"
                || name.starts_with("COUNTERSIGN_TEST_")
                // Kubernetes tells every container so of a service of this name.
                || name.starts_with("COUNTERSIGN_SERVICE_")
                || name.starts_with("COUNTERSIGN_PORT")
            {
                continue;
            }
            let named = |suffix: &str| {
                SETTINGS.iter().find(|setting| {
                    format!("{}{suffix}", environment_name(setting.section, setting.key)) == *name
                })
            };
            if let Some(setting) = named("") {
                self.values
                    .insert((setting.section, setting.key), value.clone());
            } else if let Some(setting) = named("_FILE").filter(|s| s.kind == Kind::Secret) {
                self.read_secret_file(setting, Path::new(value));
            } else {
                self.problems.push(format!(
                    "{name} in the environment is not a setting; unset it or mend its name"
                ));
            }
        }
    }
}
