//! Debian's Chromium, driven through Debian's chromedriver.

use std::io::BufRead as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::NewSessionError;
use fantoccini::wd::PrintConfiguration;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::harness::{Folder, OWNERS_PASSWORD};

const DRIVER: &str = "/usr/bin/chromedriver";
pub const ENTER: &str = "\u{E007}";
const TAB: char = '\u{E004}';
/// Long, since many tests share a few cores; whatever is there is there at once.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn is_left_out() -> bool {
    if std::env::var("COUNTERSIGN_TEST_QUICK").is_ok() {
        eprintln!("left out in the quick check: Chromium");
        return true;
    }
    assert!(
        Path::new(DRIVER).exists(),
        "{DRIVER} is missing; ./check installs it"
    );
    false
}

/// How a browser is set up.
#[derive(Clone, Copy, Default)]
pub struct Kind {
    pub scripts_off: bool,
    /// A touch screen so many CSS pixels wide.
    pub phone: Option<u32>,
    pub dark: bool,
}

/// What is to be seen of a page, in one line.
const TEXT: &str = "return (document.body?.innerText ?? '').replace(/\\s+/g, ' ')";

/// Waits in the page itself: asked again and again from outside, browser and driver would be busy with nothing but answering.
const HAS_TEXT: &str = "const [wanted, patience] = arguments, done = arguments[2], end = Date.now() + patience; \
     const look = () => { \
       const text = (document.body?.innerText ?? '').replace(/\\s+/g, ' '); \
       if (text.includes(wanted) || Date.now() >= end) done(text); else setTimeout(look, 40) }; look()";

/// Parts of the browser's own window that are pages themselves, and a process kept ready for the next site: to make them takes as
/// long as all the rest of a start, and nobody looks at them.
const UNSEEN: &str = "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,PreloadTopChromeWebUI,InitialWebUI,\
    WebUIReloadButton,WebUIToolbar,SpareRendererForSitePerProcess";

/// One browser with a profile of its own; ended by its process id when the test lets go of it.
pub struct Browser {
    pub client: Client,
    _driver: Driver,
    port: String,
    scripts_off: bool,
    /// Where it keeps what it remembers.
    pub profile: Folder,
}

/// The driver's process, with the browser that it started.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // The driver ends its browser when it is asked to; killed, both go with the group.
        let _ = Command::new("kill")
            .args(["--", &format!("-{}", self.0.id())])
            .status();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The driver in a process group of its own, with its port. It takes a free one of IPv4 first, and ends where the same of IPv6 is
/// another's; the next one finds another.
fn start_driver() -> (Driver, String) {
    use std::os::unix::process::CommandExt;
    for _ in 0..5 {
        let mut driver = Command::new(DRIVER)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        // Its first lines say which port it took.
        let port = std::io::BufReader::new(driver.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let port = line.split("successfully on port ").nth(1)?;
                Some(port.trim_end_matches('.').to_owned())
            });
        if let Some(port) = port {
            return (Driver(driver), port);
        }
        driver.wait().unwrap();
    }
    panic!("chromedriver does not start");
}

impl Browser {
    /// Starts one. Whether a browser comes up, and in the driver's time, is no matter of these tests: in place of one that does not,
    /// another is started, with a driver and a profile of its own, and what the first said stands in the output.
    pub async fn start(kind: Kind) -> Self {
        for _ in 0..2 {
            match Self::try_start(kind).await {
                Ok(browser) => return browser,
                Err(error) => eprintln!("a browser did not start, and another is: {error}"),
            }
        }
        Self::try_start(kind).await.unwrap()
    }

    async fn try_start(kind: Kind) -> Result<Self, NewSessionError> {
        let (driver, port) = start_driver();
        let profile = Folder::new();
        let mut arguments = vec![
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            // Builds that are not Google's own try experiments out; with them the browser itself died of a segmentation fault once.
            "--disable-field-trial-config".to_owned(),
            format!("--disable-features={UNSEEN}"),
            format!("--user-data-dir={}", profile.0.display()),
            format!(
                "--window-size={}",
                if kind.phone.is_some() {
                    "500,740"
                } else {
                    "1100,900"
                }
            ),
        ];
        if kind.dark {
            arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let mut options = json!({ "args": arguments, "binary": "/usr/bin/chromium" });
        if kind.scripts_off {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        if let Some(width) = kind.phone {
            options["mobileEmulation"] =
                json!({ "deviceMetrics": { "width": width, "height": 740, "pixelRatio": 2.0 } });
        }
        let capabilities = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
            // Not thirty seconds: what a script takes is no matter of these tests, and machines are busy.
            "timeouts": { "script": 300_000 },
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await?;
        Ok(Self {
            client,
            _driver: driver,
            port,
            scripts_off: kind.scripts_off,
            profile,
        })
    }

    /// A command of the driver about authenticators (WebAuthn Level 3, section 11); its value, as text.
    pub async fn webauthn(&self, what: &str, with: serde_json::Value) -> String {
        let value = self.command(&format!("webauthn/{what}"), with).await;
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Has the page that is open, and those that come after it, look as they do in the dark, on a phone so many CSS pixels wide, or
    /// as this browser began.
    pub async fn look(&self, dark: bool, phone: Option<u32>) {
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await;
        match phone {
            Some(width) => {
                let size = json!({ "width": width, "height": 740, "deviceScaleFactor": 2, "mobile": true });
                self.devtools("Emulation.setDeviceMetricsOverride", size)
                    .await;
            }
            None => {
                self.devtools("Emulation.clearDeviceMetricsOverride", json!({}))
                    .await;
            }
        }
        // Buttons take a moment from one colour to the next.
        self.run("document.getAnimations().forEach(one => one.finish())")
            .await;
    }

    /// A command of the DevTools protocol.
    pub async fn devtools(&self, what: &str, with: serde_json::Value) {
        let body = json!({ "cmd": what, "params": with });
        self.command("goog/cdp/execute", body).await;
    }

    async fn command(&self, what: &str, with: serde_json::Value) -> serde_json::Value {
        let session = self.client.session_id().await.unwrap().unwrap();
        let (place, with) = (format!("127.0.0.1:{}", self.port), with.to_string());
        let request = format!(
            "POST /session/{session}/{what} HTTP/1.1\r\nhost: {place}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{with}",
            with.len()
        );
        let mut stream = TcpStream::connect(place).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        // The driver keeps the connection open: its answer ends where it says.
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).await.unwrap();
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(text) = line.strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).await.unwrap();
        let mut told: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(told["value"]["error"].is_null(), "{told}");
        told["value"].take()
    }

    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub async fn find(&self, css: &str) -> Element {
        self.client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    pub async fn type_into(&self, css: &str, text: &str) {
        self.find(css).await.send_keys(text).await.unwrap();
    }

    /// Presses; a page that turns just then has the element anew.
    pub async fn press(&self, css: &str) {
        for _ in 0..5 {
            match self.find(css).await.click().await {
                Err(error) if error.is_stale_element_reference() => {}
                done => return done.unwrap(),
            }
        }
        panic!("{css} is there anew each time");
    }

    /// Presses what brings another page, and waits until it is there: the page before may say the same words.
    pub async fn press_through(&self, css: &str) {
        let before = self.find("html").await;
        self.press(css).await;
        let deadline = Instant::now() + PATIENCE;
        while before.tag_name().await.is_ok() {
            assert!(Instant::now() < deadline, "{css} brings no other page");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Types the owner's name and password at the door, and goes in.
    pub async fn sign_in(&self, base: &str) {
        self.open(&format!("{base}/admin/sign-in")).await;
        self.type_into("input[name=name]", "olga").await;
        self.type_into("input[name=password]", OWNERS_PASSWORD)
            .await;
        self.press("main button").await;
    }

    /// Types where the focus is.
    pub async fn keys(&self, keys: &str) {
        let focused = self.client.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    }

    /// Goes on with the tab key until the focus is at an element, with the focus in sight all the way; of a code's boxes it is around
    /// all six.
    pub async fn tab_to(&self, css: &str) {
        for _ in 0..120 {
            // A key on the keyboard: what is sent to a file's field would be taken for a path.
            let tab = KeyActions::new("keyboard".to_owned())
                .then(KeyAction::Down { value: TAB })
                .then(KeyAction::Up { value: TAB });
            self.client.perform_actions(tab).await.unwrap();
            let seen = self
                .run(&format!(
                    "const e = document.activeElement, s = getComputedStyle(e); return [e.matches('{css}'), \
                     !e.closest('.trap') && (s.outlineStyle !== 'none' || e === document.body || e.tagName === 'IFRAME' || \
                     e.parentElement.matches('.boxes') && getComputedStyle(e.parentElement).outlineStyle !== 'none'), \
                     e.outerHTML.slice(0, 80)]"
                ))
                .await;
            assert_eq!(seen[1], true, "the focus is not to be seen: {seen}");
            if seen[0] == true {
                return;
            }
        }
        panic!("no way to {css}");
    }

    pub async fn wait_for_text(&self, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Where pages may not run scripts, no timer of ours runs in them either.
            let answer = if self.scripts_off {
                self.client.execute(TEXT, Vec::new()).await
            } else {
                let asked = vec![json!(wanted), json!(5_000)];
                self.client.execute_async(HAS_TEXT, asked).await
            };
            // A page that is just being replaced does not answer.
            let text = answer.unwrap_or_default();
            let text = text.as_str().unwrap_or_default();
            if text.contains(wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "no \"{wanted}\" in: {text}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn run(&self, script: &str) -> serde_json::Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Opens a second tab and goes on there; answers with the first.
    pub async fn new_tab(&self) -> fantoccini::wd::WindowHandle {
        let first = self.client.window().await.unwrap();
        let second = self.client.new_window(true).await.unwrap();
        self.client.switch_to_window(second.handle).await.unwrap();
        first
    }

    /// Keeps a picture, if a folder for pictures is named, for a person to look at.
    pub async fn picture(&self, name: &str) {
        if let Ok(folder) = std::env::var("COUNTERSIGN_TEST_SCREENSHOTS") {
            let png = self.client.screenshot().await.unwrap();
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), png).unwrap();
        }
    }

    /// The page as it is printed, on the paper that it asks for: a PDF.
    pub async fn printed(&self) -> Vec<u8> {
        let how = PrintConfiguration::builder().shrink_to_fit(false).build();
        self.client.print(how.unwrap()).await.unwrap()
    }

    /// The same of one element, wherever on the page it is.
    pub async fn picture_of(&self, css: &str, name: &str) {
        if let Ok(folder) = std::env::var("COUNTERSIGN_TEST_SCREENSHOTS") {
            let png = self.find(css).await.screenshot().await.unwrap();
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), png).unwrap();
        }
    }

    pub async fn close(self) {
        let _ = self.client.clone().close().await;
    }
}
