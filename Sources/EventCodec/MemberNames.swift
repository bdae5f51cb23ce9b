// What a sender may have meant by a member that is named otherwise: asked only where a member that is needed is missing.

/// Names that are near one another (Billing rules, section 2).
///
/// Names are compared by their letters: capitals of ASCII in lower case, without spaces, `_`, `-` and `.`, each character
/// beyond ASCII as one letter. Two names are near when their letters are the same, or one letter too many, too few or
/// changed, or two neighbours that have changed places, apart.
enum MemberNames {
    /// Whether a member looks like the quantity of an event: its name is near `calls` or `quantity`, ends with a word for
    /// them, or is another one.
    static func isQuantity(_ name: Bytes) -> Bool {
        isNear(name, to: "calls") || isNear(name, to: "quantity") || endsWithQuantity(name)
            || isOne(
                name,
                of: ["quantities", "qty", "callnumber", "callsnumber", "callstotal", "calltotal", "quantitytotal"])
    }

    /// Whether a member of the event itself looks like its data: `Data`, `dataBase64`, `payload`.
    ///
    /// - Parameter holdsObject: `date` is near `data`, and a name that senders give to dates; it is meant as data only
    ///   where an object stands in it.
    static func isData(_ name: Bytes, holdsObject: Bool) -> Bool {
        if isOne(name, of: ["date"]) { return holdsObject }
        return isNear(name, to: "data") || isNear(name, to: "payload") || isOne(name, of: ["body", "eventdata"])
            || isBase64Data(name)
    }

    /// Whether a member that looks like data looks like data in base64.
    static func isBase64Data(_ name: Bytes) -> Bool {
        isNear(name, to: "database64") || isOne(name, of: ["base64", "base64data", "data64", "datab64"])
    }

    static func isDevice(_ name: Bytes) -> Bool {
        isNear(name, to: "device") || isOne(name, of: ["deviceid", "deviceids"])
    }

    static func isFeature(_ name: Bytes) -> Bool {
        isNear(name, to: "feature") || isNear(name, to: "features") || isOne(name, of: ["featurecode", "featurecodes"])
    }

    /// - Parameter meant: at least two letters, in lower case.
    static func isNear(_ name: Bytes, to meant: StaticString) -> Bool {
        withLetters(of: name) { letters, isWhole in isWhole && isWithinOneChange(letters, UnsafeBufferPointer(meant)) }
    }

    private static func isOne(_ name: Bytes, of words: [StaticString]) -> Bool {
        withLetters(of: name) { letters, isWhole in
            isWhole && words.contains { letters.elementsEqual(UnsafeBufferPointer($0)) }
        }
    }

    /// `apiCalls`, `call_count` and `total_quantity`, and no words that only happen to end as those do.
    private static func endsWithQuantity(_ name: Bytes) -> Bool {
        withLetters(of: name) { letters, _ in
            func ends(_ words: [StaticString]) -> Bool {
                words.contains { letters.suffix($0.utf8CodeUnitCount).elementsEqual(UnsafeBufferPointer($0)) }
            }
            return ends(["call", "calls", "count", "counts", "quantity"])
                && !ends(["account", "accounts", "discount", "discounts", "recall", "recalls"])
        }
    }

    /// Longer than any word that is asked for, by more than one letter.
    private static let mostLetters = 32

    /// - Parameter body: is given the letters, and whether they are all; of a longer name they are the last ones.
    private static func withLetters<Result>(
        of name: Bytes, _ body: (_ letters: UnsafeBufferPointer<UInt8>, _ isWhole: Bool) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: mostLetters) { letters -> Result in
            var first = mostLetters
            var isWhole = true
            for byte in name.buffer.reversed() {
                switch byte {
                // The bytes after the first of a character beyond ASCII.
                case UInt8(ascii: " "), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), 0x80...0xBF: continue
                default: break
                }
                guard first > 0 else {
                    isWhole = false
                    continue
                }
                first -= 1
                letters[first] = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
            }
            return body(UnsafeBufferPointer(rebasing: letters[first...]), isWhole)
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
