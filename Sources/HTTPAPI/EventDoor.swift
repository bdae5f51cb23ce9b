// The way in for events: POST /v1/events. A connection's `EventHandler` hears such a request, an `EventRequest` collects
// and scans it, the writer stores it, an `EventAnswer` goes back. No task and no router stand between: most requests are
// so small that those would cost more than the events.

import EventCodec
import HTTPTypes
import Ingestion
package import LedgerStore
import Quantities
import UsageStore
package import Writer

/// What the connections of a daemon share for taking events.
package struct EventDoor: Sendable {
    /// No single body may be larger than all together.
    package struct Bounds: Sendable {
        package var bodyBytes = 16 << 20
        /// What a compressed body may expand to.
        package var expandedBytes = 64 << 20
        /// All bodies and unread answers that are in memory at a time.
        package var allBytes = 128 << 20
        /// How long a body may take to arrive, and an answer to be read.
        package var seconds = 30

        package init() {}
    }

    package static let path = "/v1/events"

    let writer: LedgerWriter
    let clock: LedgerClock
    let bounds: Bounds
    package let budget: MemoryBudget
    let connections = ConnectionFigures()
    let dates = HTTPDates()

    /// - Parameter clock: the daemon's own.
    package init(writer: LedgerWriter, clock: LedgerClock, bounds: Bounds) {
        self.writer = writer
        self.clock = clock
        var bounds = bounds
        bounds.bodyBytes = min(bounds.bodyBytes, bounds.allBytes)
        bounds.expandedBytes = min(bounds.expandedBytes, bounds.allBytes)
        self.bounds = bounds
        budget = MemoryBudget(limit: bounds.allBytes)
    }

    /// Scans a complete request and hands it to the writer; `answer` is called once its events are durable or refused.
    func store(_ request: EventRequest, _ answer: @escaping @Sendable (Result<BatchReport, any Error>) -> Void) {
        do {
            writer.enqueue(try request.scan(), clock: request.givenClock ?? clock, answer: answer)
        } catch {
            answer(.failure(error))
        }
    }

    /// Whether a request is one that brings events. As in the router, empty parts of a path do not count.
    static func isMeant(by head: HTTPRequest) -> Bool {
        guard head.method == .post, let target = head.path else { return false }
        if target == path { return true }
        let parts = target.prefix { $0 != "?" && $0 != "#" }.split(separator: "/")
        return parts == ["v1", "events"]
    }
}

/// One request while it arrives; its bytes go straight to where they are scanned.
struct EventRequest {
    /// Says what time it is, for a ledger with a test clock; the command line's `--now`.
    static let nowHeader = "meterd-now"
    private static let nowName = HTTPField.Name(nowHeader)

    private let headers: HTTPFields
    private let form: EventForm
    /// nil: the daemon's own.
    let givenClock: LedgerClock?
    /// Whether the sender keeps the body back until it is told to go on.
    let awaitsContinue: Bool
    let preference: ReturnPreference?
    private var body: BodyCollector
    private let key: FingerprintKey

    /// - Throws: ``ProblemError``, ``EventBodyError`` for what its head says already.
    init(_ head: HTTPRequest, _ door: EventDoor) throws {
        headers = head.headerFields
        key = door.writer.eventKey
        givenClock = try Self.clock(headers)
        awaitsContinue = headers[.expect] != nil
        preference = ReturnPreference(headers)
        form = try EventForm(headers)
        body = try BodyCollector(
            encoding: headers[.contentEncoding], declared: headers[.contentLength].flatMap { Int($0) },
            limit: door.bounds.bodyBytes, expandedLimit: door.bounds.expandedBytes, share: door.budget.share(), key: key
        )
    }

    /// What the request takes of the budget, for as long as this is held.
    var share: MemoryBudget.Share { body.share }
    var byteCount: Int { body.byteCount }

    /// - Throws: ``EventBodyError``.
    mutating func add(_ part: UnsafeBufferPointer<UInt8>) throws { try body.add(part) }

    /// - Throws: ``EventBodyError``.
    func scan() throws(EventBodyError) -> ReceivedEvents {
        let share = body.share
        return try EventBody.read(try body.finish(), as: form, headers: headers, key: key) { share.grow(to: $0) }
    }

    private static func clock(_ headers: HTTPFields) throws -> LedgerClock? {
        guard let nowName, let text = headers[nowName] else { return nil }
        guard let micros = RFC3339.parse(text) else {
            if RFC3339.namesNoSuchDay(text) {
                throw ProblemError.badRequest("header \(nowHeader) '\(text)': there is no such day")
            }
            throw ProblemError.badRequest(
                "header \(nowHeader) '\(text)': write RFC 3339 with an offset, as 2027-01-10T12:00:00+08:00")
        }
        return LedgerClock(given: Instant(micros: micros))
    }
}
