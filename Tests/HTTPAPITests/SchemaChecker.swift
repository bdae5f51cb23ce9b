// As much of JSON Schema as the document uses of answers.

import Foundation
import Quantities

struct SchemaChecker {
    let document: JSON

    /// Follows a `$ref` inside the document.
    func resolved(_ value: JSON?) -> JSON {
        guard let value else { return .null }
        guard case .string(let reference)? = value["$ref"] else { return value }
        var target: JSON? = document
        for part in reference.split(separator: "/").dropFirst() { target = target?[String(part)] }
        return target ?? .null
    }

    /// What is wrong with a value, each fault with the way to it.
    func faults(_ value: JSON, _ schema: JSON, at path: String = "") -> [String] {
        let schema = resolved(schema)
        var faults: [String] = []
        for (keyword, rule) in schema.members.sorted(by: { $0.key < $1.key }) {
            switch keyword {
            case "type":
                let types = rule.elements.isEmpty ? [rule] : rule.elements
                if !types.contains(.string(type(of: value))) { faults.append("\(path) is no \(types[0])") }
            case "properties":
                for (name, property) in rule.members {
                    if let member = value[name] { faults += self.faults(member, property, at: "\(path).\(name)") }
                }
            case "required":
                for name in rule.elements where value[name.description] == nil {
                    faults.append("\(path).\(name) is missing")
                }
            case "additionalProperties":
                let known = schema["properties"]?.members ?? [:]
                for name in value.members.keys where known[name] == nil {
                    faults.append("\(path).\(name) is not in the schema")
                }
            case "items":
                for (index, element) in value.elements.enumerated() {
                    faults += self.faults(element, rule, at: "\(path)[\(index)]")
                }
            case "enum":
                if !rule.elements.contains(value) { faults.append("\(path) is no word of the enum") }
            case "pattern":
                guard case .string(let text) = value, let regex = try? Regex(rule.description) else { continue }
                if text.firstMatch(of: regex) == nil { faults.append("\(path) is not like \(rule)") }
            case "format":
                guard case .string(let text) = value else { continue }
                if rule == .string("date"), Day(text) == nil { faults.append("\(path) is no date") }
                if rule == .string("date-time"), (try? Date(text, strategy: .iso8601)) == nil {
                    faults.append("\(path) is no date-time")
                }
            case "minimum", "maximum":
                guard case .integer(let number) = value, case .integer(let bound) = rule else { continue }
                if keyword == "minimum" ? number < bound : number > bound { faults.append("\(path) is out of bounds") }
            case "description": break
            default: faults.append("\(path) has the keyword \(keyword), which isn't checked")
            }
        }
        return faults
    }

    private func type(of value: JSON) -> String {
        switch value {
        case .null: "null"
        case .boolean: "boolean"
        case .integer: "integer"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
