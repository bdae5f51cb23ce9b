// What is done to the recorded ledger: a week of several tenants around the end of a month, and what must come of it.

import LedgerFixture
import Seeded

/// An event, and the rows of evidence that it leaves (``Evidence/query``).
struct SentEvent: Sendable {
    let line: String
    let evidence: [String]
    var isRefused = false
}

/// Rows that say what a ledger holds of what was sent to it.
enum Evidence {
    static let query = """
        SELECT 'call', id, app, time, quantity FROM usage_event
        UNION ALL SELECT 'device', app, item, month, device FROM counted_device
        UNION ALL SELECT 'app', code, NULL, NULL, NULL FROM app
        UNION ALL SELECT 'grant', code, NULL, NULL, NULL FROM "grant"
        UNION ALL SELECT 'refused', id, NULL, NULL, length(event) FROM quarantine
        """

    static func app(_ code: String) -> String { "app \(code) - - -" }
    static func grant(_ code: String) -> String { "grant \(code) - - -" }
    /// That a copy of the ledger has it too.
    static func copied(_ evidence: String, to name: String) -> String { "\(name): \(evidence)" }
    static func entries(_ count: Int) -> String { "entries \(count)" }
    /// Says nothing of what is there: what was under way.
    static func note(_ text: String) -> String { "# \(text)" }
    static func isNote(_ line: some StringProtocol) -> Bool { line.hasPrefix("# ") }

    /// Whether it says nothing of an event, app or grant.
    static func isOfCopyOrCount(_ line: String) -> Bool { line.contains(": ") || line.hasPrefix("entries ") }

    /// Notes of what is done.
    static let serving = "the daemon serves"
    static let ending = "the daemon is to end"
    static func rating(_ day: String) -> String { "\(day) is to be rated" }
    /// How the ids begin of what came while the day before was rated.
    static func call(ofMidnight day: String) -> String { "midnight-of-\(day)" }
}

struct History: Sendable {
    enum Action: Sendable {
        /// Batches that several senders send at once.
        case events([[SentEvent]])
        /// Batches as of `events` come when the rating has begun: of the next day, so that it makes no difference to it.
        case rate(day: String, meanwhile: [[SentEvent]])
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

    static let accounts = [
        ("acme", mainApps[0..<2] + smallApps[0..<10]), ("bolt", mainApps[2..<3] + smallApps[10..<20]),
        ("cafe", mainApps[3..<4] + smallApps[20..<30]),
    ]
    static let mainApps = ["shop", "kiosk", "rides", "orders"]
    /// Used on one day: its rating has more entries than go into one transaction.
    static let smallApps = (0..<30).map { "small-\($0)" }
    static let grant = (code: "pack", tenant: "acme", item: "basic_analysis", quantity: 40)

    private(set) var steps: [Step]

    /// The same, no further than through so many steps.
    func prefix(_ count: Int) -> History {
        var history = self
        history.steps = Array(steps.prefix(count))
        return history
    }

    private static let days = [
        "2027-01-27", "2027-01-28", "2027-01-29", "2027-01-30", "2027-01-31", "2027-02-01", "2027-02-02", "2027-02-03",
    ]
    /// When the ledger gets its tenants and apps.
    static let begin = days[0] + "T00:00:00Z"
    private static let hours = ["09", "12", "15", "18", "21"]
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
                if index == 2, hour == "12" {
                    steps.append(Step(at: "\(Self.days[index])T13:00:00Z", action: .events(Self.flood(on: index))))
                }
                if index == 1, hour == "09" {
                    steps.append(Step(at: "\(Self.days[index])T10:00:00Z", action: .events([Self.refused])))
                    steps.append(Step(at: "\(Self.days[index])T10:00:00Z", action: .addGrant))
                }
            }
            let midnight = "\(Self.days[index + 1])T00:00:00Z"
            let meanwhile = (0..<Self.senders).map { [Self.call(on: Self.days[index + 1], "T00:00:00Z", of: $0)] }
            steps.append(Step(at: midnight, action: .rate(day: Self.days[index], meanwhile: meanwhile)))
            if index == 2 || index == 4 {
                steps.append(Step(at: midnight, action: .backup(name: "copy-\(index).db")))
            }
            if index == 3 || index == 5 {
                steps.append(Step(at: midnight, action: .restart(isKilled: index == 3)))
            }
        }
        self.steps = steps
    }

    /// Devices of every item of all small apps on each of three days, and on the last of them so many that they are
    /// filed, and sealed, in several transactions.
    private static func flood(on index: Int) -> [[SentEvent]] {
        let days = days[index - 2...index]
        let each = days.flatMap { day in smallApps.map { device("of \(day)", of: features, on: day, $0) } }
        let more = (0..<2_100).map { number in
            device("more-\(number)", of: ["message_push"], on: days[index], smallApps[number % smallApps.count])
        }
        let events = each + more
        let size = (events.count + senders - 1) / senders
        return (0..<senders).map { Array(events.dropFirst($0 * size).prefix(size)) }
    }

    private static let features = [
        "data_sync", "message_push", "version_upgrade", "h5_offline_package", "mini_program_analysis",
    ]

    /// So long that the file is copied in more than one part, and its log moved into it while the daemon serves.
    private static let refused = (0..<48).map { number in
        let line = EventLine.calls(1, id: "refused-\(number)", at: "2027-01-28T10:00:00Z", app: "nobody")
            .with("note", "\"\(String(repeating: "x", count: 60_000))\"").text
        return SentEvent(
            line: line, evidence: ["refused refused-\(number) - - \(line.utf8.count)"], isRefused: true)
    }

    private static func device(_ device: String, of features: [String], on day: String, _ app: String) -> SentEvent {
        let items = features.flatMap { feature in
            switch feature {
            case "mini_program_analysis": ["basic_analysis", "custom_analysis", "performance_analysis"]
            case "version_upgrade": ["version_release"]
            default: [feature]
            }
        }
        let list = features.map { "\"\($0)\"" }.joined(separator: ",")
        return SentEvent(
            line: EventLine.device(device, at: "\(day)T08:00:00Z", app: app)
                .with("data.feature", nil).with("data.features", "[\(list)]").text,
            evidence: items.map { "device \(app) \($0) \(day.prefix(7)) \(device)" })
    }

    private static func call(on day: String, _ time: String, of sender: Int) -> SentEvent {
        let id = Evidence.call(ofMidnight: day) + "-of-\(sender)"
        return call(id, 1, at: day + time, mainApps[sender % mainApps.count])
    }

    private static func call(_ id: String, _ count: Int, at time: String, _ app: String) -> SentEvent {
        SentEvent(
            line: EventLine.calls(Int64(count), id: id, at: time, app: app).text,
            evidence: ["call \(id) \(app) \(time) \(count)"])
    }

    /// - Parameter index: of the day.
    private static func event(
        on index: Int, of sender: Int, _ calls: inout [SentEvent], _ chance: inout SeededGenerator
    ) -> SentEvent {
        let app = mainApps.randomElement(using: &chance) ?? "shop"
        // Some are late, a few so late that they become corrections.
        let late = [0, 0, 0, 0, 0, 1, 2, 3].randomElement(using: &chance) ?? 0
        let day = days[max(0, index - late)]
        guard Bool.random(using: &chance) else {
            let device = "device-\(Int.random(in: 0..<90, using: &chance))"
            let item = Bool.random(using: &chance) ? "basic_analysis" : "message_push"
            return Self.device(device, of: [item], on: day, app)
        }
        if Int.random(in: 0..<6, using: &chance) == 0, let again = calls.randomElement(using: &chance) { return again }
        let id = "call-\(calls.count)-of-\(sender)"
        let count = Int.random(in: 1...5_000, using: &chance)
        let event = call(id, count, at: "\(day)T07:00:00Z", app)
        calls.append(event)
        return event
    }
}
