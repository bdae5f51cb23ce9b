// What is done to the recorded ledger: a week of several tenants around the end of a month, and what must come of it.

import LedgerFixture
import Seeded

/// An event, and the rows of evidence that it leaves (``Evidence/query``).
struct SentEvent: Sendable {
    let line: String
    let evidence: String
}

/// Rows that say what a ledger holds of what was sent to it.
enum Evidence {
    static let query = """
        SELECT 'call', id, app, time, quantity FROM usage_event
        UNION ALL SELECT 'device', app, item, month, device FROM counted_device
        UNION ALL SELECT 'app', code, NULL, NULL, NULL FROM app
        UNION ALL SELECT 'grant', code, NULL, NULL, NULL FROM "grant"
        """

    static func app(_ code: String) -> String { "app \(code) - - -" }
    static func grant(_ code: String) -> String { "grant \(code) - - -" }
    /// That a copy of the ledger has it too.
    static func copied(_ evidence: String, to name: String) -> String { "\(name): \(evidence)" }
    static func entries(_ count: Int) -> String { "entries \(count)" }

    /// Whether it says nothing of an event, app or grant.
    static func isOfCopyOrCount(_ line: String) -> Bool { line.contains(": ") || line.hasPrefix("entries ") }
}

struct History: Sendable {
    enum Action: Sendable {
        /// Batches that several senders send at once.
        case events([[SentEvent]])
        case rate(day: String)
        case addGrant
        /// Made while the events of the next step arrive.
        case backup(name: String)
        /// Of the daemon: asked to stop, or killed.
        case restart(isKilled: Bool)
    }

    struct Step: Sendable {
        /// When, by the test clock. Steps are taken one after the other, each once the one before it was acknowledged.
        let at: String
        let action: Action
    }

    static let accounts = [("acme", ["shop", "kiosk"]), ("bolt", ["rides"]), ("cafe", ["orders"])]
    static let grant = (code: "pack", tenant: "acme", item: "basic_analysis", quantity: 40)

    let steps: [Step]

    private static let days = [
        "2027-01-27", "2027-01-28", "2027-01-29", "2027-01-30", "2027-01-31", "2027-02-01", "2027-02-02", "2027-02-03",
    ]
    private static let hours = ["09", "11", "13", "15", "17", "19", "21", "23"]
    private static let senders = 4
    private static let eventsPerBatch = 5

    init(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var steps: [Step] = []
        var calls: [SentEvent] = []
        for index in 1..<Self.days.count - 1 {
            for hour in Self.hours {
                let batches = (0..<Self.senders).map { sender in
                    (0..<Self.eventsPerBatch).map { _ in Self.event(on: index, of: sender, &calls, &chance) }
                }
                steps.append(Step(at: "\(Self.days[index])T\(hour):00:00Z", action: .events(batches)))
                if index == 1, hour == "09" {
                    steps.append(Step(at: "\(Self.days[index])T10:00:00Z", action: .addGrant))
                }
            }
            let midnight = "\(Self.days[index + 1])T00:00:00Z"
            steps.append(Step(at: midnight, action: .rate(day: Self.days[index])))
            if index == 2 || index == 4 {
                steps.append(Step(at: midnight, action: .backup(name: "copy-\(index).db")))
            }
            if index == 3 || index == 5 {
                steps.append(Step(at: midnight, action: .restart(isKilled: index == 3)))
            }
        }
        self.steps = steps
    }

    /// - Parameter index: of the day.
    private static func event(
        on index: Int, of sender: Int, _ calls: inout [SentEvent], _ chance: inout SeededGenerator
    ) -> SentEvent {
        let app = ["shop", "kiosk", "rides", "orders"].randomElement(using: &chance) ?? "shop"
        // Some are late, a few so late that they become corrections.
        let late = [0, 0, 0, 0, 0, 1, 2, 3].randomElement(using: &chance) ?? 0
        let day = days[max(0, index - late)]
        guard Bool.random(using: &chance) else {
            let device = "device-\(Int.random(in: 0..<90, using: &chance))"
            let item = Bool.random(using: &chance) ? "basic_analysis" : "message_push"
            return SentEvent(
                line: EventLine.device(device, of: item, at: "\(day)T08:00:00Z", app: app).text,
                evidence: "device \(app) \(item) \(day.prefix(7)) \(device)")
        }
        if Int.random(in: 0..<6, using: &chance) == 0, let again = calls.randomElement(using: &chance) { return again }
        let id = "call-\(calls.count)-of-\(sender)"
        let count = Int.random(in: 1...5_000, using: &chance)
        let event = SentEvent(
            line: EventLine.calls(Int64(count), id: id, at: "\(day)T07:00:00Z", app: app).text,
            evidence: "call \(id) \(app) \(day)T07:00:00Z \(count)")
        calls.append(event)
        return event
    }
}
