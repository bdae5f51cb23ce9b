// The write-ahead log while a reader keeps it from being emptied, and what a process leaves in it.

import Foundation
import GRDB
import LedgerFixture
import Storage
import TestSupport
import Testing

@testable import Migrations

@Suite("A ledger file's log", .computing)
struct LogBoundTests {
    private static let steps = [
        Migration(name: "0001-first", sql: "CREATE TABLE fact (id INTEGER PRIMARY KEY, text TEXT) STRICT;")
    ]

    private let folder: ScratchFolder
    private let path: String

    init() throws {
        folder = try ScratchFolder()
        path = folder.path("a.db")
        try LedgerFile.create(at: path, migrations: Self.steps) { _ in }.close()
    }

    private func open(mostLogBytes: Int = LedgerFile.standardLogBytes) throws -> LedgerFile {
        try LedgerFile.openForWriting(at: path, mostLogBytes: mostLogBytes, migrations: Self.steps)
    }

    /// Some eight pages.
    private func write(_ file: LedgerFile) throws {
        try file.write { try $0.execute(sql: "INSERT INTO fact (text) VALUES (hex(zeroblob(15000)))") }
    }

    private func logBytes() throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int)
    }

    /// A transaction of another connection that has seen what is stored now.
    private func held() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.allowsUnsafeTransactions = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.inDatabase { try $0.execute(sql: "BEGIN; SELECT count(*) FROM fact") }
        return queue
    }

    @Test(
        "grows to its bound while a reader holds it; then nothing is written, nor even begun, until the reader has gone"
    )
    func bound() throws {
        let most = 1 << 20
        let file = try open(mostLogBytes: most)
        try write(file)
        let reader = try held()
        let refusal = StorageError.logHeld(path: path, mostBytes: most)
        var rows = 1
        #expect(throws: refusal) {
            while rows < 1_000 {
                try write(file)
                rows += 1
            }
        }
        #expect((most..<most + 50_000).contains(file.logBytes.now))
        let size = try logBytes()
        #expect((most..<most + 50_000).contains(size))
        var hasBegun = false
        #expect(throws: refusal) { try file.write { _ in hasBegun = true } }
        #expect(throws: refusal) { try file.rolledBack { _ in hasBegun = true } }
        #expect(!hasBegun)
        #expect(try file.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM fact") } == rows)
        #expect(try logBytes() == size)
        // Nor by the next process.
        try file.close()
        let next = try open(mostLogBytes: most)
        #expect(throws: refusal) { try write(next) }
        #expect(try logBytes() == size)

        try reader.inDatabase { try $0.execute(sql: "COMMIT") }
        try write(next)
        #expect(try logBytes() < 100_000)
        #expect(next.logBytes.now < 100_000)
        #expect(try next.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM fact") } == rows + 1)
        try next.close()
    }

    @Test("is emptied beside readers that come and go, though there is never a moment without one")
    func passingReaders() throws {
        let most = 1 << 20
        let file = try open(mostLogBytes: most)
        var readers = try [held(), held()]
        var refusals: [Int] = []
        for number in 0..<100 {
            refusals.append(0)
            while true {
                do {
                    try write(file)
                    break
                } catch StorageError.logHeld {
                    refusals[number] += 1
                    readers = try [readers[1], held()]
                }
                try #require(refusals[number] < 10)
            }
        }
        // Once those have gone that began before it, it is moved; once those have gone that read it, it is begun anew.
        #expect(refusals.filter { $0 > 0 }.count >= 2)
        #expect(refusals.max() ?? 0 <= 4)
        #expect(try file.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM fact") } == 100)
        try file.close()
    }

    @Test("of a process that was killed is moved into the file by the next one that writes, before it writes")
    func leftBehind() throws {
        let copy = folder.path("b.db")
        let file = try open()
        for _ in 0..<5 { try write(file) }
        for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix) }
        try file.close()
        let next = try LedgerFile.openForWriting(at: copy, migrations: Self.steps)
        #expect(try FileManager.default.attributesOfItem(atPath: copy + "-wal")[.size] as? Int == 0)
        #expect(try next.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM fact") } == 5)
        try next.close()
    }
}

@Suite("A value that another thread leaves", .computing)
struct AwaitedTests {
    @Test("is there for all that wait, the first one stays; until then a wait ends in its time")
    func waiting() async {
        let awaited = Awaited<Int>()
        let start = ContinuousClock.now
        #expect(awaited.value(withinSeconds: 0.05) == nil)
        let time = ContinuousClock.now - start
        #expect(time >= .milliseconds(50) && time < Patience.duration)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) {
            awaited.leave(7)
            awaited.leave(8)
        }
        #expect(awaited.value(withinSeconds: Patience.seconds) == 7)
        #expect(awaited.wait() == 7)
        #expect(awaited.value(withinSeconds: 0) == 7)
    }
}
