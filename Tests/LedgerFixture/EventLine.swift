// Events as the JSON texts that clients send, with members that can be changed one by one.

/// One event. Values are JSON texts; a member without a value is left out.
package struct EventLine: Sendable, CustomStringConvertible {
    private var members: [(name: String, value: String?)]
    private var data: [(name: String, value: String?)]

    private init(type: String, id: String, time: String, app: String, data: [(String, String?)]) {
        members = [
            ("specversion", "\"1.0\""), ("type", Self.quoted(type)), ("source", "\"/test\""), ("id", Self.quoted(id)),
            ("time", Self.quoted(time)), ("subject", Self.quoted(app)),
        ]
        self.data = data.map { (name: $0.0, value: $0.1) }
    }

    package static func device(
        _ device: String, of feature: String = "basic_analysis", id: String = "1",
        at time: String = "2027-01-10T10:00:00Z", app: String = "shop"
    ) -> EventLine {
        EventLine(
            type: "meterd.device_activity", id: id, time: time, app: app,
            data: [("feature", quoted(feature)), ("device", quoted(device))])
    }

    package static func calls(
        _ calls: Int64, id: String, at time: String = "2027-01-10T10:00:00Z", app: String = "shop"
    ) -> EventLine {
        EventLine(type: "meterd.gateway_call", id: id, time: time, app: app, data: [("calls", "\(calls)")])
    }

    package static func usage(
        _ quantity: Int64, of feature: String, id: String, at time: String = "2027-01-10T10:00:00Z",
        app: String = "shop"
    ) -> EventLine {
        EventLine(
            type: "meterd.usage", id: id, time: time, app: app,
            data: [("feature", quoted(feature)), ("quantity", "\(quantity)")])
    }

    /// With a member changed, added or (nil) left out: `time`, `data`, `data.device`. The value is JSON.
    package func with(_ member: String, _ value: String?) -> EventLine {
        var line = self
        if member.hasPrefix("data.") {
            Self.set(String(member.dropFirst(5)), value, in: &line.data)
        } else {
            Self.set(member, value, in: &line.members)
            if member == "data" { line.data = [] }
        }
        return line
    }

    private static func set(_ name: String, _ value: String?, in list: inout [(name: String, value: String?)]) {
        if let index = list.firstIndex(where: { $0.name == name }) {
            list[index].value = value
        } else {
            list.append((name, value))
        }
    }

    package var text: String {
        var all = members
        if !members.contains(where: { $0.name == "data" }) { all.append(("data", Self.object(data))) }
        return Self.object(all)
    }

    package var description: String { text }

    private static func object(_ members: [(name: String, value: String?)]) -> String {
        "{" + members.compactMap { member in member.value.map { "\"\(member.name)\":\($0)" } }.joined(separator: ",")
            + "}"
    }

    /// A JSON string.
    package static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
