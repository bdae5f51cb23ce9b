// Where a daemon listens beside TCP, what takes that from another, and signals that are no request to stop.

import BuiltProgram
import Foundation
import LedgerFixture
import TestSupport
import Testing

@Suite("A daemon's sockets and signals", .inTurn)
struct SocketAndSignalTests {
    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    // MARK: The address

    @Test("A socket at which another daemon listens stays with that one, and the message names its process")
    func liveSocket() async throws {
        let (scene, other) = (try await DaemonScene.make(), try await DaemonScene.make())
        let socket = scene.folder.path("http")
        let first = try scene.serve(["--listen", "unix:\(socket)"])
        try await first.line(with: "serving", "address=unix:\(socket)")
        let second = try other.serve(["--listen", "unix:\(socket)"])
        #expect(try await second.process.end() == .exited(1))
        #expect(
            second.log.hasSuffix(
                "meterd: cannot listen on unix:\(socket): process \(first.process.id) listens there; choose another address with "
                    + "--listen\n"), "\(second.log)")
        #expect(try HTTPConnection(unixSocket: socket).get("/healthz").status == 200)
        #expect(try await first.stop().end == .exited(0))

        // One that was left behind is replaced.
        let killed = try scene.serve(["--listen", "unix:\(socket)"])
        try await killed.line(with: "serving")
        try await killed.kill()
        #expect(FileManager.default.fileExists(atPath: socket))
        let third = try other.serve(["--listen", "unix:\(socket)"])
        try await third.line(with: "serving")
        #expect(try HTTPConnection(unixSocket: socket).get("/healthz").status == 200)
        #expect(try await third.stop().end == .exited(0))
    }

    @Test("What is no socket is not replaced by one, nor is the daemon's own socket of commands")
    func notASocket() async throws {
        let scene = try await DaemonScene.make()
        let file = try scene.write("mine", to: "file")
        let fifo = scene.folder.path("fifo")
        #expect(mkfifo(fifo, 0o600) == 0)
        for (path, words) in [
            (file, "it is there already, and is a file, not a socket"),
            (fifo, "it is there already, and is a FIFO, not a socket"),
            (scene.ledger + ".sock", "it is the socket at which this daemon takes commands"),
        ] {
            let daemon = try scene.serve(["--listen", "unix:\(path)"])
            #expect(try await daemon.process.end() == .exited(1), "\(daemon.log)")
            #expect(daemon.log.contains("meterd: cannot listen on unix:\(path): \(words); "), "\(daemon.log)")
        }
        #expect(try ServingDaemon.text(file) == "mine")
    }

    // MARK: Permissions

    @Test(
        "All that a daemon makes is for its user and at most its group, whatever the mask",
        arguments: ["000", "022", "077"])
    func permissions(mask: String) async throws {
        let scene = try await DaemonScene.make()
        let socket = scene.folder.path("http")
        for name in ["-wal", "-shm", ".lock"] { unlink(scene.ledger + name) }
        let daemon = try scene.serve(["--listen", "unix:\(socket)"], limits: "umask \(mask)")
        try await daemon.line(with: "serving")
        try await scene.run(["tenant", "add", "bolt", "--now", DaemonScene.now])
        for name in ["-wal", "-shm", ".lock"] {
            let found = try #require(try permissions(scene.ledger + name))
            #expect(found & ~0o640 == 0, "\(name): \(String(found, radix: 8))")
        }
        #expect(try permissions(scene.ledger + ".sock") == 0o600)
        let found = try #require(try permissions(socket))
        #expect(found == ["000": 0o660, "022": 0o640, "077": 0o600][mask], "\(String(found, radix: 8))")
        #expect(!daemon.log.contains("chmod 640"))
        #expect(try await daemon.stop().end == .exited(0))
    }

    @Test("A ledger that others may read is served as it is, and the log says so")
    func wideLedger() async throws {
        let scene = try await DaemonScene.make()
        chmod(scene.ledger, 0o644)
        let daemon = try scene.serve()
        _ = try await daemon.port()
        try await daemon.line(with: "warning", "chmod 640", "ledger=\(scene.ledger)", "permissions=644")
        #expect(try await daemon.stop().end == .exited(0))
        #expect(try permissions(scene.ledger) == 0o644)
        let verified = try await scene.run(["verify"])
        #expect(verified.contains("note: \(scene.ledger) has permissions 644"), "\(verified)")
        #expect(verified.contains("chmod 640 \(scene.ledger)"))
    }

    // MARK: Signals

    @Test("SIGHUP, SIGUSR1 and SIGUSR2 end nothing: the daemon says that there is nothing to reload, each time")
    func otherSignals() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        let port = try await daemon.port()
        for (number, name) in [(SIGHUP, "SIGHUP"), (SIGUSR1, "SIGUSR1"), (SIGUSR2, "SIGUSR2")] {
            for count in 1...2 {
                daemon.process.send(signal: number)
                try await eventually("\(name) is told \(count) times") {
                    daemon.log.split(separator: "\n").count { $0.contains("nothing to reload") && $0.contains(name) }
                        == count
                }
            }
        }
        #expect(try HTTPConnection(port: port).get("/healthz").status == 200)
        #expect(try await daemon.stop().end == .exited(0), "\(daemon.log)")
    }

    @Test("SIGHUP while a daemon waits for its ledger, or is being stopped, does not end it either")
    func hangUpBeside() async throws {
        let scene = try await DaemonScene.make()
        let hold = try Hold()
        try hold.begin()
        let command = try scene.begin(
            ["tenant", "add", "bolt", "--now", DaemonScene.now], settings: hold.environment(scene))
        try await eventually("the command is writing") { try hold.isHolding() }
        let daemon = try scene.serve()
        try await daemon.line(with: "waiting for the process that writes the ledger")
        daemon.process.send(signal: SIGHUP)
        try hold.end()
        #expect(try await command.outcome().end == .exited(0))
        _ = try await daemon.port()
        daemon.process.send(signal: SIGTERM)
        daemon.process.send(signal: SIGHUP)
        #expect(try await daemon.process.end() == .exited(0), "\(daemon.log)")
    }
}
