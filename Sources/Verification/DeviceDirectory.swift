// The names of devices: how many each app has, and whether two of them are one device.

import Foundation
import GRDB
import LedgerStore
import Quantities
import Storage
import UsageStore

/// How many devices each app has names for. As ordinals are dense, that is all there is to know of a device.
final class DeviceDirectory {
    private(set) var count = 0
    private var devicesOfApp: [Int64: Int64] = [:]
    private let labels: Labels

    init(_ slices: Slices, _ labels: Labels, _ findings: inout Findings) throws {
        self.labels = labels
        let key = FingerprintKey(try slices.read { try LedgerProperties.read($0) }.fingerprintKey)
        let size = try slices.read { try Self.size($0) }
        let passes = Passes(rows: size, bytesPerRow: MemoryLayout<Known>.stride, slices.bounds)
        for pass in passes.all {
            var known: [Known] = []
            var app = (number: Int64.min, fingerprint: key.app(AppID(0)))
            var gaps: Set<Int64> = []
            try slices.scan(Self.sql) { row, _ in
                let device = row.integer(0)
                if pass == 0 { note(device, &gaps, &findings) }
                if device >> 32 != app.number { app = (device >> 32, key.app(AppID(device >> 32))) }
                let hash = Self.fingerprint(row, key, app: app.fingerprint).low
                if passes.pass(of: hash) == pass { known.append(Known(hash: hash, device: device)) }
            }
            try namedTwice(known, key, slices, &findings)
        }
    }

    private static let sql = """
        SELECT device_id, name, fingerprint
        FROM device
        WHERE device_id > ?1
        ORDER BY device_id
        LIMIT ?2
        """

    // MARK: Numbers

    /// How many devices there are, if their numbers have no gaps.
    private static func size(_ database: Database) throws -> Int {
        let apps = try Int64.fetchAll(database, sql: "SELECT app_id FROM app")
        return try apps.reduce(0) { try $0 + Int(devices(of: $1, database)) }
    }

    private static func devices(of app: Int64, _ database: Database) throws -> Int64 {
        try Int64.fetchOne(
            database, sql: "SELECT max(device_id) FROM device WHERE device_id >= ? AND device_id < ?",
            arguments: [app << 32, (app &+ 1) << 32]
        ).map { ($0 & 0xFFFF_FFFF) + 1 } ?? 0
    }

    private func note(_ device: Int64, _ gaps: inout Set<Int64>, _ findings: inout Findings) {
        count += 1
        let (app, ordinal) = (device >> 32, device & 0xFFFF_FFFF)
        let expected = devicesOfApp[app] ?? 0
        if ordinal != expected, gaps.insert(app).inserted {
            findings.add("\(labels.app(app)): device number \(ordinal) follows where \(expected) belongs")
        }
        devicesOfApp[app] = ordinal + 1
    }

    /// Whether a device that a row refers to has a name. It may have come after its app's names were read, but no later
    /// than the row.
    ///
    /// - Parameter database: of the transaction that reads the row.
    func hasName(_ device: Int64, _ database: Database) throws -> Bool {
        let (app, ordinal) = (device >> 32, device & 0xFFFF_FFFF)
        if ordinal < devicesOfApp[app] ?? 0 { return true }
        devicesOfApp[app] = try Self.devices(of: app, database)
        return ordinal < devicesOfApp[app] ?? 0
    }

    func label(_ device: Int64) -> String { "number \(device & 0xFFFF_FFFF) of \(labels.app(device >> 32))" }

    // MARK: Names

    private struct Known {
        let hash: UInt64
        let device: Int64
    }

    /// By what the program itself tells devices apart, also those whose names were erased.
    private static func fingerprint(_ row: RawStatement, _ key: FingerprintKey, app: Fingerprint) -> Fingerprint {
        let erased = row.bytes(2)
        guard erased.count == 16 else { return key.device(row.bytes(1)).within(app: app) }
        return Fingerprint(bytes: Array(erased))
    }

    /// One device under two numbers would be counted as two.
    private func namedTwice(
        _ known: [Known], _ key: FingerprintKey, _ slices: Slices, _ findings: inout Findings
    ) throws {
        let sorted = known.sorted { ($0.hash, $0.device) < ($1.hash, $1.device) }
        for (first, second) in zip(sorted, sorted.dropFirst()) where first.hash == second.hash {
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
            database, "SELECT device_id, name, fingerprint FROM device WHERE device_id = ?1")
        statement.bind(1, device)
        guard try statement.step() else { return nil }
        defer { statement.reset() }
        return fingerprint(statement, key, app: key.app(AppID(device >> 32)))
    }
}
