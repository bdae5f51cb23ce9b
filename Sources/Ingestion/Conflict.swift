// How an event stands to the one that took its identity (Billing rules, section 2).

import EventCodec
import Quantities
import UsageStore

extension Catalog {
    /// The feature of a sum event.
    private func feature(of event: ScannedEvent) -> Bytes {
        event.kind == .gatewayCall ? Self.gatewayFeatureBytes : event.feature
    }

    /// Whether an event repeats what is stored under its identity: app, feature, instant and quantity.
    func isSame(_ event: ScannedEvent, _ stored: StoredContent) -> Bool {
        guard let app = app(event.subject), stored.app == app.id, stored.time.micros == event.timeMicros,
            stored.quantity.units == event.quantity, let feature = feature(ofFeed: stored.feed)
        else { return false }
        return feature.elementsEqual(self.feature(of: event).buffer)
    }

    /// Says what an event has otherwise than the one that took its identity.
    func conflict(_ event: ScannedEvent, with stored: StoredContent) -> String {
        var differences: [String] = []
        func compare(_ what: String, _ stored: String, _ given: String) {
            if stored != given { differences.append("\(what) \(stored) is stored, \(given) given") }
        }
        func quoted(_ code: [UInt8]?) -> String {
            (code ?? []).withUnsafeBufferPointer { "'\(Bytes($0).printable)'" }
        }
        compare("app", quoted(code(of: stored.app)), "'\(event.subject.printable)'")
        compare("feature", quoted(feature(ofFeed: stored.feed)), "'\(feature(of: event).printable)'")
        compare("time", "\(stored.time)", "\(Instant(micros: event.timeMicros))")
        compare("quantity", "\(stored.quantity.units)", "\(event.quantity)")
        return "source '\(event.source.printable)', id '\(event.id.printable)' was taken by an event of other content: "
            + differences.joined(separator: "; ")
    }
}
