// Log records as lines.

import Dispatch
import Foundation
import Logging
import Systemd
import Testing

@Suite("The log")
struct JournalLogHandlerTests {
    /// The line of a record of level info, without its beginning and its line feed.
    private func line(_ message: String, _ metadata: Logger.Metadata = [:]) -> String {
        let bytes = LogLine.bytes(.journal, micros: 0, level: .info, message: message, metadata: metadata)
        return String(decoding: bytes.dropFirst(3).dropLast(), as: UTF8.self)
    }

    @Test(
        "A line begins with the journal's priority, or with time and level",
        arguments: [
            (.trace, "<7>", "trace"), (.debug, "<7>", "debug"), (.info, "<6>", "info"), (.notice, "<5>", "notice"),
            (.warning, "<4>", "warning"), (.error, "<3>", "error"), (.critical, "<2>", "critical"),
        ] as [(Logger.Level, String, String)])
    func beginning(_ level: Logger.Level, _ priority: String, _ name: String) {
        let journal = LogFile()
        journal.logger(.journal).log(level: level, "rated", metadata: ["day": "2027-01-09"])
        #expect(journal.text == "\(priority)rated day=2027-01-09\n")
        let file = LogFile()
        file.logger(.timestamped).log(level: level, "rated", metadata: ["day": "2027-01-09"])
        #expect(file.text == "2027-01-10T04:00:00.123Z \(name) rated day=2027-01-09\n")
    }

    @Test(
        "Time stamps are UTC, to the millisecond, all of one length",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_999, "1970-01-01T00:00:00.001Z"),
            (951_782_399_999_999, "2000-02-28T23:59:59.999Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
            (1_799_553_600_040_000, "2027-01-10T04:00:00.040Z"), (253_402_300_799_000_000, "9999-12-31T23:59:59.000Z"),
        ] as [(Int64, String)])
    func timestamps(_ micros: Int64, _ expected: String) {
        let bytes = LogLine.bytes(.timestamped, micros: micros, level: .info, message: "", metadata: [:])
        #expect(String(decoding: bytes, as: UTF8.self) == "\(expected) info \n")
    }

    @Test(
        "A value stands in quotes if it would not read as one value without",
        arguments: [
            ("acme", "acme"), ("2027-01-10T04:00:00Z", "2027-01-10T04:00:00Z"), ("épée-日本", "épée-日本"), ("a'b", "a'b"),
            ("", #""""#), ("two words", #""two words""#), ("a=b", #""a=b""#), (#"a"b"#, #""a\"b""#),
            (#"a\b"#, #""a\\b""#), ("a\nb", #""a\nb""#), ("a\r\nb", #""a\r\nb""#), ("\t", #""\t""#),
            ("a\u{0}b", #""a\u0000b""#), ("a\u{1B}[31mb", #""a\u001b[31mb""#), ("a\u{7F}", #""a\u007f""#),
            ("a\u{85}b", #""a\u0085b""#), ("a\u{2028}b", #""a\u2028b""#), ("a\u{2029}b", #""a\u2029b""#),
            ("a\u{A0}b", "\"a\u{A0}b\""),
        ])
    func values(_ value: String, _ written: String) {
        #expect(line("m", ["key": .string(value)]) == "m key=" + written)
    }

    @Test(
        "A message is one line, and otherwise as it was written",
        arguments: [
            ("rated 3 days", "rated 3 days"), ("a\nb\r\nc", #"a\nb\r\nc"#), (#"say "a=b" \ "#, #"say "a=b" \ "#),
            ("a\u{2028}b\u{0}", #"a\u2028b\u0000"#), ("", ""), ("<0>not so urgent", "<0>not so urgent"),
        ])
    func messages(_ message: String, _ written: String) {
        #expect(line(message) == written)
    }

    @Test("Metadata stand in the order of their keys' bytes; keys lose what they cannot hold; nested values stay whole")
    func metadata() {
        #expect(line("m", ["b": "2", "a": "1", "é": "4", "z": "3", "B": "0"]) == "m B=0 a=1 b=2 z=3 é=4")
        #expect(line("m", ["two words": "1", "": "2", "a=\"\n": "3"]) == "m _=2 a___=3 two_words=1")
        #expect(
            line("m", ["n": .stringConvertible(7), "list": ["1", ["2", "3"]], "map": ["b": "2", "a": ["c": "1"]]])
                == "m list=[1,[2,3]] map={a:{c:1},b:2} n=7")
        #expect(line("m", ["list": ["a b", "\n"]]) == #"m list="[a b,\n]""#)
    }

    @Test("The record's metadata win over the provider's, those over the logger's; an error is one more")
    func precedence() {
        struct Refusal: Error, CustomStringConvertible { let description = "disk\nfull" }
        let file = LogFile()
        var handler = JournalLogHandler(LogOutput(descriptor: file.descriptor, style: .journal))
        handler.metadata = ["a": "logger", "b": "logger", "c": "logger"]
        handler.metadataProvider = .init { ["b": "provider", "c": "provider"] }
        let logger = Logger(label: "test") { _ in handler }
        logger.info("one", metadata: ["c": "record"])
        logger.error("two", error: Refusal())
        #expect(
            file.text == """
                <6>one a=logger b=provider c=record
                <3>two a=logger b=provider c=provider error="disk\\nfull"

                """)
    }

    @Test("Loggers are values: levels and metadata of a copy are its own")
    func copies() {
        let file = LogFile()
        let first = file.logger(.journal, level: .info)
        var second = first
        second.logLevel = .error
        second[metadataKey: "only"] = "second"
        first.debug("unheard")
        first.info("first")
        second.info("unheard")
        second.error("second")
        #expect(file.text == "<6>first\n<3>second only=second\n")
    }

    @Test("A line that journald would break in two is cut, between characters", arguments: 0..<4)
    func longLines(_ shift: Int) {
        let message = String(repeating: "x", count: shift) + String(repeating: "日", count: 20_000)
        let bytes = LogLine.bytes(.journal, micros: 0, level: .info, message: message, metadata: ["key": "value"])
        let text = String(validating: bytes, as: UTF8.self)
        #expect(text?.hasSuffix("日…\n") == true)
        #expect((LogLine.longestLine - 3...LogLine.longestLine).contains(bytes.count))
        let longest = String(repeating: "x", count: LogLine.longestLine - 4)
        #expect(line(longest) == longest)
        #expect(line(longest + "x").hasSuffix("x…"))
    }

    @Test("Lines of many threads never mix, even when the pipe is full")
    func threads() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        // So a full pipe takes parts of lines.
        for end in ends { try #require(fcntl(end, F_SETFL, O_NONBLOCK) == 0) }
        let (reading, writing) = (ends[0], ends[1])
        let output = LogOutput(descriptor: writing, style: .journal)
        let writers = DispatchGroup()
        for number in 0..<8 {
            writers.enter()
            Thread.detachNewThread {
                let logger = Logger(label: "test") { _ in JournalLogHandler(output) }
                let text = String(repeating: "\(number)", count: 6_000)
                for _ in 0..<25 { logger.info("\(text)") }
                writers.leave()
            }
        }
        Thread.detachNewThread {
            writers.wait()
            close(writing)
        }
        let lines = Self.readAll(reading).split(separator: UInt8(ascii: "\n"))
        close(reading)
        #expect(lines.count == 200)
        #expect(lines.allSatisfy { $0.count == 6_003 && Set($0.dropFirst(3)).count == 1 })
    }

    private static func readAll(_ descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1000)
        while true {
            var readable = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            poll(&readable, 1, -1)
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return all }
            all += buffer.prefix(count)
        }
    }

    @Test("The journal's priorities are written to the stream that JOURNAL_STREAM names, and to no other")
    func detection() {
        let (journal, other) = (LogFile(), LogFile())
        var file = stat()
        fstat(journal.descriptor, &file)
        let environment = ["JOURNAL_STREAM": "\(file.st_dev):\(file.st_ino)"]
        #expect(LogStyle.of(descriptor: journal.descriptor, environment: environment) == .journal)
        #expect(LogStyle.of(descriptor: other.descriptor, environment: environment) == .timestamped)
        #expect(LogStyle.of(descriptor: journal.descriptor, environment: [:]) == .timestamped)
        #expect(LogStyle.of(descriptor: -1, environment: environment) == .timestamped)
        #expect(LogOutput(descriptor: journal.descriptor, environment: environment).style == .journal)
    }

    @Test("A log whose reader is gone stops nothing")
    func readerGone() throws {
        let output = LogOutput(descriptor: -1, style: .journal)
        Logger(label: "test") { _ in JournalLogHandler(output) }.error("unheard")
    }
}
