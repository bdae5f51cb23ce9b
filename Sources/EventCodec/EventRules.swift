// The rules that single members of an event must meet, each as a quick test for the good case and a sentence for the
// other.

import Quantities

extension EventMembers {
    /// Whether data is left out; `null`, and data in another form, is not that.
    var hasNoData: Bool { data.kind == .missing && dataBase64.kind == .missing }

    /// Why data is not taken as it is.
    func complaintAboutData(of kind: EventKind) -> String {
        switch data.kind {
        case .missing where kind == .gatewayCall:
            "data_base64 is null: leave it out for one call, or write how many in data, as {\"calls\":1200}"
        case .missing: "data is missing"
        case .null where kind == .gatewayCall:
            "data is null: leave data out for one call, or write how many, as {\"calls\":1200}"
        case .null: "data is null"
        default: "data must be an object, not \(data.shown)"
        }
    }
}

extension JSONValue {
    /// `null` is the same as not being there.
    @inline(__always)
    var isAbsent: Bool { kind == .missing || kind == .null }

    /// A string of 1 to `most` bytes without control characters (U+0000 to U+001F, U+007F to U+009F).
    @inline(__always)
    func isText(atMost most: Int) -> Bool {
        kind == .string && 1...most ~= bytes.count && !bytes.hasControls
    }

    /// Why `isText` said no.
    func complaint(asText name: String, atMost most: Int) -> String {
        if isAbsent { return "\(name) is missing" }
        if kind != .string { return "\(name) must be a string, not \(shown)" }
        if bytes.isEmpty { return "\(name) is empty" }
        if bytes.count > most { return "\(name) has \(bytes.count) bytes, \(most) at most are allowed: \(shown)" }
        return "\(name) has control characters: \(shown)"
    }

    /// The number of a JSON integer of 1 to `most`, else `nil`: `2.0`, `1e3` and `"5"` are no whole numbers here.
    @inline(__always)
    func wholeNumber(atMost most: Int64) -> Int64? {
        guard kind == .number else { return nil }
        var number: Int64 = 0
        for byte in bytes.buffer {
            guard byte.isDigit else { return nil }
            number = number * 10 + Int64(byte - UInt8(ascii: "0"))
            if number > most { return nil }
        }
        return number >= 1 ? number : nil
    }

    func complaint(asNumber name: String, atMost most: Int64) -> String {
        if isAbsent { return "\(name) is missing" }
        return "\(name) must be a whole number from 1 to \(most), written without point or exponent, not \(shown)"
    }

    func complaint(asTime name: String) -> String {
        if isAbsent { return "\(name) is missing" }
        if kind == .number || kind == .string, let meant = RFC3339.meant(byNumber: bytes) {
            return "\(name) must be an RFC 3339 date and time, not \(shown); if that counts \(meant.unit) since 1970, "
                + "write \"\(meant.time)\""
        }
        if kind != .string { return "\(name) must be a string, not \(shown)" }
        if RFC3339.namesNoSuchDay(bytes.string) { return "\(name) \(shown): there is no such day" }
        return "\(name) must be an RFC 3339 date and time with an offset, as 2027-01-10T12:00:00+08:00, not \(shown)"
    }

    /// The value for a reason: short, printable, strings in quotes.
    var shown: String {
        switch kind {
        case .missing: "nothing"
        case .string: "\"\(bytes.printable)\""
        case .object: "an object"
        case .array: "an array"
        case .null, .boolean, .number: bytes.printable
        }
    }
}

extension Bytes {
    private static let printedBytes = 64

    /// Whether a control character (U+0000 to U+001F, U+007F to U+009F) is among valid UTF-8.
    @inline(__always)
    var hasControls: Bool {
        var at = 0
        while count - at >= 8 {
            if ByteWord(at: start + at).possibleControls != 0 { return hasControls(from: at) }
            at += 8
        }
        return at < count && hasControls(from: at)
    }

    private func hasControls(from first: Int) -> Bool {
        for at in first..<count {
            let byte = start[at]
            if byte < 0x20 || byte == 0x7F { return true }
            if byte == 0xC2, at + 1 < count, start[at + 1] < 0xA0 { return true }
        }
        return false
    }

    /// The beginning as text fit for a log line or an answer; what is not fit to show comes out escaped.
    package var printable: String {
        var shownCount = min(count, Self.printedBytes)
        while shownCount > 0, shownCount < count, start[shownCount] & 0xC0 == 0x80 { shownCount -= 1 }
        let text = Bytes(start: start, count: shownCount).string.fitToShow
        return shownCount < count ? text + "…" : text
    }
}
