// The bytes of events: texts that are made once, and a pen that puts them together.

import Quantities

/// The parts of lines that many lines share, in one stretch of memory.
struct LineTexts: Sendable {
    struct Text: Sendable {
        var start: Int
        var count: Int
    }

    /// No line is longer, line feed included.
    static let maxLineBytes = 320

    private(set) var bytes: [UInt8] = []
    /// Up to the id, by platform.
    private(set) var activities: [Text] = []
    /// Up to the id, by gateway.
    private(set) var calls: [Text] = []
    private(set) var beforeTime = Text(start: 0, count: 0)
    /// From the offset of the time to the code of the app, by app.
    private(set) var apps: [Text] = []
    /// Up to the device, by feature.
    private(set) var features: [Text] = []
    private(set) var beforeCalls = Text(start: 0, count: 0)
    /// From behind the calls to the end of the line.
    private(set) var apis: [Text] = []
    private(set) var end = Text(start: 0, count: 0)

    init(offsetMinutes: Int, apps count: Int) {
        func head(_ type: String, _ source: String) -> String {
            "{\"specversion\":\"1.0\",\"type\":\"meterd.\(type)\",\"source\":\"\(source)\",\"id\":\""
        }
        activities = ["/sdk/android", "/sdk/ios"].map { add(head("device_activity", $0)) }
        calls = (1...4).map { add(head("gateway_call", "/gw/\($0)")) }
        beforeTime = add("\",\"time\":\"")
        let offset = Self.offset(offsetMinutes)
        apps = (0..<count).map { add("\(offset)\",\"subject\":\"\(Workload.app($0))\",\"data\":{\"") }
        features = Feature.all.map { add("feature\":\"\($0.code)\",\"device\":\"") }
        beforeCalls = add("calls\":")
        apis = ["account.login", "account.query", "payment.order", "message.fetch"].map {
            add(",\"api\":\"com.example.\($0)\"}}\n")
        }
        end = add("\"}}\n")
    }

    private mutating func add(_ text: String) -> Text {
        let start = bytes.count
        bytes += text.utf8
        return Text(start: start, count: bytes.count - start)
    }

    private static func offset(_ minutes: Int) -> String {
        guard minutes != 0 else { return "Z" }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(minutes < 0 ? "-" : "+")\(two(abs(minutes) / 60)):\(two(abs(minutes) % 60))"
    }
}

/// Writes into memory that is large enough.
struct Pen {
    private(set) var at: UnsafeMutablePointer<UInt8>
    private let texts: UnsafePointer<UInt8>

    private static let hexDigits: StaticString = "0123456789abcdef"

    init(at: UnsafeMutablePointer<UInt8>, texts: UnsafePointer<UInt8>) {
        self.at = at
        self.texts = texts
    }

    @inline(__always)
    mutating func write(_ text: LineTexts.Text) {
        at.update(from: texts + text.start, count: text.count)
        at += text.count
    }

    @inline(__always)
    mutating func write(_ byte: UInt8) {
        at.pointee = byte
        at += 1
    }

    /// The lowest digits of a number.
    @inline(__always)
    mutating func write(_ number: Int, digits: Int) {
        var rest = number
        var place = digits
        while place > 0 {
            place -= 1
            at[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        at += digits
    }

    /// Bits as hexadecimal digits, the highest four of `digits` times four first.
    @inline(__always)
    mutating func write(hex word: UInt64, digits: Int) {
        let table = Self.hexDigits.utf8Start
        for place in 0..<digits { at[place] = table[Int(word >> UInt64(4 * (digits - 1 - place)) & 15)] }
        at += digits
    }

    /// 36 characters like those of a UUID.
    @inline(__always)
    mutating func write(uuid high: UInt64, _ low: UInt64) {
        write(hex: high >> 32, digits: 8)
        write(UInt8(ascii: "-"))
        write(hex: high >> 16, digits: 4)
        write(UInt8(ascii: "-"))
        write(hex: high, digits: 4)
        write(UInt8(ascii: "-"))
        write(hex: low >> 48, digits: 4)
        write(UInt8(ascii: "-"))
        write(hex: low, digits: 12)
    }
}
