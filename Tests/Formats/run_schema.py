#!/usr/bin/env python3
"""Writes Reports/run.schema.json from the records in Sources/Results: types, optional fields and their comments.

    python3 Tests/Formats/run_schema.py            # after a field was added
    python3 Tests/Formats/run_schema.py --check    # exit code 1 when the published schema is another

Nothing but Python is needed. The tests hold every run that they write against the published file.
"""
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "Reports" / "run.schema.json"

# Foundation's JSON has no NaN and no infinities.
NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
SIMPLE = {
    "String": {"type": "string"},
    "Bool": {"type": "boolean"},
    "Int": {"type": "integer"},
    "UInt64": {"type": "integer", "minimum": 0},
    "Double": {"$ref": "#/$defs/Number"},
    # Nanoseconds of single iterations, separated by blanks.
    "DurationSamples": {"type": "string"},
}
STRUCT = re.compile(r"^(\s*)public struct (\w+): [^{]*(?:Codable)[^{]*\{\s*$")
ENUM = re.compile(r"^(\s*)public enum (\w+): String\b[^{]*\{\s*$")
FIELD = re.compile(r"^\s*public (?:private\(set\) )?(?:var|let) (\w+)(?:: ([^={]+?))?(?: = (.+?))?\s*$")
CASE = re.compile(r"^\s*case (.+?)\s*$")


def snake(name):
    """As JSONEncoder's `convertToSnakeCase`: `adjustedPValue` is `adjusted_p_value`."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def inferred(value):
    if value in ("true", "false"):
        return "Bool"
    return "Double" if "." in value else "Int"


def schema_of(swift, known, scope):
    if swift.endswith("?"):
        return schema_of(swift[:-1], known, scope)
    if swift.startswith("[") and ":" in swift:
        return {"type": "object", "additionalProperties": schema_of(swift[1:-1].split(":", 1)[1].strip(), known, scope)}
    if swift.startswith("["):
        return {"type": "array", "items": schema_of(swift[1:-1], known, scope)}
    if swift in SIMPLE:
        return dict(SIMPLE[swift])
    scopes = scope.split(".")
    for depth in range(len(scopes), -1, -1):
        name = ".".join(scopes[:depth] + [swift])
        if name in known:
            return {"$ref": f"#/$defs/{name}"}
    raise SystemExit(f"{scope}: {swift}: expected a type of Sources/Results, found none")


def read(path, structs, enums):
    """Fields of each struct, and raw values of each enumeration, with the comment that stands over them."""
    stack, comment = [], []
    for line in path.read_text().splitlines():
        text = line.strip()
        if text.startswith("///"):
            comment.append(text[3:].strip())
            continue
        indent = len(line) - len(line.lstrip())
        while stack and text and indent <= stack[-1][0]:
            stack.pop()
        description = re.sub(r"``(?:\w+/)?(\w+)(?:\([\w:]*\))?``", r"\1", " ".join(filter(None, comment)))
        if text:
            comment = []
        if match := STRUCT.match(line) or ENUM.match(line):
            scope = ".".join([s[1] for s in stack if s[1]] + [match[2]])
            kind = enums if ENUM.match(line) else structs
            kind[scope] = {"description": description, "members": []}
            stack.append((indent, match[2], kind[scope], kind is enums))
        elif stack and indent == stack[-1][0] + 2:
            here = stack[-1]
            if here[3] and (match := CASE.match(line)):
                for word in match[1].split(", "):
                    here[2]["members"].append(word.split(" = ")[1].strip('"') if " = " in word else word)
            elif not here[3] and (match := FIELD.match(line)):
                if match[2] or match[3]:
                    here[2]["members"].append((match[1], (match[2] or inferred(match[3])).strip(), description))
            elif text.endswith("{"):
                stack.append((indent, "", {"members": []}, False))


def main():
    structs, enums = {}, {}
    for path in sorted((ROOT / "Sources" / "Results").glob("*.swift")):
        read(path, structs, enums)
    definitions = {"Number": NUMBER}
    for name, found in enums.items():
        definitions[name] = {"enum": found["members"]}
        if found["description"]:
            definitions[name]["description"] = found["description"]
    known = set(structs) | set(enums)
    run = structs.pop("Run", None) or structs_run(ROOT / "Sources" / "Results" / "Run.swift")
    for name, found in structs.items():
        definitions[name] = described(found, known, name)
    top = described(run, known, "Run")
    top["properties"] = {
        "schema": {"const": "assay.run"},
        "schema_version": {"const": version()},
        "outcome": {"$ref": "#/$defs/Outcome", "description": "The worst of all parts and holes."},
        "reasons": {"type": "array", "items": {"type": "string"}, "description": "Why, one sentence each."},
        "parts": {
            "description": "What each part that is present amounts to. Written for readers, computed from the records.",
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/RunPart"},
            "additionalProperties": {"$ref": "#/$defs/Conclusion"},
        },
    } | top["properties"]
    top["required"] = ["schema", "schema_version", "outcome", "reasons", "parts"] + top["required"]
    used = reachable(top, definitions)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "run.schema.json",
        "title": "run.json of Assay",
    } | top | {"$defs": {name: definitions[name] for name in sorted(used)}}
    text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.exists() and TARGET.read_text() == text else "Reports/run.schema.json: not of these records")
    TARGET.write_text(text)


def structs_run(path):
    """`Run` codes itself: its stored fields are those between its braces."""
    text = path.read_text().replace("public struct Run: Sendable {", "public struct Run: Codable {")
    copy, enums = {}, {}
    temporary = type("Text", (), {"read_text": lambda self: text})()
    read(temporary, copy, enums)
    return copy["Run"]


def version():
    return int(re.search(r"currentSchemaVersion = (\d+)", (ROOT / "Sources/Results/Run.swift").read_text())[1])


def described(found, known, scope):
    properties, required = {}, []
    for name, swift, description in found["members"]:
        properties[snake(name)] = schema_of(swift, known, scope)
        if description:
            properties[snake(name)]["description"] = description
        if not swift.endswith("?"):
            required.append(snake(name))
    result = {"type": "object", "properties": properties, "required": required}
    return ({"description": found["description"]} if found["description"] else {}) | result


def reachable(value, definitions):
    found, pending = set(), [value]
    while pending:
        for name in re.findall(r'"#/\$defs/([\w.]+)"', json.dumps(pending.pop())):
            if name not in found:
                found.add(name)
                pending.append(definitions[name])
    return found


main()
