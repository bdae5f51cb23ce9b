// A ledger's SQLite file: how it is made, opened for writing by one process, opened for reading by any.

import CSQLiteSettings
import Foundation
package import GRDB
import GRDBSQLite
package import Migrations

/// An open ledger file: one connection.
package final class LedgerFile: Sendable {
    package let path: String
    private let queue: DatabaseQueue
    /// Held for as long as the file is open for writing.
    private let lock: WriterLock?
    private let side: SideConnection
    private let log: WriteAheadLog
    /// Of a file that is open for writing; nil for others, and for one that is just being made.
    private let schema: SchemaWatch?
    /// Which file is open.
    private let identity: FileIdentity?

    /// How long to wait for another program's lock on the file itself.
    private static let busySeconds = 10

    /// How large the log may become while readers keep it from being emptied.
    package static let standardLogBytes = 1 << 30

    /// Marks the file as meterd's in its header: "mtrd".
    private static let applicationID = 0x6D74_7264

    /// - Parameter name: what messages call the file, if not by its path.
    init(
        path: String, named name: String? = nil, queue: DatabaseQueue, lock: WriterLock?,
        mostLogBytes: Int = LedgerFile.standardLogBytes, schema: SchemaWatch? = nil
    ) {
        self.path = path
        identity = FileIdentity(of: path)
        self.queue = queue
        self.lock = lock
        self.schema = schema
        side = SideConnection { try Self.connect(path, readonly: true) }
        log = WriteAheadLog(of: queue, path: name ?? path, mostBytes: mostLogBytes)
    }

    // MARK: Opening

    /// Makes a new file with the newest schema and what `fill` puts into it, in one transaction.
    ///
    /// - Throws: ``StorageError``, as ``StorageError/alreadyThere(_:)``; what `fill` throws. Then there is no
    ///   file, unless it is the folder that can't be synced.
    package static func create(
        at path: String, migrations: [Migration] = Migrations.all, fill: (Database) throws -> Void
    ) throws -> LedgerFile {
        // Before the lock is taken, which needs the folder and leaves a file in it.
        try FileDraft.checkIsFree(path)
        let lock = try WriterLock(ledger: path, waitSeconds: 0)
        // Made beside and renamed when it is whole: whoever dies here leaves no half a ledger.
        let draft = try FileDraft(of: path)
        let file = LedgerFile(
            path: draft.making, named: path, queue: try connect(draft.making, readonly: false, named: path), lock: nil)
        do {
            try file.write { database in
                try database.execute(sql: "PRAGMA application_id = \(applicationID)")
                let migrator = SchemaMigrator(migrations: migrations)
                try migrator.prepare(database)
                try migrator.apply(migrations, to: database)
                try fill(database)
            }
            // What is still in the log would not be in the file that gets the name.
            guard try file.emptyWAL() else { throw StorageError.busy(path) }
            try file.queue.close()
        } catch {
            try? file.queue.close()
            throw error
        }
        try draft.publish()
        // Compared by the first transaction.
        let schema = SchemaWatch(path: path, migrator: SchemaMigrator(migrations: migrations))
        return LedgerFile(path: path, queue: try connect(path, readonly: false), lock: lock, schema: schema)
    }

    /// Opens a file for writing: takes the writer's lock, brings the schema up, sees that commits are durable.
    ///
    /// - Parameters:
    ///   - mostLogBytes: while readers keep the log from being emptied, it may become so large; then nothing is written
    ///     until they have gone.
    ///   - onWait: called once, with the holder of the lock, when it is not free at once.
    ///   - onUpgrade: called before the schema is brought up, with where the file is kept as it was.
    /// - Throws: ``StorageError``.
    package static func openForWriting(
        at path: String, waitSeconds: Int = 60, mostLogBytes: Int = standardLogBytes,
        migrations: [Migration] = Migrations.all, onWait: (_ holder: String) -> Void = { _ in },
        onUpgrade: (_ backup: String) -> Void = { _ in }
    ) throws -> LedgerFile {
        try checkPresence(path)
        try checkIsLedger(path)
        let lock = try WriterLock(ledger: resolved(path), waitSeconds: waitSeconds, onWait: onWait)
        let migrator = SchemaMigrator(migrations: migrations)
        let schema = SchemaWatch(path: path, migrator: migrator)
        let file = LedgerFile(
            path: path, queue: try connect(path, readonly: false), lock: lock, mostLogBytes: mostLogBytes,
            schema: schema)
        try file.syncLogName()
        try file.moveLeftLog()
        let pending = try file.read { database in
            let pending = try migrator.pending(database, path: path)
            try migrator.checkSchema(database, lacking: pending, path: path)
            schema.note(try schema.version(database))
            return pending
        }
        if let first = pending.first {
            onUpgrade(try file.keep(as: "\(path).before-\(first.name)"))
            // All steps or none, so that what is kept is never half brought up.
            try file.write { try migrator.apply(pending, to: $0) }
        }
        return file
    }

    /// The log may be new. SQLite syncs its name with the first commit, but passes over it if that fails.
    private func syncLogName() throws {
        guard let error = FileDraft.syncFolder(of: Self.resolved(path)) else { return }
        log.leaveToNext()
        throw StorageError.diskFailed(path: path, reason: "syncing its folder: \(String(cString: strerror(error)))")
    }

    /// Moves what a process has left that did not close the file. If it ended because a sync failed, the system may hold
    /// pages of the log for written that are not on the disk: they are written anew, elsewhere, before anything rests on
    /// them.
    private func moveLeftLog() throws {
        // SQLite puts the log beside the file that a link leads to.
        let log = try? FileManager.default.attributesOfItem(atPath: Self.resolved(path) + "-wal")
        guard let size = log?[.size] as? Int, size > 0 else { return }
        do {
            try emptyWAL()
        } catch StorageError.diskFull {
            // Whatever is to be written says so; reading needs no room.
        }
    }

    /// Opens a file for reading beside whoever writes.
    ///
    /// - Throws: ``StorageError``.
    package static func openForReading(
        at path: String, migrations: [Migration] = Migrations.all
    ) throws -> LedgerFile {
        try checkPresence(path)
        let file = LedgerFile(path: path, queue: try connect(path, readonly: true), lock: nil)
        try file.read { database in
            try checkApplication(database, path)
            if let first = try SchemaMigrator(migrations: migrations).pending(database, path: path).first {
                throw StorageError.olderSchema(path: path, migration: first.name)
            }
        }
        return file
    }

    /// Another connection to the file that this one has open, for reading. Nothing of the file is looked at again: this
    /// process has done so.
    package func openAgain() throws -> LedgerFile {
        LedgerFile(path: path, queue: try Self.connect(path, readonly: true), lock: nil)
    }

    /// Looks without writing: a connection for writing turns whatever database it opens into one with a WAL.
    private static func checkIsLedger(_ path: String) throws {
        let queue = try connect(path, readonly: true)
        try queue.read { try checkApplication($0, path) }
        try queue.close()
    }

    static func checkApplication(_ database: Database, _ path: String) throws {
        guard try Int.fetchOne(database, sql: "PRAGMA application_id") == applicationID else {
            throw StorageError.notALedger(path)
        }
    }

    private static let countsNoMemory: Void = { _ = meterd_sqlite_count_no_memory() }()

    /// - Parameter name: what messages call the file, if not by its path.
    static func connect(
        _ path: String, readonly: Bool, named name: String? = nil
    ) throws -> DatabaseQueue {
        countsNoMemory
        var configuration = Configuration()
        configuration.readonly = readonly
        configuration.label = "meterd"
        configuration.busyMode = .timeout(TimeInterval(busySeconds))
        configuration.prepareDatabase { database in
            do {
                try Self.prepare(database, readonly: readonly)
                // The first look makes what belongs to the log where it is missing.
                _ = try Row.fetchOne(database, sql: "SELECT 1 FROM sqlite_schema")
            } catch let error as DatabaseError {
                let systemError = WrittenFile.openingError(database.sqliteConnection)
                throw StorageError(error, path: name ?? path, systemError: systemError) ?? error
            }
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            if !readonly {
                let durability = try queue.read { database in
                    (
                        try String.fetchOne(database, sql: "PRAGMA journal_mode") ?? "",
                        try Int.fetchOne(database, sql: "PRAGMA synchronous") ?? -1
                    )
                }
                guard durability.0 == "wal" else {
                    throw StorageError.notDurable(setting: "journal_mode", value: durability.0)
                }
                guard durability.1 == 2 else {
                    throw StorageError.notDurable(setting: "synchronous", value: "\(durability.1)")
                }
            }
            return queue
        } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB {
            guard !beginsWithZeros(path) else {
                throw StorageError.damaged(path: path, reason: "it begins with zeros instead of a header")
            }
            throw StorageError.notALedger(path)
        } catch let error as DatabaseError {
            // There is no connection any more that could tell the system's error.
            throw StorageError(error, path: name ?? path, systemError: 0)
                ?? .cannotOpen(path: name ?? path, reason: error.message ?? "\(error.resultCode)")
        }
    }

    private static func prepare(_ database: Database, readonly: Bool) throws {
        guard !readonly else { return }
        // Every commit is on the disk before it is answered; the WAL lets others read meanwhile, and `WriteAheadLog`
        // bounds it. 32 MB of cache hold the pages that a day's appends and counters touch. Pages that are written
        // anyway keep nothing of what was moved or deleted in them, so that an erased device is gone.
        try database.execute(
            sql: """
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA cache_size = -32768;
                PRAGMA secure_delete = FAST;
                PRAGMA mmap_size = 0;
                PRAGMA journal_size_limit = 67108864;
                """)
        // The WAL stays after the last connection has closed: without it, another user of the group could not
        // open the file for reading.
        var persist: CInt = 1
        sqlite3_file_control(database.sqliteConnection, "main", SQLITE_FCNTL_PERSIST_WAL, &persist)
    }

    /// A database never does; a file whose first blocks were lost may.
    private static func beginsWithZeros(_ path: String) -> Bool {
        guard let handle = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? handle.close() }
        let header = (try? handle.read(upToCount: 16)) ?? Data()
        return header.count == 16 && header.allSatisfy { $0 == 0 }
    }

    /// Empties the WAL into the file, as far as readers let it, closes it and frees the writer's lock.
    ///
    /// - Parameter checkpointing: false leaves the WAL as it is, for the next who opens the file.
    package func close(checkpointing: Bool = true) throws {
        defer { lock?.release() }
        try side.close()
        if checkpointing, !log.hasFailed {
            if lock != nil { try emptyWAL() }
        } else {
            log.leaveToNext()
        }
        try? connection { _ in schema?.end() }
        // Statements that are still prepared keep the connection; it closes with the last of them.
        try? queue.close()
    }

    /// - Returns: whether all of it is in the file; a reader may hold some back.
    @discardableResult
    private func emptyWAL() throws -> Bool {
        try connection { database in
            // A reader may hold old pages for long, and whoever writes would wait for that.
            try database.execute(sql: "PRAGMA busy_timeout = 200")
            defer { try? database.execute(sql: "PRAGMA busy_timeout = \(Self.busySeconds * 1000)") }
            return try log.empty()
        }
    }

    /// Moves the log into the file before it is so long that a commit has to do it, and its sender to wait for that. To
    /// be called between commits.
    ///
    /// - Parameter isIdle: nothing waits to be written.
    /// - Throws: ``StorageError`` when a checkpoint has failed, now or as a part of a commit: this process must write
    ///   nothing more.
    package func checkpointIfDue(whileIdle isIdle: Bool) throws {
        if !log.hasFailed, log.isDue(whileIdle: isIdle) { try connection { _ in log.checkpoint() } }
        try log.check()
    }

    /// What the log takes, and the most that it may.
    package var logBytes: (now: Int, most: Int) { (log.bytes, log.mostBytes) }

    // MARK: Using

    /// Runs a block in one read transaction.
    package func read<Value>(_ block: (Database) throws -> Value) throws -> Value {
        // Not by the queue's own `read`: it makes the connection read-only for a while, and SQLite then compiles every
        // statement anew that was prepared before.
        try connection { database in
            try Self.inTransaction(.deferred, ending: .commit, database) { database in
                let value = try block(database)
                guard sqlite3_txn_state(database.sqliteConnection, nil) != SQLITE_TXN_WRITE else {
                    throw DatabaseError(resultCode: .SQLITE_READONLY, message: "a read must not write")
                }
                return value
            }
        }
    }

    /// Runs a block in one read transaction on the file's own queue, which no task waits for. Blocks take turns.
    ///
    /// - Throws: `CancellationError` when the task is cancelled, which also ends a statement that is running; what the
    ///   block throws.
    package func readInBackground<Value: Sendable>(
        _ block: @Sendable (Database) throws -> Value
    ) async throws -> Value { try await queue.read(block) }

    /// Runs a block in one read transaction on a connection and a thread of its own, and waits for it: for reads that
    /// take long, so that the writer can go on meanwhile.
    ///
    /// - Parameters:
    ///   - between: called on this thread once, and again and again until the block is done. The block sees nothing of
    ///     what is committed in it: all that it reads is as of the last commit before this call. What it throws ends the
    ///     block.
    ///   - block: must not use this file in any other way.
    package func readAside<Value: Sendable>(
        between: () throws -> Void, _ block: @escaping @Sendable (Database) throws -> Value
    ) throws -> Value { try translating { try side.read(between: between, block) } }

    /// Runs a block in one transaction, durable when this returns; nothing of it remains when it throws.
    ///
    /// - Throws: ``StorageError``, as ``StorageError/alteredSchema(path:differences:)`` when another program has changed
    ///   the schema since it was compared; then the block is not run. What the block throws.
    package func write<Value>(_ block: (Database) throws -> Value) throws -> Value {
        try transaction(ending: .commit, block)
    }

    /// Runs a block as ``write(_:)`` does, and leaves nothing of what it overwrites or deletes in pages, also in those
    /// that become free.
    package func writeZeroing<Value>(_ block: (Database) throws -> Value) throws -> Value {
        try connection { try $0.execute(sql: "PRAGMA secure_delete = ON") }
        defer { try? connection { try $0.execute(sql: "PRAGMA secure_delete = FAST") } }
        return try write(block)
    }

    /// The same, and leaves nothing of it in the WAL either.
    ///
    /// - Throws: ``StorageError/traceRemains(_:)`` when it is written but a reader still holds the old pages.
    package func writeWithoutTrace<Value>(_ block: (Database) throws -> Value) throws -> Value {
        let value = try writeZeroing(block)
        guard try emptyWAL() else { throw StorageError.traceRemains(path) }
        return value
    }

    /// Runs a block in a write transaction of which nothing remains: what a command would do.
    package func rolledBack<Value>(_ block: (Database) throws -> Value) throws -> Value {
        try transaction(ending: .rollback, block)
    }

    private func transaction<Value>(
        ending: Database.TransactionCompletion, _ block: (Database) throws -> Value
    ) throws -> Value {
        try log.check()
        // Who moves a ledger, or restores another in its place, does not always stop what has it open.
        guard FileIdentity(of: path) == identity else { throw StorageError.replaced(path) }
        if log.isFull, try !emptyWAL() { throw StorageError.logHeld(path: path, mostBytes: log.mostBytes) }
        return try connection { database in
            guard let schema else { return try Self.inTransaction(.immediate, ending: ending, database, block) }
            let (value, version) = try Self.inTransaction(.immediate, ending: ending, database) { database in
                try schema.check(database)
                return (try block(database), try schema.version(database))
            }
            if ending == .commit { schema.note(version) }
            return value
        }
    }

    private static func inTransaction<Value>(
        _ kind: Database.TransactionKind, ending: Database.TransactionCompletion, _ database: Database,
        _ block: (Database) throws -> Value
    ) throws -> Value {
        var result: Value?
        try database.inTransaction(kind) {
            result = try block(database)
            return ending
        }
        guard let result else { preconditionFailure("a block that did not throw has a result") }
        return result
    }

    /// The connection without a transaction: to prepare statements that outlive one.
    package func connection<Value>(_ block: (Database) throws -> Value) throws -> Value {
        try translating { try queue.writeWithoutTransaction(block) }
    }

    /// - Throws: ``StorageError`` for what SQLite says of the disk or of other programs, in whatever statement it met it
    ///   first.
    private func translating<Value>(_ use: () throws -> Value) throws -> Value {
        do {
            return try use()
        } catch let error as DatabaseError {
            throw log.told(error)
        }
    }
}
