// Events as the JSON that a client sends.

package import Oracle
import Quantities

package enum EventText {
    package static func json(_ event: History.Event) -> String {
        let type: String
        var (name, data) = ("data", "")
        switch event.kind {
        case .deviceActivity(let features, let device):
            type = "meterd.device_activity"
            data =
                features.count == 1
                ? "{\"feature\":\(quoted(features[0])),\"device\":\(quoted(device))}"
                : "{\"features\":[\(features.map(quoted).joined(separator: ","))],\"device\":\(quoted(device))}"
        case .gatewayCall(let calls): (type, data) = ("meterd.gateway_call", "{\"calls\":\(calls)}")
        case .usage(let feature, let quantity):
            (type, data) = ("meterd.usage", "{\"feature\":\(quoted(feature)),\"quantity\":\(quantity)}")
        case .bareCall(let member, let value): (type, data) = ("meterd.gateway_call", "{\(quoted(member)):\(value)}")
        case .callBeside(let member, let value): (type, name, data) = ("meterd.gateway_call", member, value)
        case .unreadable(let text): return text
        }
        let time = Instant(micros: event.timeMicros).description
        return "{\"specversion\":\"1.0\",\"type\":\"\(type)\",\"source\":\(quoted(event.source)),"
            + "\"id\":\(quoted(event.id)),\"time\":\"\(time)\",\"subject\":\(quoted(event.app)),\(quoted(name)):\(data)}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
