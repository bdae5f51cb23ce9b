// Reads and scans an input on a thread of its own, ahead of whoever stores its events.

import Foundation
import Ingestion
import UsageStore

/// The chunks of one input. At most so many exist, so a slow disk makes the reader wait, not the memory grow.
final class ReadAhead {
    private static let chunks = 3

    /// What the two threads share.
    private final class Exchange: @unchecked Sendable {
        let condition = NSCondition()
        // Guarded by `condition`.
        var empty: [LineChunk] = []
        var full: [LineChunk] = []
        var end: Result<Void, any Error>?
        var isStopped = false
    }

    private struct Stopped: Error {}

    private let exchange = Exchange()

    /// - Parameter key: of the ledger, to scan with; nil where somebody else scans.
    init(_ input: EventFile, key: FingerprintKey?) {
        exchange.empty = (0..<Self.chunks).map { _ in LineChunk(batch: key.map { EventBatch(key: $0) }) }
        let thread = Thread { [exchange] in
            let end = Result { try Self.read(input, exchange) }
            exchange.condition.withLock {
                exchange.end = end
                exchange.condition.signal()
            }
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit {
        exchange.condition.withLock {
            exchange.isStopped = true
            exchange.condition.signal()
        }
    }

    /// The next chunk, nil at the end of the input. Give it back once it is stored.
    ///
    /// - Throws: ``InputCut``, when all whole lines before that have come; ``Failure`` when the input is damaged.
    func next() throws -> LineChunk? {
        try exchange.condition.withLock {
            while exchange.full.isEmpty {
                if let end = exchange.end {
                    try end.get()
                    return nil
                }
                exchange.condition.wait()
            }
            return exchange.full.removeFirst()
        }
    }

    func giveBack(_ chunk: LineChunk) {
        chunk.empty()
        exchange.condition.withLock {
            exchange.empty.append(chunk)
            exchange.condition.signal()
        }
    }

    // MARK: The thread

    private static func read(_ input: EventFile, _ exchange: Exchange) throws {
        var reader = LineReader { takeEmpty(exchange) }
        func hand(_ chunk: LineChunk, _ offset: Int) throws {
            try exchange.condition.withLock {
                guard !exchange.isStopped else { throw Stopped() }
                chunk.inputOffset = offset
                exchange.full.append(chunk)
                exchange.condition.signal()
            }
        }
        var offset = 0
        func finish(isCut: Bool) throws { try reader.finish(isCut: isCut) { try hand($0, offset) } }
        do {
            try input.read { bytes, read in
                offset = read
                try reader.add(bytes) { try hand($0, read) }
            }
        } catch let cut as InputCut {
            try finish(isCut: true)
            throw cut
        }
        try finish(isCut: false)
    }

    private static func takeEmpty(_ exchange: Exchange) -> LineChunk {
        exchange.condition.withLock {
            while exchange.empty.isEmpty, !exchange.isStopped { exchange.condition.wait() }
            // Nobody takes what is read now; the next chunk that is full ends the thread.
            return exchange.empty.popLast() ?? LineChunk(batch: nil)
        }
    }
}
