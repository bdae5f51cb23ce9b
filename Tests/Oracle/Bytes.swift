// Codes, identities and device ids are compared byte for byte; Swift's strings compare canonically.

/// The UTF-8 bytes of a string, as a key and as an order.
struct Bytes: Hashable, Comparable, Sendable {
    let utf8: [UInt8]

    init(_ text: String) {
        utf8 = Array(text.utf8)
    }

    static func < (left: Bytes, right: Bytes) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}
