// What a configuration file says, and every mistake in it with its place, its key, the value and the way out.

import Foundation
import Settings
import Testing

/// The problems of a file, which is called `meterd.yaml` in them; none if it can be read.
func problems(of yaml: String, environment: [String: String] = [:]) throws -> [String] {
    let file = try TemporaryFile(yaml)
    do {
        _ = try Settings.load(file: file.path, environment: environment)
        return []
    } catch {
        return error.problems.map { $0.description.replacing(file.path, with: "meterd.yaml") }
    }
}

func settings(_ change: (inout Settings) -> Void) -> Settings {
    var settings = Settings()
    change(&settings)
    return settings
}

/// All keys, as messages name them.
let keys = """
    database, listen, behind_proxy, rate_at, max_body_bytes, max_expanded_bytes, max_queue_bytes, max_queue_requests, \
    max_connections, max_wal_bytes, request_timeout_seconds, log_level
    """
let noHost =
    "needs a host before the port; write 127.0.0.1:8620 to be reached from this machine, or 0.0.0.0:8620 from all others too"
let address = "HOST:PORT, like 127.0.0.1:8620 or [::1]:8620 (in quotes in the file), or unix:/PATH"
let units = "bytes, like 65536, or whole KiB, MiB or GiB, like 64KiB or 64 KiB"
let levels = "trace, debug, info, notice, warning, error, critical"

func fromElsewhere(_ address: String) -> String {
    "`\(address)` can be reached from other machines; listen on 127.0.0.1, [::1], localhost or unix:/PATH. If a proxy in "
        + "front does TLS and access control, set behind_proxy (METERD_BEHIND_PROXY) to true"
}

@Suite("A configuration file")
struct FileTests {
    static let good: [(yaml: String, settings: Settings)] = [
        ("", Settings()),
        ("# nothing yet\n", Settings()),
        ("{}\n", Settings()),
        ("database: /var/lib/meterd/meterd.db", settings { $0.database = "/var/lib/meterd/meterd.db" }),
        ("database: \"a ledger.db\"", settings { $0.database = "a ledger.db" }),
        ("listen: 127.0.0.1:0", settings { $0.listen = .tcp(host: "127.0.0.1", port: 0) }),
        ("listen: 127.1.2.3:65535", settings { $0.listen = .tcp(host: "127.1.2.3", port: 65535) }),
        ("listen: LocalHost:80", settings { $0.listen = .tcp(host: "LocalHost", port: 80) }),
        ("listen: \"[::1]:8620\"", settings { $0.listen = .tcp(host: "::1", port: 8620) }),
        ("listen: \"[0:0:0:0:0:0:0:1]:1\"", settings { $0.listen = .tcp(host: "0:0:0:0:0:0:0:1", port: 1) }),
        ("listen: unix:/run/meterd.sock", settings { $0.listen = .unixSocket(path: "/run/meterd.sock") }),
        (
            "listen: 0.0.0.0:80\nbehind_proxy: true",
            settings {
                $0.listen = .tcp(host: "0.0.0.0", port: 80)
                $0.behindProxy = true
            }
        ),
        (
            "behind_proxy: true\nlisten: \"[::]:80\"",
            settings {
                $0.listen = .tcp(host: "::", port: 80)
                $0.behindProxy = true
            }
        ),
        (
            "behind_proxy: true\nlisten: meter-1.example.com:80",
            settings {
                $0.listen = .tcp(host: "meter-1.example.com", port: 80)
                $0.behindProxy = true
            }
        ),
        ("rate_at: 23:59", settings { $0.rateAt = TimeOfDay(hour: 23, minute: 59) }),
        ("rate_at: \"00:00\"", settings { $0.rateAt = TimeOfDay(hour: 0, minute: 0) }),
        ("rate_at: off", settings { $0.rateAt = nil }),
        ("max_body_bytes: 1048576", settings { $0.maxBodyBytes = 1_048_576 }),
        ("max_body_bytes: 1KiB", settings { $0.maxBodyBytes = 1024 }),
        ("max_body_bytes: 64 KiB", settings { $0.maxBodyBytes = 65_536 }),
        ("max_body_bytes: 1GiB", settings { $0.maxBodyBytes = 1_073_741_824 }),
        ("max_expanded_bytes: 4GiB", settings { $0.maxExpandedBytes = 4_294_967_296 }),
        ("max_queue_bytes: 16GiB", settings { $0.maxQueueBytes = 17_179_869_184 }),
        ("max_queue_requests: 1000000", settings { $0.maxQueueRequests = 1_000_000 }),
        ("max_connections: 100000", settings { $0.maxConnections = 100_000 }),
        ("request_timeout_seconds: 3600", settings { $0.requestTimeoutSeconds = 3600 }),
        ("log_level: trace", settings { $0.logLevel = .trace }),
        ("log_level: critical", settings { $0.logLevel = .critical }),
    ]

    @Test("is read over the defaults", arguments: good)
    func reading(yaml: String, settings: Settings) throws {
        let file = try TemporaryFile(yaml)
        #expect(try Settings.load(file: file.path, environment: [:]) == settings)
    }

    static let badValues: [(yaml: String, problem: String)] = [
        ("database:", "1:10: database: the value is missing; write a path, like /var/lib/meterd/meterd.db"),
        ("database: \" \"", "1:11: database: ` ` does not fit here; write a path, like /var/lib/meterd/meterd.db"),
        (
            "database: \"a\\tb\"",
            "1:11: database: `a\\tb` has the control character U+0009; write a path, like /var/lib/meterd/meterd.db"
        ),
        ("database: [ a ]", "1:11: database: this is a list; write a path, like /var/lib/meterd/meterd.db"),
        ("listen: 8620", "1:9: listen: `8620` is a port alone; put a host before it: 127.0.0.1:8620"),
        ("listen: \"[::1]\"", "1:9: listen: `[::1]` has no port; put one behind it: [::1]:8620"),
        ("listen: localhost", "1:9: listen: `localhost` has no port; put one behind it: localhost:8620"),
        ("listen: not_a_host", "1:9: listen: `not_a_host` has no port; write \(address)"),
        ("listen: 86200", "1:9: listen: `86200` has no port; write \(address)"),
        ("listen: /run/meterd.sock", "1:9: listen: `/run/meterd.sock` is a path; write unix:/run/meterd.sock"),
        (
            "listen: 127.0.0.1:http",
            "1:9: listen: `127.0.0.1:http` needs a port from 0 to 65535 behind the colon; http is port 80; write \(address)"
        ),
        (
            "listen: 127.0.0.1:65536",
            "1:9: listen: `127.0.0.1:65536` needs a port from 0 to 65535 behind the colon; write \(address)"
        ),
        (
            "listen: \"127.0.0.1:\"",
            "1:9: listen: `127.0.0.1:` needs a port from 0 to 65535 behind the colon; write \(address)"
        ),
        ("listen: \":8620\"", "1:9: listen: `:8620` \(noHost)"),
        ("listen: \"*:8620\"", "1:9: listen: `*:8620` \(noHost)"),
        (
            "listen: 127.0.0.256:80",
            "1:9: listen: `127.0.0.256:80` has no valid IP address or host name before its port; write \(address)"
        ),
        (
            "listen: a_b:80",
            "1:9: listen: `a_b:80` has no valid IP address or host name before its port; write \(address)"
        ),
        (
            "listen: a..b:80",
            "1:9: listen: `a..b:80` has no valid IP address or host name before its port; write \(address)"
        ),
        (
            "listen: http://localhost:80",
            "1:9: listen: `http://localhost:80` is a URL; write the address alone: localhost:80"
        ),
        (
            "listen: ::1:8620",
            "1:9: listen: `::1:8620` is an IPv6 address without brackets; write [ADDRESS]:PORT, like [::1]:8620 (in quotes in the file)"
        ),
        (
            "listen: \"[1.2.3.4]:80\"",
            "1:9: listen: `[1.2.3.4]:80` has no IPv6 address in its brackets; write \(address)"
        ),
        (
            "listen: [::1]:8620",
            "1:10: this is not valid YAML: did not find expected node content (while parsing a flow node from line 1, column 10); put texts that begin with a bracket or a brace in quotes"
        ),
        (
            "listen: unix:run/meterd.sock",
            "1:9: listen: `unix:run/meterd.sock` has no absolute path; begin it with a slash, like unix:/run/meterd/meterd.sock"
        ),
        ("listen: 0.0.0.0:8620", "1:9: listen: \(fromElsewhere("0.0.0.0:8620"))"),
        ("listen: \"[::]:8620\"", "1:9: listen: \(fromElsewhere("[::]:8620"))"),
        ("listen: 128.0.0.1:0", "1:9: listen: \(fromElsewhere("128.0.0.1:0"))"),
        ("listen: localhost.example:1", "1:9: listen: \(fromElsewhere("localhost.example:1"))"),
        ("behind_proxy: yes", "1:15: behind_proxy: `yes` does not fit here; did you mean true? Write true or false"),
        ("behind_proxy: True", "1:15: behind_proxy: `True` does not fit here; did you mean true? Write true or false"),
        ("rate_at: 24:00", "1:10: rate_at: `24:00` does not fit here; write HH:MM, from 00:00 to 23:59, or off"),
        ("rate_at: 23:60", "1:10: rate_at: `23:60` does not fit here; write HH:MM, from 00:00 to 23:59, or off"),
        (
            "rate_at: 0:10",
            "1:10: rate_at: `0:10` does not fit here; did you mean 00:10? Write HH:MM, from 00:00 to 23:59, or off"
        ),
        (
            "rate_at: never",
            "1:10: rate_at: `never` does not fit here; did you mean off? Write HH:MM, from 00:00 to 23:59, or off"
        ),
        (
            "max_body_bytes: 1023",
            "1:17: max_body_bytes: `1023` does not fit here; write a size from 1KiB to 1GiB: \(units)"
        ),
        (
            "max_body_bytes: 1073741825",
            "1:17: max_body_bytes: `1073741825` does not fit here; write a size from 1KiB to 1GiB: \(units)"
        ),
        (
            "max_body_bytes: 16MB",
            "1:17: max_body_bytes: `16MB` does not fit here; did you mean 16MiB? Write a size from 1KiB to 1GiB: \(units)"
        ),
        (
            "max_body_bytes: 1.5MiB",
            "1:17: max_body_bytes: `1.5MiB` does not fit here; write a size from 1KiB to 1GiB: \(units)"
        ),
        (
            "max_body_bytes: MiB",
            "1:17: max_body_bytes: `MiB` does not fit here; write a size from 1KiB to 1GiB: \(units)"
        ),
        (
            "max_body_bytes: -1",
            "1:17: max_body_bytes: `-1` does not fit here; write a size from 1KiB to 1GiB: \(units)"
        ),
        (
            "max_expanded_bytes: 5GiB",
            "1:21: max_expanded_bytes: `5GiB` does not fit here; write a size from 1KiB to 4GiB: \(units)"
        ),
        (
            "max_queue_bytes: 17179869185GiB",
            "1:18: max_queue_bytes: `17179869185GiB` does not fit here; write a size from 1MiB to 16GiB: \(units)"
        ),
        (
            "max_queue_requests: 0",
            "1:21: max_queue_requests: `0` does not fit here; write a whole number from 1 to 1000000"
        ),
        (
            "max_connections: 100001",
            "1:18: max_connections: `100001` does not fit here; write a whole number from 1 to 100000"
        ),
        (
            "max_connections: 10,000",
            "1:18: max_connections: `10,000` does not fit here; did you mean 10000? Write a whole number from 1 to 100000"
        ),
        (
            "max_connections: 1_000",
            "1:18: max_connections: `1_000` does not fit here; did you mean 1000? Write a whole number from 1 to 100000"
        ),
        (
            "max_connections: 1e9",
            "1:18: max_connections: `1e9` does not fit here; write a whole number from 1 to 100000"
        ),
        (
            "max_body_bytes: 64k",
            "1:17: max_body_bytes: `64k` does not fit here; did you mean 64KiB? Write a size from 1KiB to 1GiB: \(units)"
        ),
        (
            "rate_at: OFF",
            "1:10: rate_at: `OFF` does not fit here; did you mean off? Write HH:MM, from 00:00 to 23:59, or off"
        ),
        (
            "request_timeout_seconds: 30s",
            "1:26: request_timeout_seconds: `30s` does not fit here; did you mean 30? Write a whole number from 1 to 3600"
        ),
        (
            "log_level: warn",
            "1:12: log_level: `warn` is not a log level; did you mean warning? The levels are \(levels)"
        ),
        ("log_level: INFO", "1:12: log_level: `INFO` is not a log level; did you mean info? The levels are \(levels)"),
        ("log_level: loud", "1:12: log_level: `loud` does not fit here; write \(levels)"),
    ]

    @Test("is refused for a value that does not fit", arguments: badValues)
    func refusal(yaml: String, problem: String) throws {
        #expect(try problems(of: yaml) == ["meterd.yaml:\(problem)"])
    }

    @Test("is refused for a socket's path that the system can't hold")
    func longPath() throws {
        let longest = "/" + String(repeating: "x", count: MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 2)
        let count = longest.utf8.count
        #expect(try problems(of: "listen: unix:\(longest)") == [])
        #expect(
            try problems(of: "listen: unix:\(longest)x") == [
                "meterd.yaml:1:9: listen: `unix:\(longest.prefix(59))…` has a path of \(count + 1) bytes, and that of "
                    + "a Unix socket has at most \(count); choose a shorter one, like unix:/run/meterd/meterd.sock"
            ])
    }

    static let badFiles: [(yaml: String, problems: [String])] = [
        (
            "databse: x\nport: 80\n",
            [
                "1:1: databse: `databse` is not a key of the configuration; did you mean database? The keys are \(keys)",
                "2:1: port: `port` is not a key of the configuration. The keys are \(keys)",
            ]
        ),
        (
            "log_level: info\n\nlog_level: debug\n",
            ["3:1: log_level: this map has the key already, in line 1; remove one of the two"]
        ),
        ("- listen\n", ["1:1: this is a list; write a map with the keys of the configuration: \(keys)"]),
        ("<<: {}\n", ["1:1: <<: merge keys (<<) are not supported; write the keys of the configuration out"]),
        (
            "log_level: info\n---\nlog_level: info\n",
            ["2:1: a second document begins here; a file holds one configuration: remove the --- or split the file"]
        ),
        (
            "log_level: info\u{7}\n",
            ["1:16: U+0007 is a character that YAML does not allow; remove it and save the file as UTF-8"]
        ),
        (
            "#" + String(repeating: "x", count: 1 << 20),
            ["1:1: the file has 1048577 bytes; a configuration has at most 1048576 (1 MiB)"]
        ),
        (
            // In the order of the file, but the address, which can only be judged with the rest, comes last.
            "max_connections: no\nlisten: 10.0.0.1:80\nrate_at: noon\nloglevel: info\n",
            [
                "1:18: max_connections: `no` does not fit here; write a whole number from 1 to 100000",
                "3:10: rate_at: `noon` does not fit here; write HH:MM, from 00:00 to 23:59, or off",
                "4:1: loglevel: `loglevel` is not a key of the configuration; did you mean log_level? The keys are \(keys)",
                "2:9: listen: \(fromElsewhere("10.0.0.1:80"))",
            ]
        ),
        (
            // Whether the address will do can't be said.
            "listen: 10.0.0.1:80\nbehind_proxy: on\n",
            ["2:15: behind_proxy: `on` does not fit here; did you mean true? Write true or false"]
        ),
    ]

    @Test("is refused with all its problems", arguments: badFiles)
    func refusal(yaml: String, expected: [String]) throws {
        #expect(try problems(of: yaml) == expected.map { "meterd.yaml:\($0)" })
    }
}
