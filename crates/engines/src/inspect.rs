//! This owns what an engine elsewhere says of itself when it is asked: who it is, and what it keeps of the prompts it is
//! sent. It asks for what anyone may read and changes nothing there. `docs/engines.md` says more, with sources.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use kernel::Secret;
use outgoing::{Ask, Client, Fault, Limits, Url};
use serde_json::Value;

/// An answer about itself is short, and nobody waits long for it.
const LIMITS: Limits = Limits { bytes_max: 4 * 1024 * 1024, silence_max: Duration::from_secs(3) };
/// How long asking one question may take.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);
/// Remembered prompts that are counted.
const HISTORY_MAX: usize = 100;

/// What is known of one engine.
#[derive(Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Nothing is found that the operator should change.
    pub good: bool,
    /// What is found, and what to do, in sentences for the operator.
    pub words: Vec<String>,
}

/// The future that [`crate::Engine::inspect`] returns; none for an engine of this process.
pub type Inspecting<'a> = Pin<Box<dyn Future<Output = Option<Inspection>> + Send + 'a>>;

impl Inspection {
    fn of(host: &str) -> Self {
        Self { good: true, words: vec![format!("prompts are sent to {host}")] }
    }

    fn note(&mut self, words: impl Into<String>) {
        self.words.push(words.into());
    }

    fn fault(&mut self, words: impl Into<String>) {
        self.good = false;
        self.note(words);
    }
}

/// Asks whoever answers behind `base` who it is and what it keeps.
pub(crate) async fn inspect(client: &Client, base: &Url, key: Option<&Secret<String>>) -> Inspection {
    let mut found = Inspection::of(base.host_str().unwrap_or_default());
    // The key goes to the API alone; the rest is what other programs answer under the same port.
    let models = async {
        let ask = client.get(join(base, "models")?, LIMITS)?;
        answer(match key {
            Some(key) => ask.bearer(key),
            None => ask,
        })
        .await
    };
    let open = |path: &'static str| async move { answer(client.get(join(base, path)?, LIMITS)?).await };
    let (models, stats, options) = tokio::join!(models, open("/system_stats"), open("/sdapi/v1/options"));
    if let Ok(Some(stats)) = &stats
        && stats.pointer("/system/argv").is_some()
    {
        let history = open("/history?max_items=100").await;
        comfy_ui(&mut found, stats, history.ok().flatten().as_ref());
    } else if let Ok(Some(options)) = &options
        && options.get("samples_save").is_some()
    {
        web_ui(&mut found, options);
    } else {
        api(&mut found, base, models);
    }
    found
}

/// ComfyUI tells how it was started, and what it remembers.
fn comfy_ui(found: &mut Inspection, stats: &Value, history: Option<&Value>) {
    let version =
        stats.pointer("/system/comfyui_version").and_then(Value::as_str).unwrap_or("of unknown version");
    let arguments = stats.pointer("/system/argv").and_then(Value::as_array).into_iter().flatten();
    if arguments.filter_map(Value::as_str).any(|argument| argument == "--disable-metadata") {
        found.note(format!("ComfyUI {version}, which writes no prompt into the pictures it saves"));
    } else {
        found.fault(format!(
            "ComfyUI {version} writes prompt and workflow into every PNG it saves; start it with --disable-metadata, and let workflows end in SaveImageWebsocket, which saves nothing"
        ));
    }
    match history.and_then(Value::as_object).map(serde_json::Map::len) {
        Some(0) => found.note("it remembers no prompt now, but each until it stops or is told to forget"),
        Some(count) => {
            let more = if count < HISTORY_MAX { "" } else { " or more" };
            found.note(format!(
                "it remembers {count}{more} prompts in memory; POST {{\"clear\": true}} to /history makes it forget them"
            ));
        }
        None => {
            found.note("how many prompts it remembers cannot be told; it does so in memory until it stops")
        }
    }
}

/// AUTOMATIC1111 and Forge show their options.
fn web_ui(found: &mut Inspection, options: &Value) {
    let on = |name: &str| options.get(name).and_then(Value::as_bool).unwrap_or(false);
    found.note("AUTOMATIC1111 or Forge, which writes the last prompt into params.txt unless started with --no-prompt-history, and saves pictures of its API only where a request asks for it");
    if on("enable_pnginfo") {
        found.fault("it writes the prompt into each PNG; switch enable_pnginfo off in its settings");
    }
    if on("save_txt") {
        found.fault("it writes the prompt into a text file beside each picture; switch save_txt off");
    }
    if on("samples_log_stdout") {
        found.fault("it prints each prompt into its log; switch samples_log_stdout off");
    }
}

/// Whoever speaks the API alone tells who it is at most.
fn api(found: &mut Inspection, base: &Url, models: Result<Option<Value>, Fault>) {
    let models = match models {
        Ok(models) => models.unwrap_or_default(),
        Err(fault) => return found.fault(format!("{fault}; check openai-url, and that the engine runs")),
    };
    let listed = models.get("data").and_then(Value::as_array).into_iter().flatten();
    let is = |name: &str, value: &str| listed.clone().any(|model| model[name] == value);
    if is("id", "sd-cpp-local") {
        found.note("stable-diffusion.cpp, which answers from memory and logs prompts only where it was told to be verbose; the prompt that it writes into its answers ends here");
    } else if is("owned_by", "vllm") {
        found.note("vLLM, which logs prompts where it was started with --enable-log-requests; old versions do so unless started with --disable-log-requests");
    } else if base.host_str() == Some("api.openai.com") {
        found.note("OpenAI keeps prompts and pictures for up to 30 days to look for abuse, unless it has approved Zero Data Retention for your organisation");
    } else if listed.clone().next().is_some() {
        found.note("an API that does not say what it keeps; see its terms, and the log of its server");
    } else {
        found.note("it answers, but lists no models, so nothing can be told of what it keeps");
    }
}

fn join(base: &Url, path: &str) -> Result<Url, Fault> {
    base.join(path).map_err(|_| Fault::NotListed)
}

/// What a peer answers: JSON, or none where it has nothing to say there.
async fn answer(ask: Ask) -> Result<Option<Value>, Fault> {
    let asked = async {
        let answer = ask.send().await?;
        let good = answer.status().is_success();
        Ok(serde_json::from_slice(&answer.bytes().await?).ok().filter(|_| good))
    };
    tokio::time::timeout(QUESTION_TIMEOUT, asked).await.unwrap_or(Err(Fault::Silent))
}
