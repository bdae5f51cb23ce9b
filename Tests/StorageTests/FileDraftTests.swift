// A file on the way to its name.

import Foundation
import LedgerFixture
import Storage
import TestSupport
import Testing

@Suite("A file that is being made", .computing)
struct FileDraftTests {
    private let folder: ScratchFolder
    private let path: String

    init() throws {
        folder = try ScratchFolder()
        path = folder.path("copy.db")
    }

    private func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() }
    }

    @Test("gets its name when it is published, and nothing else stays")
    func publishing() throws {
        let draft = try FileDraft(of: path)
        try write("whole", to: draft.making)
        for suffix in ["-wal", "-shm", "-journal"] { try write("", to: draft.making + suffix) }
        // As a ledger that was closed in order leaves them.
        try write("", to: path + "-wal")
        try write("index", to: path + "-shm")
        #expect(!FileManager.default.fileExists(atPath: path))
        try draft.publish()
        #expect(try names == ["copy.db"])
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "whole")
    }

    @Test("is brought to the disk while it is written, and gets no name when that has failed")
    func flushing() throws {
        let draft = try FileDraft(of: path)
        let value = try draft.flushing {
            try write("whole", to: draft.making)
            // Some flushes come meanwhile.
            usleep(50_000)
            return 7
        }
        #expect(value == 7)
        try draft.publish()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "whole")

        // A pipe can't be synced. The failure is remembered, as a disk's would not be told a second time.
        // On a busy machine the flushes may come late, and find the file again.
        var waitMicroseconds: useconds_t = 50_000
        while try !Self.failsToPublish(folder.path("other-\(waitMicroseconds).db"), waitMicroseconds) {
            waitMicroseconds *= 2
            try #require(waitMicroseconds < useconds_t(Patience.wholeSeconds * 1_000_000), "no flush has failed")
        }
    }

    /// Makes a file that can't be synced for a while, and publishes it.
    private static func failsToPublish(_ path: String, _ waitMicroseconds: useconds_t) throws -> Bool {
        let draft = try FileDraft(of: path)
        let descriptor = try #require(try Self.descriptor(of: draft.making))
        let (pipe, original) = (Pipe(), dup(descriptor))
        dup2(pipe.fileHandleForWriting.fileDescriptor, descriptor)
        draft.flushing { _ = usleep(waitMicroseconds) }
        dup2(original, descriptor)
        close(original)
        do {
            try draft.publish()
            return false
        } catch {
            #expect(error == StorageError.cannotWrite(path: path, reason: "Invalid argument"))
            #expect(!FileManager.default.fileExists(atPath: path))
            return true
        }
    }

    /// Of this process's open files, the one that lies there.
    private static func descriptor(of path: String) throws -> Int32? {
        let folder = "/proc/self/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder).first {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")) == path
        }.flatMap { Int32($0) }
    }

    @Test("goes with whoever makes it, and what an earlier one left behind is taken over, empty")
    func giving() throws {
        try write("half", to: path + ".making")
        try write("half", to: path + ".making-journal")
        var draft: FileDraft? = try FileDraft(of: path)
        #expect(try names == ["copy.db.making"])
        #expect(try String(contentsOfFile: path + ".making", encoding: .utf8).isEmpty)
        #expect(draft != nil)
        draft = nil
        #expect(try names == [])
    }

    @Test("is made by one at a time")
    func one() throws {
        let first = try FileDraft(of: path)
        #expect(throws: StorageError.beingMade(path)) { try FileDraft(of: path) }
        try first.publish()
        #expect(throws: StorageError.alreadyThere(path)) { try FileDraft(of: path) }
        #expect(try names == ["copy.db"])
    }

    @Test("never takes the place of what is there, also of what came meanwhile")
    func nothingOverwritten() throws {
        let draft = try FileDraft(of: path)
        try write("mine", to: path)
        #expect(throws: StorageError.alreadyThere(path)) { try draft.publish() }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
        let link = folder.path("link.db")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path("nowhere"))
        #expect(throws: StorageError.alreadyThere(link)) { try FileDraft(of: link) }
        #expect(throws: StorageError.isFolder(folder.url.path)) { try FileDraft(of: folder.url.path) }
        let deep = folder.path("none/copy.db")
        #expect(throws: StorageError.noFolder(deep)) { try FileDraft(of: deep) }
    }

    @Test(
        "is not put beside the log of another ledger, which SQLite would take for its own",
        arguments: ["-wal", "-journal"])
    func leftBehind(suffix: String) throws {
        try write("what was committed last", to: path + suffix)
        let error = StorageError.leftBehind(log: path + suffix, of: path)
        #expect(throws: error) { try FileDraft(of: path) }
        #expect(try names == ["copy.db\(suffix)"])
    }

    @Test("is for the same users as its original, always for its owner, never for users outside its group")
    func mode() throws {
        let original = folder.path("original.db")
        for (mode, expected) in [(0o640, 0o640), (0o600, 0o600), (0o664, 0o640), (0o444, 0o640), (0o755, 0o640)] {
            try write("original", to: original)
            chmod(original, mode_t(mode))
            let draft = try FileDraft(of: path, like: original, ownerOf: original)
            let found = try FileManager.default.attributesOfItem(atPath: draft.making)[.posixPermissions] as? Int
            #expect(found == expected)
            unlink(original)
        }
    }
}
