//! Secrets: from the file, the environment, or files of their own; they never show in a message.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use super::Dkim;
use super::reader::Reader;
use super::table::Setting;
use crate::domain::keys::{Keys, KeysProblem};
use crate::mail::dkim::{DkimKey, is_host_name};

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
        let mut secrets: Vec<SecretSlice<u8>> = Vec::new();
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
                Ok(bytes) if secrets.iter().any(|one| one.expose_secret() == bytes) => self.wrong(
                    "secrets",
                    key,
                    "names a secret that stands there already, here or under root; keep it once",
                ),
                Ok(bytes) if bytes.len() >= 32 => {
                    secrets.push(bytes.into());
                    // One in 256 pairs: then nothing could tell which of the two signed.
                    if matches!(Keys::derive(&secrets), Err(KeysProblem::SameId)) {
                        self.wrong(
                            "secrets",
                            key,
                            "has by chance the key id of another one; make a new secret: openssl rand -base64 32",
                        );
                        secrets.pop();
                    }
                }
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
        let (selector, key) = (needed("selector"), needed("key"));
        for (name, given) in [("domain", &domain), ("selector", &selector)] {
            if !given.is_empty() && !is_host_name(given) {
                self.wrong(
                    "dkim",
                    name,
                    "must be a name as it stands in DNS, with other letters as xn--",
                );
            }
        }
        // Under a name that fits: what is wrong with the given ones is told above.
        if !key.is_empty() && DkimKey::from_pem(key.as_bytes(), "selector", "domain").is_err() {
            self.wrong(
                "dkim",
                "key",
                "must be a private key in PEM, Ed25519 or RSA of 2,048 to 4,096 bits: openssl genpkey -algorithm ed25519",
            );
        }
        Some(Dkim {
            domain,
            selector,
            key: key.into(),
        })
    }
}
