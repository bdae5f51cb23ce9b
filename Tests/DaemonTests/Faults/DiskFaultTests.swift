// A disk that fails, is full, or is slow: what the daemon answers, and what is in the file afterwards.

import BuiltProgram
import Foundation
import Interposing
import LedgerFixture
import TestSupport
import Testing

@Suite("A daemon whose disk", .inTurn)
struct DiskFaultTests {
    /// Enough that the log is moved into the file on the way.
    private static let batches = 300
    private static let eventsEach = 60

    // MARK: Fails

    struct Failure: Sendable, CustomTestStringConvertible {
        let name: String
        let fault: Fault
        /// What the daemon calls it.
        let reason: String
        /// Whether a request is refused by it: what fails behind an acknowledged commit is nobody's.
        var isAnswered = true

        var testDescription: String { name }
    }

    static let failures = [
        Failure(
            name: "a commit can't be synced", fault: Fault(.sync, of: "-wal", at: 12, .fail("EIO")),
            reason: "syncing: Input/output error"),
        Failure(
            name: "a commit's sync finds no room", fault: Fault(.sync, of: "-wal", at: 12, .fail("ENOSPC")),
            reason: "syncing: No space left on device"),
        Failure(
            name: "a commit can't be written", fault: Fault(.write, of: "-wal", at: 300, .fail("EIO")),
            reason: "writing: Input/output error"),
        Failure(
            name: "the file can't be written", fault: Fault(.write, of: ".db", at: 1, .fail("EIO")),
            reason: "writing: Input/output error", isAnswered: false),
        Failure(
            name: "the file can't be synced", fault: Fault(.sync, of: ".db", at: 1, .fail("EIO")),
            reason: "syncing: Input/output error", isAnswered: false),
    ]

    @Test(
        """
        fails once: it stops with a clear word, tries no sync again, leaves the file as it is for the next one, and that \
        has all that was acknowledged
        """, arguments: failures)
    func failing(_ failure: Failure) async throws {
        let scene = try await DaemonScene.make()
        let journals = try ScratchFolder()
        let journal = journals.path("journal")
        let daemon = try scene.serve(faults: [failure.fault], journal: journal)
        let connection = try HTTPConnection(port: try await daemon.port())
        let course = FaultyCourse(batches: Self.batches, eventsEach: Self.eventsEach)
        for batch in course.batches.indices where daemon.process.end == nil && course.refusals.isEmpty {
            course.send(batch, over: connection)
        }
        try Journal.mark("refused", in: journal)
        #expect(try await daemon.process.end() == .exited(1), "\(daemon.log)")
        let words =
            "the file can't be read or written (\(failure.reason)); meterd stops writing: when the disk is well again "
            + "(see the kernel's log), start it and send the same again, nothing is counted twice"
        #expect(daemon.log.contains("meterd: \(words)"), "\(daemon.log)")
        #expect(daemon.log.contains(" critical stopping "), "\(daemon.log)")
        #expect(course.acknowledged.count >= 5)
        if failure.isAnswered {
            let answer = try #require(course.refusals.first ?? nil)
            #expect(answer.status == 503)
            #expect(answer.headers["retry-after"] == "30")
            #expect(answer.detail == words)
        }

        let records = try Journal.read(journal)
        if failure.fault.calls == .sync {
            #expect(failure.fault.callsDone(in: records) == failure.fault.first - 1, "it was synced again")
        }
        if failure.isAnswered {
            let later = records.drop { $0 != .mark("refused") }.dropFirst()
            #expect(later.allSatisfy { if case .write = $0 { false } else { true } }, "it went on writing: \(later)")
        }
        try await course.finish(scene, failure.name)
    }

    @Test("fails while it stops: what was acknowledged is there, the log says what happened, the next one goes on")
    func failingAtTheEnd() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(faults: [Fault(.sync, of: ".db", from: 1..., .fail("EIO"))])
        let connection = try HTTPConnection(port: try await daemon.port())
        let course = FaultyCourse(batches: 5)
        for batch in course.batches.indices { #expect(course.send(batch, over: connection)) }
        #expect(try await daemon.stop().end == .exited(0))
        #expect(daemon.log.contains("the ledger's file was not closed well"), "\(daemon.log)")
        #expect(daemon.log.contains("syncing: Input/output error"), "\(daemon.log)")
        try await course.finish(scene, "at the end")
    }

    static let starts: [(name: String, fault: Fault, words: String)] = [
        (
            "no room for what a connection makes anew", Fault(.write, of: "-shm", from: 1..., .fail("ENOSPC")),
            "there is no room on the disk of LEDGER; make room and try again, nothing is done twice"
        ),
        (
            "a quota that is used up", Fault(.write, of: "-shm", from: 1..., .fail("EDQUOT")),
            "there is no room on the disk of LEDGER; make room and try again, nothing is done twice"
        ),
        (
            "a file that can't be opened", Fault(.open, of: ".db", from: 1..., .fail("EIO")),
            "cannot open LEDGER: unable to open database file"
        ),
    ]

    @Test(
        "fails as it starts: it ends with a clear word, and the next one starts as if nothing had been",
        arguments: starts)
    func failingAtTheStart(name: String, fault: Fault, words: String) async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(faults: [fault])
        #expect(try await daemon.process.end() == .exited(1), "\(daemon.log)")
        #expect(daemon.log.contains("meterd: " + words.replacing("LEDGER", with: scene.ledger)), "\(daemon.log)")
        try await FaultyCourse(batches: 2).finish(scene, name)
    }

    static let firstCommits: [(name: String, fault: Fault)] = [
        ("no room for the first commit", Fault(.write, of: "-wal", from: 1..., .fail("ENOSPC"))),
        ("a first commit that can't be synced", Fault(.sync, of: "-wal", at: 1, .fail("EIO"))),
    ]

    @Test(
        "fails at its first commit: nothing is acknowledged, and the next one goes on as if nothing had been",
        arguments: firstCommits)
    func failingAtTheFirstCommit(name: String, fault: Fault) async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(faults: [fault])
        let course = FaultyCourse(batches: 2)
        let isAcknowledged = course.send(0, over: try HTTPConnection(port: try await daemon.port()))
        #expect(!isAcknowledged)
        let answer = try #require(course.refusals.first ?? nil)
        #expect(answer.status == 503)
        _ = try await daemon.stop()
        try await course.finish(scene, name)
    }

    // MARK: Is full

    static let shortages: [(name: String, fault: Fault)] = [
        ("the disk is full", Fault(.write, of: "-wal", at: 200...400, .fail("ENOSPC"))),
        ("the user's quota is used up", Fault(.write, of: "-wal", at: 200...400, .fail("EDQUOT"))),
        ("only a part of each write finds room", Fault(.write, of: "-wal", at: 200...400, .short)),
        ("the file itself can't grow", Fault(.write, of: ".db", at: 1...60, .fail("ENOSPC"))),
    ]

    @Test(
        "is full for a while: 503 with the reason where it matters, nothing half-stored, it goes on by itself",
        arguments: shortages)
    func full(name: String, fault: Fault) async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(faults: [fault])
        let connection = try HTTPConnection(port: try await daemon.port())
        let course = FaultyCourse(batches: Self.batches, eventsEach: Self.eventsEach)
        try await course.deliver(course.batches.indices, over: connection)
        for answer in course.refusals {
            #expect(answer?.status == 503)
            #expect(answer?.headers["retry-after"] == "30")
            #expect(
                answer?.detail == "the disk is full, nothing was stored; free some space and send the same again")
        }
        let isRefused = fault.isRefused
        #expect(course.refusals.isEmpty != isRefused, "\(course.refusals.count) refusals")
        #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
        #expect(daemon.log.contains("the writer failed error=\"the disk is full") == isRefused, "\(daemon.log)")
        try await course.finish(scene, name)
    }

    @Test("takes no larger file (ulimit -f): it is not killed, answers as for a full disk, and goes on when it may")
    func largestFile() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve(settings: ["METERD_RATE_AT": "off"])
        let connection = try HTTPConnection(port: try await daemon.port())
        let course = FaultyCourse(batches: 40, eventsEach: 100)
        #expect(course.send(0, over: connection))
        let limit = try #require(scene.size(of: "-wal")) + 200_000
        try daemon.process.limit(.fileSize, to: limit)
        var batch = 1
        while course.send(batch, over: connection), batch + 1 < course.batches.count { batch += 1 }
        let answer = try #require(course.refusals.first ?? nil, "it took \(batch) batches")
        #expect(answer.status == 503)
        #expect(answer.detail == "the disk is full, nothing was stored; free some space and send the same again")
        // A command has the same from the daemon, in its own words; it needs less room.
        try daemon.process.limit(.fileSize, to: 100_000)
        let outcome = try await scene.outcome(["tenant", "add", "bolt", "--now", DaemonScene.now])
        #expect(outcome.end == .exited(1))
        #expect(
            outcome.errors
                == "meterd: there is no room on the disk of \(scene.ledger); make room and try again, nothing is done "
                + "twice\n")
        #expect(try connection.get("/v1/usage/days").status == 200)
        try daemon.process.limit(.fileSize, to: nil)
        try await course.deliver(batch..<course.batches.count, over: connection)
        #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
        try await course.finish(scene, "ulimit -f")
    }

    // MARK: Under load

    /// Each commit takes its time for a while, so that those that come meanwhile are in the next one together.
    private static let slowSyncs = Fault(.sync, of: "-wal", at: 2...60, .delay(milliseconds: 60))

    /// A daemon on a disk that fails, and what 8 senders have sent to it when `end` returns.
    private func load(
        _ scene: DaemonScene, _ fault: Fault, isAnswered: Bool, arePersistent: Bool, journal: String? = nil,
        until end: (ServingDaemon, Outbox) async throws -> Void
    ) async throws -> (log: String, outbox: Outbox) {
        let daemon = try scene.serve(
            faults: [fault] + (isAnswered ? [Self.slowSyncs] : []), journal: journal, met: scene.folder.path("met"))
        let port = try await daemon.port()
        let outbox = Outbox()
        outbox.with { $0.port = port }
        outbox.start(senders: 8, arePersistent: arePersistent)
        defer { outbox.with { $0.mayBegin = false } }
        try await end(daemon, outbox)
        #expect(outbox.with { $0.problems } == [])
        return (daemon.log, outbox)
    }

    /// How many requests were in each commit that failed and is in the log.
    private static func requestsOfFailures(_ log: String) -> [Int] {
        log.split(separator: "\n").filter { $0.contains(" the writer failed ") }.compactMap {
            $0.split(separator: " requests=").last.flatMap { Int($0.prefix { $0.isNumber }) }
        }
    }

    @Test(
        """
        fails once while many send: all of a commit's requests are refused, those that wait behind it are not stored \
        either, and all that was acknowledged is there
        """, arguments: failures)
    func failingUnderLoad(_ failure: Failure) async throws {
        let scene = try await DaemonScene.make()
        let journals = try ScratchFolder()
        let (log, outbox) = try await load(
            scene, failure.fault, isAnswered: failure.isAnswered, arePersistent: false,
            journal: journals.path("journal")
        ) { daemon, outbox in
            #expect(try await daemon.process.end() == .exited(1), "\(daemon.log)")
            try await outbox.finish()
        }
        #expect(outbox.with { $0.acknowledged.count } >= 5)
        if failure.isAnswered {
            // On a busy machine it may have only one; that several fail together, the disks that are full show.
            let requests = try #require(Self.requestsOfFailures(log).first, "\(log)")
            #expect(outbox.with { $0.unavailable } >= max(1, requests))
            // Nothing more of the kind that has failed: no commit can have followed.
            let done = failure.fault.callsDone(in: try Journal.read(journals.path("journal")))
            #expect(done == failure.fault.first - 1, "it went on after the call that failed")
        }
        try await FaultyCourse(outbox).finish(scene, failure.name)
    }

    @Test(
        "is full for a while while many send: all of a commit's requests are refused, and all of them goes on by itself",
        arguments: shortages)
    func fullUnderLoad(name: String, fault: Fault) async throws {
        let scene = try await DaemonScene.make()
        let isRefused = fault.isRefused
        let (log, outbox) = try await load(
            scene, fault, isAnswered: fault.suffix == "-wal", arePersistent: true
        ) { daemon, outbox in
            // What can't be moved into the file is not tried again soon.
            let last = fault.suffix == "-wal" ? try #require(fault.last) : 1
            let met = scene.folder.path("met")
            try await eventually("\(name): all has failed that is to fail") {
                try MetFault.read(met).contains { $0.fault == 0 && $0.call == last }
            }
            let least = outbox.with { $0.acknowledged.count } + 50
            try await eventually("\(least) requests are acknowledged") {
                outbox.with { $0.acknowledged.count >= least || !$0.problems.isEmpty }
            }
            outbox.with { $0.mayBegin = false }
            try await outbox.finish()
            #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
        }
        let requests = Self.requestsOfFailures(log)
        #expect(isRefused ? (requests.max() ?? 0) > 1 : requests.isEmpty, "\(log)")
        #expect((outbox.with { $0.unavailable } > 0) == isRefused)
        try await FaultyCourse(outbox).finish(scene, name)
    }

    // MARK: Is slow

    @Test(
        """
        is slow: no answer comes before its sync, the requests that wait share the next one, the watchdog hears, a kill \
        takes nothing
        """)
    func slow() async throws {
        let scene = try await DaemonScene.make()
        let socket = try NotifySocket(.path)
        let syncMs = 50
        let daemon = try scene.serve(
            faults: [Fault(.sync, of: "-wal", from: 1..., .delay(milliseconds: syncMs))],
            settings: ["NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "1000000"])
        let port = try await daemon.port()
        let outbox = Outbox()
        outbox.with { $0.port = port }
        for number in 0..<12 { Sender("slow-\(number)", seed: UInt64(number), outbox: outbox).start() }
        defer { outbox.with { $0.mayBegin = false } }

        let connection = try HTTPConnection(port: port)
        var beats = 0
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(2) || beats < 2 && ContinuousClock.now - start < Patience.duration
        {
            let sent = ContinuousClock.now
            let event = SumEvent(id: "probe-\(beats)-\(sent)", number: 3)
            #expect(try connection.post(lines: [event.line]).status == 200)
            #expect(ContinuousClock.now - sent >= .milliseconds(syncMs), "an answer before its sync")
            beats += socket.received().filter { $0 == "WATCHDOG=1" }.count
        }
        #expect(beats >= 2)
        try await daemon.kill()
        outbox.with { ($0.port, $0.mayBegin) = (nil, false) }
        try scene.copy().expectStored(outbox.with { $0.acknowledged }, "killed on a slow disk")
        let waited = try await shareOneCommit(outbox, scene)
        let state = outbox.with { $0 }
        print("slow disk: \(state.acknowledged.count) requests, \(beats) beats, \(waited) that shared a commit")
        #expect(state.problems == [])
        try scene.expectStored(state.acknowledged, "slow disk")
        try await scene.run(["rate", "--date", "2027-01-10", "--now", DaemonScene.now])
        try await scene.run(["verify"])
    }

    /// Serves senders that have a request each to send again, while a commit of another takes its time: theirs share the one
    /// after it.
    ///
    /// - Returns: how many they were.
    private func shareOneCommit(_ outbox: Outbox, _ scene: DaemonScene) async throws -> Int {
        let hold = try Hold()
        let daemon = try scene.serve(settings: hold.environment(scene).merging(["METERD_RATE_AT": "off"]) { $1 })
        let port = try await daemon.port()
        let connection = try HTTPConnection(port: port)
        func metric(_ name: String) throws -> Int { Int(Metrics(try connection.get("/metrics").text)[name] ?? -1) }
        let slow = try HTTPConnection(port: port)
        let body = Array(SumEvent(id: "slow", number: 1).line.utf8)
        let head = [("Content-Type", "application/x-ndjson"), ("Meterd-Now", DaemonScene.now)]
        try hold.begin()
        try slow.send(
            HTTPConnection.request("POST", "/v1/events", head + [("Content-Length", "\(body.count)")]) + body)
        try await eventually("its commit waits") { try hold.isHolding() }
        outbox.with { $0.port = port }
        try await eventually("all that send wait for the next one") {
            try metric("meterd_queue_requests") == outbox.with { $0.running }
        }
        let waiting = outbox.with { $0.running }
        let before = try metric("meterd_transaction_events_count")
        try hold.end()
        try await outbox.finish()
        #expect(try EventsAnswer(slow.receive()).accepted == 1)
        #expect(try metric("meterd_transaction_events_count") == before + 2)
        #expect(waiting > 1)
        #expect(try await daemon.stop().end == .exited(0))
        return waiting
    }
}

extension Fault {
    /// How many of the calls that it is set for have succeeded.
    fileprivate func callsDone(in records: [JournalRecord]) -> Int {
        let file = "meterd.db\(suffix == ".db" ? "" : suffix)"
        return calls == .sync ? records.syncs(of: file).count : records.writes(to: file).count
    }

    /// Whether a request is refused by it: half a write is followed by the other half, and what can't be moved into the
    /// file stays in the log.
    fileprivate var isRefused: Bool {
        switch action {
        case .fail: suffix == "-wal"
        default: false
        }
    }
}

/// Samples of `/metrics` without labels, by name.
struct Metrics {
    private let values: [String: Double]

    init(_ text: String) {
        let samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.contains("{") }
        values = Dictionary(
            samples.compactMap { line in
                let parts = line.split(separator: " ")
                return parts.count == 2 ? Double(parts[1]).map { (String(parts[0]), $0) } : nil
            }, uniquingKeysWith: { $1 })
    }

    subscript(name: String) -> Double? { values[name] }
}
