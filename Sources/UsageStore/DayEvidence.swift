// Which devices count on a posting day: the net of its touches, in the order in which they are sealed.

import GRDB
import Quantities
import Storage

/// A part of a day's evidence, read without more memory than the part needs, however large the day is.
struct DayEvidence: Sendable {
    /// A device of an item and month; rows are sealed in this order.
    struct Key: Hashable, Comparable, BitwiseCopyable, Sendable {
        let month: Int64
        let item: Int64
        let device: Int64

        static func < (left: Key, right: Key) -> Bool {
            (left.month, left.item, left.device) < (right.month, right.item, right.device)
        }
    }

    struct Row: Sendable {
        let key: Key
        let usageDay: Int64
    }

    private(set) var rows: [Row] = []
    /// Where the part ends; nil when nothing of the day comes after it.
    private(set) var end: Key?

    private struct Touch: BitwiseCopyable {
        let key: Key
        let usageDay: Int64
        let counts: Int64
    }

    /// Reads the first devices after a mark.
    ///
    /// - Parameter bound: how many touches a part has, if the day has more; twice as many are in memory.
    init(of day: Day, after mark: Key?, touches bound: Int, _ database: Database) throws {
        let statement = try RawStatement(
            database,
            """
            SELECT item_id, device_id, usage_day, counts
            FROM touch
            WHERE touch_id >= ?1 AND touch_id < ?2 AND counts <> 0
            """)
        statement.bind(1, day.firstID)
        statement.bind(2, (day + 1).firstID)
        var touches: [Touch] = []
        var month = (usageDay: Int64.min, number: Int64(0))
        while try statement.step() {
            let usageDay = statement.integer(2)
            if usageDay != month.usageDay { month = (usageDay, Int64(Day(Int(usageDay)).month.number)) }
            let key = Key(month: month.number, item: statement.integer(0), device: statement.integer(1))
            if let mark, key <= mark { continue }
            // What is larger than enough others belongs to a later part.
            if let end, end < key { continue }
            touches.append(Touch(key: key, usageDay: usageDay, counts: statement.integer(3)))
            if touches.count >= 2 * bound { keepSmallest(bound, of: &touches) }
        }
        keepSmallest(bound, of: &touches)
        net(touches)
    }

    private mutating func keepSmallest(_ bound: Int, of touches: inout [Touch]) {
        touches.sort { ($0.key, $0.usageDay) < ($1.key, $1.usageDay) }
        guard touches.count > bound else { return }
        let last = touches[bound - 1].key
        // A device's touches stay together.
        guard let rest = touches[bound...].firstIndex(where: { $0.key != last }) else { return }
        touches.removeSubrange(rest...)
        end = last
    }

    /// A device counts where its touches add up to one.
    private mutating func net(_ touches: [Touch]) {
        var index = 0
        while index < touches.count {
            let (key, usageDay) = (touches[index].key, touches[index].usageDay)
            var counts: Int64 = 0
            while index < touches.count, touches[index].key == key, touches[index].usageDay == usageDay {
                counts += touches[index].counts
                index += 1
            }
            if counts > 0 { rows.append(Row(key: key, usageDay: usageDay)) }
        }
    }
}
