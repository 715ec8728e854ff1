//! What every service of `compose.yaml` must be.

use serde_json::Value;

use crate::files::items;
use crate::rules::{FAREWELL_S, image_fault, is_secret};

/// Everything that breaks a rule.
pub(crate) fn faults(compose: &Value) -> Vec<String> {
    let services = compose["services"].as_object().expect("the file has services");
    let mut faults = Vec::new();
    for (name, service) in services {
        let mut found = service_faults(service);
        let needed = service["depends_on"].as_object().into_iter().flatten().map(|(other, _)| other);
        found.extend(needed.filter(|other| !services.contains_key(*other)).map(|other| format!("no service {other}")));
        faults.extend(found.into_iter().map(|fault| format!("deploy/compose.yaml: {name}: {fault}")));
    }
    faults
}

fn service_faults(service: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    faults.extend(image_fault(service["image"].as_str().unwrap_or_default()));
    if service["cap_drop"] != serde_json::json!(["ALL"]) {
        faults.push("capabilities are kept".to_owned());
    }
    if !items(&service["security_opt"]).iter().any(|option| option == "no-new-privileges:true") {
        faults.push("it may gain privileges".to_owned());
    }
    if service["healthcheck"].is_null() && service["restart"] != "no" {
        faults.push("no health check".to_owned());
    }
    let open = items(&service["ports"]).iter().filter_map(Value::as_str).filter(|port| !port.starts_with("127.0.0.1:"));
    faults.extend(open.map(|port| format!("{port} is open to the network")));
    for (name, value) in service["environment"].as_object().into_iter().flatten() {
        if is_secret(name) && !comes_from_outside(value) {
            faults.push(format!("{name} is written in clear, or may be empty"));
        }
    }
    faults.extend(grace_fault(service));
    faults
}

/// Whether the developer has to give it.
fn comes_from_outside(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("${") && text.contains(":?"))
}

fn grace_fault(service: &Value) -> Option<String> {
    if !items(&service["command"]).iter().any(|word| word == "worker") {
        return None;
    }
    let seconds = |value: &Value| value.as_str().and_then(|text| text.trim_end_matches('s').parse::<u64>().ok());
    let given = seconds(&service["stop_grace_period"]).unwrap_or(0);
    let needed = seconds(&service["environment"]["SHARDMILL_WORKER__GRACE_SECONDS"])? + FAREWELL_S;
    (given < needed).then(|| format!("it is stopped after {given} s, a drain may take {needed} s"))
}
