// What the scanner hands on: a usage event as borrowed bytes and numbers, or a refusal that says why.

/// The three types of usage events.
package enum EventKind: UInt8, CaseIterable, Sendable {
    case deviceActivity, gatewayCall, usage

    /// The CloudEvents `type`.
    package var type: String {
        switch self {
        case .deviceActivity: "meterd.device_activity"
        case .gatewayCall: "meterd.gateway_call"
        case .usage: "meterd.usage"
        }
    }

    init?(type: Bytes) {
        switch type.count {
        case 22 where type == "meterd.device_activity": self = .deviceActivity
        case 19 where type == "meterd.gateway_call": self = .gatewayCall
        case 12 where type == "meterd.usage": self = .usage
        default: return nil
        }
    }
}

/// A usage event whose own rules all hold. Whether its app, feature and time fit the ledger is not known yet.
///
/// Every `Bytes` is valid until the scanned buffer goes or the scanner is reset.
package struct ScannedEvent {
    package var kind: EventKind
    /// With `id`, the identity of the event.
    package var source: Bytes
    package var id: Bytes
    /// The app's code.
    package var subject: Bytes
    /// Microseconds since 1970-01-01T00:00:00Z; finer fractions are cut off, not rounded.
    package var timeMicros: Int64
    /// The only or first feature code; empty for `gatewayCall`, whose feature is implied.
    package var feature: Bytes
    /// Where in `EventScanner.features` the codes after the first are; empty for most events. Codes may repeat.
    package var moreFeatures: Range<Int>
    /// Empty unless `deviceActivity`.
    package var device: Bytes
    /// `calls` or `quantity`, 1 to 10^12; 1 for `deviceActivity`.
    package var quantity: Int64
    /// The JSON text of the event, from `{` to `}`.
    package var raw: Bytes
}

/// Why a text is no event that can be taken, for the answer to the client and for the quarantine.
package struct ScanRefusal {
    package var code: RefusalCode
    /// A sentence for people; names the attribute and shows the start of its value, printable throughout.
    package var reason: String
    /// The event's source and id, each where the text is a JSON object that has a valid one.
    package var source: String?
    package var id: String?
    /// The JSON text from `{` to `}` when it is a valid JSON object (a duplicate member makes it invalid), so that
    /// it may be kept and tried again; else `nil`.
    package var raw: Bytes?

    package init(code: RefusalCode, reason: String, source: String?, id: String?, raw: Bytes?) {
        self.code = code
        self.reason = reason
        self.source = source
        self.id = id
        self.raw = raw
    }
}

package enum ScanResult {
    case event(ScannedEvent)
    case refused(ScanRefusal)
}

/// Bounds on what an event may look like.
package struct EventLimits: Sendable {
    /// Longest text of one event in bytes, white space around it included.
    package var eventBytes = 1 << 20
    /// Most objects and arrays within each other; the event itself is the first.
    package var nesting = 32
    package var sourceBytes = 1024
    package var idBytes = 256
    package var subjectBytes = 128
    package var deviceBytes = 128
    package var featureBytes = 128
    /// Most entries of `data.features`.
    package var featureCount = 32
    /// Largest `calls` or `quantity`.
    package var quantity: Int64 = 1_000_000_000_000

    package static let standard = EventLimits()
}
