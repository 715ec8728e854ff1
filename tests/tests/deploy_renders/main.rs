//! `deploy/` as far as it can be judged without a cluster: manifests that parse and keep the rules, names that exist on
//! both sides, alerts with runbooks. Where `kubectl` and `promtool` are installed they have their say.

mod files;
mod settings;
mod rules;
mod schema;
mod compose;
mod alerts;
mod dashboard;
mod tools;

use files::{Manifest, kustomizations, manifests, yaml_files};
use serde_json::Value;
use shardmill_tests::engine::try_tables;

/// Fails with all faults at once.
fn demand(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults\n{}\n", faults.len(), faults.join("\n"));
}

#[test]
fn every_file_parses() {
    let files = yaml_files("deploy");
    assert!(files.len() > 15, "{files:?}");
    for path in files.iter().chain(&yaml_files("tests/deploy")) {
        assert!(!files::documents(path).is_empty(), "{path}");
    }
}

#[test]
fn what_a_kustomization_names_exists_and_nothing_lies_beside() {
    let kustomizations = kustomizations();
    assert_eq!(kustomizations.len(), 5, "base, two components, two overlays");
    let named: Vec<String> = kustomizations.iter().flat_map(files::named).collect();
    let missing = named.iter().filter(|path| !files::exists(path)).map(|path| format!("{path} is named and missing"));
    let is_known = |path: &String| {
        path.ends_with("/kustomization.yaml") || path.starts_with("deploy/k8s/examples/") || named.contains(path)
    };
    let unnamed = yaml_files("deploy/k8s").into_iter().filter(|path| !is_known(path));
    demand(&missing.chain(unnamed.map(|path| format!("{path} is in no kustomization"))).collect::<Vec<_>>());
}

#[test]
fn every_setting_is_known_and_in_the_documentation() {
    demand(&settings::faults());
}

#[test]
fn pods_containers_and_services_keep_the_rules() {
    let manifests = manifests();
    assert!(manifests.iter().filter(|manifest| rules::pod(&manifest.object).is_some()).count() >= 8);
    demand(&rules::faults(&manifests));
}

#[test]
fn a_broken_rule_is_found() {
    let file = "deploy/k8s/base/worker-generate.yaml";
    let right = files::read(file);
    let faults_of = |text: &str| rules::faults(&files::parse(text, file)).len();
    assert_eq!(faults_of(&right), 0);
    for (old, new) in [
        ("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"),
        ("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"),
        ("drop: [ALL]", "drop: [NET_RAW]"),
        ("runAsNonRoot: true", "runAsNonRoot: false"),
        ("type: RuntimeDefault", "type: Unconfined"),
        ("automountServiceAccountToken: false", "automountServiceAccountToken: true"),
        ("enableServiceLinks: false", "enableServiceLinks: true"),
        ("image: shardmill:0.1.0", "image: shardmill:latest"),
        ("image: shardmill:0.1.0", "image: shardmill"),
        ("containerPort: 9090", "containerPort: 9091"),
        ("path: /readyz", "path: /ready"),
        ("port: metrics", "port: http"),
        ("terminationGracePeriodSeconds: 75", "terminationGracePeriodSeconds: 60"),
        ("              memory: 2Gi\n", ""),
        ("          startupProbe:", "          startedProbe:"),
        ("          args: [", "          args: [--queue-url=amqp://a:b@c, "),
        ("name: SHARDMILL_QUEUE__URL\n", "name: SHARDMILL_QUEUE__URL\n              value: amqp://a:b@c\n"),
    ] {
        let wrong = right.replace(old, new);
        assert_ne!(wrong, right, "{old}");
        assert!(faults_of(&wrong) > 0, "nothing objects to {new}");
    }
}

#[test]
fn nothing_passes_the_network_unasked() {
    let manifests = manifests();
    let denies = |manifest: &Manifest| {
        let spec = &manifest.object["spec"];
        manifest.object["kind"] == "NetworkPolicy"
            && spec["podSelector"].as_object().is_some_and(serde_json::Map::is_empty)
            && files::items(&spec["policyTypes"]).len() == 2
            && spec["ingress"].is_null()
            && spec["egress"].is_null()
    };
    assert!(manifests.iter().any(denies), "no policy denies everything first");
}

#[test]
fn keda_takes_its_objects_and_they_fit_the_workers() {
    let manifests = manifests();
    let scaled: Vec<&Manifest> =
        manifests.iter().filter(|manifest| manifest.object["kind"] == "ScaledObject").collect();
    assert!(!scaled.is_empty());
    demand(&scaled.iter().flat_map(|manifest| rules::scaling_faults(manifest, &manifests)).collect::<Vec<_>>());
}

#[test]
fn a_wrong_scaled_object_is_found() {
    let file = "deploy/k8s/components/keda/worker-generate.yaml";
    let right = files::read(file);
    for (old, new) in [
        ("minReplicaCount", "minReplicas"),
        ("failureThreshold: 3", "failureThreshold: -1"),
        ("behavior: currentReplicasIfHigher", "behavior: keep"),
        ("targetValue: \"1\"", "targetValue: 1"),
        ("    - type: metrics-api", "    - kind: metrics-api"),
        ("/backlog/generate", "/backlog/sql"),
        (".shardmill.svc", ".other.svc"),
        (":9090/", ":8080/"),
        ("    name: shardmill-worker-generate", "    name: shardmill-worker"),
    ] {
        let wrong = right.replace(old, new);
        assert_ne!(wrong, right, "{old}");
        let found = files::parse(&wrong, file);
        assert!(!rules::scaling_faults(&found[0], &manifests()).is_empty(), "nothing objects to {new}");
    }
}

#[test]
fn the_compose_file_keeps_the_rules() {
    let compose = files::documents("deploy/compose.yaml").remove(0);
    demand(&compose::faults(&compose));
    for (service, path, wrong) in [
        ("worker", "/stop_grace_period", Value::from("60s")),
        ("worker", "/image", Value::from("shardmill:latest")),
        ("redis", "/cap_drop", Value::Null),
        ("redis", "/environment/REDIS_PASSWORD", Value::from("secret")),
        ("api", "/ports/0", Value::from("8080:8080")),
        ("api", "/healthcheck", Value::Null),
    ] {
        let mut changed = compose.clone();
        *changed["services"][service].pointer_mut(path).expect("the path is in the file") = wrong;
        assert!(!compose::faults(&changed).is_empty(), "nothing objects to {service}{path}");
    }
}

#[test]
fn every_alert_has_a_known_metric_and_a_runbook() {
    demand(&alerts::faults());
}

#[test]
fn the_dashboard_shows_what_is_exported() {
    let dashboard = files::read("deploy/grafana.json");
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("the dashboard is JSON");
    demand(&dashboard::faults(&read(&dashboard)));
    for (old, new) in [
        ("shardmill_leases)", "shardmill_lease)"),
        ("shardmill_shard_seconds_bucket", "shardmill_shard_seconds_total"),
        ("${source}", "mine"),
        ("\"id\": 2,", "\"id\": 1,"),
    ] {
        let wrong = dashboard.replacen(old, new, 1);
        assert_ne!(wrong, dashboard, "{old}");
        assert!(!dashboard::faults(&read(&wrong)).is_empty(), "nothing objects to {new}");
    }
}

#[test]
fn the_example_builds_a_right_spec() {
    let objects = files::documents("deploy/k8s/examples/nightly.yaml");
    let spec = objects[0]["data"]["nightly.yaml"].as_str().expect("the first object holds the spec");
    if let Err(problems) = try_tables(spec) {
        panic!("{}", problems.join("\n"));
    }
}

#[test]
fn needs_kubectl_every_overlay_renders_and_keeps_the_rules() {
    for overlay in ["deploy/k8s/overlays/dev", "deploy/k8s/overlays/production"] {
        let Some(text) = tools::output("kubectl", &["kustomize", overlay]) else { return };
        let rendered = files::parse(&text, overlay);
        assert!(rendered.len() > 15, "{overlay}: {}", rendered.len());
        demand(&rules::faults(&rendered));
        demand(&rules::references(&rendered));
    }
}

#[test]
fn needs_promtool_alerts_fire_when_they_should() {
    tools::output("promtool", &["check", "rules", "deploy/alerts.yaml"]);
    tools::output("promtool", &["test", "rules", "tests/deploy/alerts_test.yaml"]);
}
