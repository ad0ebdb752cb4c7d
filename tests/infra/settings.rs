//! The variables of the Terraform module, written from the table of settings: names, defaults and bounds cannot differ.

use std::fmt::Write;
use std::time::Duration;

use evenkeel::settings::{SETTINGS, Setting, Takes};

const HEAD: &str = "\
# The settings of the functions, one variable each, and the environment that they make. Written by a test from the table
# in shared/src/settings/table.rs; the same test tells when the two differ. Not to be edited by hand.
";

/// The whole file, formatted as `terraform fmt` does.
pub(crate) fn terraform() -> String {
    let variables = SETTINGS.iter().filter(|it| it.takes != Takes::Clusters).map(variable);
    format!("{HEAD}\n{}{}", variables.collect::<Vec<_>>().join("\n"), locals())
}

/// `EVENKEEL_MAX_MOVES` is `max_moves`.
pub(crate) fn name(setting: &Setting) -> String {
    setting.name.trim_start_matches("EVENKEEL_").to_lowercase()
}

fn variable(setting: &Setting) -> String {
    let (name, description) = (name(setting), format!("{}{}", setting.meaning, setting.takes));
    let quoted = format!("\"{}\"", setting.default);
    let (kind, default) = match setting.takes {
        Takes::Flag => ("bool", setting.default.to_owned()),
        Takes::Number(..) => ("number", setting.default.to_owned()),
        _ => ("string", quoted),
    };
    let mut text = format!("variable \"{name}\" {{\n");
    for (key, value) in [
        ("description", format!("\"{}\"", description.replace('"', "\\\""))),
        ("type", kind.to_owned()),
        ("default", default),
        ("nullable", "false".to_owned()),
    ] {
        writeln!(text, "  {key:11} = {value}").expect("text grows");
    }
    if let Some((condition, expected)) = validation(setting, &name) {
        let message = format!("error_message = \"Expected {expected}.\"");
        write!(text, "\n  validation {{\n    {condition}\n    {message}\n  }}\n").expect("text grows");
    }
    text + "}\n"
}

/// The condition and what is expected.
fn validation(setting: &Setting, name: &str) -> Option<(String, String)> {
    let one_line =
        |condition: String, expected: String| Some((format!("condition     = {condition}"), expected));
    match setting.takes {
        Takes::Clusters | Takes::Flag => None,
        Takes::HookName => one_line(
            format!("can(regex(\"^[A-Za-z0-9_/-]{{1,255}}$\", var.{name}))"),
            "up to 255 letters, digits, -, _ or /".to_owned(),
        ),
        Takes::Words(words) => {
            let listed = words.iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(", ");
            one_line(format!("contains([{listed}], var.{name})"), format!("one of {}", words.join(", ")))
        }
        Takes::Number(least, most) => {
            let whole = format!("floor(var.{name}) == var.{name}");
            let condition = format!("var.{name} >= {least} && var.{name} <= {most} && {whole}");
            one_line(condition, format!("a whole number from {least} to {most}"))
        }
        Takes::Duration(least, most) => {
            let number = format!("tonumber(regex(\"^[0-9]+\", var.{name}))");
            let value = format!("{number} * local.milliseconds[regex(\"[a-z]+$\", var.{name})]");
            let (from, to) = (milliseconds(least), milliseconds(most));
            let condition = format!(
                "condition = can(regex(\"^[0-9]+(ms|s|m|h|d)$\", var.{name})) && try(\n      {value} >= {from} &&\n      \
                 {value} <= {to},\n    false)"
            );
            Some((condition, format!("a duration from {least} to {most}, such as 250ms, 5s or 10m")))
        }
    }
}

fn milliseconds(written: &str) -> u128 {
    let duration: Duration = humantime::parse_duration(written).expect("the table holds durations");
    duration.as_millis()
}

fn locals() -> String {
    let width = SETTINGS.iter().map(|it| it.name.len()).max().unwrap_or_default();
    let mut text =
        "\nlocals {\n  milliseconds = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }\n\n  \
                    settings = {\n"
            .to_owned();
    for setting in SETTINGS {
        let value = match setting.takes {
            Takes::Clusters => "join(\",\", var.clusters)".to_owned(),
            _ => format!("tostring(var.{})", name(setting)),
        };
        writeln!(text, "    {:width$} = {value}", setting.name).expect("text grows");
    }
    text + "  }\n}\n"
}
