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

    /// - Parameter batch: how many events a request has; a request of one says that it is one event, not a batch.
    init(_ file: MappedFile, batch: Int) {
        self.file = file
        let form = batch == 1 ? "application/cloudevents+json" : "application/x-ndjson"
        let start = Array(
            "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: \(form)\r\nContent-Length: ".utf8)
        var heads: [UInt8] = []
        var requests: [Request] = []
        var body = 0..<0
        var lines = 0
        func end() {
            guard lines > 0 else { return }
            let head = heads.count
            heads += start
            heads += String(body.count).utf8
            heads += [13, 10, 13, 10]
            requests.append(Request(head: head..<heads.count, body: body, events: lines))
            body = body.upperBound..<body.upperBound
            lines = 0
        }
        file.eachLine { line in
            body = body.lowerBound..<line.upperBound
            lines += 1
            if lines == batch { end() }
        }
        end()
        self.heads = heads
        self.requests = requests
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
