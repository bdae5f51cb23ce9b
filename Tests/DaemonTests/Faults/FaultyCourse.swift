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
                devices: (0..<2).map { number in
                    DeviceEvent(
                        device: "device-\((batch * 3 + number) % 50)",
                        item: batch.isMultiple(of: 2) ? "basic_analysis" : "message_push",
                        app: number == 0 ? "shop" : "kiosk")
                })
        }
    }

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

    /// Sends batches, each until it is acknowledged.
    ///
    /// - Throws: ``SceneError`` when that takes too long.
    func send(
        _ range: Range<Int>, over connection: HTTPConnection, untilAcknowledgedWithinSeconds seconds: Double
    ) async throws {
        for batch in range {
            try await eventually("batch \(batch) is acknowledged", withinSeconds: seconds) {
                send(batch, over: connection)
            }
        }
    }

    /// Sends all batches again to a daemon that is well, and expects that what was acknowledged before is there, and that
    /// all is there once afterwards.
    func finish(_ scene: DaemonScene, _ test: String) async throws {
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let connection = try HTTPConnection(port: try await daemon.port())
        let lines = batches.flatMap(\.lines)
        var statuses = try EventsAnswer(connection.post(lines: lines)).statuses(of: lines.count)[...]
        for batch in batches.indices {
            let own = Array(statuses.prefix(batches[batch].own.count))
            statuses = statuses.dropFirst(batches[batch].lines.count)
            let stored = own.filter { $0 == "duplicate" }.count
            #expect(stored == 0 || stored == own.count, "\(test): a part of batch \(batch) was stored")
            if acknowledged.contains(batch) {
                #expect(stored == own.count, "\(test): batch \(batch) was acknowledged and is not there: \(own)")
            }
            note(batch, own)
        }
        #expect(try await daemon.stop().end == .exited(0), "\(test): \(daemon.log)")
        try await scene.expectExactlyOnce(batches, accepted, test)
    }

    private func note(_ batch: Int, _ statuses: [String]) {
        acknowledged.insert(batch)
        for (event, status) in zip(batches[batch].own, statuses) where status == "accepted" {
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
        return try await begin(arguments, settings: interposition.environment).outcome(withinSeconds: 60)
    }

    /// Starts a daemon whose calls to the system go wrong on the files of this scene.
    ///
    /// - Parameter journal: where to note what happens to them.
    func serve(
        faults: [Fault], journal: String? = nil, settings: [String: String] = [:]
    ) throws -> ServingDaemon {
        var interposition = Interposition(folder: folder.url.path)
        interposition.faults = faults
        interposition.journal = journal
        return try serve(
            settings: interposition.environment.merging(["METERD_RATE_AT": "off"]) { $1 }.merging(settings) { $1 })
    }
}
