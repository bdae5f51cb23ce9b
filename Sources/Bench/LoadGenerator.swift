// Sends prepared requests to a daemon over many connections, from one thread that is as cheap as it can be: client and
// server share the machine.

import CEpoll
import Foundation

/// What came of a load.
struct LoadResult {
    var requests = 0
    var events = 0
    var seconds = 0.0
    /// What the client itself has worked.
    var clientSeconds = 0.0
    var counts = EventCounts()
    /// From when a request was due to when its answer was complete.
    var latencies = Latencies()

    var eventsPerSecond: Double { Double(events) / seconds }
    var requestsPerSecond: Double { Double(requests) / seconds }
}

/// When requests are sent.
enum Pace {
    /// Each connection sends its next request when it has its answer: as much as goes, for so long.
    case closed(maxSeconds: Double)
    /// Requests are due at fixed intervals, whether or not answers come: a request that finds no free connection waits,
    /// and its latency counts from when it was due.
    case open(requestsPerSecond: Double)
    /// As `open`, when the timetable says.
    case timetable(Timetable)
}

final class LoadGenerator {
    private let all: PreparedRequests
    private let connections: [LoadConnection]
    private let poller: Int32
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    private var free: [Int]
    private var result = LoadResult()

    /// How long nothing may come while answers are missing.
    private static let silenceSeconds = 60.0
    private static let askNanoseconds: UInt64 = 5_000_000

    init(_ requests: PreparedRequests, port: Int, connections count: Int) throws {
        all = requests
        poller = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poller >= 0 else { throw BenchFailure(system: "epoll") }
        connections = try (0..<count).map { _ in try LoadConnection(port: port) }
        free = Array(0..<count)
        for (index, connection) in connections.enumerated() {
            var event = epoll_event()
            // Edges: told once when something comes or there is room again, so that a request costs no call for it.
            event.events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLET.rawValue
            event.data.u64 = UInt64(index)
            epoll_ctl(poller, EPOLL_CTL_ADD, connection.descriptor, &event)
        }
    }

    deinit {
        close(poller)
        buffer.deallocate()
    }

    /// Sends a range of the requests.
    ///
    /// - Parameter isWanted: asked now and then; once it is false, nothing more is sent. Until then the range is sent
    ///   again and again. Without it, the range is sent once.
    /// - Throws: when an answer is not 200 or its counts do not add up to the events that were sent.
    func run(_ range: Range<Int>, _ pace: Pace, while isWanted: (() -> Bool)? = nil) throws -> LoadResult {
        result = LoadResult()
        let worked = Stopwatch.threadSeconds()
        let start = Stopwatch.nanoseconds()
        var next = range.lowerBound
        var lastProgress = start
        var lastAsked = start
        var isOver = false
        while true {
            let now = Stopwatch.nanoseconds()
            var end = isWanted == nil ? range.upperBound : Int.max
            if let isWanted, now - lastAsked > Self.askNanoseconds {
                lastAsked = now
                if !isWanted() { isOver = true }
            }
            if isOver { end = next }
            if case .closed(let maxSeconds) = pace, Double(now - start) / 1e9 > maxSeconds { end = next }
            next = try sendDue(from: next, to: end, of: range, start: start, pace)
            if next >= end, free.count == connections.count { break }
            let nextDue = next < end ? dueTime(next, first: range.lowerBound, start: start, pace) : nil
            if try wait(until: nextDue, hasMore: next < end) {
                lastProgress = now
            } else if free.count < connections.count, Double(now - lastProgress) / 1e9 > Self.silenceSeconds {
                throw BenchFailure("the daemon gave no answer for \(Int(Self.silenceSeconds)) s")
            }
        }
        result.seconds = Double(Stopwatch.nanoseconds() - start) / 1e9
        result.clientSeconds = Stopwatch.threadSeconds() - worked
        guard result.counts.sum == result.events, result.counts.refused == 0 else {
            throw BenchFailure(
                "\(result.events) events were sent, \(result.counts.sum) answered, \(result.counts.refused) refused")
        }
        return result
    }

    /// When a request is due; nil for as soon as possible.
    private func dueTime(_ request: Int, first: Int, start: UInt64, _ pace: Pace) -> UInt64? {
        switch pace {
        case .closed: nil
        case .open(let perSecond): start + UInt64(Double(request - first) / perSecond * 1e9)
        case .timetable(let table): start + UInt64(table.seconds(from: first, to: request) * 1e9)
        }
    }

    private func sendDue(
        from first: Int, to end: Int, of range: Range<Int>, start: UInt64, _ pace: Pace
    ) throws -> Int {
        var next = first
        while next < end, let index = free.first {
            let now = Stopwatch.nanoseconds()
            let due = dueTime(next, first: range.lowerBound, start: start, pace) ?? now
            guard due <= now else { break }
            // In turns, as clients of their own would.
            free.removeFirst()
            let request = range.lowerBound + (next - range.lowerBound) % range.count
            try connections[index].begin(all.requests[request], due: due, of: all)
            next += 1
        }
        return next
    }

    /// Waits for sockets, but no longer than until the next request is due; then reads and writes what goes.
    ///
    /// - Returns: whether anything came.
    private func wait(until due: UInt64?, hasMore: Bool) throws -> Bool {
        var limit: UInt64 = 1_000_000_000
        if let due, hasMore, !free.isEmpty {
            let now = Stopwatch.nanoseconds()
            limit = due > now ? min(due - now, limit) : 0
        }
        var events = [64 of epoll_event](repeating: epoll_event())
        let count = withUnsafeMutablePointer(to: &events) { pointer in
            pointer.withMemoryRebound(to: epoll_event.self, capacity: 64) { events in
                var time = timespec(tv_sec: Int(limit / 1_000_000_000), tv_nsec: Int(limit % 1_000_000_000))
                return epoll_pwait2(poller, events, 64, &time, nil)
            }
        }
        if count < 0, errno != EINTR { throw BenchFailure(system: "epoll") }
        for which in 0..<max(0, Int(count)) { try serve(events[which]) }
        return count > 0
    }

    private func serve(_ event: epoll_event) throws {
        let index = Int(event.data.u64)
        let connection = connections[index]
        if connection.isSending { try connection.send(of: all) }
        guard event.events & ~EPOLLOUT.rawValue != 0, let request = connection.request else { return }
        while true {
            switch try connection.receive(buffer) {
            case .nothing: return
            // The socket tells only once: read on until there is no more.
            case .part: continue
            case .answered(let counts):
                result.latencies.append(nanoseconds: Stopwatch.nanoseconds() - connection.dueNanoseconds)
                result.requests += 1
                result.events += request.events
                result.counts += counts
                free.append(index)
                return
            }
        }
    }
}
