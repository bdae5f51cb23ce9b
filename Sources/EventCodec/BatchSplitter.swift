// A JSON array of events: finds where each element begins and ends, so that a bad one does not spoil its neighbours.

/// Why a text is no batch, from some element on at least.
package struct BatchFault: Error, Equatable {
    package let reason: String
    /// Counted from 0.
    package let offset: Int
}

/// The elements of a JSON array, in order, as byte ranges without the white space around them.
///
/// The elements are not validated, only delimited: by strings and by brackets that match. So an element that is no JSON
/// (`01`, `{"a":}`, nothing at all between two commas) comes out for `EventScanner.scan` to refuse, and those around
/// it are unharmed. Where no end can be told (a bracket that does not match, a string or array that is cut, text
/// after the array), `next` throws; elements before that have come out already, so a caller who wants all or nothing
/// reads to the end before it stores.
package struct BatchSplitter {
    private enum State { case before, within, done }

    private let base: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private var position: UnsafePointer<UInt8>
    private var state = State.before
    /// The closing brackets that are due within the element, the innermost last.
    private var due: [UInt8] = []

    package init(_ text: UnsafeBufferPointer<UInt8>) {
        let bytes = Bytes(text)
        base = bytes.start
        position = bytes.start
        end = bytes.start + bytes.count
    }

    /// The next element, `nil` after the last one and nothing but white space behind the array. An empty range stands
    /// for an element that is missing, as in `[1,,2]` and `[1,]`.
    package mutating func next() throws(BatchFault) -> UnsafeBufferPointer<UInt8>? {
        if state == .done { return nil }
        if state == .before {
            position = end - UnsafeBufferPointer(start: position, count: end - position).withoutLeadingMarks.count
            guard position < end, position.pointee == UInt8(ascii: "[") else { throw fault("an array is expected") }
            position += 1
            state = .within
            skipWhiteSpace()
            if position < end, position.pointee == UInt8(ascii: "]") {
                try finish()
                return nil
            }
        }
        skipWhiteSpace()
        let start = position
        try skipElement()
        var last = position
        while last > start, last[-1].isJSONWhiteSpace { last -= 1 }
        if position.pointee == UInt8(ascii: ",") {
            position += 1
        } else {
            try finish()
        }
        return UnsafeBufferPointer(start: start, count: last - start)
    }

    /// Leaves the position at the comma or bracket that ends the element.
    private mutating func skipElement() throws(BatchFault) {
        due.removeAll(keepingCapacity: true)
        while position < end {
            let byte = position.pointee
            switch byte {
            case UInt8(ascii: "\""):
                try skipString()
                continue
            case UInt8(ascii: "{"):
                due.append(UInt8(ascii: "}"))
            case UInt8(ascii: "["):
                due.append(UInt8(ascii: "]"))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if due.isEmpty && byte == UInt8(ascii: "]") { return }
                guard due.popLast() == byte else { throw fault("a bracket closes that was not opened") }
            case UInt8(ascii: ","):
                if due.isEmpty { return }
            default:
                break
            }
            position += 1
        }
        throw fault("the array is cut")
    }

    private mutating func skipString() throws(BatchFault) {
        var at = position + 1
        while true {
            while end - at >= 8 {
                let stops = ByteWord(at: at).quotesAndBackslashes
                if stops != 0 {
                    at += ByteWord.firstByte(of: stops)
                    break
                }
                at += 8
            }
            guard at < end else { break }
            switch at.pointee {
            case UInt8(ascii: "\""):
                position = at + 1
                return
            case UInt8(ascii: "\\"):
                guard end - at >= 2 else {
                    at = end
                    break
                }
                at += 2
            default:
                at += 1
            }
        }
        throw BatchFault(reason: "the array is cut within a string", offset: position - base)
    }

    /// At the bracket that ends the array.
    private mutating func finish() throws(BatchFault) {
        position += 1
        skipWhiteSpace()
        if position < end { throw fault("nothing more is expected after the array") }
        state = .done
    }

    private mutating func skipWhiteSpace() {
        while position < end, position.pointee.isJSONWhiteSpace { position += 1 }
    }

    private func fault(_ reason: String) -> BatchFault { BatchFault(reason: reason, offset: position - base) }
}
