//! What every pod, container and service must be.

use serde_json::Value;

use crate::files::{Manifest, documents, items};
use crate::schema::refused;
use crate::settings::grace_seconds;

/// Our ports, and those of a developer's servers.
const PORTS: [u64; 5] = [8080, 9090, 5672, 6379, 9000];
/// What a pod takes to say good-bye beyond its worker's grace, in seconds.
pub(crate) const FAREWELL_S: u64 = 15;

/// Where in a pod's specification which value stands, as JSON.
const POD: [(&str, &str); 4] = [
    ("/automountServiceAccountToken", "false"),
    ("/enableServiceLinks", "false"),
    ("/securityContext/runAsNonRoot", "true"),
    ("/securityContext/seccompProfile/type", "\"RuntimeDefault\""),
];

/// The same of a container.
const CONTAINER: [(&str, &str); 3] = [
    ("/securityContext/allowPrivilegeEscalation", "false"),
    ("/securityContext/readOnlyRootFilesystem", "true"),
    ("/securityContext/capabilities/drop", "[\"ALL\"]"),
];

/// What a container must say about itself, whatever it says.
const SAID: [&str; 3] = ["/resources/requests/cpu", "/resources/requests/memory", "/resources/limits/memory"];

/// The specification of the pods that an object makes, if it makes any.
pub(crate) fn pod(object: &Value) -> Option<&Value> {
    let path = match object["kind"].as_str()? {
        "Deployment" | "Job" => "/spec/template/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => return None,
    };
    object.pointer(path)
}

/// Everything that breaks a rule.
pub(crate) fn faults(manifests: &[Manifest]) -> Vec<String> {
    let mut faults: Vec<String> = manifests.iter().flat_map(pod_faults).collect();
    faults.extend(manifests.iter().flat_map(|manifest| service_faults(manifest, manifests)));
    let secrets = manifests.iter().filter(|manifest| manifest.object["kind"] == "Secret");
    faults.extend(secrets.map(|manifest| format!("{}: a secret in the repository", manifest.name())));
    faults
}

fn pod_faults(manifest: &Manifest) -> Vec<String> {
    let Some(pod) = pod(&manifest.object) else { return Vec::new() };
    let mut faults = differing(pod, &POD);
    if role(pod) == Some("worker") {
        let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap_or(0);
        let least = grace_seconds() + FAREWELL_S;
        if grace < least {
            faults.push(format!("terminationGracePeriodSeconds is {grace}, a drain may take {least}"));
        }
    }
    let serves = manifest.object["kind"] == "Deployment";
    let containers = items(&pod["containers"]);
    faults.extend(containers.iter().flat_map(|container| container_faults(container, serves)));
    if containers.is_empty() {
        faults.push("no container".to_owned());
    }
    faults.into_iter().map(|fault| format!("{}: {fault}", manifest.name())).collect()
}

fn container_faults(container: &Value, serves: bool) -> Vec<String> {
    let mut faults = differing(container, &CONTAINER);
    faults.extend(SAID.iter().filter(|path| container.pointer(path).is_none()).map(|path| format!("no {path}")));
    faults.extend(image_fault(container["image"].as_str().unwrap_or_default()));
    faults.extend(clear_secrets(container));
    faults.extend(port_faults(container));
    if serves && is_ours(container) {
        faults.extend(probe_faults(container));
    }
    faults
}

fn differing(value: &Value, wanted: &[(&str, &str)]) -> Vec<String> {
    let is_other = |path: &str, text: &str| value.pointer(path).map(Value::to_string).as_deref() != Some(text);
    let wrong = wanted.iter().filter(|(path, text)| is_other(path, text));
    wrong.map(|(path, text)| format!("{path} is not {text}")).collect()
}

/// What is wrong with the name of an image.
pub(crate) fn image_fault(image: &str) -> Option<String> {
    let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, tag)| tag);
    match tag {
        None | Some("" | "latest") => Some(format!("the image `{image}` has no version")),
        Some(_) => None,
    }
}

/// Whether a variable of this name holds a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    ["PASS", "SECRET", "KEY", "TOKEN", "QUEUE__URL", "LEDGER__URL"].iter().any(|part| name.contains(part))
}

fn clear_secrets(container: &Value) -> Vec<String> {
    let variables = items(&container["env"]).iter();
    let named = variables.filter_map(|variable| {
        let name = variable["name"].as_str()?;
        (is_secret(name) && variable.get("value").is_some()).then_some(name)
    });
    let mut faults: Vec<String> = named.map(|name| format!("{name} is written in clear")).collect();
    let words = ["args", "command"].into_iter().flat_map(|field| items(&container[field])).filter_map(Value::as_str);
    let with_password = words.filter(|word| word.contains("://") && word.contains('@'));
    faults.extend(with_password.map(|word| format!("`{word}` shows a password")));
    faults
}

/// Names and numbers of a container's ports.
fn ports(container: &Value) -> Vec<(&str, u64)> {
    let all = items(&container["ports"]).iter();
    all.filter_map(|port| Some((port["name"].as_str()?, port["containerPort"].as_u64()?))).collect()
}

fn port_faults(container: &Value) -> Vec<String> {
    let ports = ports(container);
    let strange = ports.iter().filter(|(_, number)| !PORTS.contains(number));
    let mut faults: Vec<String> = strange.map(|(name, number)| format!("port {name} is {number}")).collect();
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        for way in ["httpGet", "tcpSocket"] {
            let port = &container[probe][way]["port"];
            let is_there = match port.as_str() {
                Some(name) => ports.iter().any(|(known, _)| *known == name),
                None => port.is_null() || ports.iter().any(|(_, number)| port.as_u64() == Some(*number)),
            };
            if !is_there {
                faults.push(format!("{probe} asks on port {port}, which the container does not have"));
            }
        }
    }
    faults
}

fn is_ours(container: &Value) -> bool {
    let image = container["image"].as_str().unwrap_or_default();
    image.rsplit('/').next().is_some_and(|name| name.split(':').next() == Some("shardmill"))
}

/// What a pod of ours does.
fn role(pod: &Value) -> Option<&str> {
    let container = items(&pod["containers"]).iter().find(|container| is_ours(container))?;
    argument(container, "--role")
}

/// The word after an option.
fn argument<'v>(container: &'v Value, option: &str) -> Option<&'v str> {
    let words = items(&container["args"]);
    let at = words.iter().position(|word| word == option)?;
    words.get(at + 1)?.as_str()
}

fn probe_faults(container: &Value) -> Vec<String> {
    let port = if argument(container, "--role") == Some("api") { 8080 } else { 9090 };
    let mut faults = Vec::new();
    if !ports(container).iter().any(|(_, number)| *number == port) {
        faults.push(format!("its role answers on port {port}"));
    }
    for (probe, path) in [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        if container[probe]["httpGet"]["path"] != path {
            faults.push(format!("{probe} does not ask for {path}"));
        }
    }
    faults
}

/// A service leads to pods that have its port.
fn service_faults(manifest: &Manifest, manifests: &[Manifest]) -> Vec<String> {
    if manifest.object["kind"] != "Service" {
        return Vec::new();
    }
    let spec = &manifest.object["spec"];
    let Some(target) = manifests.iter().find(|other| is_selected(&spec["selector"], other)) else {
        return vec![format!("{}: selects no pod", manifest.name())];
    };
    let containers = pod(&target.object).map(|pod| items(&pod["containers"])).unwrap_or_default();
    let known: Vec<(&str, u64)> = containers.iter().flat_map(ports).collect();
    let is_known = |port: &&Value| {
        known.iter().any(|(name, number)| port["targetPort"] == *name && port["port"].as_u64() == Some(*number))
    };
    let strange = items(&spec["ports"]).iter().filter(|port| !is_known(port));
    strange.map(|port| format!("{}: no pod has {port}", manifest.name())).collect()
}

fn is_selected(selector: &Value, manifest: &Manifest) -> bool {
    let labels = &manifest.object["spec"]["template"]["metadata"]["labels"];
    let wanted = selector.as_object();
    labels.is_object()
        && wanted.is_some_and(|wanted| wanted.iter().all(|(name, value)| labels[name.as_str()] == *value))
}

/// What is wrong with a ScaledObject: for KEDA's schema, for the worker it scales, for the service it asks.
pub(crate) fn scaling_faults(manifest: &Manifest, manifests: &[Manifest]) -> Vec<String> {
    let definition = documents("tests/deploy/keda_scaledobjects.yaml").remove(0);
    let mut faults =
        refused(&definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"], &manifest.object, "ScaledObject");
    let spec = &manifest.object["spec"];
    let is_target = |other: &&Manifest| {
        other.object["kind"] == "Deployment" && other.object["metadata"]["name"] == spec["scaleTargetRef"]["name"]
    };
    let Some(worker) = manifests.iter().find(is_target) else {
        faults.push(format!("{}: there is no such deployment", spec["scaleTargetRef"]));
        return faults;
    };
    if !worker.object["spec"]["replicas"].is_null() {
        faults.push(format!("{}: its replicas are KEDA's", worker.name()));
    }
    let pool = pod(&worker.object).and_then(|pod| argument(&items(&pod["containers"])[0], "--pool")).unwrap_or("?");
    let url = format!("http://shardmill-scheduler.{}.svc:9090/backlog/{pool}", namespace(manifests));
    for (trigger, address) in items(&spec["triggers"]).iter().map(|trigger| (trigger, &trigger["metadata"]["url"])) {
        if *address != url || trigger["metadata"]["valueLocation"] != "workers_wanted" {
            faults.push(format!("the trigger {trigger} does not ask {url} for workers_wanted"));
        }
    }
    faults
}

fn namespace(manifests: &[Manifest]) -> &str {
    let found = manifests.iter().find(|manifest| manifest.object["kind"] == "Namespace");
    found.and_then(|manifest| manifest.object["metadata"]["name"].as_str()).unwrap_or("?")
}

/// Config maps, volume claims and accounts that are named in what an overlay renders, and not in it.
pub(crate) fn references(rendered: &[Manifest]) -> Vec<String> {
    let has = |kind: &str, name: &Value| {
        rendered.iter().any(|other| other.object["kind"] == kind && other.object["metadata"]["name"] == *name)
    };
    let mut faults = Vec::new();
    for manifest in rendered {
        let Some(pod) = pod(&manifest.object) else { continue };
        let volumes = items(&pod["volumes"]).iter();
        let from = items(&pod["containers"]).iter().flat_map(|container| items(&container["envFrom"]));
        let named = volumes
            .flat_map(|volume| {
                [
                    ("ConfigMap", &volume["configMap"]["name"]),
                    ("PersistentVolumeClaim", &volume["persistentVolumeClaim"]["claimName"]),
                ]
            })
            .chain(from.map(|source| ("ConfigMap", &source["configMapRef"]["name"])))
            .chain([("ServiceAccount", &pod["serviceAccountName"])]);
        let missing = named.filter(|(kind, name)| !name.is_null() && !has(kind, name));
        faults.extend(missing.map(|(kind, name)| format!("{}: there is no {kind} {name}", manifest.name())));
    }
    faults
}
