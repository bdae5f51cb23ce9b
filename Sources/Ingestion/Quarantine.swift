// Refused events that could be read, kept within bounds for an operator to retry or drop (Billing rules, section 4).

import EventCodec
import Foundation
package import GRDB
import LedgerStore
package import Quantities
package import UsageStore

/// An event in quarantine.
package struct QuarantinedEvent: Sendable {
    package let id: Int64
    package let arrivedAt: Instant
    package let code: String
    package let reason: String
    package let event: [UInt8]
}

/// The quarantine of one ledger. Its digests are in memory, so that an accepted event costs nothing while it is empty.
package final class Quarantine {
    private let key: FingerprintKey
    private var digests: Set<Fingerprint> = []
    private var bytes = 0
    private var isLoaded = false

    package static let maxEvents = 100_000
    package static let maxBytes = 256 << 20
    package static let maxEventBytes = 64 << 10

    package init(key: FingerprintKey) { self.key = key }

    private func load(_ database: Database) throws {
        guard !isLoaded else { return }
        digests = []
        // Read from their index: in a row they stand behind the event, which may be long.
        let rows = try Row.fetchCursor(database, sql: "SELECT digest FROM quarantine ORDER BY digest")
        while let row = try rows.next() { digests.insert(Fingerprint(bytes: [UInt8](row[0] as Data))) }
        bytes = try Int.fetchOne(database, sql: "SELECT sum(length(event)) FROM quarantine") ?? 0
        isLoaded = true
    }

    /// Forgets what was read: it may have been rolled back, or changed by hand.
    package func forget() { isLoaded = false }

    /// Keeps a refused event.
    ///
    /// - Returns: nil, or why it was not kept.
    func keep(
        _ event: Bytes, code: RefusalCode, reason: String, source: String?, id: String?, at now: Instant,
        _ database: Database
    ) throws -> String? {
        try load(database)
        guard event.count <= Self.maxEventBytes else {
            return "not kept in quarantine: over \(Self.maxEventBytes) bytes"
        }
        let digest = key.quarantined(event.buffer)
        if digests.contains(digest) {
            try database.cachedStatement(sql: "UPDATE quarantine SET code = ?, reason = ? WHERE digest = ?")
                .execute(arguments: [code.rawValue, reason, Data(digest.bytes)])
            return nil
        }
        guard digests.count < Self.maxEvents, bytes + event.count <= Self.maxBytes else {
            return "not kept: the quarantine is full"
        }
        try database.cachedStatement(
            sql: """
                INSERT INTO quarantine (arrived_at, code, reason, source, id, event, digest)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: [
                now.micros, code.rawValue, reason, source, id, Data(event.buffer), Data(digest.bytes),
            ])
        digests.insert(digest)
        bytes += event.count
        return nil
    }

    /// Clears the copies of an event that was taken.
    func clear(_ event: Bytes, _ database: Database) throws {
        try load(database)
        guard !digests.isEmpty else { return }
        let digest = key.quarantined(event.buffer)
        guard digests.remove(digest) != nil else { return }
        try database.cachedStatement(sql: "DELETE FROM quarantine WHERE digest = ?")
            .execute(arguments: [Data(digest.bytes)])
        bytes -= event.count
    }

    // MARK: The operator's side

    /// The ids that are in quarantine: those named, or all when none is.
    ///
    /// - Throws: ``LedgerStore/LedgerError/notInQuarantine(_:)`` when any that is named is not there.
    package static func ids(among named: [Int64] = [], _ database: Database) throws -> [Int64] {
        let ids = try Int64.fetchAll(database, sql: "SELECT quarantine_id FROM quarantine ORDER BY quarantine_id")
        let missing = Set(named).subtracting(ids)
        guard missing.isEmpty else { throw LedgerError.notInQuarantine(missing.sorted()) }
        return named.isEmpty ? ids : ids.filter(Set(named).contains)
    }

    package static func list(ids: [Int64], _ database: Database) throws -> [QuarantinedEvent] {
        try ids.compactMap { id in
            try Row.fetchOne(
                database,
                sql: """
                    SELECT quarantine_id, arrived_at, code, reason, event
                    FROM quarantine
                    WHERE quarantine_id = ?
                    """,
                arguments: [id]
            ).map { row in
                QuarantinedEvent(
                    id: row["quarantine_id"], arrivedAt: Instant(micros: row["arrived_at"]), code: row["code"],
                    reason: row["reason"], event: [UInt8](row["event"] as Data))
            }
        }
    }

    /// - Returns: how many of the events were there.
    package static func drop(ids: some Sequence<Int64>, _ database: Database) throws -> Int {
        let statement = try database.cachedStatement(sql: "DELETE FROM quarantine WHERE quarantine_id = ?")
        var dropped = 0
        for id in ids {
            try statement.execute(arguments: [id])
            dropped += database.changesCount
        }
        return dropped
    }
}
