// Which file is read, and what variables of the environment say over it.

import Foundation
import Settings
import Testing

@Suite("The environment")
struct EnvironmentTests {
    /// A place where no file is.
    private static let nowhere = "/nowhere/meterd.yaml"

    private func load(file: String? = nil, _ environment: [String: String], standard: String = nowhere)
        throws(SettingsProblems) -> Settings
    {
        try Settings.load(file: file, environment: environment, standardFile: standard)
    }

    private func problems(file: String? = nil, _ environment: [String: String], standard: String = nowhere) -> [String]
    {
        do {
            _ = try load(file: file, environment, standard: standard)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    static let good: [(name: String, value: String, settings: Settings)] = [
        ("METERD_DB", "/var/lib/m.db", settings { $0.database = "/var/lib/m.db" }),
        ("METERD_LISTEN", "[::1]:0", settings { $0.listen = .tcp(host: "::1", port: 0) }),
        ("METERD_BEHIND_PROXY", "true", settings { $0.behindProxy = true }),
        ("METERD_RATE_AT", "off", settings { $0.rateAt = nil }),
        ("METERD_RATE_AT", "04:30", settings { $0.rateAt = TimeOfDay(hour: 4, minute: 30) }),
        ("METERD_MAX_BODY_BYTES", "1MiB", settings { $0.maxBodyBytes = 1 << 20 }),
        ("METERD_MAX_EXPANDED_BYTES", "2 MiB", settings { $0.maxExpandedBytes = 2 << 20 }),
        ("METERD_MAX_QUEUE_BYTES", "1048577", settings { $0.maxQueueBytes = 1_048_577 }),
        ("METERD_MAX_QUEUE_REQUESTS", "7", settings { $0.maxQueueRequests = 7 }),
        ("METERD_MAX_CONNECTIONS", "8", settings { $0.maxConnections = 8 }),
        ("METERD_MAX_WAL_BYTES", "33 MiB", settings { $0.maxWALBytes = 33 << 20 }),
        ("METERD_REQUEST_TIMEOUT_SECONDS", "9", settings { $0.requestTimeoutSeconds = 9 }),
        ("METERD_LOG_LEVEL", "error", settings { $0.logLevel = .error }),
        ("METERD_LOG_LEVEL", "", Settings()),
        ("METERD_DATABASE", "not a variable of a setting", Settings()),
        ("METERD_CONFIG", "", Settings()),
    ]

    @Test("is read over the defaults", arguments: good)
    func reading(name: String, value: String, settings: Settings) throws {
        #expect(try load([name: value]) == settings)
    }

    static let bad: [(name: String, value: String, problem: String)] = [
        ("METERD_DB", " ", "` ` does not fit here; write a path, like /var/lib/meterd/meterd.db"),
        ("METERD_LISTEN", "8620", "`8620` is a port alone; put a host before it: 127.0.0.1:8620"),
        ("METERD_LISTEN", "192.168.0.1:8620", fromElsewhere("192.168.0.1:8620")),
        ("METERD_BEHIND_PROXY", "1", "`1` does not fit here; did you mean true? Write true or false"),
        ("METERD_RATE_AT", "10", "`10` does not fit here; write HH:MM, from 00:00 to 23:59, or off"),
        (
            "METERD_MAX_BODY_BYTES", "16M",
            "`16M` does not fit here; did you mean 16MiB? Write a size from 1KiB to 1GiB: \(units)"
        ),
        ("METERD_MAX_EXPANDED_BYTES", "0", "`0` does not fit here; write a size from 1KiB to 4GiB: \(units)"),
        ("METERD_MAX_QUEUE_BYTES", "1KiB", "`1KiB` does not fit here; write a size from 1MiB to 16GiB: \(units)"),
        ("METERD_MAX_QUEUE_REQUESTS", "many", "`many` does not fit here; write a whole number from 1 to 1000000"),
        (
            "METERD_MAX_CONNECTIONS", "+1",
            "`+1` does not fit here; did you mean 1? Write a whole number from 1 to 100000"
        ),
        ("METERD_MAX_WAL_BYTES", "16MiB", "`16MiB` does not fit here; write a size from 32MiB to 1024GiB: \(units)"),
        ("METERD_REQUEST_TIMEOUT_SECONDS", "0", "`0` does not fit here; write a whole number from 1 to 3600"),
        ("METERD_LISTN", "127.0.0.1:1", "there is no such setting; did you mean METERD_LISTEN?"),
        ("METERD_LOG_LEVEL", "debg", "`debg` is not a log level; did you mean debug? The levels are \(levels)"),
    ]

    @Test("is refused for a value that does not fit", arguments: bad)
    func refusal(name: String, value: String, problem: String) {
        #expect(problems([name: value]) == ["\(name): \(problem)"])
    }

    @Test("goes before the file, the file before the defaults")
    func precedence() throws {
        let file = try TemporaryFile("log_level: debug\nmax_connections: 5\n")
        let expected = settings {
            $0.logLevel = .error
            $0.maxConnections = 5
        }
        #expect(try load(file: file.path, ["METERD_LOG_LEVEL": "error"]) == expected)
    }

    @Test("of the files, takes the given one, else METERD_CONFIG's, else the standard one, else none")
    func choiceOfFile() throws {
        let given = try TemporaryFile("max_connections: 1")
        let named = try TemporaryFile("max_connections: 2")
        let standard = try TemporaryFile("max_connections: 3")
        let variable = ["METERD_CONFIG": named.path]
        #expect(try load(file: given.path, variable, standard: standard.path).maxConnections == 1)
        #expect(try load(variable, standard: standard.path).maxConnections == 2)
        #expect(try load([:], standard: standard.path).maxConnections == 3)
        #expect(try load([:]) == Settings())
        #expect(Settings.standardFile == "/etc/meterd/meterd.yaml")
    }

    @Test("of the files, refuses a named one that is not there and any that can't be read")
    func unreadableFiles() throws {
        let folder = FileManager.default.temporaryDirectory.path
        let binary = try TemporaryFile(Data([0xFF, 0xFE]))
        let noFile = "the configuration can't be read: it is a folder; name a file"
        #expect(
            problems(file: "/nowhere/m.yaml", [:]) == [
                "/nowhere/m.yaml: there is no such file; check the path given with --config"
            ])
        #expect(
            problems(["METERD_CONFIG": "/nowhere/m.yaml"])
                == ["/nowhere/m.yaml: there is no such file; correct or unset METERD_CONFIG"])
        #expect(problems(file: folder, [:]) == ["\(folder): \(noFile)"])
        #expect(problems([:], standard: folder) == ["\(folder): \(noFile)"])
        let fifo = folder + "/meterd-test-\(UUID().uuidString)"
        #expect(mkfifo(fifo, 0o600) == 0)
        defer { unlink(fifo) }
        #expect(
            problems(file: fifo, [:])
                == ["\(fifo): the configuration can't be read: it is a FIFO, not a file; name a file"])
        #expect(
            problems(file: "/dev/zero", [:])
                == ["/dev/zero: the configuration can't be read: it is a device, not a file; name a file"])
        #expect(problems(file: "/dev/null", [:]) == [])
        #expect(problems(file: binary.path, [:]) == ["\(binary.path): the file is not UTF-8 text; save it as UTF-8"])
    }

    @Test("is judged together with the file")
    func together() throws {
        let file = try TemporaryFile("listen: 0.0.0.0:80\nlog_level: loud\n")
        #expect(
            problems(file: file.path, ["METERD_MAX_CONNECTIONS": "0", "METERD_RATE_AT": "noon"]) == [
                "\(file.path):2:12: log_level: `loud` does not fit here; write \(levels)",
                "METERD_RATE_AT: `noon` does not fit here; write HH:MM, from 00:00 to 23:59, or off",
                "METERD_MAX_CONNECTIONS: `0` does not fit here; write a whole number from 1 to 100000",
                "\(file.path):1:9: listen: \(fromElsewhere("0.0.0.0:80"))",
            ])
    }

    @Test("may say that a proxy stands before the address of the file, or replace that address")
    func addressOfTheFile() throws {
        let file = try TemporaryFile("listen: 0.0.0.0:80\n")
        let proxied = try load(file: file.path, ["METERD_BEHIND_PROXY": "true"])
        #expect(proxied.listen == .tcp(host: "0.0.0.0", port: 80) && proxied.behindProxy)
        let replaced = try load(file: file.path, ["METERD_LISTEN": "unix:/run/m.sock"])
        #expect(replaced.listen == .unixSocket(path: "/run/m.sock"))
    }

    @Test("replaces the file's value, but does not mend it")
    func badFileStaysBad() throws {
        let file = try TemporaryFile("log_level: loud\n")
        #expect(
            problems(file: file.path, ["METERD_LOG_LEVEL": "info"])
                == ["\(file.path):1:12: log_level: `loud` does not fit here; write \(levels)"])
    }

    @Test("has its problems told one per line")
    func description() throws {
        do {
            _ = try load(["METERD_BEHIND_PROXY": "1", "METERD_REQUEST_TIMEOUT_SECONDS": "x"])
            Issue.record("nothing was wrong")
        } catch {
            #expect(
                error.description == """
                    METERD_BEHIND_PROXY: `1` does not fit here; did you mean true? Write true or false
                    METERD_REQUEST_TIMEOUT_SECONDS: `x` does not fit here; write a whole number from 1 to 3600
                    """)
        }
    }
}

@Suite("An address")
struct ListenAddressTests {
    @Test("is written as it is read")
    func description() {
        #expect(ListenAddress.tcp(host: "::1", port: 80).description == "[::1]:80")
        #expect(ListenAddress.tcp(host: "localhost", port: 0).description == "localhost:0")
        #expect(ListenAddress.unixSocket(path: "/run/m.sock").description == "unix:/run/m.sock")
    }
}
