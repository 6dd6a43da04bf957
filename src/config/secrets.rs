//! Secrets: from the file, the environment, or files of their own; they never show in a message.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{SecretSlice, SecretString};

use super::Dkim;
use super::reader::Reader;
use super::table::Setting;

impl Reader<'_> {
    pub(super) fn read_secret_file(&mut self, setting: &'static Setting, path: &Path) {
        self.secret_files.push(path.to_owned());
        match std::fs::read_to_string(path) {
            Ok(text) => {
                self.values
                    .insert((setting.section, setting.key), text.trim().to_owned());
            }
            Err(error) => self.problems.push(format!(
                "[{}] {}_file: {}: {error}",
                setting.section,
                setting.key,
                path.display()
            )),
        }
    }

    pub(super) fn root_secrets(&mut self) -> Vec<SecretSlice<u8>> {
        let mut secrets = Vec::new();
        let root = self.text("secrets", "root");
        if root.is_empty() {
            self.wrong(
                "secrets",
                "root",
                "is missing. `countersign init` makes one; or: openssl rand -base64 32",
            );
        }
        let previous = self.text("secrets", "previous");
        for (text, key) in root
            .split_whitespace()
            .map(|text| (text, "root"))
            .chain(previous.split_whitespace().map(|text| (text, "previous")))
        {
            match STANDARD.decode(text) {
                Ok(bytes) if bytes.len() >= 32 => secrets.push(bytes.into()),
                _ => self.wrong(
                    "secrets",
                    key,
                    "must be base64 of 32 random bytes or more: openssl rand -base64 32",
                ),
            }
        }
        secrets
    }

    pub(super) fn metrics_token(&self) -> Option<SecretString> {
        self.given("metrics", "token").map(Into::into)
    }

    pub(super) fn dkim(&mut self) -> Option<Dkim> {
        let Some(domain) = self.given("dkim", "domain") else {
            for key in ["selector", "key"] {
                if self.given("dkim", key).is_some() {
                    self.wrong(
                        "dkim",
                        key,
                        "needs domain beside it: without one no mail is signed",
                    );
                }
            }
            return None;
        };
        let mut needed = |key: &'static str| {
            self.given("dkim", key).unwrap_or_else(|| {
                self.wrong("dkim", key, "is needed beside domain");
                String::new()
            })
        };
        Some(Dkim {
            domain,
            selector: needed("selector"),
            key: needed("key").into(),
        })
    }
}
