// What memory holds of apps, read from the file: at the start of a process, and when an app is first named.

import Foundation
import GRDB
import Quantities
import Storage

/// Reads devices and where they count into memory. The two have nothing in common, so two threads can share the work.
struct MemoryReading {
    let key: FingerprintKey
    let devices: FingerprintTable<Fingerprint>
    /// By number.
    let apps: [AppUsage]
    /// What is to be read. All other apps are left alone.
    let chosen: [AppID]
    let sealedThrough: Day?

    /// From so many devices on the second thread is worth its connection.
    private static let manyDevices: Int64 = 100_000

    /// - Parameters:
    ///   - database: sees what the file holds.
    ///   - beside: opens the file once more; nil where `database` sees more than what is committed.
    func run(_ database: Database, beside: (() throws -> LedgerFile)?) throws {
        for app in chosen { apps[Int(app.number)].isLoaded = true }
        let counts = try chosen.map { try UsageStatements.deviceCount(of: $0, database) }
        let expected = try counts.reduce(Int64(UsageStatements.newArrivals(database)?.count ?? 0), +)
        devices.reserve(Int(expected))
        guard let beside, expected >= Self.manyDevices else {
            try readDevices(database)
            return try readPlaces(database)
        }
        let file = try beside()
        let other = Work { try file.read { try readPlaces($0) } }
        let devices = Result { try readDevices(database) }
        // Also where this has failed: nobody writes to what the caller throws away.
        try other.wait()
        try devices.get()
    }

    private func readDevices(_ database: Database) throws {
        for app in chosen {
            let usage = apps[Int(app.number)]
            let statement = try UsageStatements.devices(of: app, database)
            while try statement.step() { insertDevice(statement, of: usage) }
        }
        let statement = try UsageStatements.newDevices(database)
        while try statement.step() {
            let app = apps[Int(statement.integer(0) >> 32)]
            // What memory has of apps that were loaded before is not read again.
            if app.isLoaded, statement.integer(0) & 0xFFFF_FFFF >= app.deviceCount { insertDevice(statement, of: app) }
        }
    }

    @inline(__always)
    private func insertDevice(_ row: RawStatement, of app: AppUsage) {
        let (ordinal, name) = (UInt32(truncatingIfNeeded: row.integer(0)), row.bytes(1))
        let fingerprint =
            name.isEmpty ? Fingerprint(bytes: Array(row.bytes(2))) : key.device(name).within(app: app.fingerprint)
        devices.insert(fingerprint, ordinal)
        app.deviceCount = ordinal + 1
    }

    private func readPlaces(_ database: Database) throws {
        // Sealed rows of months that still have unsealed days.
        let firstOpenMonth = sealedThrough.map { ($0 + 1).month } ?? Month(number: 0)
        var notes = Notes(reading: self)
        let isAll = try chosen.count == UsageStatements.allApps(database).count
        for statement in try isAll
            ? [UsageStatements.sealedDevices(from: firstOpenMonth, database)]
            : chosen.flatMap({ try UsageStatements.sealedDevices(of: $0, from: firstOpenMonth, database) })
        {
            while try statement.step() {
                notes.add(
                    item: statement.integer(0), device: statement.integer(1),
                    postingDay: Day(Int(statement.integer(3))), usageDay: Day(Int(statement.integer(2))))
            }
        }
        let statement = try UsageStatements.touches(after: sealedThrough, database)
        while try statement.step() {
            notes.add(
                item: statement.integer(1), device: statement.integer(2),
                postingDay: Day(Int(statement.integer(0) >> 40)), usageDay: Day(Int(statement.integer(3))))
        }
    }

    /// Notes places in memory; rows that follow each other are nearly always of one month.
    private struct Notes {
        let reading: MemoryReading
        private var month = Month(number: 0)
        private var days = 0..<0

        init(reading: MemoryReading) { self.reading = reading }

        @inline(__always)
        mutating func add(item: Int64, device: Int64, postingDay: Day, usageDay: Day) {
            if !days.contains(usageDay.number) {
                month = usageDay.month
                days = month.first.number..<month.next.first.number
            }
            let app = reading.apps[Int(device >> 32)]
            guard app.isLoaded else { return }
            _ = app.set(ItemID(item), month, sealedThrough: reading.sealedThrough)._withUnsafeGuaranteedRef {
                $0.note(
                    UInt32(truncatingIfNeeded: device), at: CountingPlace(postingDay: postingDay, usageDay: usageDay))
            }
        }
    }

    /// Something that another thread does meanwhile.
    private final class Work: @unchecked Sendable {
        private let end = DispatchSemaphore(value: 0)
        private let body: () throws -> Void
        /// Written by the thread before it signals the end.
        private var result: Result<Void, any Error>?

        init(_ body: @escaping () throws -> Void) {
            self.body = body
            Thread.detachNewThread { [self] in
                result = Result(catching: self.body)
                end.signal()
            }
        }

        func wait() throws {
            end.wait()
            try result?.get()
        }
    }
}
