// Makes usage events to try meterd with: a CSV table of flight departures in, CloudEvents as NDJSON out.
//
//     gzip -dc departures-2013.csv.gz | departures-sample > departures.ndjson

import Foundation

/// Airlines stand for apps, aircraft for devices, flights for gateway calls. Each row of `time,app,device,flight`
/// becomes a device activity, if the device is known, and a gateway call, both at the row's New York time.
@main
struct DeparturesSample {
    private static let header = "time,app,device,flight"
    private static let chunkBytes = 1 << 20

    static func main() {
        do throws(Problem) {
            try convert()
        } catch {
            write(Array("departures-sample: \(error.text)\n".utf8), to: STDERR_FILENO)
            exit(1)
        }
    }

    private static func convert() throws(Problem) {
        guard var events = EventLines() else {
            throw Problem("this system has no data of the time zone \(NewYorkClock.zoneName)")
        }
        var input: [UInt8] = []
        var line = 0
        func take(_ row: ArraySlice<UInt8>) throws(Problem) {
            line += 1
            do throws(Problem) {
                if line == 1 {
                    guard row.elementsEqual(header.utf8) else { throw Problem("the first line is not '\(header)'") }
                } else {
                    try events.append(row, number: line - 1)
                }
            } catch {
                flush(&events)
                throw Problem("line \(line): \(error.text)")
            }
        }
        while let chunk = try read() {
            input += chunk
            var start = 0
            while let end = input[start...].firstIndex(of: UInt8(ascii: "\n")) {
                try take(input[start..<end])
                start = end + 1
            }
            input.removeSubrange(..<start)
            flush(&events)
        }
        if !input.isEmpty { try take(input[...]) }
        guard line > 0 else { throw Problem("standard input is empty; it must begin with '\(header)'") }
        flush(&events)
    }

    /// The next bytes of standard input, nil at its end.
    private static func read() throws(Problem) -> [UInt8]? {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: chunkBytes) { buffer, count in
            var read = -1
            while read < 0, failure == 0 {
                read = Foundation.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
                if read < 0, errno != EINTR { failure = errno }
            }
            count = max(read, 0)
        }
        guard failure == 0 else { throw Problem("standard input: \(String(cString: strerror(failure)))") }
        return bytes.isEmpty ? nil : bytes
    }

    private static func flush(_ events: inout EventLines) {
        write(events.bytes, to: STDOUT_FILENO)
        events.bytes.removeAll(keepingCapacity: true)
    }

    /// Ends the program when nobody can be told any more.
    private static func write(_ bytes: [UInt8], to file: Int32) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Foundation.write(file, $0.baseAddress.map { $0 + written }, $0.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                exit(1)
            }
            written += count
        }
    }
}

/// Collects events as lines of JSON.
struct EventLines {
    var bytes: [UInt8] = []
    private var clock: NewYorkClock

    /// Returns nil where the system knows no New York time.
    init?() {
        guard let clock = NewYorkClock() else { return nil }
        self.clock = clock
    }

    /// Appends the events of a row; `number` is their id, counted from 1 at the first row after the header.
    mutating func append(_ row: ArraySlice<UInt8>, number: Int) throws(Problem) {
        let fields = row.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard fields.count == 4 else { throw Problem("a row has 4 fields, this one \(fields.count)") }
        let (time, app, device, flight) = (fields[0], fields[1], fields[2], fields[3])
        let offset = try clock.offset(at: time)
        guard !app.isEmpty, app.allSatisfy(Self.isPlain) else { throw Problem("'\(shown(app))' is no app code") }
        guard device.allSatisfy(Self.isPlain) else { throw Problem("'\(shown(device))' is no device id") }
        guard !flight.isEmpty, flight.allSatisfy({ (48...57).contains($0) }) else {
            throw Problem("'\(shown(flight))' is no flight number")
        }
        func append(type: String, source: String, data: String, _ value: ArraySlice<UInt8>) {
            add("{\"specversion\":\"1.0\",\"type\":\"")
            add(type)
            add("\",\"source\":\"")
            add(source)
            add("\",\"id\":\"")
            add(String(number))
            add("\",\"time\":\"")
            bytes += time
            add(offset)
            add("\",\"subject\":\"")
            bytes += app
            add("\",\"data\":{")
            add(data)
            bytes += value
            add("\"}}\n")
        }
        if !device.isEmpty {
            append(
                type: "meterd.device_activity", source: "/departures/devices",
                data: "\"feature\":\"basic_analysis\",\"device\":\"", device)
        }
        append(type: "meterd.gateway_call", source: "/departures/calls", data: "\"api\":\"flight/", flight)
    }

    private mutating func add(_ text: String) { bytes += text.utf8 }

    /// Letters, digits, `.`, `_` and `-`: nothing that JSON would need to escape.
    private static func isPlain(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
            || byte == 46 || byte == 95
    }
}

/// Why the input can't be converted, for people.
struct Problem: Error {
    let text: String

    init(_ text: String) { self.text = text }
}

/// The start of a field, for a message.
func shown(_ field: ArraySlice<UInt8>) -> String { String(decoding: field.prefix(40), as: UTF8.self) }
