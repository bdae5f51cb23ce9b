// Commands beside a daemon: the same words and the same ledger as without it, and a clear word when it is ill.

import BuiltProgram
import Foundation
import LedgerFixture
import PriceBookFile
import TestSupport
import Testing

@Suite("Commands while a daemon has the ledger open", .inTurn)
struct CommandTests {
    private static func lines(_ range: Range<Int>) -> [String] {
        range.map { SumEvent(id: "file-\($0)", number: $0).line }
            + range.map { DeviceEvent(device: "device-\($0 % 200)", item: "basic_analysis", app: "shop").line }
    }

    private func commands(_ scene: DaemonScene) throws -> [[String]] {
        let bad = [
            EventLine.calls(1, id: "u1", app: "rides").text, EventLine.calls(1, id: "u2", app: "boats").text,
            "{\"no\":",
            EventLine.calls(5, id: "old", at: "2026-11-01T10:00:00Z").text,
            EventLine.calls(5, id: "late", at: "2027-01-05T10:00:00Z").text,
        ]
        let events = try scene.write((Self.lines(0..<300) + bad).joined(separator: "\n") + "\n", to: "events.ndjson")
        let book = PriceBookFile.builtIn.replacing("effective: 2026-01-01", with: "effective: 2027-02-01")
        let next = try scene.write(book.replacing("price: \"0.03\"", with: "price: \"0.04\""), to: "next.yaml")
        let wrong = try scene.write(PriceBookFile.builtIn.replacing("USD", with: "EUR"), to: "wrong.yaml")
        let pack = [
            "grant", "add", "pack", "--tenant", "acme", "--offer", "resource_package", "--item", "gateway_calls",
            "--quantity", "700", "--purchased-at", "2027-01-08T00:00:00Z",
        ]
        return [
            ["tenant", "add", "bolt", "--name", "Bolt é"], ["tenant", "add", "bolt", "--name", "Bolt é"],
            ["tenant", "add", "bolt", "--name", "Bold"], ["app", "add", "rides", "--tenant", "bold"],
            pack, pack, ["grant", "add", "sub", "--tenant", "acme", "--offer", "subscription", "--app", "shop"],
            ["price-book", "apply", next, "--dry-run"], ["price-book", "apply", next], ["price-book", "apply", next],
            ["price-book", "apply", wrong],
            ["ingest", events], ["ingest", events, "--format", "json"], ["ingest", scene.folder.path("none.ndjson")],
            ["quarantine", "list"], ["app", "add", "rides", "--tenant", "bolt"], ["quarantine", "retry"],
            ["quarantine", "drop", "7777"], ["quarantine", "drop", "--all"],
            ["rate", "--date", "2027-01-09", "--dry-run"], ["rate", "--date", "2027-01-09"],
            ["rate", "--date", "yesterday", "--format", "json"], ["rate", "--date", "2027-02-09"],
            ["grant", "void", "pack"], ["grant", "void", "pick"], ["grant", "list"],
            ["device", "erase", "device-7", "--app", "shop"], ["device", "erase", "device-7", "--app", "shap"],
            ["replay", events], ["bill"], ["usage", "--by", "month"],
        ].map { $0 + ["--now", DaemonScene.now] } + [["tenant", "add", "early", "--now", "2027-01-01T00:00:00Z"]]
    }

    @Test("Every command that writes says the same through the daemon as without it, and leaves the same ledger")
    func sameWords() async throws {
        let served = try await DaemonScene.make()
        let alone = try served.copy()
        let daemon = try served.serve(settings: ["METERD_RATE_AT": "off"])
        _ = try await daemon.port()
        for (through, without) in zip(try commands(served), try commands(alone)) {
            func plain(_ outcome: CommandOutcome, _ scene: DaemonScene) -> CommandOutcome {
                CommandOutcome(
                    end: outcome.end, output: outcome.output.replacing(scene.folder.url.path, with: "…"),
                    errors: outcome.errors.replacing(scene.folder.url.path, with: "…"))
            }
            let said = plain(try await served.outcome(through), served)
            let expected = plain(try await alone.outcome(without), alone)
            #expect(said == expected, "meterd \(without.joined(separator: " "))")
            // Nobody but the daemon can have written.
            #expect(served.isLocked)
        }
        #expect(daemon.process.end == nil)
        #expect(try served.contents() == alone.contents())
        #expect(try await daemon.stop().end == .exited(0))
        try await served.run(["verify"])
    }

    @Test("A replay makes the ledger of its events ingested and rated, also where a day is more than a batch of it")
    func replayedInParts() async throws {
        let replayed = try await DaemonScene.make()
        let ingested = try replayed.copy()
        let days = [("11", 22_000), ("12", 10_000), ("13", 7)].map { day, count in
            (0..<count).map { number in
                let time = "2027-01-\(day)T\(10 + number % 10):00:00Z"
                return number % 5 == 0
                    ? EventLine.device("device-\(number % 300)", of: "basic_analysis", at: time).text
                    : EventLine.calls(Int64(number % 9 + 1), id: "\(day)-\(number)", at: time).text
            }
        }
        let history = try replayed.write(days.joined().joined(separator: "\n"), to: "history.ndjson")
        let summary = try await replayed.run(["replay", history])
        #expect(summary.contains(" 0 corrections, 0 refused"), "\(summary)")
        for (number, events) in days.enumerated() {
            let file = try ingested.write(events.joined(separator: "\n"), to: "day-\(number).ndjson")
            try await ingested.run(["ingest", file, "--now", "2027-01-\(11 + number)T23:00:00Z"])
            try await ingested.run(
                ["rate", "--date", "2027-01-\(11 + number)", "--now", "2027-01-\(12 + number)T00:00:00Z"])
        }
        #expect(try replayed.contents() == ingested.contents())
        try await replayed.run(["verify"])
    }

    @Test("Two ingests at once, and posts between them: everything counts once")
    func twoAtOnce() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        let connection = try HTTPConnection(port: try await daemon.port())
        let files = try [0..<6_000, 4_000..<10_000].enumerated().map { number, range in
            try scene.write(Self.lines(range).joined(separator: "\n"), to: "part-\(number).ndjson")
        }
        let commands = try files.map { try scene.begin(["ingest", $0, "--format", "csv", "--now", DaemonScene.now]) }
        var posts = 0
        repeat {
            let lines = Self.lines(posts * 10..<posts * 10 + 10)
            #expect(try EventsAnswer(connection.post(lines: lines)).counted == 20)
            posts += 1
        } while commands.contains { $0.process.end == nil } && posts < 600
        var received = 0
        for command in commands {
            let outcome = try await command.outcome()
            #expect(outcome.end == .exited(0), "\(outcome)")
            received += Int(outcome.output.split(separator: "\n")[1].prefix { $0 != "," }) ?? 0
        }
        #expect(received == 24_000)
        #expect(try scene.rows("SELECT count(*), count(DISTINCT id) FROM usage_event") == ["10000 10000"])
        #expect(try scene.rows("SELECT devices FROM mau WHERE app = 'shop'") == ["200"])
        #expect(try await daemon.stop().end == .exited(0))
        try await scene.run(["rate", "--date", "2027-01-10", "--now", DaemonScene.now])
        try await scene.run(["verify"])
    }

    @Test("A daemon that stands still: a command says so within 20 s; when it goes on, everything works again")
    func hanging() async throws {
        let scene = try await DaemonScene.make()
        let daemon = try scene.serve()
        let port = try await daemon.port()
        var start = ContinuousClock.now
        try await scene.run(["tenant", "add", "cafe", "--now", DaemonScene.now])
        let unhindered = ContinuousClock.now - start
        daemon.process.send(signal: SIGSTOP)
        defer { daemon.process.send(signal: SIGCONT) }
        start = ContinuousClock.now
        let outcome = try await scene.outcome(["tenant", "add", "bolt", "--now", DaemonScene.now])
        let time = ContinuousClock.now - start
        #expect(time >= .seconds(15) && time < .seconds(15) + max(.seconds(5), unhindered * 10), "\(time)")
        #expect(outcome.end == .exited(1))
        #expect(
            outcome.errors.hasPrefix(
                "meterd: the daemon (process \(daemon.process.id)) has the ledger open and has not answered for 15 s: "
                    + "it hangs. Restart it and run the command again"),
            "\(outcome)")
        // Reading needs no daemon.
        try await scene.run(["tenant", "list"])
        daemon.process.send(signal: SIGCONT)
        try await scene.run(["tenant", "add", "bolt", "--now", DaemonScene.now])
        #expect(try HTTPConnection(port: port).post(lines: Self.lines(0..<10)).status == 200)
        #expect(try await daemon.stop().end == .exited(0))
        #expect(try scene.rows("SELECT DISTINCT tenant FROM usage_daily") == ["acme"])
        try await scene.run(["verify"])
    }

    @Test("A daemon that is killed while commands wait for it: each says that it ended, and the same again does it")
    func killed() async throws {
        let scene = try await DaemonScene.make()
        let file = try scene.write(Self.lines(0..<50).joined(separator: "\n"), to: "events.ndjson")
        let work = [["tenant", "add", "bolt"], ["ingest", file]].map { $0 + ["--now", DaemonScene.now] }
        // Once it stands still, once it is at work.
        for isStopped in [true, false] {
            let hold = try Hold()
            let daemon = try scene.serve(settings: hold.environment(scene).merging(["METERD_RATE_AT": "off"]) { $1 })
            _ = try await daemon.port()
            try hold.begin()
            if isStopped { daemon.process.send(signal: SIGSTOP) }
            let connections = try scene.commandConnections()
            let commands = try work.map { try scene.begin($0) }
            try await eventually("both are connected") {
                try scene.commandConnections() >= connections + 2 || commands.contains { $0.process.end != nil }
            }
            // A beat or two of a daemon that is at work has told them so; one that stands still they don't wait for so long.
            if !isStopped { try await Task.sleep(for: .seconds(4)) }
            try await daemon.kill()
            for command in commands {
                let outcome = try await command.outcome()
                #expect(outcome.end == .exited(1))
                #expect(
                    outcome.errors.contains("the daemon (process \(daemon.process.id)) ended before it answered"),
                    "\(outcome)")
                #expect(outcome.errors.contains("the same again does nothing twice"))
            }
            #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["0"])
        }
        for command in work { try await scene.run(command) }
        #expect(try scene.rows("SELECT count(*) FROM usage_event") == ["50"])
        try await scene.run(["rate", "--date", "2027-01-10", "--now", DaemonScene.now])
        try await scene.run(["verify"])
    }
}
