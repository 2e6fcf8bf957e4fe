import Foundation

/// JSON Schema (draft 2020-12), as much of it as `Reports/run.schema.json` uses: `$ref` to `$defs`, `type`, `const`, `enum`,
/// `anyOf`, `properties`, `required`, `additionalProperties`, `propertyNames`, `items`, `minimum`. A keyword that it does not
/// know is an error, not ignored.
///
/// Stricter than the draft in one thing: a property that an object's schema does not name is an error, so that no field is
/// written without being published.
public struct JSONSchema {
  private typealias Object = [String: Any]

  private let root: Object
  private let definitions: [String: Any]

  /// - Throws: when the file is no JSON object.
  public init(contentsOf file: URL) throws {
    guard let root = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? Object else {
      throw CocoaError(.propertyListReadCorrupt)
    }
    self.root = root
    definitions = root["$defs"] as? Object ?? [:]
  }

  /// What of a document the schema does not admit, each with its place.
  public func errors(in document: Data) throws -> [String] {
    let value = try JSONSerialization.jsonObject(with: document, options: [.fragmentsAllowed])
    var errors: [String] = []
    check(value, root, "run", &errors)
    return errors
  }

  /// What of a document one of the schema's definitions does not admit, each with its place.
  public func errors(in document: Data, as definition: String) throws -> [String] {
    let value = try JSONSerialization.jsonObject(with: document, options: [.fragmentsAllowed])
    var errors: [String] = []
    check(value, ["$ref": "#/$defs/\(definition)"], definition, &errors)
    return errors
  }

  private static let annotations: Set<String> = ["$schema", "$id", "$defs", "title", "description"]

  private func check(_ value: Any, _ schema: Object, _ place: String, _ errors: inout [String]) {
    for (keyword, argument) in schema where !Self.annotations.contains(keyword) {
      switch keyword {
      case "$ref":
        let name = (argument as? String ?? "").replacingOccurrences(of: "#/$defs/", with: "")
        guard let target = definitions[name] as? Object else {
          errors.append("\(place): the schema has no \(argument)")
          continue
        }
        check(value, target, place, &errors)
      case "type":
        if !Self.isOf(type: argument as? String ?? "", value) { errors.append("\(place): expected \(argument)") }
      case "const": if !Self.equal(value, argument) { errors.append("\(place): expected \(argument), found \(value)") }
      case "enum":
        if !(argument as? [Any] ?? []).contains(where: { Self.equal($0, value) }) {
          errors.append("\(place): expected one of \(argument), found \(value)")
        }
      case "anyOf":
        let isAny = (argument as? [Object] ?? []).contains { choice in
          var found: [String] = []
          check(value, choice, place, &found)
          return found.isEmpty
        }
        if !isAny { errors.append("\(place): expected any of \(argument), found \(value)") }
      case "minimum":
        if let number = value as? NSNumber, let least = argument as? NSNumber, number.doubleValue < least.doubleValue {
          errors.append("\(place): expected \(least) at least, found \(number)")
        }
      case "items":
        for (index, item) in (value as? [Any] ?? []).enumerated() {
          check(item, argument as? Object ?? [:], "\(place)[\(index)]", &errors)
        }
      case "required":
        let object = value as? Object ?? [:]
        for name in argument as? [String] ?? [] where object[name] == nil {
          errors.append("\(place): \(name) is missing")
        }
      case "properties", "additionalProperties", "propertyNames": break
      default: errors.append("\(place): the schema has \(keyword), which this validator does not know")
      }
    }
    guard let object = value as? Object else { return }
    let properties = schema["properties"] as? Object
    for (name, item) in object {
      if let names = schema["propertyNames"] as? Object { check(name, names, "\(place): name \(name)", &errors) }
      if let property = properties?[name] as? Object {
        check(item, property, "\(place).\(name)", &errors)
      } else if let others = schema["additionalProperties"] as? Object {
        check(item, others, "\(place).\(name)", &errors)
      } else if properties != nil {
        errors.append("\(place): the schema has no property \(name)")
      }
    }
  }

  private static func isOf(type: String, _ value: Any) -> Bool {
    switch type {
    case "object": value is Object
    case "array": value is [Any]
    case "string": value is String
    case "boolean": isBoolean(value)
    case "number": value is NSNumber && !isBoolean(value)
    case "integer": (value as? NSNumber).map { !isBoolean($0) && $0.doubleValue.rounded() == $0.doubleValue } ?? false
    default: false
    }
  }

  /// JSON's booleans are numbers to Foundation, told apart by their Objective-C type alone.
  private static func isBoolean(_ value: Any) -> Bool {
    (value as? NSNumber).map { String(cString: $0.objCType) == "c" || String(cString: $0.objCType) == "B" } ?? false
  }

  private static func equal(_ a: Any, _ b: Any) -> Bool {
    if let a = a as? String, let b = b as? String { return a == b }
    if let a = a as? NSNumber, let b = b as? NSNumber { return a == b }
    return false
  }
}
