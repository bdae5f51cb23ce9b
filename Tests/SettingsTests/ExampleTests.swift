// The example file that is handed out is the one that the table of settings prints, and it says the defaults.

import Foundation
import Settings
import Testing

@Suite("The example file")
struct ExampleTests {
    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../scripts/meterd.yaml").standardizedFileURL

    @Test("is what the table prints; METERD_EXAMPLE=record writes it anew")
    func noDrift() throws {
        if ProcessInfo.processInfo.environment["METERD_EXAMPLE"] == "record" {
            try Settings.example.write(to: Self.file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: Self.file, encoding: .utf8) == Settings.example)
    }

    @Test("says the defaults")
    func defaults() throws {
        #expect(try Settings.load(file: Self.file.path, environment: [:]) == Settings())
    }

    @Test("says something else where a value is changed, so each of its values counts")
    func everyValueCounts() throws {
        let changes = [
            "database: meterd.db": "database: other.db", "listen: 127.0.0.1:8620": "listen: localhost:0",
            "behind_proxy: false": "behind_proxy: true", "rate_at: \"00:10\"": "rate_at: off",
            "max_body_bytes: 16MiB": "max_body_bytes: 1MiB", "max_expanded_bytes: 64MiB": "max_expanded_bytes: 1MiB",
            "max_queue_bytes: 128MiB": "max_queue_bytes: 1MiB", "max_queue_requests: 4096": "max_queue_requests: 1",
            "max_connections: 1024": "max_connections: 1",
            "max_wal_bytes: 1GiB": "max_wal_bytes: 2GiB",
            "request_timeout_seconds: 30": "request_timeout_seconds: 1", "log_level: info": "log_level: trace",
        ]
        let lines = Settings.example.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
        #expect(Set(lines) == Set(changes.keys))
        for (old, new) in changes {
            let file = try TemporaryFile(Settings.example.replacing("\n\(old)\n", with: "\n\(new)\n"))
            #expect(try Settings.load(file: file.path, environment: [:]) != Settings(), "\(new)")
        }
    }
}
