// What final days have drawn on a grant, as far as a person is told.

package import Quantities

/// What one posting day draws on a grant of one item.
package struct GrantDraw: Hashable, Sendable {
    package let postingDay: Day
    package let item: Code
    package let quantity: Quantity

    package init(postingDay: Day, item: Code, quantity: Quantity) {
        self.postingDay = postingDay
        self.item = item
        self.quantity = quantity
    }
}

/// The first days one by one, and what comes after them as a sum.
package struct FinalDraws: Hashable, Sendable {
    private let daysTold: Int
    /// By posting day, then item.
    package private(set) var days: [GrantDraw] = []
    package private(set) var onLaterDays = Quantity.zero

    package init(daysTold: Int) { self.daysTold = daysTold }

    package var isEmpty: Bool { onLaterDays == .zero && days.allSatisfy { $0.quantity == .zero } }

    /// Whether a draw of that day, which must not lie before those added so far, is told by itself.
    package func tells(_ day: Day) -> Bool {
        let told = Set(days.map(\.postingDay))
        return told.contains(day) || told.count < daysTold
    }

    /// Adds a draw; to be called in the order of the days.
    ///
    /// - Throws: ``Quantities/Overflow``.
    package mutating func add(_ draw: GrantDraw) throws(Overflow) {
        guard tells(draw.postingDay) else { return try addUntold(draw.quantity) }
        let same = days.firstIndex { $0.postingDay == draw.postingDay && $0.item == draw.item }
        guard let same else {
            days.append(draw)
            return
        }
        days[same] = GrantDraw(
            postingDay: draw.postingDay, item: draw.item, quantity: try days[same].quantity + draw.quantity)
    }

    /// - Throws: ``Quantities/Overflow``.
    package mutating func addUntold(_ quantity: Quantity) throws(Overflow) { try onLaterDays += quantity }
}

extension FinalDraws: CustomStringConvertible {
    package var description: String {
        var parts = days.filter { $0.quantity != .zero }.map {
            "\(counted($0.quantity.units, "unit")) of \($0.item) on \($0.postingDay)"
        }
        if onLaterDays != .zero { parts.append("\(counted(onLaterDays.units, "unit")) on later days") }
        return parts.joined(separator: ", ")
    }
}
