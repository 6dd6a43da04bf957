//! What every value is held against, and the one message that names all that is wrong.

use std::time::Duration;

use super::reader::Reader;
use super::table;

/// What is wrong, every setting in one message.
#[derive(Debug, thiserror::Error)]
#[error("the settings are not right:\n{}", .0.iter().map(|p| format!("  - {p}")).collect::<Vec<_>>().join("\n"))]
pub struct SettingsProblem(pub Vec<String>);

impl Reader<'_> {
    pub(super) fn text(&self, section: &'static str, key: &'static str) -> String {
        if let Some(value) = self.values.get(&(section, key)) {
            return value.trim().to_owned();
        }
        table::find(section, key).map_or_else(String::new, |setting| setting.default.to_owned())
    }

    pub(super) fn given(&self, section: &'static str, key: &'static str) -> Option<String> {
        Some(self.text(section, key)).filter(|text| !text.is_empty())
    }

    pub(super) fn wrong(&mut self, section: &str, key: &str, what: &str) {
        self.problems.push(format!("[{section}] {key}: {what}"));
    }

    pub(super) fn number(
        &mut self,
        section: &'static str,
        key: &'static str,
        from: u32,
        to: u32,
    ) -> u32 {
        match self.text(section, key).parse::<u32>() {
            Ok(number) if (from..=to).contains(&number) => number,
            _ => {
                self.wrong(
                    section,
                    key,
                    &format!("must be a whole number from {from} to {to}"),
                );
                from
            }
        }
    }

    pub(super) fn flag(&mut self, section: &'static str, key: &'static str) -> bool {
        match self.text(section, key).as_str() {
            "true" => true,
            "false" => false,
            _ => {
                self.wrong(section, key, "must be true or false");
                false
            }
        }
    }

    pub(super) fn seconds(
        &mut self,
        section: &'static str,
        key: &'static str,
        each: u32,
        to: u32,
    ) -> Duration {
        Duration::from_secs(u64::from(self.number(section, key, 0, to)) * u64::from(each))
    }

    pub(super) fn minutes(
        &mut self,
        section: &'static str,
        key: &'static str,
        from: u32,
        to: u32,
    ) -> Duration {
        Duration::from_secs(u64::from(self.number(section, key, from, to)) * 60)
    }

    pub(super) fn choice(
        &mut self,
        section: &'static str,
        key: &'static str,
        among: &[&str],
    ) -> String {
        let text = self.text(section, key);
        if !among.contains(&text.as_str()) {
            self.wrong(
                section,
                key,
                &format!("must be one of {}", among.join(", ")),
            );
        }
        text
    }
}
