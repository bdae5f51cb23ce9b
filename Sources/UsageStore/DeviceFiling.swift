// Filing: devices that have come since the last time move to where their apps' devices lie together.

import GRDB
package import Storage

/// Moves devices from `new_device` to `device` in slices of a few milliseconds, each a transaction; interrupted, the next
/// filing goes on where it was. Memory knows the same devices before and after.
package struct DeviceFiling {
    private let file: LedgerFile
    private let bounds: Bounds

    package struct Bounds: Sendable {
        /// Fewer wait for others: a small day's rating would rewrite a page for nearly each.
        package var fewestDevices = 1_000
        /// More would rewrite fewer pages, as an app's devices share them, and let events wait for longer.
        package var devicesPerSlice = 2_000

        package init() {}
    }

    package init(file: LedgerFile, bounds: Bounds = Bounds()) {
        self.file = file
        self.bounds = bounds
    }

    /// Files the devices that are there now, if they are enough.
    ///
    /// - Parameter between: called between two slices; devices that come meanwhile wait for the next filing.
    package func file(between: () throws -> Void = {}) throws {
        guard let arrivals = try newArrivals(), arrivals.count >= bounds.fewestDevices else { return }
        let last = arrivals.upperBound
        while let first = try newArrivals()?.lowerBound, first <= last {
            let end = min(first + Int64(bounds.devicesPerSlice), last + 1)
            // A device that is erased later must not have stayed where it was new.
            try file.writeZeroing { try moveArrivals(before: end, $0) }
            try between()
        }
    }

    private func newArrivals() throws -> ClosedRange<Int64>? {
        try file.read { try UsageStatements.newArrivals($0) }
    }

    /// The first ones, so that of each app those that are filed have the smaller ordinals.
    private func moveArrivals(before end: Int64, _ database: Database) throws {
        // OR FAIL: what fails ends the transaction anyway, see `BulkInsert`.
        try database.execute(
            sql: """
                INSERT OR FAIL INTO device (device_id, name, fingerprint)
                SELECT device_id, name, fingerprint
                FROM new_device
                WHERE arrival < ?
                ORDER BY device_id
                """, arguments: [end])
        try database.execute(sql: "DELETE FROM new_device WHERE arrival < ?", arguments: [end])
    }
}
