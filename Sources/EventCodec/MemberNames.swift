// What a sender may have meant by a member that is named otherwise: asked only where a member that is needed is missing.

/// Names that are near one another (Billing rules, section 2).
///
/// Names are compared by their letters: capitals of ASCII in lower case, without spaces, `_`, `-` and `.`, each character
/// beyond ASCII as one letter. Two names are near when their letters are the same, or one letter too many, too few or
/// changed, or two neighbours that have changed places, apart.
enum MemberNames {
    /// Whether a member looks like the quantity of an event: its name is near `calls` or `quantity`, or is another word
    /// for them.
    static func isQuantity(_ name: Bytes) -> Bool {
        isNear(name, to: "calls") || isNear(name, to: "quantity")
            || isOne(
                name,
                of: [
                    "count", "counts", "quantities", "qty", "callcount", "callscount", "numcalls", "numberofcalls",
                    "totalcalls",
                ])
    }

    static func isDevice(_ name: Bytes) -> Bool {
        isNear(name, to: "device") || isOne(name, of: ["deviceid", "deviceids"])
    }

    static func isFeature(_ name: Bytes) -> Bool {
        isNear(name, to: "feature") || isNear(name, to: "features") || isOne(name, of: ["featurecode", "featurecodes"])
    }

    /// - Parameter meant: at least two letters, in lower case.
    static func isNear(_ name: Bytes, to meant: StaticString) -> Bool {
        withLetters(of: name) { isWithinOneChange($0, UnsafeBufferPointer(meant)) } ?? false
    }

    private static func isOne(_ name: Bytes, of words: [StaticString]) -> Bool {
        withLetters(of: name) { letters in words.contains { letters.elementsEqual(UnsafeBufferPointer($0)) } } ?? false
    }

    /// Longer than any word that is asked for, by more than one letter.
    private static let mostLetters = 16

    /// - Returns: nil for a name with too many letters to be near anything.
    private static func withLetters<Result>(
        of name: Bytes, _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: mostLetters) { letters -> Result? in
            var count = 0
            for byte in name.buffer {
                switch byte {
                // The bytes after the first of a character beyond ASCII.
                case UInt8(ascii: " "), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), 0x80...0xBF: continue
                default:
                    guard count < mostLetters else { return nil }
                    letters[count] = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
                    count += 1
                }
            }
            return body(UnsafeBufferPointer(rebasing: letters[..<count]))
        }
    }

    /// What is between the beginning and the end that two texts share tells how they differ.
    private static func isWithinOneChange(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>)
        -> Bool
    {
        guard abs(left.count - right.count) <= 1 else { return false }
        let shorter = min(left.count, right.count)
        var first = 0
        while first < shorter, left[first] == right[first] { first += 1 }
        var last = 0
        while last < shorter - first, left[left.count - 1 - last] == right[right.count - 1 - last] { last += 1 }
        let (a, b) = (left.count - first - last, right.count - first - last)
        if a <= 1 && b <= 1 { return true }
        return a == 2 && b == 2 && left[first] == right[first + 1] && left[first + 1] == right[first]
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate init(_ literal: StaticString) {
        self.init(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    }
}
