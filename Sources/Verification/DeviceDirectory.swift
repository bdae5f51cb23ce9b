// The names of devices: how many each app has, and whether two of them are one device.

import Foundation
import GRDB
import LedgerStore
import Quantities
import Storage
import UsageStore

/// How many devices each app has names for. As ordinals are dense, that is all there is to know of a device.
final class DeviceDirectory {
    private var devicesOfApp: [Int64: Int64] = [:]
    private let slices: Slices
    private let labels: Labels
    /// The transaction in which devices that had come meanwhile were looked for.
    private var lookedIn = 0

    var count: Int64 { devicesOfApp.values.reduce(0, +) }

    init(_ slices: Slices, _ labels: Labels, _ findings: inout Findings) throws {
        self.slices = slices
        self.labels = labels
        let key = FingerprintKey(try slices.read { try LedgerProperties.read($0) }.fingerprintKey)
        let size = try slices.read { try Self.size($0) }
        let passes = try slices.passes(
            atMost: size, of: [("new_device", "arrival"), ("device", "device_id")],
            bytesPerRow: MemoryLayout<Known>.stride)
        for pass in passes.all {
            var known: [Known] = []
            var app = (number: Int64.min, fingerprint: key.app(AppID(0)))
            func note(_ row: RawStatement) {
                let device = row.integer(1)
                if device >> 32 != app.number { app = (device >> 32, key.app(AppID(device >> 32))) }
                let hash = Self.fingerprint(row, key, app: app.fingerprint).low
                if passes.pass(of: hash) == pass { known.append(Known(hash: hash, device: device)) }
            }
            // The new ones first: what a rating files meanwhile is met twice then, and never missed.
            try slices.scan(Self.names(in: "new_device", by: "arrival")) { row, database in
                if pass == 0 { try noteNew(row.integer(1), database, &findings) }
                note(row)
            }
            var filed: [Int64: Int64] = [:]
            try slices.scan(Self.names(in: "device", by: "device_id")) { row, _ in
                if pass == 0 { noteFiled(row.integer(1), &filed, &findings) }
                note(row)
            }
            for (app, devices) in filed { raise(app, to: devices) }
            try namedTwice(known, key, slices, &findings)
        }
    }

    /// Reads a table of devices in the order of its key. Rows of the key, then device_id, name, fingerprint.
    private static func names(in table: String, by key: String) -> String {
        """
        SELECT \(key), device_id, name, fingerprint
        FROM \(table)
        WHERE \(key) > ?1
        ORDER BY \(key)
        LIMIT ?2
        """
    }

    // MARK: Numbers

    /// How many devices there are, if their numbers have no gaps.
    private static func size(_ database: Database) throws -> Int {
        let apps = try Int64.fetchAll(database, sql: "SELECT app_id FROM app")
        let new =
            try Int.fetchOne(
                database,
                sql: "SELECT (SELECT max(arrival) FROM new_device) - (SELECT min(arrival) FROM new_device) + 1") ?? 0
        return try apps.reduce(new) { try $0 + Int(filedDevices(of: $1, database)) }
    }

    private static func filedDevices(of app: Int64, _ database: Database) throws -> Int64 {
        try Int64.fetchOne(
            database, sql: "SELECT max(device_id) FROM device WHERE device_id >= ? AND device_id < ?",
            arguments: [app << 32, (app &+ 1) << 32]
        ).map { ($0 & 0xFFFF_FFFF) + 1 } ?? 0
    }

    /// A new device follows the one before it of its app; the first one those that are filed by then.
    private func noteNew(_ device: Int64, _ database: Database, _ findings: inout Findings) throws {
        let (app, ordinal) = (device >> 32, device & 0xFFFF_FFFF)
        if ordinal != devicesOfApp[app] {
            let filed = try Self.filedDevices(of: app, database)
            if ordinal != filed {
                let expected = max(devicesOfApp[app] ?? 0, filed)
                findings.add("\(labels.app(app)): new device number \(ordinal) follows where \(expected) belongs")
            }
        }
        devicesOfApp[app] = ordinal + 1
    }

    private func noteFiled(_ device: Int64, _ filed: inout [Int64: Int64], _ findings: inout Findings) {
        let (app, ordinal) = (device >> 32, device & 0xFFFF_FFFF)
        let expected = filed[app] ?? 0
        if ordinal != expected {
            findings.add("\(labels.app(app)): device number \(ordinal) follows where \(expected) belongs")
        }
        filed[app] = ordinal + 1
    }

    /// Whether a device that a row refers to has a name. It may have come after its app's names were read, but no later
    /// than the row.
    ///
    /// - Parameter database: of the transaction that reads the row.
    func hasName(_ device: Int64, _ database: Database) throws -> Bool {
        let (app, ordinal) = (device >> 32, device & 0xFFFF_FFFF)
        if ordinal < devicesOfApp[app] ?? 0 { return true }
        if lookedIn != slices.transactions {
            lookedIn = slices.transactions
            let new = try Row.fetchCursor(
                database, sql: "SELECT device_id >> 32, (max(device_id) & 0xFFFFFFFF) + 1 FROM new_device GROUP BY 1")
            while let row = try new.next() { raise(row[0], to: row[1]) }
        }
        raise(app, to: try Self.filedDevices(of: app, database))
        return ordinal < devicesOfApp[app] ?? 0
    }

    private func raise(_ app: Int64, to devices: Int64) {
        devicesOfApp[app] = max(devicesOfApp[app] ?? 0, devices)
    }

    func label(_ device: Int64) -> String { "number \(device & 0xFFFF_FFFF) of \(labels.app(device >> 32))" }

    // MARK: Names

    private struct Known {
        let hash: UInt64
        let device: Int64
    }

    /// By what the program itself tells devices apart, also those whose names were erased.
    private static func fingerprint(_ row: RawStatement, _ key: FingerprintKey, app: Fingerprint) -> Fingerprint {
        let erased = row.bytes(3)
        guard erased.count == 16 else { return key.device(row.bytes(2)).within(app: app) }
        return Fingerprint(bytes: Array(erased))
    }

    /// One device under two numbers would be counted as two.
    private func namedTwice(
        _ known: [Known], _ key: FingerprintKey, _ slices: Slices, _ findings: inout Findings
    ) throws {
        let sorted = known.sorted { ($0.hash, $0.device) < ($1.hash, $1.device) }
        for (first, second) in zip(sorted, sorted.dropFirst())
        where first.hash == second.hash && first.device != second.device {
            let isSame = try slices.read { database in
                try Self.fingerprint(of: first.device, key, database)
                    == Self.fingerprint(of: second.device, key, database)
            }
            guard isSame else { continue }
            findings.add("devices \(label(first.device)) and \(label(second.device)) are one and the same")
        }
    }

    private static func fingerprint(
        of device: Int64, _ key: FingerprintKey, _ database: Database
    ) throws -> Fingerprint? {
        let statement = try RawStatement(
            database,
            """
            SELECT NULL, device_id, name, fingerprint FROM device WHERE device_id = ?1
            UNION ALL
            SELECT NULL, device_id, name, fingerprint FROM new_device WHERE device_id = ?1
            """)
        statement.bind(1, device)
        guard try statement.step() else { return nil }
        defer { statement.reset() }
        return fingerprint(statement, key, app: key.app(AppID(device >> 32)))
    }
}
