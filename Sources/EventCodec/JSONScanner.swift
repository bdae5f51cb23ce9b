// A cursor over one JSON text (RFC 8259) that validates whatever it passes, kept or ignored, and never reads past the
// end. Strings are in JSONStrings.swift.

/// Where and why a text is no JSON, or none that is taken here.
struct JSONFault: Error {
    enum Problem: String {
        case endOfText = "the text ends in the middle"
        case noValue = "a value is expected"
        case noName = "a member name in quotes is expected"
        case noColon = "':' is expected"
        case noCommaOrBrace = "',' or '}' is expected"
        case noCommaOrBracket = "',' or ']' is expected"
        case trailing = "nothing more is expected"
        case badLiteral = "there is no JSON value"
        case badNumber = "this is no number"
        case control = "a control character in a string must be escaped"
        case badEscape = "no such escape"
        case loneSurrogate = "half a surrogate pair"
        case badUTF8 = "this is not UTF-8"
        case tooDeep = "objects and arrays are nested too deep"
        case duplicate = "the object has a member of this name already"
    }

    let problem: Problem
    /// Counted from 0.
    let offset: Int
}

enum JSONKind: UInt8 {
    case missing, null, boolean, number, string, object, array
}

/// A value as it stands in the text. `bytes` is the content of a string with its escapes resolved, and the JSON text
/// of anything else.
struct JSONValue {
    var kind: JSONKind
    var bytes: Bytes

    static var missing: JSONValue { JSONValue(kind: .missing, bytes: .empty) }
}

struct JSONScanner {
    let base: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    var position: UnsafePointer<UInt8>
    let scratch: UnsafeMutablePointer<Scratch>
    private let maxNesting: Int
    private var nesting = 0

    init(_ text: Bytes, maxNesting: Int, scratch: UnsafeMutablePointer<Scratch>) {
        base = text.start
        end = text.start + text.count
        position = text.start
        self.maxNesting = maxNesting
        self.scratch = scratch
    }

    func fault(_ problem: JSONFault.Problem) -> JSONFault { fault(problem, at: position) }

    /// A text that stops is reported as cut, whatever was expected there.
    func fault(_ problem: JSONFault.Problem, at place: UnsafePointer<UInt8>) -> JSONFault {
        JSONFault(problem: place < end ? problem : .endOfText, offset: place - base)
    }

    // MARK: Structure

    @inline(__always)
    mutating func skipWhiteSpace() {
        while position < end, position.pointee <= 0x20, position.pointee.isJSONWhiteSpace { position += 1 }
    }

    /// Passes white space, byte order marks and NUL bytes.
    mutating func skipLeadingMarks() {
        position = end - UnsafeBufferPointer(start: position, count: end - position).withoutLeadingMarks.count
    }

    @inline(__always)
    func isAt(_ character: Unicode.Scalar) -> Bool {
        position < end && position.pointee == UInt8(ascii: character)
    }

    /// Passes the ASCII character if it is next.
    @inline(__always)
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard isAt(character) else { return false }
        position += 1
        return true
    }

    /// Only white space may follow.
    mutating func finish() throws(JSONFault) {
        skipWhiteSpace()
        if position < end { throw fault(.trailing) }
    }

    @inline(__always)
    private mutating func descend() throws(JSONFault) {
        nesting += 1
        if nesting > maxNesting { throw fault(.tooDeep) }
        position += 1
        skipWhiteSpace()
    }

    /// Passes the object that begins here. `member` is called at the start of each value and must pass it; it answers
    /// with one bit of its own for each name it knows and 0 for the others, which are remembered to find duplicates.
    @inline(__always)
    mutating func scanObject(
        _ member: (_ name: Bytes, inout JSONScanner) throws(JSONFault) -> UInt32
    ) throws(JSONFault) {
        try descend()
        var known: UInt32 = 0
        let firstName = scratch.pointee.names.count
        if !take("}") {
            while true {
                guard isAt("\"") else { throw fault(.noName) }
                let nameStart = position
                let name = unescape(try scanString())
                skipWhiteSpace()
                guard take(":") else { throw fault(.noColon) }
                skipWhiteSpace()
                let bit = try member(name, &self)
                if bit == 0 {
                    scratch.pointee.names.append(MemberName(bytes: name, place: nameStart))
                } else if known & bit != 0 {
                    throw fault(.duplicate, at: nameStart)
                }
                known |= bit
                skipWhiteSpace()
                if take(",") {
                    skipWhiteSpace()
                } else if take("}") {
                    break
                } else {
                    throw fault(.noCommaOrBrace)
                }
            }
        }
        nesting -= 1
        if scratch.pointee.names.count > firstName { try closeNames(from: firstName) }
    }

    /// Passes the array that begins here; `element` is called at the start of each element and must pass it.
    @inline(__always)
    mutating func scanArray(_ element: (inout JSONScanner) throws(JSONFault) -> Void) throws(JSONFault) {
        try descend()
        if !take("]") {
            while true {
                try element(&self)
                skipWhiteSpace()
                if take(",") {
                    skipWhiteSpace()
                } else if take("]") {
                    break
                } else {
                    throw fault(.noCommaOrBracket)
                }
            }
        }
        nesting -= 1
    }

    /// Refuses an object with the same name twice. Sorting keeps a hostile object of very many members cheap, and
    /// unlike hashing has no worst case to aim at.
    private func closeNames(from first: Int) throws(JSONFault) {
        let count = scratch.pointee.names.count - first
        let repeated = scratch.pointee.names.withUnsafeMutableBufferPointer { all in
            var names = UnsafeMutableBufferPointer(rebasing: all[first...])
            if count <= 12 {
                return names.indices.first { i in names[..<i].contains { $0.bytes == names[i].bytes } }
                    .map { names[$0].place }
            }
            names.sort { $0.bytes == $1.bytes ? $0.place < $1.place : $0.bytes < $1.bytes }
            return names.indices.dropFirst().first { i in names[i - 1].bytes == names[i].bytes }
                .map { names[$0].place }
        }
        if let repeated { throw fault(.duplicate, at: repeated) }
        scratch.pointee.names.removeLast(count)
    }

    // MARK: Values

    /// Passes the value that begins here and keeps what a rule may ask of it.
    @inline(__always)
    mutating func scanValue() throws(JSONFault) -> JSONValue {
        let start = position
        if isAt("\"") {
            return JSONValue(kind: .string, bytes: unescape(try scanString()))
        }
        let kind = try skipValue()
        return JSONValue(kind: kind, bytes: Bytes(start: start, count: position - start))
    }

    /// Passes the value that begins here, validating all of it.
    @discardableResult
    mutating func skipValue() throws(JSONFault) -> JSONKind {
        guard position < end else { throw fault(.noValue) }
        switch position.pointee {
        case UInt8(ascii: "\""):
            _ = try scanString()
            return .string
        case UInt8(ascii: "{"):
            try skipObject()
            return .object
        case UInt8(ascii: "["):
            try skipArray()
            return .array
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try skipNumber()
            return .number
        case UInt8(ascii: "t"):
            try skipLiteral("true")
            return .boolean
        case UInt8(ascii: "f"):
            try skipLiteral("false")
            return .boolean
        case UInt8(ascii: "n"):
            try skipLiteral("null")
            return .null
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
            throw fault(.badLiteral)
        default:
            throw fault(.noValue)
        }
    }

    private mutating func skipObject() throws(JSONFault) {
        // Names with escapes are only needed until the object's end.
        let mark = scratch.pointee.arena.mark
        try scanObject { (_, scanner) throws(JSONFault) in
            try scanner.skipValue()
            return 0
        }
        scratch.pointee.arena.rewind(to: mark)
    }

    private mutating func skipArray() throws(JSONFault) {
        try scanArray { (scanner) throws(JSONFault) in try scanner.skipValue() }
    }

    private mutating func skipLiteral(_ word: StaticString) throws(JSONFault) {
        let count = word.utf8CodeUnitCount
        guard end - position >= count, position.matches(word.utf8Start, count: count) else {
            throw fault(.badLiteral)
        }
        position += count
    }

    private mutating func skipNumber() throws(JSONFault) {
        let start = position
        _ = take("-")
        if take("0") {
            if position < end, position.pointee.isDigit { throw fault(.badNumber, at: start) }
        } else {
            try skipDigits()
        }
        if take(".") { try skipDigits() }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            try skipDigits()
        }
    }

    /// One digit at least.
    private mutating func skipDigits() throws(JSONFault) {
        guard position < end, position.pointee.isDigit else { throw fault(.badNumber) }
        while position < end, position.pointee.isDigit { position += 1 }
    }
}

extension UInt8 {
    @inline(__always)
    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    @inline(__always)
    var isJSONWhiteSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}
