// What somebody else has put where a ledger's own files belong: links, FIFOs, other people's files.

import Foundation
import GRDB
import LedgerFixture
import Storage
import TestSupport
import Testing

@testable import Migrations

@Suite("A name of the ledger's that leads to somebody else's file")
struct ForeignFileTests {
    private static let steps = [
        Migration(name: "0001-first", sql: "CREATE TABLE fact (id INTEGER PRIMARY KEY, text TEXT) STRICT;"),
        Migration(name: "0002-second", sql: "INSERT INTO fact (text) VALUES ('new');"),
    ]
    private static let ownersText = "what is somebody else's"

    private let folder: ScratchFolder
    private let path: String
    /// A file that is none of the ledger's business.
    private let precious: String

    init() throws {
        folder = try ScratchFolder()
        path = folder.path("a.db")
        precious = folder.path("precious")
        try Self.ownersText.write(toFile: precious, atomically: false, encoding: .utf8)
        chmod(precious, 0o600)
    }

    private func create(_ steps: [Migration] = steps) throws {
        try LedgerFile.create(at: path, migrations: steps) { _ in }.close()
    }

    /// Another user's folder and ledger, as far as this process may make them so.
    private func giveAway() {
        guard geteuid() == 0 else { return }
        for name in ["", "a.db", "a.db-wal", "a.db-shm", "a.db.lock"] { chown(folder.path(name), 65_534, 65_534) }
    }

    private func expectUntouched() throws {
        #expect(try String(contentsOfFile: precious, encoding: .utf8) == Self.ownersText)
        let attributes = try FileManager.default.attributesOfItem(atPath: precious)
        #expect(attributes[.ownerAccountID] as? UInt32 == geteuid())
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    // MARK: The lock

    enum Way: CaseIterable, CustomTestStringConvertible {
        case link, danglingLink, hardLink, fifo, folder

        var testDescription: String { "\(self)" }

        var words: String {
            switch self {
            case .link, .danglingLink: "is a link"
            case .hardLink: "has another name too (a hard link)"
            case .fifo: "is a FIFO"
            case .folder: "is a folder"
            }
        }
    }

    private func put(_ way: Way, at place: String) throws {
        let files = FileManager.default
        switch way {
        case .link: try files.createSymbolicLink(atPath: place, withDestinationPath: precious)
        case .danglingLink: try files.createSymbolicLink(atPath: place, withDestinationPath: folder.path("nothing"))
        case .hardLink: try files.linkItem(atPath: precious, toPath: place)
        case .fifo: #expect(mkfifo(place, 0o600) == 0)
        case .folder: try files.createDirectory(atPath: place, withIntermediateDirectories: false)
        }
    }

    @Test("is not opened, emptied or given away through the lock's name, whatever lies there", arguments: Way.allCases)
    func lock(way: Way) throws {
        try create()
        giveAway()
        unlink(path + ".lock")
        try put(way, at: path + ".lock")
        let refusal = StorageError.foreignFile(path: path + ".lock", what: way.words)
        #expect(throws: refusal) { try LedgerFile.openForWriting(at: path, migrations: Self.steps) }
        #expect("\(refusal)".contains("\(path).lock") && "\(refusal)".contains(way.words))
        try expectUntouched()
        #expect(!FileManager.default.fileExists(atPath: folder.path("nothing")))
        // Nor by making a ledger, or bringing one back.
        let backup = folder.path("backup.db")
        try FileManager.default.moveItem(atPath: path, toPath: backup)
        #expect(throws: refusal) { try create() }
        #expect(throws: refusal) { try LedgerFile.restore(backup, as: path, migrations: Self.steps) { _ in } }
        try expectUntouched()
        #expect(!FileManager.default.fileExists(atPath: folder.path("nothing")))
    }

    @Test(
        "is left as it is where a lock file of another user's is there: only a new one is given to the ledger's owner")
    func lockOfAnotherUser() throws {
        try create()
        guard geteuid() == 0 else { return }
        giveAway()
        chown(path + ".lock", 65_533, 65_533)
        try LedgerFile.openForWriting(at: path, migrations: Self.steps).close()
        #expect(try FileManager.default.attributesOfItem(atPath: path + ".lock")[.ownerAccountID] as? Int == 65_533)
        unlink(path + ".lock")
        try LedgerFile.openForWriting(at: path, migrations: Self.steps).close()
        #expect(try FileManager.default.attributesOfItem(atPath: path + ".lock")[.ownerAccountID] as? Int == 65_534)
    }

    // MARK: What SQLite opens

    @Test(
        "is not opened through the names of the log and its index, and no FIFO is waited for", arguments: Way.allCases,
        ["-wal", "-shm", "-journal"])
    func companions(way: Way, suffix: String) throws {
        try create()
        giveAway()
        unlink(path + suffix)
        try put(way, at: path + suffix)
        // Through a hard link only root can reach what the ledger's owner may not.
        guard way != .hardLink || geteuid() == 0 else { return }
        let refusal = StorageError.foreignFile(path: path + suffix, what: way.words)
        #expect(throws: refusal) { try LedgerFile.openForWriting(at: path, migrations: Self.steps) }
        #expect(throws: refusal) { try LedgerFile.openForReading(at: path, migrations: Self.steps) }
        try expectUntouched()
    }

    // MARK: Copies

    @Test("is not written through the name of a copy, nor of what becomes one", arguments: Way.allCases)
    func draft(way: Way) throws {
        try create()
        let copy = folder.path("copy.db")
        try put(way, at: copy)
        #expect(throws: way == .folder ? StorageError.isFolder(copy) : .alreadyThere(copy)) {
            try FileDraft(of: copy, like: path, ownerOf: path)
        }
        try expectUntouched()
        guard way != .hardLink else { return }
        let other = folder.path("other.db")
        try put(way, at: other + ".making")
        #expect(
            performing: { try FileDraft(of: other, like: path, ownerOf: path) },
            throws: { error in
                guard case StorageError.cannotWrite(other, let reason) = error else { return false }
                return reason.contains("\(other).making") && reason.hasSuffix("remove that first")
            })
        try expectUntouched()
        #expect(FileStatus(of: other + ".making", followingLinks: false) != nil)
    }

    @Test("is not written by a copying that was meant for a draft, when a link has taken the draft's place")
    func swappedDraft() throws {
        try create()
        let file = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        let draft = try FileDraft(of: folder.path("copy.db"), like: path, ownerOf: path)
        let address = draft.address
        unlink(draft.making)
        for way in [Way.link, .danglingLink, .hardLink, .fifo] {
            try put(way, at: draft.making)
            #expect("\(way)") {
                try file.copy(into: address) {}
            } throws: {
                if case StorageError.outOfReach = $0 { true } else { false }
            }
            try expectUntouched()
            unlink(draft.making)
        }
        try file.close()
    }

    @Test(
        "is not taken for what is kept of a ledger before its schema changes",
        arguments: [Way.link, .danglingLink, .fifo])
    func kept(way: Way) throws {
        try create([Self.steps[0]])
        let kept = path + ".before-0002-second"
        try put(way, at: kept)
        var told: [String] = []
        try LedgerFile.openForWriting(at: path, migrations: Self.steps, onUpgrade: { told.append($0) }).close()
        #expect(told == [kept + ".2"])
        #expect(FileStatus(of: kept + ".2", followingLinks: false)?.kind == "a file")
        try expectUntouched()
    }

    // MARK: What is no file

    @Test(
        "is told at once where a FIFO, a socket or a device is named as a ledger or a backup", .timeLimit(.minutes(10)))
    func noFile() throws {
        let fifo = folder.path("fifo")
        #expect(mkfifo(fifo, 0o600) == 0)
        for (place, kind) in [(fifo, "a FIFO"), ("/dev/zero", "a device")] {
            let refusal = StorageError.notAFile(path: place, kind: kind)
            #expect(throws: refusal) { try LedgerFile.openForReading(at: place) }
            #expect(throws: refusal) { try LedgerFile.openForWriting(at: place) }
            #expect(throws: refusal) { try LedgerFile.restore(place, as: path) { _ in } }
            #expect(throws: StorageError.alreadyThere(place)) { try FileDraft(of: place) }
            #expect(throws: StorageError.alreadyThere(place)) { try LedgerFile.create(at: place) { _ in } }
        }
    }

    // MARK: Permissions

    @Test("reads nothing of a ledger: what is made is for its user, and for its group to read")
    func permissions() throws {
        let old = umask(0)
        defer { umask(old) }
        try create()
        let file = try LedgerFile.openForWriting(at: path, migrations: Self.steps)
        try file.write { try $0.execute(sql: "INSERT INTO fact (text) VALUES ('later')") }
        let draft = try FileDraft(of: folder.path("copy.db"), like: path, ownerOf: path)
        for name in ["a.db", "a.db-wal", "a.db-shm", "a.db.lock", "copy.db.making"] {
            let found = try FileManager.default.attributesOfItem(atPath: folder.path(name))[.posixPermissions] as? Int
            #expect(found == 0o640, "\(name)")
        }
        #expect(file.tooWidePermissions == nil)
        withExtendedLifetime(draft) {}
        for (mode, told) in [(0o600, nil), (0o644, "644"), (0o660, "660"), (0o750, "750")] as [(mode_t, String?)] {
            chmod(path, mode)
            #expect(file.tooWidePermissions == told)
        }
        try file.close()
    }
}
