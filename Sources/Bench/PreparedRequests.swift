// Requests that are ready to be sent before the clock starts: heads in one buffer, bodies as they lie in the file.

/// POSTs of events, a number of lines each.
struct PreparedRequests {
    struct Request {
        let head: Range<Int>
        let body: Range<Int>
        let events: Int
    }

    private let file: MappedFile
    private let heads: [UInt8]
    private(set) var requests: [Request] = []
    /// Of each request, if it tells what time it is: when its last event happened.
    private(set) var secondsOfDay: [Double] = []

    /// - Parameters:
    ///   - batch: how many events a request has; a request of one says that it is one event, not a batch.
    ///   - windows: makes requests tell a ledger's test clock that their window of the day is over; nil leaves it alone.
    init(_ file: MappedFile, batch: Int, windows: DayWindows? = nil) throws {
        self.file = file
        let form = batch == 1 ? "application/cloudevents+json" : "application/x-ndjson"
        let start = Array(
            "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: \(form)\r\nContent-Length: ".utf8)
        var heads: [UInt8] = []
        var requests: [Request] = []
        var body = 0..<0
        var lines = 0
        var latest = ""
        var secondsOfDay: [Double] = []
        func end() throws {
            guard lines > 0 else { return }
            let head = heads.count
            heads += start
            heads += String(body.count).utf8
            if let windows {
                let seconds = try DayWindows.seconds(latest)
                secondsOfDay.append(seconds)
                heads += "\r\nMeterd-Now: \(latest.prefix(11))\(windows.end(seconds))".utf8
            }
            heads += [13, 10, 13, 10]
            requests.append(Request(head: head..<heads.count, body: body, events: lines))
            body = body.upperBound..<body.upperBound
            lines = 0
        }
        try file.eachLine { line in
            body = body.lowerBound..<line.upperBound
            lines += 1
            if windows != nil {
                let fields = EventFields(UnsafeRawBufferPointer(rebasing: file.bytes[line]))
                latest = max(latest, try fields.text(of: .time))
            }
            if lines == batch { try end() }
        }
        try end()
        self.heads = heads
        self.requests = requests
        self.secondsOfDay = secondsOfDay
    }

    /// The bytes of a request, in two parts, from an offset on.
    func withParts<Value>(
        _ request: Request, from sent: Int,
        _ body: (_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) -> Value
    ) -> Value {
        heads.withUnsafeBytes { heads in
            let headLeft = max(0, request.head.count - sent)
            let head = UnsafeRawBufferPointer(
                rebasing: heads[(request.head.upperBound - headLeft)..<request.head.upperBound])
            let bodySent = max(0, sent - request.head.count)
            let rest = UnsafeRawBufferPointer(
                rebasing: file.bytes[(request.body.lowerBound + bodySent)..<request.body.upperBound])
            return body(head, rest)
        }
    }
}

/// A day of UTC in windows of equal length.
struct DayWindows {
    let count: Int
    private var length: Int { 86_400 / count }

    func window(_ seconds: Double) -> Int { Int(seconds) / length }

    /// The last millisecond of a window, as the time of a day is written.
    func end(_ seconds: Double) -> String {
        let last = (window(seconds) + 1) * length - 1
        func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(digits(last / 3_600)):\(digits(last / 60 % 60)):\(digits(last % 60)).999Z"
    }

    /// Of a time like `2027-01-20T08:05:13.309Z`.
    static func seconds(_ time: String) throws -> Double {
        let parts = time.dropFirst(11).dropLast().split(separator: ":").compactMap { Double($0) }
        guard parts.count == 3, time.hasSuffix("Z") else {
            throw BenchFailure("'\(time)' is no time of a generated event")
        }
        return parts[0] * 3_600 + parts[1] * 60 + parts[2]
    }
}
