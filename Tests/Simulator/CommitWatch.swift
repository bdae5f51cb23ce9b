// Counts the transactions of a connection, and lets one of them fail or be the last that anybody sees.

import GRDB

/// Only transactions that change something count: how often a file is read is not to matter.
final class CommitWatch: TransactionObserver {
    struct DiskIsFull: Error {}

    private(set) var transactions = 0
    private var failing: Int?
    private var onTransaction: ((Int) throws -> Void)?
    private(set) var problem: (any Error)?
    /// Of the connection that this watches, which keeps this; used on its own queue only.
    private weak var database: Database?
    private var changes = 0

    /// Counts from 0 again.
    ///
    /// - Parameters:
    ///   - failing: which transaction can't be committed, from 1.
    ///   - onTransaction: called after each with its number, when it is durable and nobody knows of it yet.
    func begin(failing: Int? = nil, onTransaction: ((Int) throws -> Void)? = nil) {
        transactions = 0
        problem = nil
        self.failing = failing
        self.onTransaction = onTransaction
    }

    func watch(_ database: Database) {
        self.database = database
        changes = database.totalChangesCount
        database.add(transactionObserver: self, extent: .databaseLifetime)
    }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { false }
    func databaseDidChange(with event: DatabaseEvent) {}

    func databaseWillCommit() throws {
        guard database?.totalChangesCount != changes, failing == transactions + 1 else { return }
        failing = nil
        throw DiskIsFull()
    }

    func databaseDidCommit(_ database: Database) {
        guard database.totalChangesCount != changes else { return }
        changes = database.totalChangesCount
        transactions += 1
        do { try onTransaction?(transactions) } catch { problem = error }
    }

    func databaseDidRollback(_ database: Database) { changes = database.totalChangesCount }
}
