//! What was measured, as a table for people or as JSON for programs.

use serde::Serialize;

/// The figures, with the names that programs rely on.
#[derive(Serialize)]
pub struct Figures {
    pub engine: &'static str,
    pub connections: u32,
    pub contacts: u32,
    pub ceiling_rps: f64,
    pub signup_rps: f64,
    pub signup_ratio: f64,
    pub confirm_rps: f64,
    pub confirm_ratio: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub mail_rps: f64,
    pub smtp_ceiling_rps: f64,
    pub mail_ratio: f64,
    pub rss_mb: f64,
}

impl Figures {
    pub fn print(&self) {
        let share = |ratio: f64| format!("{:.1} %", ratio * 100.0);
        println!(
            "{} with {} contacts, {} connections",
            self.engine, self.contacts, self.connections
        );
        println!("ceiling, no store     {:>10.0} /s", self.ceiling_rps);
        println!(
            "signups               {:>10.0} /s  {:>8} of the ceiling",
            self.signup_rps,
            share(self.signup_ratio)
        );
        println!("  half within         {:>10.2} ms", self.p50_ms);
        println!("  99 of 100 within    {:>10.2} ms", self.p99_ms);
        println!(
            "confirmations         {:>10.0} /s  {:>8} of the ceiling",
            self.confirm_rps,
            share(self.confirm_ratio)
        );
        println!("plain SMTP sender     {:>10.0} /s", self.smtp_ceiling_rps);
        println!(
            "mails drained         {:>10.0} /s  {:>8} of the plain sender",
            self.mail_rps,
            share(self.mail_ratio)
        );
        println!("resident memory       {:>10.1} MB", self.rss_mb);
    }
}

/// Parts of a whole; 0 where there is no whole.
pub fn ratio(value: f64, of: f64) -> f64 {
    if of > 0.0 { value / of } else { 0.0 }
}

/// The resident memory of this process, load generator and sink included; 0 where the system does not tell.
pub fn resident_mb() -> f64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|text| {
            let line = text
                .lines()
                .find(|line| line.starts_with("VmRSS:"))?
                .to_owned();
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        })
        .map_or(0.0, |kib| kib / 1_024.0)
}
