//! An instance as EC2 answers it.

use crate::account::{Account, GROUP_TAG, Machine, MachineState, Market, Tags};
use crate::scheduler::emission;
use crate::wire::query::Xml;

/// A reservation with this one instance in it.
pub(super) fn reservation(xml: &mut Xml, account: &Account, machine: &Machine) {
    xml.element("item", |xml| {
        xml.text("reservationId", &machine.id.replacen("i-", "r-", 1));
        xml.text("ownerId", &account.account_id);
        xml.element("instancesSet", |xml| xml.element("item", |xml| instance(xml, machine)));
    });
}

fn instance(xml: &mut Xml, machine: &Machine) {
    xml.text("instanceId", &machine.id);
    xml.text("imageId", &machine.image_id);
    state(xml, "instanceState", machine.state);
    xml.text("instanceType", &machine.instance_type);
    xml.text("launchTime", &emission::written(machine.launched_at));
    xml.element("placement", |xml| xml.text("availabilityZone", &machine.zone));
    if let Some(reason) = machine.state_reason {
        xml.element("stateReason", |xml| {
            xml.text("code", reason.code);
            xml.text("message", reason.message);
        });
    }
    if machine.market == Market::Spot {
        xml.text("instanceLifecycle", "spot");
        xml.text("spotInstanceRequestId", &machine.id.replacen("i-", "sir-", 1));
    }
    let tags = tags(machine);
    if !tags.is_empty() {
        xml.element("tagSet", |xml| tags.iter().for_each(|(key, value)| tag(xml, key, value)));
    }
}

fn tag(xml: &mut Xml, key: &str, value: &str) {
    xml.element("item", |xml| {
        xml.text("key", key);
        xml.text("value", value);
    });
}

/// Name and code of a state.
pub(super) fn state(xml: &mut Xml, element: &str, state: MachineState) {
    let (name, code) = state.name_and_code();
    xml.element(element, |xml| {
        xml.text("code", &code.to_string());
        xml.text("name", name);
    });
}

/// The machine's tags with those that AWS itself sets.
pub(super) fn tags(machine: &Machine) -> Tags {
    let mut tags = machine.tags.clone();
    if let Some(group) = &machine.group {
        tags.insert(GROUP_TAG.to_owned(), group.clone());
    }
    if let Some((id, version)) = &machine.launch_template {
        tags.insert("aws:ec2launchtemplate:id".to_owned(), id.clone());
        tags.insert("aws:ec2launchtemplate:version".to_owned(), version.to_string());
    }
    tags
}
