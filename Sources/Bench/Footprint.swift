// What a daemon takes up at the end of a stretch of load, and whether a row of such looks is flat.

/// One look at a daemon under load.
package struct Footprint {
    /// What the ledger has, and memory holds something of.
    package struct Rows: Equatable {
        package var devices = 0
        package var touches = 0
        package var records = 0

        package init(devices: Int = 0, touches: Int = 0, records: Int = 0) {
            (self.devices, self.touches, self.records) = (devices, touches, records)
        }
    }

    package var memoryBytes: Int
    package var descriptors: Int
    package var logBytes: Int
    /// Of the requests since the look before; nil where there were none.
    package var p99Seconds: Double?
    package var rows: Rows

    package init(memoryBytes: Int, descriptors: Int, logBytes: Int, p99Seconds: Double?, rows: Rows) {
        (self.memoryBytes, self.descriptors, self.logBytes) = (memoryBytes, descriptors, logBytes)
        (self.p99Seconds, self.rows) = (p99Seconds, rows)
    }

    private static let mostBytesAPlace = 90
    private static let mostBytesARecord = 24
    /// SQLite's cache of 32 MiB, which the day's pages fill bit by bit, and what the heap keeps.
    private static let spareBytes = (32 + 32) << 20
    /// Once the cache is full.
    private static let spareBytesOfEvening = 16 << 20
    private static let spareDescriptors = 8
    /// Twice what a commit moves into the file by itself.
    private static let mostLogBytes = 32 << 20
    private static let spareSeconds = 0.010
    private static let longestPause = 0.500

    /// What is not flat in a day of looks, in sentences: memory and descriptors of the second half against the end of the
    /// first quarter, the first look at a daemon that is warm, and memory of the last quarter in itself; latency of the
    /// last quarter against the first; the log and the longest pause at any time.
    package static func complaints(_ looks: [Footprint]) -> [String] {
        let (warm, evening) = (looks[looks.count / 4], looks[looks.count * 3 / 4])
        let later = looks[(looks.count / 2)...]
        var complaints: [String] = []
        func noteMemory(_ looks: ArraySlice<Footprint>, since first: Footprint, spare: Int) {
            let excess = looks.map { look in
                (look.memoryBytes - first.memoryBytes, look.explained(since: first) + spare)
            }
            guard let (grown, allowed) = excess.first(where: { $0.0 > $0.1 }) else { return }
            complaints.append("memory grew by \(Wording.bytes(grown)), \(Wording.bytes(allowed)) are explained")
        }
        noteMemory(later, since: warm, spare: spareBytes)
        noteMemory(looks[(looks.count * 3 / 4)...], since: evening, spare: spareBytesOfEvening)
        if let most = later.map(\.descriptors).max(), most > warm.descriptors + spareDescriptors {
            complaints.append("descriptors: \(warm.descriptors) in the morning, \(most) later")
        }
        if let most = looks.map(\.logBytes).max(), most > mostLogBytes {
            complaints.append("the log grew to \(Wording.bytes(most))")
        }
        func p99(_ looks: ArraySlice<Footprint>) -> Double { median(looks.compactMap(\.p99Seconds)) ?? 0 }
        let (before, after) = (p99(looks[..<(looks.count / 4)]), p99(looks[(looks.count * 3 / 4)...]))
        if after > 2 * before + spareSeconds {
            complaints.append(
                "p99 of latency: \(Wording.time(seconds: before)) in the first quarter, "
                    + "\(Wording.time(seconds: after)) in the last")
        }
        if let most = looks.compactMap(\.p99Seconds).max(), most > longestPause {
            complaints.append("p99 of latency: \(Wording.time(seconds: most)) at one time of the day")
        }
        return complaints
    }

    /// The memory that what the ledger has gained may take.
    private func explained(since first: Footprint) -> Int {
        let places = max(0, rows.devices - first.rows.devices) + max(0, rows.touches - first.rows.touches)
        return places * Self.mostBytesAPlace + (rows.records - first.rows.records) * Self.mostBytesARecord
    }
}
