// What a disk may hold after the power failed: the rules by which journals are cut.

import Foundation
import Interposing
import PowerLoss
import Seeded
import Testing

@Suite("A recorded disk")
struct RecordedDiskTests {
    private static func write(_ text: String, at offset: Int = 0, to inode: UInt64 = 1) -> JournalRecord {
        .write(inode: inode, offset: offset, data: Data(text.utf8))
    }

    private static let made: [JournalRecord] = [.create(inode: 1, name: "a"), .syncFolder(name: "")]

    /// Every folder that may be left, a name and its text each, found by trying many chances.
    private func outcomes(_ records: [JournalRecord], _ loss: Loss, held: [String: Data] = [:]) throws -> Set<String> {
        var disk = RecordedDisk(files: held)
        for record in records { try disk.apply(record) }
        return Set(
            (UInt64(0)..<400).map { seed in
                var chance = SeededGenerator(seed: seed)
                let files = disk.files(after: loss, &chance).files
                return files.sorted { $0.key < $1.key }
                    .map { "\($0.key)=\(String(decoding: $0.value, as: UTF8.self))" }.joined(separator: " ")
            })
    }

    @Test(
        "What was synced stays; of the rest, what each kind of loss says",
        arguments: [
            (made + [write("x"), .sync(inode: 1, name: "a"), write("y")], Loss.none, ["a=y"]),
            (made + [write("x"), .sync(inode: 1, name: "a"), write("y")], .unsynced, ["a=x"]),
            (made + [write("x"), write("y", at: 1)], .unsynced, ["a="]),
            // A later write without the one before it leaves zeros in its place.
            (made + [write("x"), write("y", at: 1)], .some, ["a=", "a=x", "a=\0y", "a=xy"]),
            // A torn write that lengthens a file may do only that.
            (made + [write("x"), write("y", at: 1)], .tail, ["a=", "a=\0", "a=x", "a=x\0", "a=xy"]),
            (
                made + [write("xyz"), .sync(inode: 1, name: "a"), .truncate(inode: 1, length: 1)], .some,
                ["a=x", "a=xyz"]
            ),
            (made + [.extend(inode: 1, length: 2)], .some, ["a=", "a=\0\0"]),
            // Names: of a new file, of one that takes another's place, of one that is gone.
            ([.create(inode: 1, name: "a"), write("x"), .sync(inode: 1, name: "a")], .unsynced, [""]),
            ([.create(inode: 1, name: "a"), write("x"), .sync(inode: 1, name: "a")], .some, ["", "a=x"]),
            (
                made + [
                    .create(inode: 2, name: "b"), write("new", to: 2), .sync(inode: 2, name: "b"),
                    .rename(from: "b", to: "a"),
                ], .some, ["a=", "a= b=new", "a=new"]
            ),
            (made + [.unlink(name: "a")], .some, ["", "a="]),
            (made + [.unlink(name: "a"), .syncFolder(name: "")], .some, [""]),
            (made + [.link(from: "a", to: "b")], .some, ["a=", "a= b="]),
            // An inode's number is given again.
            (
                made + [
                    write("x"), .sync(inode: 1, name: "a"), .unlink(name: "a"), .create(inode: 1, name: "b"),
                    write("y"), .sync(inode: 1, name: "b"),
                ], .some, ["", "a=x", "a=x b=y", "b=y"]
            ),
        ] as [([JournalRecord], Loss, [String])])
    func losses(records: [JournalRecord], loss: Loss, expected: [String]) throws {
        #expect(try outcomes(records, loss).sorted() == expected.sorted())
    }

    @Test("A write is torn at sectors of 512 bytes")
    func torn() throws {
        let old = String(repeating: "o", count: 1_536)
        let new = String(repeating: "n", count: 1_024)
        let outcomes = try outcomes(
            [.open(inode: 1, name: "a"), Self.write(new, at: 256)], .torn, held: ["a": Data(old.utf8)])
        // Which of the three sectors that the write touches are new.
        var expected: Set<String> = []
        for sectors in 0..<8 {
            func part(_ sector: Int, _ count: Int) -> String {
                String(repeating: sectors & 1 << sector != 0 ? "n" : "o", count: count)
            }
            let rest = String(repeating: "o", count: 256)
            expected.insert("a=" + rest + part(0, 256) + part(1, 512) + part(2, 256) + rest)
        }
        #expect(outcomes == expected)
    }

    @Test("A journal that lacks something is refused", arguments: [write("x"), .open(inode: 1, name: "a")])
    func gaps(record: JournalRecord) {
        var disk = RecordedDisk()
        #expect(throws: RecordedDisk.Contradiction.self) { try disk.apply(record) }
    }
}
