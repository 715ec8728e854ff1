//! The official Python clients of Anthropic and OpenAI talk to the mock provider: shapes, structured output, errors, and a
//! 429 that they wait for.

use std::io::{self, Write};
use std::process::Command;

use shardmill_mock::{MockProvider, Models, Options};

const MODELS: &str = r#"[{"name": "mock-1", "input_pico": 1000000, "cached_pico": 100000, "output_pico": 5000000}]"#;

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "the test command names the Python it has prepared")]
async fn needs_python_sdks_official_clients_are_understood() {
    let Ok(python) = std::env::var("SHARDMILL_TEST_SDK_PYTHON") else {
        // Straight to the stream: what the print macros write is hidden when a test passes.
        let how = "set SHARDMILL_TEST_SDK_PYTHON to a Python that has tests/sdks/requirements.txt";
        writeln!(io::stderr(), "SKIPPED needs_python_sdks_official_clients_are_understood: {how}").unwrap();
        return;
    };
    let options = Options { models: Models::read(MODELS).unwrap(), ..Options::default() };
    let provider = MockProvider::start(options).unwrap();
    let (url, script) = (provider.url(), format!("{}/sdks/talk.py", std::env::var("CARGO_MANIFEST_DIR").unwrap()));
    let talk = move || Command::new(python).arg(script).arg(url).output().unwrap();
    let talked = tokio::task::spawn_blocking(talk).await.unwrap();
    let said = String::from_utf8_lossy(&talked.stdout).into_owned() + &String::from_utf8_lossy(&talked.stderr);
    assert!(talked.status.success() && said.contains("understood"), "{said}");
    assert_eq!(provider.bill().in_flight, 0);
}
