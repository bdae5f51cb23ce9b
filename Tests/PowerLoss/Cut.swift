// Where in a journal the power fails, and what is lost then.

package import Interposing
import Seeded

package struct Cut: Sendable, CustomStringConvertible {
    /// How many records of the journal had happened.
    package let position: Int
    package let loss: Loss
    /// Of the chances that decide what is lost.
    package let seed: UInt64

    package init(position: Int, loss: Loss, seed: UInt64) {
        self.position = position
        self.loss = loss
        self.seed = seed
    }

    package var description: String { "after record \(position), loss '\(loss.rawValue)', seed \(seed)" }

    /// With everything lost that may be, in every state that it leaves: they change only with what is synced, and what is
    /// acknowledged with marks.
    package static func everywhere(in journal: [JournalRecord]) -> [Cut] {
        let changes = journal.indices.filter { index in
            switch journal[index] {
            case .sync, .syncFolder, .mark: true
            default: false
            }
        }
        return ([0] + changes.map { $0 + 1 }).map { Cut(position: $0, loss: .unsynced, seed: 0) }
    }

    /// Right after each mark, when all that it says must be on the disk, with everything lost that may be; so many
    /// others at any points; and for four of those one where only the programs die. In the order of their positions.
    package static func choose(_ count: Int, in journal: [JournalRecord], seed: UInt64) -> [Cut] {
        var chance = SeededGenerator(seed: seed)
        var cuts: [Cut] = []
        for (index, record) in journal.enumerated() {
            guard case .mark = record else { continue }
            cuts.append(Cut(position: index + 1, loss: .unsynced, seed: 0))
        }
        let losses = Loss.allCases.filter { $0 != .none }
        for number in 0..<count + count / 4 {
            let loss = number < count ? losses.randomElement(using: &chance) ?? .unsynced : .none
            cuts.append(
                Cut(position: Int.random(in: 0...journal.count, using: &chance), loss: loss, seed: chance.next() >> 32))
        }
        return cuts.sorted { $0.position < $1.position }
    }
}
