// The socket of commands: who may listen, who is believed, and what many idle connections do.

import Foundation
import LedgerFixture
import LedgerStore
import Operations
import Quantities
import Storage
import TestSupport
import Testing
import Writer

@testable import Forwarding

@Suite("The socket at which a daemon takes commands", .serialized)
struct SocketTests {
    /// A daemon's ear on a ledger of its own.
    private struct Served {
        let fixture: LedgerFixture
        let writer: LedgerWriter
        let listener: CommandListener

        init() throws {
            fixture = try LedgerFixture()
            writer = LedgerWriter(ledger: fixture.handOver())
            listener = try CommandListener(ledger: fixture.path, writer: writer)
        }

        var socket: String { DaemonConnection.path(ledger: fixture.path) }

        func end() async {
            listener.finish()
            await writer.stop()
        }
    }

    private func addTenant(_ code: String) -> AddTenant {
        AddTenant(code: LedgerFixture.code(code), name: code, isLegacy: false)
    }

    // MARK: Permissions

    @Test("is for its user only from the moment on at which it has its name, whatever the mask")
    func permissions() async throws {
        let old = umask(0)
        defer { umask(old) }
        let served = try Served()
        let found = try FileManager.default.attributesOfItem(atPath: served.socket)[.posixPermissions] as? Int
        #expect(found == 0o600)
        await served.end()
    }

    @Test("takes the place of a socket that was left behind, and of nothing else")
    func inThePlace() async throws {
        let fixture = try LedgerFixture()
        let writer = LedgerWriter(ledger: fixture.handOver())
        let path = DaemonConnection.path(ledger: fixture.path)
        let precious = fixture.folder.path("precious")
        try "mine".write(toFile: precious, atomically: false, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: precious)
        #expect {
            try CommandListener(ledger: fixture.path, writer: writer)
        } throws: {
            "\($0)" == "cannot listen to commands at \(path): it is a link; remove it first"
        }
        unlink(path)
        try "mine".write(toFile: path, atomically: false, encoding: .utf8)
        #expect {
            try CommandListener(ledger: fixture.path, writer: writer)
        } throws: {
            "\($0)" == "cannot listen to commands at \(path): it is a file; remove it first"
        }
        for name in [path, precious] { #expect(try String(contentsOfFile: name, encoding: .utf8) == "mine") }
        await writer.stop()
    }

    // MARK: Who is believed

    @Test("is not believed, nor told anything, where a stranger listens at it", .enabled(if: geteuid() == 0))
    func stranger() throws {
        let fixture = try LedgerFixture()
        let path = DaemonConnection.path(ledger: fixture.path)
        // Whose folder it is, may put there what he likes.
        chown(fixture.folder.url.path, 65_534, 65_534)
        for owner in [0, 65_533] as [UInt32] {
            chown(fixture.path, owner, owner)
            let stranger = try Listener(at: path, user: 65_534)
            let error = DaemonError.stranger(socket: path, process: stranger.process, user: 65_534, owner: owner)
            #expect(throws: error) { try DaemonConnection(ledger: fixture.path) }
            #expect(throws: error) { try LedgerAccess.open(at: fixture.path) }
            let words = "\(error)"
            for word in [
                "process \(stranger.process) of user 65534 (nobody)", path, "nothing was sent", "user \(owner)",
            ] {
                #expect(words.contains(word), "\(words)")
            }
            #expect(!error.leavesOutcomeUnknown)
            #expect(stranger.end() == "")
        }
        // The same process is believed where the ledger is its own.
        chown(fixture.path, 65_534, 65_534)
        let own = try Listener(at: path, user: 65_534)
        defer { own.end() }
        #expect(try DaemonConnection(ledger: fixture.path) != nil)
    }

    @Test("does nothing for a command that means another ledger, whose socket somebody has replaced by this one")
    func otherLedger() async throws {
        let (meant, other) = (try LedgerFixture(), try Served())
        try FileManager.default.linkItem(atPath: other.socket, toPath: DaemonConnection.path(ledger: meant.path))
        let connection = try #require(try DaemonConnection(ledger: meant.path))
        #expect {
            try connection.perform(addTenant("acme"), clock: meant.clock)
        } throws: {
            "\($0)".contains("has another file open than the command means; nothing was done")
        }
        let tenants = try LedgerFile.openForReading(at: other.fixture.path).read {
            try LedgerFixture.rows($0, "SELECT code FROM tenant")
        }
        #expect(tenants == [])
        await other.end()
    }

    // MARK: Many connections

    @Test("has room for a command beside seventy that are idle, and each of those can still ask")
    func manyIdle() async throws {
        let served = try Served()
        let idle = try (0..<70).map { _ in try #require(try DaemonConnection(ledger: served.fixture.path)) }
        guard case .daemon(let connection) = try LedgerAccess.open(at: served.fixture.path) else {
            Issue.record("the daemon was not found")
            return
        }
        #expect(try connection.perform(addTenant("acme"), clock: served.fixture.clock) == .recorded)
        for (number, connection) in idle.enumerated() {
            #expect(try connection.perform(addTenant("t\(number)"), clock: served.fixture.clock) == .recorded)
        }
        // Each once, also those whose connection was given up.
        let tenants = try LedgerFile.openForReading(at: served.fixture.path).read {
            try LedgerFixture.rows($0, "SELECT count(*) FROM tenant")
        }
        #expect(tenants == ["71"])
        // And again, having been idle.
        #expect(try connection.perform(addTenant("acme"), clock: served.fixture.clock) == .alreadyRecorded)
        await served.end()
    }

    @Test("tells a command that all its places are taken by others at work, and that nothing was done")
    func allAtWork() async throws {
        let served = try Served()
        let (path, clock) = (served.fixture.path, served.fixture.clock)
        served.writer.enqueue(HeldOperation(), clock: clock) { _ in }
        defer { HeldOperation.mayEnd.leave(()) }
        let answers = (0..<CommandListener.mostConnections).map { number in
            let answer = Awaited<Result<Recording?, any Error>>()
            let operation = addTenant("t\(number)")
            Thread.detachNewThread {
                answer.leave(Result { try DaemonConnection(ledger: path)?.perform(operation, clock: clock) })
            }
            return answer
        }
        let deadline = ContinuousClock.now + Patience.duration
        while served.listener.atWork < answers.count, ContinuousClock.now < deadline { usleep(5_000) }
        #expect(served.listener.atWork == answers.count)
        let late = try #require(try DaemonConnection(ledger: path))
        #expect(throws: DaemonError.refused(DaemonError.crowded)) { try late.perform(addTenant("late"), clock: clock) }
        #expect(DaemonError.crowded.contains("\(answers.count) other commands"))
        #expect(DaemonError.crowded.contains("nothing was done"))
        HeldOperation.mayEnd.leave(())
        for answer in answers { #expect(try answer.wait().get() == .recorded) }
        let tenants = try LedgerFile.openForReading(at: path).read {
            try LedgerFixture.rows($0, "SELECT count(*) FROM tenant")
        }
        #expect(tenants == ["\(answers.count)"])
        await served.end()
    }
}

/// Keeps the writer at work, so that whatever is asked waits. Of one test, since operations are values.
private struct HeldOperation: LedgerOperation {
    static let name = "test.held"
    static let mayEnd = Awaited<Void>()

    func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Bool {
        Self.mayEnd.wait()
        return true
    }
}

/// A process of another user's that listens at a path.
private final class Listener {
    private let child = Process()
    private let output = Pipe()

    init(at path: String, user: UInt32) throws {
        unlink(path)
        child.executableURL = URL(filePath: "/usr/bin/setpriv")
        child.arguments = [
            "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "perl", "-MSocket", "-e",
            """
            $| = 1; socket(S, PF_UNIX, SOCK_STREAM, 0) or die; bind(S, sockaddr_un($ARGV[0])) or die; listen(S, 5) or die;
            print "ready\\n"; while (accept(C, S)) { while (sysread(C, $bytes, 4096)) { print $bytes } }
            """, path,
        ]
        child.standardOutput = output
        try child.run()
        let ready = output.fileHandleForReading.availableData
        #expect(String(decoding: ready, as: UTF8.self) == "ready\n")
    }

    var process: Int32 { child.processIdentifier }

    /// - Returns: what was sent to it.
    @discardableResult
    func end() -> String {
        // It may have been started by a thread that blocks all other signals.
        kill(child.processIdentifier, SIGKILL)
        child.waitUntilExit()
        return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
}
