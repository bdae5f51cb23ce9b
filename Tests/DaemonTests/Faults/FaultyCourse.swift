// Requests that are sent one after the other to a daemon whose calls to the system fail, and again to the next one.

import BuiltProgram
import Foundation
import Interposing
import LedgerFixture
import Testing

/// A list of batches, and what the daemon has said to each so far.
final class FaultyCourse {
    let batches: [SentBatch]
    /// Batches that were answered with 200.
    private(set) var acknowledged: Set<Int> = []
    /// Answers that were no 200, in the order in which they came; nil where there was none.
    private(set) var refusals: [HTTPAnswer?] = []
    private var accepted: [String: Int] = [:]

    init(batches: Int, eventsEach: Int = 4) {
        self.batches = (0..<batches).map { batch in
            SentBatch(
                own: (0..<eventsEach).map { SumEvent(id: "\(batch)-\($0)", number: batch * 7 + $0) }, repeated: [],
                // New ones in each batch: what memory believes to know touches no page.
                devices: (0..<2).map { number in
                    DeviceEvent(
                        device: "device-\(batch)-\(number)",
                        item: batch.isMultiple(of: 2) ? "basic_analysis" : "message_push",
                        app: number == 0 ? "shop" : "kiosk")
                })
        }
    }

    /// What senders have sent to a daemon; those of them have ended that do not persist.
    init(_ outbox: Outbox) {
        let state = outbox.with { $0 }
        batches = state.acknowledged + state.givenUp
        acknowledged = Set(state.acknowledged.indices)
        accepted = state.accepted
    }

    var acknowledgedBatches: [SentBatch] { acknowledged.sorted().map { batches[$0] } }

    /// Sends a batch once.
    ///
    /// - Returns: whether it was acknowledged.
    @discardableResult
    func send(_ batch: Int, over connection: HTTPConnection) -> Bool {
        let answer = try? connection.post(lines: batches[batch].lines)
        guard let answer, answer.status == 200, let counts = try? EventsAnswer(answer) else {
            refusals.append(answer)
            return false
        }
        note(batch, counts.statuses(of: batches[batch].lines.count))
        return true
    }

    /// Sends batches, each again and again until it is acknowledged.
    ///
    /// - Throws: ``SceneError`` when that takes too long.
    func deliver(_ range: Range<Int>, over connection: HTTPConnection) async throws {
        for batch in range {
            try await eventually("batch \(batch) is acknowledged") {
                send(batch, over: connection)
            }
        }
    }

    /// Expects that what was acknowledged is there, sends all batches again to a daemon that is well, and expects that all
    /// is there once afterwards.
    ///
    /// - Parameter commands: what else is to be done before.
    func finish(_ scene: DaemonScene, _ test: String, commands: [[String]] = []) async throws {
        // Looked at in a copy: the next daemon is to find the file and its log as the last one left them.
        try scene.copy().expectStored(acknowledgedBatches, test)
        for command in commands { try await scene.run(command) }
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let connection = try HTTPConnection(port: try await daemon.port())
        let lines = batches.flatMap(\.lines)
        var statuses = try EventsAnswer(connection.post(lines: lines)).statuses(of: lines.count)[...]
        for batch in batches.indices {
            let all = statuses.prefix(batches[batch].lines.count)
            let own = Array(all.prefix(batches[batch].own.count))
            statuses = statuses.dropFirst(all.count)
            let stored = own.filter { $0 == "duplicate" }.count
            #expect(stored == 0 || stored == own.count, "\(test): a part of batch \(batch) was stored")
            if acknowledged.contains(batch) {
                #expect(stored == own.count, "\(test): batch \(batch) was acknowledged and is not there: \(own)")
            }
            note(batch, Array(all))
        }
        #expect(try await daemon.stop().end == .exited(0), "\(test): \(daemon.log)")
        try await scene.expectExactlyOnce(batches, accepted, test)
    }

    private func note(_ batch: Int, _ statuses: [String]) {
        acknowledged.insert(batch)
        let events = batches[batch].own + batches[batch].repeated
        for (event, status) in zip(events, statuses) where status == "accepted" {
            accepted[event.id, default: 0] += 1
        }
    }
}

extension EventsAnswer {
    /// What became of each event.
    func statuses(of count: Int) -> [String] {
        var statuses = Array(repeating: "accepted", count: count)
        for result in results { statuses[result.index] = result.status }
        return statuses
    }
}

extension HTTPAnswer {
    /// What a problem says to the person who reads the client's log.
    var detail: String {
        let problem = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
        return problem?["detail"] as? String ?? text
    }
}

extension DaemonScene {
    /// Runs a command whose calls to the system go wrong on the files of this scene.
    func outcome(_ arguments: [String], faults: [Fault]) async throws -> CommandOutcome {
        var interposition = Interposition(folder: folder.url.path)
        interposition.faults = faults
        return try await begin(arguments, settings: interposition.environment).outcome()
    }

    /// Starts a daemon whose calls to the system go wrong on the files of this scene.
    ///
    /// - Parameters:
    ///   - journal: where to note what happens to them.
    ///   - met: where to note which calls met a fault.
    ///   - hold: a file: calls that are to be held wait while it is there.
    func serve(
        faults: [Fault], journal: String? = nil, met: String? = nil, hold: String? = nil,
        settings: [String: String] = [:]
    ) throws -> ServingDaemon {
        var interposition = Interposition(folder: folder.url.path)
        interposition.hold = hold
        interposition.faults = faults
        interposition.journal = journal
        interposition.met = met
        return try serve(
            settings: interposition.environment.merging(["METERD_RATE_AT": "off"]) { $1 }.merging(settings) { $1 })
    }
}
