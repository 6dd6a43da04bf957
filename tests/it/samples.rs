//! Sample bundles, made straight from docs/evidence-bundle.md by tests/bundle/make_bundle.py, good ones and broken ones.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use serde::Deserialize;

use crate::harness::Folder;

/// What the reader gives to compare with.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Trust {
    pub key: String,
    pub roots: String,
    pub witnesses: String,
}

#[derive(Deserialize)]
pub struct Sample {
    pub name: String,
    /// The step of the document that refuses it; 0 for none.
    pub step: usize,
    /// The file that a verifier names; one that ends in `/` stands for any in that folder.
    pub file: String,
    pub about: String,
    pub trust: Trust,
}

impl Sample {
    /// Whether a verifier that answers with this step and file is right.
    pub fn is_answered_by(&self, step: usize, file: &str) -> bool {
        let names = file == self.file || self.file.ends_with('/') && file.starts_with(&self.file);
        step == self.step && (step == 0 || names)
    }
}

pub struct Samples {
    pub list: Vec<Sample>,
    folder: Folder,
}

impl Samples {
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(format!("{name}.zip"))
    }

    /// The samples, made once for all tests that hold them at a time.
    pub fn get() -> Arc<Self> {
        static SHARED: Mutex<Weak<Samples>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        if let Some(samples) = shared.upgrade() {
            return samples;
        }
        let samples = Arc::new(Self::make());
        *shared = Arc::downgrade(&samples);
        samples
    }

    fn make() -> Self {
        let folder = Folder::new();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bundle/make_bundle.py");
        let made = Command::new("/usr/bin/python3")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(script)
            .arg(&folder.0)
            .output()
            .expect("python3 is needed for this test");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let list = std::fs::read_to_string(folder.0.join("samples.json")).unwrap();
        let list: Vec<Sample> = serde_json::from_str(&list).unwrap();
        for step in 0..=11 {
            assert!(
                list.iter().any(|sample| sample.step == step),
                "no sample for step {step}"
            );
        }
        Self { list, folder }
    }
}
