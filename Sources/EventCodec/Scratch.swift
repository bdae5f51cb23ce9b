// The memory a scanner keeps between events, so that a good event costs no allocation.

/// Bytes that stay where they are until they are given back: unescaped strings live here.
struct ByteArena: ~Copyable {
    private static let firstChunkBytes = 16 << 10

    private var chunks: [UnsafeMutableBufferPointer<UInt8>] = []
    private var current = 0
    private var usedBytes = 0

    /// A point to fall back to.
    struct Mark {
        fileprivate let chunk: Int
        fileprivate let usedBytes: Int
    }

    var mark: Mark { Mark(chunk: current, usedBytes: usedBytes) }

    /// Gives back all that was committed after the mark.
    mutating func rewind(to mark: Mark) {
        current = mark.chunk
        usedBytes = mark.usedBytes
    }

    /// Room for `count` bytes; what is written becomes lasting by `commit`.
    mutating func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        while current < chunks.count {
            if chunks[current].count - usedBytes >= count {
                return chunks[current].baseAddress.unsafelyUnwrapped + usedBytes
            }
            current += 1
            usedBytes = 0
        }
        chunks.append(.allocate(capacity: max(Self.firstChunkBytes, count)))
        return chunks[current].baseAddress.unsafelyUnwrapped
    }

    mutating func commit(_ count: Int) { usedBytes += count }

    /// Gives back everything, to the system too but for the first chunk.
    mutating func removeAll() {
        for chunk in chunks.dropFirst() { chunk.deallocate() }
        chunks.removeLast(max(0, chunks.count - 1))
        current = 0
        usedBytes = 0
    }

    deinit {
        for chunk in chunks { chunk.deallocate() }
    }
}

/// The name of a member, unescaped, and where in the text it stands.
struct MemberName {
    let bytes: Bytes
    let place: UnsafePointer<UInt8>
}

/// What scanning JSON needs besides the text. A cursor refers to it by address, so that it is free of reference counts,
/// which would cost more than the scanning.
struct Scratch: ~Copyable {
    var arena = ByteArena()
    /// Names of the members of the objects that are open, the innermost last.
    var names: ContiguousArray<MemberName> = []
    /// The entries of `data.features` of the event that is being read, no more than may be there.
    var featureEntries: ContiguousArray<JSONValue> = []
    /// `EventScanner.features`.
    var features: ContiguousArray<Bytes> = []

    private static let keptNames = 1024

    /// Makes ready for a new text; what earlier events refer to stays.
    mutating func beginText() {
        if names.count > 0 { names.removeAll(keepingCapacity: names.capacity <= Self.keptNames) }
        if featureEntries.count > 0 { featureEntries.removeAll(keepingCapacity: true) }
    }

    mutating func reset() {
        beginText()
        arena.removeAll()
        features.removeAll(keepingCapacity: features.capacity <= Self.keptNames)
    }
}
