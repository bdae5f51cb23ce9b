// What a request of events is answered with: what became of each event, or a problem.

import EventCodec
import Foundation
import HTTPTypes
import Ingestion
import LedgerStore
import NIOCore
import NIOHTTP1
import Quantities
import Synchronization
import Writer

/// An answer, ready to be sent.
struct EventAnswer {
    let status: HTTPResponse.Status
    var headers: HTTPFields
    /// In parts: one buffer that grows would take twice the memory, and more while it is moved.
    private(set) var body: [ByteBuffer] = []
    private(set) var byteCount = 0

    private static let partBytes = 64 << 10

    /// The four counts add up to the events; `results` lists those that were not simply accepted.
    ///
    /// - Parameter preference: whoever prefers a minimal answer gets none where every event was accepted or is a duplicate.
    init(_ report: BatchReport, _ preference: ReturnPreference?) {
        if preference == .minimal, report.refusedCount == 0, report.corrections == 0 {
            status = .noContent
            headers = [ReturnPreference.appliedHeader: ReturnPreference.minimal.applied]
            return
        }
        status = .ok
        headers = [.contentType: "application/json"]
        var text: [UInt8] = []
        text.reserveCapacity(min(96 + report.results.count * 96, Self.partBytes))
        text += #"{"accepted":\#(report.accepted),"duplicates":\#(report.duplicates)"#.utf8
        text += #","corrections":\#(report.corrections),"refused":\#(report.refusedCount)"#.utf8
        if report.notKept > 0 { text += #","not_kept":\#(report.notKept)"#.utf8 }
        text += #","results":["#.utf8
        for (index, result) in report.results.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            Self.append(result, to: &text)
            // Room is left for one more, so that the array is not made anew.
            if text.count > Self.partBytes - 4_096 {
                add(text)
                text.removeAll(keepingCapacity: true)
            }
        }
        text += "]}".utf8
        add(text)
    }

    init(_ problem: ProblemError) {
        status = problem.status
        headers = problem.fields
        add(problem.text)
    }

    private mutating func add(_ text: [UInt8]) {
        body.append(ByteBuffer(bytes: text))
        byteCount += text.count
    }

    private static func append(_ result: EventResult, to text: inout [UInt8]) {
        func append(_ name: String, _ value: String) {
            text += ",\"\(name)\":".utf8
            JSONText.append(value, to: &text)
        }
        text += "{\"index\":\(result.index)".utf8
        if let source = result.source { append("source", source) }
        if let id = result.id { append("id", id) }
        append("status", result.outcome.status)
        switch result.outcome {
        case .refused(let code, let reason):
            append("code", code.rawValue)
            append("reason", reason)
        case .correction(let usageDay, let postingDay):
            append("reason", "usage of \(usageDay) that came late; it enters the bill of \(postingDay)")
        case .accepted, .duplicate: break
        }
        text.append(UInt8(ascii: "}"))
    }
}

extension ProblemError {
    /// What went wrong with a request of events; 503 where the same request will do later.
    ///
    /// - Parameter isOnSendersClock: whether the request said what time it is.
    init(_ error: any Error, isOnSendersClock: Bool) {
        switch error {
        case let problem as ProblemError: self = problem
        case EventBodyError.noRoom: self = .unavailable("\(error)", retryAfterSeconds: 1)
        case let error as EventBodyError: self = ProblemError(error.status, "\(error)")
        default: self.init(ofWriter: WriterError(error), isOnSendersClock: isOnSendersClock)
        }
    }

    private init(ofWriter error: WriterError, isOnSendersClock: Bool) {
        switch error {
        case .queueFull, .busy: self = .unavailable("\(error)", retryAfterSeconds: 1)
        case .stopping, .logHeld: self = .unavailable("\(error)", retryAfterSeconds: 5)
        case .diskFull, .replaced, .alteredSchema, .broken, .clockNotBelieved:
            self = .unavailable("\(error)", retryAfterSeconds: 30)
        case .failed(let error as LedgerError) where isOnSendersClock || error == .testClockNotSet:
            self = .badRequest(error.description(whereTimeIsGivenBy: "header \(EventRequest.nowHeader)"))
        // The daemon's own frozen clock is wrong, and the log says so.
        case .failed(let error as LedgerError): self = .unavailable("\(error)", retryAfterSeconds: 30)
        case .failed: self = ProblemError(.internalServerError, "internal error: nothing was stored")
        case .partlyStored(let events, .failed(let cause)) where !(cause is LedgerError):
            self = ProblemError(.internalServerError, WriterError.beginning(afterStoring: events) + "internal error")
        case .partlyStored(_, let cause):
            let problem = ProblemError(ofWriter: cause, isOnSendersClock: isOnSendersClock)
            self = ProblemError(problem.status, "\(error)", headers: problem.headers)
        }
    }

    /// What the decoder made of bytes that are no request.
    init(_ error: HTTPParserError) {
        let headers: HTTPFields = [.connection: "close"]
        switch error {
        case .invalidEOFState, .closedConnection:
            self.init(
                .badRequest, "the connection ended in the middle of the request; nothing of it was stored",
                headers: headers)
        case .headerOverflow:
            self.init(
                .requestHeaderFieldsTooLarge,
                "the request's head has more than \(RequestDecoder.maxHeadBytes) bytes or 100 fields", headers: headers)
        // "Paused" is what the decoder says to the preface of HTTP/2.
        case .invalidVersion, .paused:
            self.init(
                .httpVersionNotSupported, "this address understands HTTP/1.1 and HTTP/1.0 only", headers: headers)
        case .invalidMethod:
            self.init(
                .badRequest,
                "the request does not begin with a method of HTTP; this address understands plain HTTP/1.1, not TLS",
                headers: headers)
        case .invalidContentLength, .unexpectedContentLength:
            self.init(
                .badRequest,
                "header Content-Length: send it once, in digits, and not beside Transfer-Encoding", headers: headers)
        case .invalidChunkSize:
            self.init(
                .badRequest, "a chunk of the body has no length that can be read; nothing of it was stored",
                headers: headers)
        default:
            self.init(
                .badRequest,
                "the request is not valid HTTP/1.1: a header field, like Transfer-Encoding, or a line's end can't be read",
                headers: headers)
        }
    }

    static func bodyTimeout(seconds: Int) -> ProblemError {
        ProblemError(
            .requestTimeout, "the body did not arrive within \(seconds) s; nothing was stored",
            headers: [.connection: "close"])
    }
}

extension EventBodyError {
    fileprivate var status: HTTPResponse.Status {
        switch self {
        case .unsupportedType, .unsupportedEncoding: .unsupportedMediaType
        case .tooLarge, .tooManyEvents: .contentTooLarge
        case .noRoom: .serviceUnavailable
        case .brokenGzip, .noBatch, .badHeader, .unreadable: .badRequest
        }
    }
}

/// The header Date, written anew once a second.
final class HTTPDates: Sendable {
    private let latest = Mutex((second: 0, text: ""))

    var now: String {
        let second = Int(MachineClock.systemWall().micros / 1_000_000)
        return latest.withLock { latest in
            if latest.second != second { latest = (second, Self.text(second)) }
            return latest.text
        }
    }

    /// As `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func text(_ second: Int) -> String {
        var (time, parts) = (time_t(second), tm())
        gmtime_r(&time, &parts)
        return String(unsafeUninitializedCapacity: 40) { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                strftime($0.baseAddress, $0.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            }
        }
    }
}
