"""AWS's published service models as the judge of raw answers.

boto3 drops members that it does not know and takes any word for an enum, so that its parsed answers prove little. Here
the body itself is walked over the output shape that botocore carries for the operation: JSON as JSON, XML as XML.
"""

import datetime
import json
import math
import re
import xml.etree.ElementTree

# Codes that AWS documents and that stand in no operation's list of the models, with the page that names each.
DOCUMENTED = {
    "ecs": {
        "AccessDeniedException": "Amazon ECS API Reference, Common Error Types",
        "SerializationException": "AWS JSON 1.1 protocol (Smithy), for bodies that cannot be read",
        "ThrottlingException": "Amazon ECS API Reference, Request throttling",
        "UnknownOperationException": "AWS JSON 1.1 protocol (Smithy), for operations that do not exist",
    },
    "autoscaling": {
        "AccessDenied": "Amazon EC2 Auto Scaling API Reference, Common Errors",
        "InternalFailure": "Amazon EC2 Auto Scaling API Reference, Common Errors",
        "InvalidAction": "Amazon EC2 Auto Scaling API Reference, Common Errors",
        "Throttling": "Amazon EC2 Auto Scaling API Reference, Common Errors",
        "ValidationError": "Amazon EC2 Auto Scaling API Reference, Common Errors",
    },
    "elbv2": {
        "AccessDenied": "Elastic Load Balancing API Reference, Common Errors",
        "InternalFailure": "Elastic Load Balancing API Reference, Common Errors",
        "InvalidAction": "Elastic Load Balancing API Reference, Common Errors",
        "Throttling": "Elastic Load Balancing API Reference, Common Errors",
        "ValidationError": "Elastic Load Balancing API Reference, Common Errors",
    },
    # EC2's model lists no errors at all; these are of "Error codes for the Amazon EC2 API".
    "ec2": {
        "DryRunOperation": "Error codes for the Amazon EC2 API, client errors",
        "InternalError": "Error codes for the Amazon EC2 API, server errors",
        "InvalidAction": "Error codes for the Amazon EC2 API, common errors",
        "InvalidInstanceID.Malformed": "Error codes for the Amazon EC2 API, client errors",
        "InvalidInstanceID.NotFound": "Error codes for the Amazon EC2 API, client errors",
        "InvalidLaunchTemplateId.Malformed": "Error codes for the Amazon EC2 API, client errors",
        "InvalidLaunchTemplateId.NotFound": "Error codes for the Amazon EC2 API, client errors",
        "InvalidLaunchTemplateId.VersionNotFound": "Error codes for the Amazon EC2 API, client errors",
        "InvalidLaunchTemplateName.NotFoundException": "Error codes for the Amazon EC2 API, client errors",
        "InvalidNextToken": "Error codes for the Amazon EC2 API, client errors",
        "InvalidParameterCombination": "Error codes for the Amazon EC2 API, client errors",
        "InvalidParameterValue": "Error codes for the Amazon EC2 API, client errors",
        "MissingParameter": "Error codes for the Amazon EC2 API, common errors",
        "RequestLimitExceeded": "Error codes for the Amazon EC2 API, client errors",
        "UnauthorizedOperation": "Error codes for the Amazon EC2 API, client errors",
    },
}

JSON_TYPES = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "structure": dict,
    "map": dict,
    "list": list,
}


def faults_of_answer(service, operation, status, body):
    """Everything that the model objects to in one HTTP answer; empty if nothing."""
    try:
        if status >= 300:
            return faults_of_error(service, operation, status, body)
        if service == "ecs":
            return list(walk_json(json.loads(body), operation.output_shape, "answer"))
        return faults_of_xml(service, operation, body)
    except (json.JSONDecodeError, xml.etree.ElementTree.ParseError) as fault:
        return [f"the body cannot be read: {fault}"]


def walk_json(value, shape, path):
    """Compares a value of a JSON body with its shape."""
    if value is None:
        yield f"{path} is null"
    elif shape.type_name == "timestamp":
        if not is_number(value):
            yield f"{path} is {value!r}, expected a number of seconds"
    elif not isinstance(value, JSON_TYPES[shape.type_name]) or is_boolean_number(value, shape):
        yield f"{path} is {value!r}, expected {shape.type_name}"
    elif shape.type_name == "structure":
        yield from walk_structure(value, shape, path, walk_json)
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            yield from walk_json(item, shape.member, f"{path}[{number}]")
        yield from faults_of_size(len(value), shape, path)
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from walk_json(item, shape.value, f"{path}.{key}")
    elif shape.type_name == "string":
        yield from faults_of_text(value, shape, path)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_boolean_number(value, shape):
    return isinstance(value, bool) and shape.type_name != "boolean"


def walk_structure(value, shape, path, walk):
    for name in value.keys() - shape.members.keys():
        yield f"{path}.{name} is not in the model"
    for name in set(shape.required_members) - value.keys():
        yield f"{path}.{name} is required and missing"
    for name in value.keys() & shape.members.keys():
        yield from walk(value[name], shape.members[name], f"{path}.{name}")


def faults_of_text(text, shape, path):
    if shape.enum and text not in shape.enum:
        yield f"{path} is {text!r}, expected one of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not matches(pattern, text):
        yield f"{path} is {text!r}, which does not match {pattern}"
    yield from faults_of_size(len(text), shape, path)


def matches(pattern, text):
    """Whether Java's pattern holds; what Python cannot read, such as surrogate pairs, is not judged."""
    try:
        return re.search(pattern.replace("\\u10000-\\u10FFFF", "\\U00010000-\\U0010FFFF"), text) is not None
    except re.error:
        return True


def faults_of_size(size, shape, path):
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", size)
    if not least <= size <= most:
        yield f"{path} has a size of {size}, expected {least} to {most}"


def faults_of_xml(service, operation, body):
    root = without_namespaces(body)
    faults = []
    if root.tag != f"{operation.name}Response":
        faults.append(f"the root element is {root.tag}")
    if service == "ec2":
        content = [child for child in root if child.tag != "requestId"]
        if len(content) == len(root):
            faults.append("requestId is missing")
    else:
        faults += faults_of_metadata(root)
        content = result_of(root, operation, faults)
    if operation.output_shape:
        faults += walk_members(content, operation.output_shape, "answer", service == "ec2")
    elif content:
        faults.append("there is a result, and the operation has none")
    return faults


def without_namespaces(body):
    root = xml.etree.ElementTree.fromstring(body)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def faults_of_metadata(root):
    is_there = root.findtext("ResponseMetadata/RequestId")
    return [] if is_there else ["ResponseMetadata.RequestId is missing"]


def result_of(root, operation, faults):
    wrapper = (operation.output_shape.serialization if operation.output_shape else {}).get("resultWrapper")
    if wrapper is None:
        return [child for child in root if child.tag != "ResponseMetadata" and len(child)]
    result = root.find(wrapper)
    if result is None:
        faults.append(f"{wrapper} is missing")
        return []
    return list(result)


def member_names(shape, is_ec2):
    """The members of a structure by the name that their elements have."""
    names = {}
    for name, member in shape.members.items():
        flat = member.type_name == "list" and member.serialization.get("flattened")
        inner = member.member.serialization.get("name") if flat else None
        names[inner or member.serialization.get("name", name)] = (name, member)
    return names


def walk_members(elements, shape, path, is_ec2):
    known, seen = member_names(shape, is_ec2), {}
    for element in elements:
        if element.tag not in known:
            yield f"{path}.{element.tag} is not in the model"
            continue
        name, member = known[element.tag]
        seen[name] = seen.get(name, 0) + 1
        yield from walk_element(element, member, f"{path}.{name}", is_ec2)
    for name, times in seen.items():
        if times > 1 and not shape.members[name].serialization.get("flattened"):
            yield f"{path}.{name} is there {times} times"
    for name in set(shape.required_members) - seen.keys():
        yield f"{path}.{name} is required and missing"


def walk_element(element, shape, path, is_ec2):
    if shape.type_name == "structure":
        yield from walk_members(list(element), shape, path, is_ec2)
    elif shape.type_name == "list":
        item_name = shape.member.serialization.get("name") or ("item" if is_ec2 else "member")
        for number, item in enumerate(element):
            if item.tag != item_name:
                yield f"{path} has an element {item.tag}, expected {item_name}"
            yield from walk_element(item, shape.member, f"{path}[{number}]", is_ec2)
    elif len(element):
        yield f"{path} has elements inside, expected {shape.type_name}"
    else:
        yield from faults_of_xml_text(element.text or "", shape, path)


def faults_of_xml_text(text, shape, path):
    kind = shape.type_name
    if kind == "boolean" and text not in ("true", "false"):
        yield f"{path} is {text!r}, expected a boolean"
    elif kind in ("integer", "long") and not re.fullmatch(r"-?\d+", text):
        yield f"{path} is {text!r}, expected {kind}"
    elif kind == "timestamp" and not is_iso_8601(text):
        yield f"{path} is {text!r}, expected a time such as 2026-01-02T03:04:05Z"
    elif kind == "string":
        yield from faults_of_text(text, shape, path)


def is_iso_8601(text):
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False


def modelled_errors(operation):
    """The codes of the operation's own errors, each with its HTTP status where the model says it."""
    codes = {}
    for shape in operation.error_shapes:
        error = shape.metadata.get("error", {})
        codes[error.get("code", shape.name)] = error.get("httpStatusCode")
    return codes


def error_of(service, body):
    """Code and message of an error's body, and what is wrong with the envelope."""
    if service == "ecs":
        value = json.loads(body)
        return value.get("__type"), value.get("message"), []
    root = without_namespaces(body)
    envelope, path = ("Response", "Errors/Error") if service == "ec2" else ("ErrorResponse", "Error")
    wrong = [] if root.tag == envelope else [f"the root element is {root.tag}, expected {envelope}"]
    if not (root.findtext("RequestID") if service == "ec2" else root.findtext("RequestId")):
        wrong.append("the request id is missing")
    return root.findtext(f"{path}/Code"), root.findtext(f"{path}/Message"), wrong


def faults_of_error(service, operation, status, body):
    code, message, faults = error_of(service, body)
    modelled = modelled_errors(operation)
    if code not in modelled and code not in DOCUMENTED[service]:
        faults.append(f"the error code {code} is neither in the model ({', '.join(modelled)}) nor documented")
    if modelled.get(code) not in (None, status):
        faults.append(f"{code} has status {status}, the model says {modelled[code]}")
    if not message:
        faults.append(f"{code} has no message")
    if not 400 <= status < 600:
        faults.append(f"{code} has status {status}")
    return faults
