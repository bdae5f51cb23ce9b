// Senders of events, each a thread with a connection of its own, as phones and gateways are: they send on and on, and
// again whatever got no answer.

import Foundation
import LedgerFixture
import Seeded

/// One request: what it says, and what of it is counted.
struct SentBatch: Sendable {
    /// Events by source and id of their own that no other batch has; they are the first lines.
    let own: [SumEvent]
    /// An event of an earlier batch of this sender, and one that all senders send.
    let repeated: [SumEvent]
    let devices: [DeviceEvent]

    var lines: [String] { (own + repeated).map(\.line) + devices.map(\.line) }
}

/// A gateway call or usage event; all of it follows from the id.
struct SumEvent: Hashable, Sendable {
    let id: String
    let number: Int

    var calls: Int { number % 90 + 1 }
    var app: String { number % 3 == 0 ? "kiosk" : "shop" }
    var day: String { "2027-01-\(["08", "09", "10"][number % 3])" }
    var line: String { EventLine.calls(Int64(calls), id: id, at: "\(day)T10:00:00Z", app: app).text }
}

struct DeviceEvent: Hashable, Sendable {
    let device: String
    let item: String
    let app: String

    var line: String { EventLine.device(device, of: item, at: "2027-01-09T10:00:00Z", app: app).text }
}

/// What all senders know of the daemon, and what has become of what they sent.
final class Outbox: @unchecked Sendable {
    struct State {
        /// Where the daemon is; nil while there is none.
        var port: Int?
        /// What the test clock shows; changed only while there is no daemon.
        var now = DaemonScene.now
        var round = 0
        var mayBegin = true
        var acknowledged: [SentBatch] = []
        /// What was sent without being acknowledged, and not sent again.
        var givenUp: [SentBatch] = []
        /// How often each id was answered with "accepted", or where its day was settled, with "correction".
        var accepted: [String: Int] = [:]
        var inFlight = 0
        /// Requests that were sent and got no answer, and how many of them turned out to be stored.
        var unanswered = 0
        var unansweredStored = 0
        var roundsHit: Set<Int> = []
        var unavailable = 0
        var running = 0
        var problems: [String] = []
    }

    // A lock that the thread sanitizer knows, so that these tests can run under it.
    private let lock = NSLock()
    private var state = State()

    func with<Value: Sendable>(_ body: (inout State) -> Value) -> Value { lock.withLock { body(&state) } }

    /// Starts senders, with the seeds 0, 1, 2 and so on.
    func start(senders count: Int, arePersistent: Bool = true) {
        for number in 0..<count {
            Sender("sender-\(number)", seed: UInt64(number), outbox: self, isPersistent: arePersistent).start()
        }
    }

    /// Waits until all senders have ended.
    func finish() async throws {
        try await eventually("all senders have ended") { with { $0.running } == 0 }
    }
}

/// Sends until the outbox says that no new batch may begin.
struct Sender: Sendable {
    let name: String
    let outbox: Outbox
    /// Whether what got no answer is sent again, until there is one.
    let isPersistent: Bool
    private let seed: UInt64

    static let ownEvents = 4
    private static let sharedEvents = 500

    init(_ name: String, seed: UInt64, outbox: Outbox, isPersistent: Bool = true) {
        self.name = name
        self.seed = seed
        self.outbox = outbox
        self.isPersistent = isPersistent
    }

    func start() {
        outbox.with { $0.running += 1 }
        let thread = Thread { [self] in
            run()
            outbox.with { $0.running -= 1 }
        }
        thread.name = "sender \(name)"
        thread.start()
    }

    private func run() {
        var chance = SeededGenerator(seed: seed)
        var earlier: [SumEvent] = []
        var link = Link()
        while outbox.with({ $0.mayBegin }) {
            let batch = Self.batch(of: name, earlier, &chance)
            guard deliver(batch, &link) else { return }
            earlier += batch.own
        }
    }

    private static func batch(
        of name: String, _ earlier: [SumEvent], _ chance: inout SeededGenerator
    ) -> SentBatch {
        let own = (0..<ownEvents).map {
            SumEvent(id: "\(name)-\(earlier.count + $0)", number: Int.random(in: 0..<9_000, using: &chance))
        }
        let shared = Int.random(in: 0..<sharedEvents, using: &chance)
        let devices = (0..<2).map { _ in
            DeviceEvent(
                device: "device-\(Int.random(in: 0..<3_000, using: &chance))",
                item: Bool.random(using: &chance) ? "basic_analysis" : "message_push",
                app: Bool.random(using: &chance) ? "shop" : "kiosk")
        }
        let again = earlier.randomElement(using: &chance).map { [$0] } ?? []
        return SentBatch(own: own, repeated: again + [SumEvent(id: "all-\(shared)", number: shared)], devices: devices)
    }

    private struct Link {
        var connection: HTTPConnection?
        var port: Int?
    }

    /// - Returns: whether to go on.
    private func deliver(_ batch: SentBatch, _ link: inout Link) -> Bool {
        let lines = batch.lines
        var wasUnanswered = false
        while true {
            let (port, now, round, mayBegin) = outbox.with { ($0.port, $0.now, $0.round, $0.mayBegin) }
            if port != link.port || link.connection == nil {
                link = Link(connection: port.flatMap { try? HTTPConnection(port: $0) }, port: port)
            }
            guard let connection = link.connection else {
                guard isPersistent || mayBegin else { return false }
                usleep(3_000)
                continue
            }
            do {
                outbox.with { $0.inFlight += 1 }
                defer { outbox.with { $0.inFlight -= 1 } }
                let answer = try connection.post(lines: lines, now: now)
                if answer.status == 503 {
                    outbox.with { $0.unavailable += 1 }
                    guard isPersistent else { return giveUp(batch) }
                    usleep(10_000)
                    continue
                }
                return note(answer, batch, lines.count, wasUnanswered)
            } catch {
                wasUnanswered = true
                link.connection = nil
                outbox.with {
                    $0.unanswered += 1
                    $0.roundsHit.insert(round)
                }
                guard isPersistent else { return giveUp(batch) }
            }
        }
    }

    private func giveUp(_ batch: SentBatch) -> Bool {
        outbox.with { $0.givenUp.append(batch) }
        return false
    }

    /// Takes an answer to heart.
    private func note(_ answer: HTTPAnswer, _ batch: SentBatch, _ sent: Int, _ wasUnanswered: Bool) -> Bool {
        guard answer.status == 200, let counts = try? EventsAnswer(answer) else {
            outbox.with { $0.problems.append("status \(answer.status): \(answer.text)") }
            return false
        }
        var statuses = Array(repeating: "accepted", count: sent)
        for result in counts.results { statuses[result.index] = result.status }
        let own = statuses.prefix(batch.own.count)
        let stored = own.filter { $0 == "duplicate" }.count
        outbox.with { state in
            func complain(_ text: String) { state.problems.append("\(text): \(answer.text)") }
            if counts.counted != sent { complain("the counts do not add up to \(sent)") }
            if counts.accepted != statuses.filter({ $0 == "accepted" }).count
                || counts.duplicates != statuses.filter({ $0 == "duplicate" }).count
                || counts.corrections != statuses.filter({ $0 == "correction" }).count || counts.refused != 0
            {
                complain("the counts are not those of the results")
            }
            // A batch is stored whole or not at all; what was never sent before is no duplicate.
            if stored != 0, stored != own.count { complain("a part of the batch was stored before") }
            if stored != 0, !wasUnanswered { complain("what is sent for the first time is a duplicate") }
            if wasUnanswered, stored != 0 { state.unansweredStored += 1 }
            for (event, status) in zip(batch.own + batch.repeated, statuses) where status != "duplicate" {
                state.accepted[event.id, default: 0] += 1
            }
            state.acknowledged.append(batch)
        }
        return true
    }
}
