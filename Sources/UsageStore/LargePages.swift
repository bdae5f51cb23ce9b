// Memory in large pages, for what is looked up at random.

import Foundation

/// A region of zeroed memory, in pages of 2 MiB where the system grants them: in pages of 4 KiB, each look at a place among
/// hundreds of megabytes first waits for the page's address.
final class LargePages {
    let start: UnsafeMutableRawPointer
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int
    private var isWhole = true

    private static let pageBytes = 2 << 20
    private static let smallPageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))

    /// Nil when there is no room for so many bytes.
    init?(bytes: Int) {
        // Room to begin at a large page's boundary.
        mappedBytes = bytes + Self.pageBytes
        let mapping = mmap(
            nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapping, mapping != MAP_FAILED else { return nil }
        self.mapping = mapping
        start = mapping.alignedUp(toMultipleOf: Self.pageBytes)
        // Where the system has none, the pages are small ones.
        madvise(start, bytes, MADV_HUGEPAGE)
    }

    deinit { munmap(mapping, mappedBytes) }

    /// Gives the memory of a part back that is not used any more, but for what shares its first and last small page.
    func giveBack(_ part: UnsafeMutableRawBufferPointer) {
        guard let base = part.baseAddress else { return }
        // The system would fill the gaps again to make large pages of them; those that are large stay so.
        if isWhole { madvise(start, mappedBytes - Self.pageBytes, MADV_NOHUGEPAGE) }
        isWhole = false
        let first = base.alignedUp(toMultipleOf: Self.smallPageBytes)
        let end = (base + part.count).alignedDown(toMultipleOf: Self.smallPageBytes)
        if first < end { madvise(first, end - first, MADV_DONTNEED) }
    }
}
