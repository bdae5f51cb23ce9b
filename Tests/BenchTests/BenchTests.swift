// The pure parts of the benchmark: percentiles, the table, the reading of answers.

import Bench
import Testing

struct BenchTests {
    @Test("a median is the middle sample, or the mean of two")
    func medians() {
        #expect(median([]) == nil)
        #expect(median([3]) == 3)
        #expect(median([9, 1, 2]) == 2)
        #expect(median([9, 1, 2, 4]) == 3)
    }

    @Test("a percentile is the smallest sample that so many do not exceed")
    func percentiles() {
        #expect(Latencies().percentile(50) == nil)
        let latencies = Latencies((1...200).reversed().map { UInt64($0) * 1_000_000 })
        #expect(latencies.percentiles([0, 50, 99, 99.9, 100]) == [0.001, 0.1, 0.198, 0.2, 0.2])
    }

    @Test("columns are as wide as their widest cell, numbers stand to the right, lines end without blanks")
    func table() {
        var table = TextTable(headings: ["what", "how many", "p99"])
        table.lines = [
            .section("files"), .cells(["a day", "1,000,000", ""]), .cells(["nothing at all", "2", "1 ms"]),
        ]
        #expect(
            table.text == """
                what             how many   p99
                --------------  ---------  ----

                files
                a day           1,000,000
                nothing at all          2  1 ms

                """)
    }

    @Test(
        "numbers have the digits that matter",
        arguments: [
            (Wording.rate(1_234_567.8), "1,234,568"), (Wording.rate(999.6), "1,000"), (Wording.rate(0.5), "0.50"),
            (Wording.time(seconds: 123.4), "123 s"), (Wording.time(seconds: 1.234), "1.23 s"),
            (Wording.time(seconds: 0.01234), "12.3 ms"), (Wording.time(seconds: 0.000_078), "78 µs"),
            (Wording.bytes(1_230_000_000), "1.23 GB"), (Wording.bytes(45_600_000), "46 MB"),
            (Wording.size(300_000), "0.3 M"), (Wording.size(30_000_000), "30 M"), (Wording.size(450), "450"),
            (Wording.ratio(0.618), "0.62"), (Wording.ratio(7.25), "7.2"), (Wording.ratio(12.4), "12"),
        ])
    func wording(_ text: String, _ expected: String) { #expect(text == expected) }

    @Test("an answer's head is read once it is whole, whatever comes with it")
    func heads() {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 12\r\nServer: meterd\r\n\r\n"
        for end in 0..<head.utf8.count { #expect(read(bytes: head.utf8.prefix(end)) == .incomplete) }
        let whole = HTTPAnswerHead.Reading.head(.init(status: 200, headBytes: head.utf8.count, bodyBytes: 12))
        #expect(read(head) == whole)
        #expect(read(head + "{\"accepted\":1") == whole)
        #expect(
            read("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
                == .head(.init(status: 503, headBytes: 38, bodyBytes: 0)))
        #expect(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") == .malformed)
        #expect(read("220 mail.example ESMTP\r\nContent-Length: 1\r\n\r\n") == .malformed)
    }

    private func read(_ text: String) -> HTTPAnswerHead.Reading { read(bytes: text.utf8) }

    private func read(bytes: some Sequence<UInt8>) -> HTTPAnswerHead.Reading {
        Array(bytes).withUnsafeBytes { HTTPAnswerHead.read($0) }
    }

    @Test("the counts of an answer to events are read from its beginning")
    func counts() {
        func read(_ text: String) -> EventCounts? { Array(text.utf8).withUnsafeBytes { EventCounts($0) } }
        let counts = read(
            "{\"accepted\":990,\"duplicates\":7,\"corrections\":2,\"refused\":1,\"results\":[{\"index\":3}]}")
        #expect(counts?.accepted == 990 && counts?.duplicates == 7 && counts?.corrections == 2 && counts?.refused == 1)
        #expect(counts?.sum == 1_000)
        #expect(read("{\"title\":\"no\"}") == nil)
        #expect(read("") == nil)
    }
}

@Suite("A day of load is flat")
struct FootprintTests {
    private static func look(_ change: (inout Footprint) -> Void = { _ in }) -> Footprint {
        var look = Footprint(
            memoryBytes: 150 << 20, descriptors: 46, logBytes: 20 << 20, p99Seconds: 0.004, rows: .init())
        change(&look)
        return look
    }

    @Test("when nothing grows, or only what the ledger has gained")
    func flat() {
        #expect(Footprint.complaints((0..<48).map { _ in Self.look() }) == [])
        let gaining = (0..<48).map { number in
            Self.look {
                $0.memoryBytes += number * 7_000_000
                $0.rows.devices = number * 60_000
                $0.rows.touches = number * 20_000
            }
        }
        #expect(Footprint.complaints(gaining) == [])
    }

    static let growing: [(what: String, change: @Sendable (Int, inout Footprint) -> Void, complaint: String)] = [
        ("memory, 2 MB in each half hour", { $1.memoryBytes += $0 * 2 << 20 }, "memory grew by "),
        ("memory, only in the evening", { $1.memoryBytes += max(0, $0 - 36) * 2 << 20 }, "memory grew by "),
        ("descriptors, one in each hour", { $1.descriptors += $0 / 2 }, "descriptors: 52 in the morning, "),
        ("the log", { $1.logBytes += $0 << 20 }, "the log grew to "),
        ("latency, bit by bit", { $1.p99Seconds = 0.004 * (1 + Double($0) / 5) }, "p99 of latency: "),
        ("latency, once", { $1.p99Seconds = $0 == 25 ? 0.6 : 0.004 }, "p99 of latency: "),
    ]

    @Test("and is not when this grows", arguments: growing.indices)
    func grows(index: Int) {
        let (what, change, complaint) = Self.growing[index]
        let complaints = Footprint.complaints((0..<48).map { number in Self.look { change(number, &$0) } })
        #expect(complaints.contains { $0.hasPrefix(complaint) }, "\(what): \(complaints)")
    }
}
