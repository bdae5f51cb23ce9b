// A small seeded generator of random numbers, so that a history is the same on every machine and in every version.

package struct SplitMix64: Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    package mutating func int(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    package mutating func int64(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    package mutating func chance(percent: Int) -> Bool {
        int(1...100) <= percent
    }

    package mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[int(0...(elements.count - 1))]
    }

    /// So many elements (all when there are fewer), in their order.
    package mutating func some<Element>(_ count: Int, of elements: [Element]) -> [Element] {
        var indices = Array(elements.indices)
        while indices.count > count { indices.remove(at: int(0...(indices.count - 1))) }
        return indices.map { elements[$0] }
    }

    /// An element, the more often the larger its weight.
    package mutating func weighted<Element>(_ choices: [(weight: Int, element: Element)]) -> Element {
        var left = int(1...choices.reduce(0) { $0 + $1.weight })
        for choice in choices {
            left -= choice.weight
            if left <= 0 { return choice.element }
        }
        return choices[choices.count - 1].element
    }
}
