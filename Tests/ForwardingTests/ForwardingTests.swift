// A command and the daemon that has its ledger open: the same answers as without it, and a clear word when it is ill.

import EventCodec
import Forwarding
import Foundation
import Ingestion
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Rating
import Storage
import TestSupport
import Testing
import Writer

@Suite("A command whose ledger is open in a daemon", .serialized)
struct ForwardingTests {
    /// What operations answer and throw, in words; each ledger is asked the same.
    private func conversation(_ access: LedgerAccess, _ clock: LedgerClock) throws -> [String] {
        func code(_ text: String) -> Code { LedgerFixture.code(text) }
        var said: [String] = []
        func say(_ what: () throws -> Any) {
            do {
                let answer = try what()
                if let report = answer as? BatchReport {
                    let refused = report.refused.map { "\($0.key) \($0.value)" }.sorted()
                    said.append(
                        "\(report.accepted) \(report.duplicates) \(report.corrections) \(refused) \(report.results)")
                } else {
                    said.append("\(answer)")
                }
            } catch { said.append("error: \(error)") }
        }
        func ask<Operation: LedgerOperation>(_ operation: Operation, at clock: LedgerClock = clock) {
            say { try access.perform(operation, clock: clock) }
        }
        func ingest(_ lines: [String?]) {
            say {
                let bytes = lines.map { $0.map { Array($0.utf8) } }
                let buffers = bytes.map { line in
                    line.map { line in
                        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: line.count)
                        _ = copy.initialize(from: line)
                        return UnsafeBufferPointer(copy)
                    }
                }
                defer { for buffer in buffers { buffer?.deallocate() } }
                return try access.ingest(buffers, clock: clock)
            }
        }
        ask(AddTenant(code: code("acme"), name: "Acme é \"1\"", isLegacy: true))
        ask(AddTenant(code: code("acme"), name: "Acme é \"1\"", isLegacy: true))
        ask(AddTenant(code: code("acme"), name: "other", isLegacy: true))
        ask(AddApp(code: code("shop"), tenant: code("acme"), name: "Shop"))
        ask(AddApp(code: code("stall"), tenant: code("nobody"), name: "Stall"))
        ingest([
            EventLine.device("phone-1").text, EventLine.calls(7, id: "c1").text, EventLine.calls(7, id: "c1").text,
            EventLine.calls(8, id: "c1").text, "{\"no\":", nil, "", EventLine.calls(1, id: "c2", app: "kiosk").text,
            EventLine.calls(5, id: "late", at: "2027-01-03T10:00:00Z").text,
        ])
        let order = GrantOrder(
            code: code("R-1"), tenant: code("acme"),
            terms: .resourcePackage(item: code("gateway_calls"), quantity: Quantity(1_000)),
            purchasedAt: clock.given ?? Instant(micros: 0), price: Money(micros: 60_000_000))
        ask(RecordGrant(order))
        ask(RecordGrant(order))
        ask(AddApp(code: code("kiosk"), tenant: code("acme"), name: "Kiosk"))
        ask(RetryQuarantine(ids: []))
        ask(DropQuarantine(ids: []))
        ask(ApplyPriceBook(yaml: "book: nothing"))
        ask(RateDay(Day("2027-01-10")!, isDryRun: true))
        ask(RateDay(Day("2027-01-10")!))
        ask(RateDay(Day("2027-01-11")!))
        ask(VoidGrant(code("R-1")))
        ask(VoidGrant(code("R-1")))
        ask(EraseDevice(device: "phone-1", app: code("shop")))
        ask(EraseDevice(device: "phone-2", app: code("shop")))
        ask(AddTenant(code: code("late"), name: "late", isLegacy: false), at: LedgerClock(given: Instant(micros: 1)))
        return said
    }

    private func rows(_ fixture: LedgerFixture) throws -> [String] {
        try LedgerFile.openForReading(at: fixture.path).read { database in
            // Not the devices: an erased one shows a fingerprint, whose key each ledger has of its own.
            try ["ledger", "usage_daily", "mau", "usage_event", "tenant", "app", "grant_balance"]
                .flatMap { try LedgerFixture.rows(database, "SELECT * FROM \($0)") }
        }
    }

    @Test("gets the same answers, errors and ledger as one that opens it itself")
    func sameAnswers() async throws {
        let (own, served) = (try LedgerFixture(), try LedgerFixture())
        let ownSaid = try conversation(.here(own.ledger), own.clock)
        #expect(ownSaid.count == 20)

        let writer = LedgerWriter(ledger: served.handOver())
        let listener = try CommandListener(ledger: served.path, writer: writer)
        let access = try LedgerAccess.open(at: served.path)
        guard case .daemon = access else {
            Issue.record("the daemon was not found")
            return
        }
        let servedSaid = try conversation(access, served.clock)
        for (mine, theirs) in zip(ownSaid, servedSaid) { #expect(mine == theirs) }
        #expect(servedSaid.count == ownSaid.count)
        #expect(try rows(served) == rows(own))
        listener.finish()
        await writer.stop()
    }

    @Test(
        "is told that a name or a price book with U+0000 can't be stored, by the ledger and by the daemon; nothing is")
    func textWithNUL() async throws {
        let (own, served) = (try LedgerFixture(), try LedgerFixture())
        func ask(_ access: LedgerAccess, _ clock: LedgerClock) throws -> [String] {
            let (acme, shop, bad) = (LedgerFixture.code("acme"), LedgerFixture.code("shop"), LedgerFixture.code("bad"))
            _ = try access.perform(AddTenant(code: acme, name: "Acme", isLegacy: false), clock: clock)
            func error(_ what: () throws -> Any) -> String {
                do { return "done: \(try what())" } catch { return "\(error)" }
            }
            let book = "book: a\0b\neffective: 2026-01-01\ncurrency: USD\n"
            return [
                error { try access.perform(AddTenant(code: bad, name: "a\0b", isLegacy: false), clock: clock) },
                error { try access.perform(AddTenant(code: acme, name: "Acme\0", isLegacy: false), clock: clock) },
                error { try access.perform(AddApp(code: shop, tenant: acme, name: "\0"), clock: clock) },
                error { try access.perform(ApplyPriceBook(yaml: book), clock: clock) },
                error { try access.perform(EraseDevice(device: "a\0b", app: shop), clock: clock) },
            ]
        }
        let writer = LedgerWriter(ledger: served.handOver())
        let listener = try CommandListener(ledger: served.path, writer: writer)
        let said = [
            try ask(.here(own.ledger), own.clock), try ask(try LedgerAccess.open(at: served.path), served.clock),
        ]
        #expect(said[0] == said[1])
        #expect(said[0][0] == "the name of tenant 'bad' has the character U+0000, which can't be stored; leave it out")
        #expect(said[0][2] == "the name of app 'shop' has the character U+0000, which can't be stored; leave it out")
        for answer in said[0] { #expect(!answer.hasPrefix("done"), "\(answer)") }
        for fixture in [own, served] {
            let stored = try LedgerFile.openForReading(at: fixture.path).read { database in
                try ["SELECT name FROM tenant", "SELECT name FROM app", "SELECT version FROM price_book_version"]
                    .flatMap { try LedgerFixture.rows(database, $0) }
            }
            #expect(stored == ["Acme", "1"])
        }
        listener.finish()
        await writer.stop()
    }

    @Test("opens the ledger itself where a daemon left its socket behind, and through links too")
    func staleSocket() async throws {
        let fixture = try LedgerFixture()
        let writer = LedgerWriter(ledger: fixture.handOver())
        let listener = try CommandListener(ledger: fixture.path, writer: writer)
        let link = fixture.folder.path("link.db")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: fixture.path)
        guard case .daemon = try LedgerAccess.open(at: link) else {
            Issue.record("the daemon was not found through a link")
            return
        }
        await writer.stop()
        listener.finish()
        #expect(!FileManager.default.fileExists(atPath: DaemonConnection.path(ledger: fixture.path)))

        // Nobody listens behind this one.
        let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: DaemonConnection.path(ledger: fixture.path).utf8)
        }
        let bound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(stale, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        close(stale)
        guard case .here = try LedgerAccess.open(at: fixture.path) else {
            Issue.record("a socket without a daemon was taken for one")
            return
        }
    }

    @Test("can tell whether the daemon may have done it all the same")
    func unknownOutcome() {
        #expect(DaemonError.ended(process: 1).leavesOutcomeUnknown)
        #expect(DaemonError.silent(process: 1, seconds: 1).leavesOutcomeUnknown)
        #expect(!DaemonError.refused("no").leavesOutcomeUnknown)
        #expect(!DaemonError.notPermitted(socket: "x").leavesOutcomeUnknown)
        #expect(!DaemonError.otherVersion(process: 1).leavesOutcomeUnknown)
    }

    @Test("is told that the daemon hangs, that it ended, and that it is another version")
    func illDaemon() throws {
        let fixture = try LedgerFixture()
        let cases: [(behaviour: StandIn.Behaviour, patienceSeconds: Int, isExpected: (DaemonError) -> Bool)] = [
            (.saysNothing, 1, { if case .silent(getpid(), 1) = $0 { true } else { false } }),
            (.ends, Patience.wholeSeconds, { if case .ended(getpid()) = $0 { true } else { false } }),
            (.saysNonsense, Patience.wholeSeconds, { if case .otherVersion(getpid()) = $0 { true } else { false } }),
        ]
        for (behaviour, patienceSeconds, isExpected) in cases {
            let daemon = try StandIn(path: DaemonConnection.path(ledger: fixture.path), behaviour)
            let connection = try #require(
                try DaemonConnection(ledger: fixture.path, patienceSeconds: patienceSeconds))
            #expect("\(behaviour)") {
                try connection.perform(RateDay(Day(20_000)), clock: fixture.clock)
            } throws: {
                ($0 as? DaemonError).map(isExpected) ?? false
            }
            daemon.end()
        }
    }

    @Test("finds its daemon in a folder whose path is longer than a socket's address")
    func longPath() async throws {
        let fixture = try LedgerFixture()
        let folder = fixture.folder.url.appending(path: String(repeating: "long", count: 30))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        let path = folder.appending(path: "meterd.db").path
        let creation = LedgerCreation()
        let writer = LedgerWriter(ledger: try creation.create(at: path))
        let listener = try CommandListener(ledger: path, writer: writer)
        let connection = try #require(try DaemonConnection(ledger: path))
        let answer = try connection.perform(
            AddTenant(code: LedgerFixture.code("acme"), name: "acme", isLegacy: false), clock: LedgerClock(given: nil))
        #expect(answer == .recorded)
        listener.finish()
        await writer.stop()
    }
}

/// Something that listens where a daemon would, and is none.
private final class StandIn {
    enum Behaviour { case saysNothing, ends, saysNonsense }

    private let descriptor: Int32
    private let isOver = DispatchSemaphore(value: 0)

    init(path: String, _ behaviour: Behaviour) throws {
        unlink(path)
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(descriptor, 1) == 0)
        let listener = descriptor
        Thread.detachNewThread { [isOver] in
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            var request = [UInt8](repeating: 0, count: 4_096)
            _ = read(connection, &request, request.count)
            switch behaviour {
            case .saysNothing: isOver.wait()
            case .ends: break
            case .saysNonsense: _ = write(connection, [0, 0, 0, 2, 0, 0, 0, 0, 123, 125], 10)
            }
            // A program that another test is just starting has the connection too.
            shutdown(connection, Int32(SHUT_RDWR))
            close(connection)
        }
    }

    func end() {
        isOver.signal()
        close(descriptor)
    }
}
