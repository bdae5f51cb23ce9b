// A request's body as events, in each of the forms that CloudEvents has over HTTP.

import EventCodec
import Gzip
package import HTTPTypes
import Ingestion
package import UsageStore
package import Writer

/// What a body is read as.
package enum EventForm: Equatable, Sendable {
    /// `application/cloudevents+json`: one event.
    case structured
    /// `application/cloudevents-batch+json`: a JSON array.
    case batched
    /// `application/x-ndjson`: an event a line.
    case lines
    /// `ce-*` headers; the body is the event's data.
    case binary

    package static let contentTypes = [
        "application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson",
    ]

    /// - Throws: ``EventBodyError/unsupportedType(_:)``.
    package init(_ headers: HTTPFields) throws(EventBodyError) {
        let given = headers[.contentType] ?? ""
        switch given {
        case Self.contentTypes[0]: self = .structured
        case Self.contentTypes[1]: self = .batched
        case Self.contentTypes[2]: self = .lines
        default: self = try Self.form(given, headers)
        }
    }

    /// The form by a type that is written in another way: parameters, capitals, spaces.
    private static func form(_ given: String, _ headers: HTTPFields) throws(EventBodyError) -> EventForm {
        let parts = given.lowercased().filter { $0 != "\"" && $0 != " " }.split(separator: ";", maxSplits: 1)
        let parameter = parts.count > 1 ? parts[1] : ""
        guard !parameter.contains("charset=") || parameter.contains("charset=utf-8") else {
            throw .unsupportedType(given)
        }
        switch parts.first ?? "" {
        case Self.contentTypes[0]: return .structured
        case Self.contentTypes[1]: return .batched
        case Self.contentTypes[2]: return .lines
        case let type where headers.contains { $0.name.canonicalName == "ce-specversion" }:
            guard type.isEmpty || type == "application/json" || type.hasSuffix("+json") else {
                throw .unsupportedType(given)
            }
            return .binary
        default: throw .unsupportedType(given)
        }
    }
}

/// Why a body as a whole can't be read; each says what would do.
package enum EventBodyError: Error, Equatable, CustomStringConvertible {
    case unsupportedType(String)
    case unsupportedEncoding(String)
    case tooLarge(limit: Int, expanded: Bool)
    case tooManyEvents(limit: Int)
    /// Too many bodies are in memory already.
    case noRoom
    case brokenGzip(String)
    case noBatch(String)
    /// Not one event of it could be read.
    case unreadable(String)
    case badHeader(String, String)

    package var description: String {
        switch self {
        case .unsupportedType(let type):
            (type.isEmpty ? "the request has no Content-Type" : "Content-Type '\(type)' is none for events")
                + "; send \(EventForm.contentTypes.joined(separator: ", "))"
                + " in UTF-8, or one event's JSON data with ce-* headers"
        case .unsupportedEncoding(let encoding):
            "Content-Encoding '\(encoding)' is not understood; send gzip or none"
        case .tooLarge(let limit, let expanded):
            "the body \(expanded ? "expands to more than" : "has more than") \(limit) bytes; send fewer events at once"
        case .tooManyEvents(let limit): "the body has more than \(limit) events; send fewer at once"
        case .noRoom: "too many events are on their way; send the same again in a moment"
        case .brokenGzip(let reason): "the body is a broken gzip stream: \(reason)"
        case .noBatch(let reason): "the body is no JSON array of events: \(reason)"
        case .unreadable(let reason): "no event could be read: \(reason)"
        case .badHeader(let name, let reason): "header \(name): \(reason)"
        }
    }
}

package enum EventBody {
    /// Most events of a body. An event takes more memory than its shortest text, and so does its answer.
    package static let maxEvents = 100_000

    /// How many events are scanned between two looks at the room for them: short events weigh many times their text.
    private static let eventsBetweenLooks = 1_024

    /// Scans a body's events; what is wrong with one of them is its own outcome.
    ///
    /// - Parameters:
    ///   - body: its bytes, not yet scanned.
    ///   - hasRoom: whether there is memory for events that weigh so much.
    /// - Throws: ``EventBodyError`` where it can't be told what the events are, or none can be read.
    package static func read(
        _ body: ReceivedEvents, as form: EventForm, headers: HTTPFields, key: FingerprintKey,
        hasRoom: (Int) -> Bool = { _ in true }
    ) throws(EventBodyError) -> ReceivedEvents {
        if form == .structured || form == .binary {
            // Before anything walks over it or copies it.
            let most = EventLimits.standard.eventBytes
            guard body.bytes.count <= most else {
                throw .unreadable("the event has \(body.bytes.count) bytes, \(most) at most are allowed")
            }
        }
        let events =
            form == .binary
            ? ReceivedEvents(copying: try structuredText(body.bytes, headers), key: key)
            : body
        events.batch.reserve(textBytes: events.byteCount)
        func look() throws(EventBodyError) {
            guard events.batch.count % eventsBetweenLooks != 0 || hasRoom(events.memoryShare) else { throw .noRoom }
        }
        switch form {
        case .structured, .binary: events.batch.add(events.bytes)
        case .batched:
            try eachElement(of: events.bytes) { (element) throws(EventBodyError) in
                events.batch.add(element)
                try look()
            }
        case .lines:
            var splitter = LineSplitter(events.bytes, endsInput: true)
            while let line = splitter.next() {
                guard events.batch.count < maxEvents else { throw .tooManyEvents(limit: maxEvents) }
                events.batch.add(line: line.count > EventLimits.standard.eventBytes ? nil : line)
                try look()
            }
        }
        if !events.batch.isReadable {
            let reason = events.batch.firstRefusal?.reason ?? ""
            throw .unreadable(UnreadableBody.explanation(events.bytes, as: form, reason: reason))
        }
        return events
    }

    /// A batch that is cut is refused whole: its sender does not know which of its events are meant.
    private static func eachElement(
        of text: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) throws(EventBodyError) -> Void
    ) throws(EventBodyError) {
        var elements: [UnsafeBufferPointer<UInt8>] = []
        var splitter = BatchSplitter(text)
        do {
            while elements.count <= maxEvents, let element = try splitter.next() { elements.append(element) }
        } catch {
            throw .noBatch("\(error.reason), at byte \(error.offset)\(UnreadableBody.hint(forNoArray: text))")
        }
        guard elements.count <= maxEvents else { throw .tooManyEvents(limit: maxEvents) }
        for element in elements { try body(element) }
    }

    /// The JSON text of an event that came in binary mode.
    private static func structuredText(
        _ body: UnsafeBufferPointer<UInt8>, _ headers: HTTPFields
    ) throws(EventBodyError) -> [UInt8] {
        var text = Array("{".utf8)
        var seen: Set<String> = []
        for field in headers {
            let name = field.name.canonicalName
            guard name.hasPrefix("ce-") else { continue }
            let attribute = String(name.dropFirst(3))
            guard attribute != "data", attribute != "data_base64" else {
                throw .badHeader(name, "in binary mode the body is the data; leave this header out")
            }
            guard seen.insert(name).inserted else { throw .badHeader(name, "it is given twice; send it once") }
            JSONText.append(attribute, to: &text)
            text.append(UInt8(ascii: ":"))
            JSONText.append(try decoded(field.value, of: name), to: &text)
            text.append(UInt8(ascii: ","))
        }
        // No body: an event without data, as in the other forms.
        guard !LineSplitter.isBlank(body) else { return text.dropLast() + [UInt8(ascii: "}")] }
        let data = Array(body.withoutLeadingMarks)
        guard !data.isEmpty else {
            throw .unreadable(
                "the body is NUL bytes only, where something may have been lost; send no body for an event without data, "
                    + "or its data, as {\"calls\":1200}")
        }
        let value = [UInt8(ascii: "[")] + data + [UInt8(ascii: "]")]
        var count = 0
        try value.withUnsafeBufferPointer { (buffer) throws(EventBodyError) in
            try eachElement(of: buffer) { count += $0.isEmpty ? 0 : 1 }
        }
        guard count == 1 else { throw .noBatch("in binary mode it is the event's data, one JSON object") }
        return text + Array("\"data\":".utf8) + data + [UInt8(ascii: "}")]
    }

    /// What a header's value stands for: one in double quotes is unquoted first, then escapes are decoded, once
    /// (CloudEvents, HTTP binding, section 3.1.3.2). A `%` that begins no escape stands for itself.
    private static func decoded(_ value: String, of name: String) throws(EventBodyError) -> String {
        let (bytes, _) = PercentCoding.decode(unquoted(Array(value.utf8)))
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .badHeader(name, "'\(excerpt(value))' is not UTF-8 once it is decoded; write é as %C3%A9")
        }
        return text
    }

    /// What is between the quotes of a quoted string (RFC 9110, section 5.6.4); any other value as it is.
    private static func unquoted(_ value: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        guard value.count >= 2, value.first == quote, value.last == quote else { return value }
        var result: [UInt8] = []
        var rest = value.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            guard byte != quote else { return value }
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            // A backslash before the last quote: the string does not end there.
            guard let escaped = rest.popFirst() else { return value }
            result.append(escaped)
        }
        return result
    }
}

/// Collects a body as it comes, within bounds, decompressing it on the way.
struct BodyCollector {
    let share: MemoryBudget.Share
    private let limit: Int
    private let expandedLimit: Int
    private let gzip: GzipStream?
    private let events: ReceivedEvents
    private var received = 0

    /// A body that says that it is longer has to send some of it first before room is made for the rest.
    private static let mostReservedBytes = 1 << 20

    private static let chunkBytes = 64 << 10
    /// What it takes to expand a body: a chunk, and what zlib remembers.
    private static let gzipBytes = chunkBytes + 48 << 10

    /// - Parameters:
    ///   - encoding: the request's `Content-Encoding`.
    ///   - declared: its `Content-Length`, if it has one.
    init(
        encoding: String?, declared: Int?, limit: Int, expandedLimit: Int, share: MemoryBudget.Share,
        key: FingerprintKey
    ) throws(EventBodyError) {
        self.share = share
        self.limit = limit
        self.expandedLimit = expandedLimit
        if let declared, declared > limit { throw .tooLarge(limit: limit, expanded: false) }
        switch encoding?.lowercased() {
        case nil, "", "identity":
            gzip = nil
        case "gzip", "x-gzip":
            guard share.grow(to: Self.gzipBytes) else { throw .noRoom }
            do { gzip = try GzipStream(chunkBytes: Self.chunkBytes) } catch { throw .brokenGzip("no memory") }
        case let encoding?: throw .unsupportedEncoding(encoding)
        }
        events = ReceivedEvents(capacity: min(declared ?? 0, Self.mostReservedBytes), key: key)
    }

    var byteCount: Int { events.byteCount }

    private func append(_ part: UnsafeBufferPointer<UInt8>) throws {
        let size = events.byteCount + part.count + (gzip == nil ? 0 : Self.gzipBytes)
        guard share.grow(to: size) else { throw EventBodyError.noRoom }
        events.append(part)
    }

    mutating func add(_ part: UnsafeBufferPointer<UInt8>) throws {
        received += part.count
        guard received <= limit else { throw EventBodyError.tooLarge(limit: limit, expanded: false) }
        guard let gzip else {
            try append(part)
            return
        }
        do {
            try gzip.inflate(part) { expanded in
                guard events.byteCount + expanded.count <= expandedLimit else {
                    throw EventBodyError.tooLarge(limit: expandedLimit, expanded: true)
                }
                try append(expanded)
            }
        } catch GzipError.broken(let reason) {
            throw EventBodyError.brokenGzip(reason)
        }
    }

    func finish() throws(EventBodyError) -> ReceivedEvents {
        do { try gzip?.finish() } catch { throw .brokenGzip("it ends in the middle") }
        return events
    }
}
