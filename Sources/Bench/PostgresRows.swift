// The same events as PostgreSQL takes them: rows that are made before the clock starts, in files of transactions.

import Foundation

/// Events as the rows of `device_month`, in the text form of COPY.
struct PostgresRows<Base: EventLines>: EventLines {
    private var base: Base
    private var buffer: [UInt8] = []

    init(_ base: Base) { self.base = base }

    mutating func append(to bytes: inout [UInt8], maxBytes: Int) -> Int {
        buffer.removeAll(keepingCapacity: true)
        let count = base.append(to: &buffer, maxBytes: maxBytes)
        buffer.eachLine { line in
            // A line that is no activity makes a row that COPY refuses: nothing is left out silently.
            guard let row = try? PostgresRow(line) else { return bytes += Array("not an activity\n".utf8) }
            row.appendCopy(to: &bytes)
        }
        return count
    }
}

/// A row: app, item, month and device, which are the key, and the day.
private struct PostgresRow {
    /// All ASCII, in the bytes of the line.
    private let app: UnsafeRawBufferPointer
    private let item: UInt8
    private let device: UnsafeRawBufferPointer
    private let day: UnsafeRawBufferPointer

    private static let features = ItemFeatures.all.map { Array($0.utf8) }
    private static let (tab, comma, quote) = (UInt8(9), UInt8(ascii: ","), UInt8(ascii: "'"))

    init(_ line: UnsafeRawBufferPointer) throws {
        let fields = EventFields(line)
        // app-0001
        app = UnsafeRawBufferPointer(rebasing: try fields.bytes(of: .app).dropFirst(4))
        let feature = try fields.bytes(of: .feature)
        guard let index = Self.features.firstIndex(where: { feature.elementsEqual($0) }) else {
            throw BenchFailure("an event of another feature: \(String(decoding: feature, as: UTF8.self))")
        }
        item = UInt8(ascii: "0") + UInt8(index)
        device = try fields.bytes(of: .device)
        day = UnsafeRawBufferPointer(rebasing: try fields.bytes(of: .time).prefix(10))
    }

    func appendCopy(to bytes: inout [UInt8]) {
        bytes += app
        bytes += [Self.tab, item, Self.tab]
        appendMonth(to: &bytes)
        bytes.append(Self.tab)
        bytes += device
        bytes.append(Self.tab)
        bytes += day
        bytes.append(10)
    }

    func appendValues(to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "("))
        bytes += app
        bytes += [Self.comma, item, Self.comma]
        appendMonth(to: &bytes)
        bytes += [Self.comma, Self.quote]
        bytes += device
        bytes += [Self.quote, Self.comma, Self.quote]
        bytes += day
        bytes += [Self.quote, UInt8(ascii: ")")]
    }

    /// `202701` of `2027-01-20`.
    private func appendMonth(to bytes: inout [UInt8]) {
        bytes += day[..<4]
        bytes += day[5..<7]
    }
}

/// Files for `psql`, 10,000 events a durable commit.
enum PostgresFile {
    static let rowsPerCommit = 10_000
    /// Longer statements take longer a row.
    private static let rowsPerInsert = 1_000

    /// The two ways in which PostgreSQL can store what it may have already.
    enum Way: String, CaseIterable {
        case insert = "multi-row INSERT … ON CONFLICT"
        case merge = "COPY and sorted merge"
    }

    static let schema = """
        CREATE TABLE device_month (app integer, item smallint, month integer, device uuid, day date)
        """
    static let key = "ALTER TABLE device_month ADD PRIMARY KEY (app, item, month, device)"

    static func write(_ way: Way, events: MappedFile, to path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else { throw BenchFailure(system: path) }
        defer { try? file.close() }
        var rows: [PostgresRow] = []
        func end() throws {
            guard !rows.isEmpty else { return }
            try file.write(contentsOf: Data(way == .insert ? inserts(rows) : merge(rows)))
            rows.removeAll(keepingCapacity: true)
        }
        if way == .merge {
            try file.write(contentsOf: Data("CREATE TEMPORARY TABLE incoming (LIKE device_month);\n".utf8))
        }
        try events.eachLine { line in
            rows.append(try PostgresRow(UnsafeRawBufferPointer(rebasing: events.bytes[line])))
            if rows.count == rowsPerCommit { try end() }
        }
        try end()
    }

    private static func inserts(_ rows: [PostgresRow]) -> [UInt8] {
        var bytes = Array("BEGIN;\n".utf8)
        for (index, row) in rows.enumerated() {
            let isFirst = index % rowsPerInsert == 0
            bytes += (isFirst ? "INSERT INTO device_month VALUES " : ",").utf8
            row.appendValues(to: &bytes)
            if index % rowsPerInsert == rowsPerInsert - 1 || index == rows.count - 1 {
                bytes += " ON CONFLICT DO NOTHING;\n".utf8
            }
        }
        bytes += "COMMIT;\n".utf8
        return bytes
    }

    private static func merge(_ rows: [PostgresRow]) -> [UInt8] {
        var bytes = Array("BEGIN;\nCOPY incoming FROM STDIN;\n".utf8)
        for row in rows { row.appendCopy(to: &bytes) }
        bytes +=
            """
            \\.
            INSERT INTO device_month SELECT * FROM incoming ORDER BY app, item, month, device ON CONFLICT DO NOTHING;
            TRUNCATE incoming;
            COMMIT;

            """.utf8
        return bytes
    }
}
