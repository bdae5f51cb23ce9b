// What the tests share: good events to change one member of, copies of results that can be compared, seeded chance.

import EventCodec

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A result copied out of the scanner's buffers.
enum Reading: Equatable {
    struct Event: Equatable {
        var kind: EventKind
        var source: String
        var id: String
        var subject: String
        var timeMicros: Int64
        var features: [String]
        var device: String
        var quantity: Int64
        var raw: String
    }

    case event(Event)
    case refused(RefusalCode, reason: String, source: String?, id: String?, raw: String?)

    var code: RefusalCode? {
        if case .refused(let code, _, _, _, _) = self { code } else { nil }
    }

    var reason: String? {
        if case .refused(_, let reason, _, _, _) = self { reason } else { nil }
    }

    var event: Event? {
        if case .event(let event) = self { event } else { nil }
    }

    /// Whether the text was a JSON object that may be kept.
    var isJSON: Bool {
        switch self {
        case .event: true
        case .refused(_, _, _, _, let raw): raw != nil
        }
    }

    init(_ result: ScanResult, _ scanner: EventScanner) {
        switch result {
        case .event(let event):
            var features = event.feature.isEmpty ? [] : [event.feature.string]
            features += scanner.features[event.moreFeatures].map(\.string)
            self = .event(
                Event(
                    kind: event.kind, source: event.source.string, id: event.id.string,
                    subject: event.subject.string, timeMicros: event.timeMicros, features: features,
                    device: event.device.string, quantity: event.quantity, raw: event.raw.string))
        case .refused(let refusal):
            self = .refused(
                refusal.code, reason: refusal.reason, source: refusal.source, id: refusal.id,
                raw: refusal.raw?.string)
        }
    }
}

/// Scans with a new scanner, the text ending where readable memory ends: one byte too far would crash.
func read(_ text: [UInt8], limits: EventLimits = .standard) -> Reading {
    GuardedText.with(text) { buffer in
        let scanner = EventScanner(limits: limits)
        return Reading(scanner.scan(buffer), scanner)
    }
}

func read(_ text: String, limits: EventLimits = .standard) -> Reading { read(Array(text.utf8), limits: limits) }

/// Memory whose end is followed by a page that may not be read.
enum GuardedText {
    static func with<Result>(_ text: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let pages = (text.count + page - 1) / page
        let total = (pages + 1) * page
        let memory = mmap(nil, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        defer { munmap(memory, total) }
        precondition(mprotect(memory + pages * page, page, PROT_NONE) == 0)
        let start = (memory + pages * page - text.count).bindMemory(to: UInt8.self, capacity: text.count)
        start.initialize(from: text, count: text.count)
        return body(UnsafeBufferPointer(start: start, count: text.count))
    }
}

/// An event as text, members in a fixed order; tests change or drop single ones.
struct EventText {
    var members: [(name: String, value: String)]

    static let activity = EventText(members: [
        ("specversion", #""1.0""#), ("type", #""meterd.device_activity""#), ("source", #""/sdk/ios""#),
        ("id", #""01JD""#), ("time", #""2027-01-10T12:00:00.123+08:00""#), ("subject", #""shop""#),
        ("data", #"{"feature":"basic_analysis","device":"b6f3"}"#),
    ])

    static let call = activity.with("type", #""meterd.gateway_call""#)
        .with("data", #"{"calls":1200,"api":"com.acme.pay"}"#)

    static let usage = activity.with("type", #""meterd.usage""#)
        .with("data", #"{"feature":"synchronized_messages","quantity":87000}"#)

    /// `nil` leaves the member out.
    func with(_ name: String, _ value: String?) -> EventText {
        var changed = self
        changed.members.removeAll { $0.name == name }
        if let value { changed.members.append((name, value)) }
        return changed
    }

    var text: String {
        "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}"
    }
}

func quoted(_ text: String) -> String { "\"\(text)\"" }

/// SplitMix64: the same numbers from the same seed everywhere.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
