// The versions of a ledger's price book, and which of them prices a day.

package import Quantities

/// A price book as applied to a ledger, numbered from 1.
package struct PriceBookVersion: Hashable, Sendable {
    package let number: Int
    package let book: PriceBook

    package init(number: Int, book: PriceBook) {
        self.number = number
        self.book = book
    }
}

/// Why a price book can't follow the versions before it (Billing rules, section 3).
package enum VersionObjection: Error, Equatable, CustomStringConvertible {
    case effectiveDayNotAfter(Day, earlier: Day)
    case effectiveDayNotOpen(Day, earliestOpen: Day)
    case currencyChanged(from: String, to: String)
    case itemRemoved(Code)
    case aggregationChanged(Code)
    case priceRemoved(Code)

    package var description: String {
        switch self {
        case .effectiveDayNotAfter(let day, let earlier):
            "effective: \(day) is not after \(earlier), the effective day of the version before; write a later day"
        case .effectiveDayNotOpen(let day, let open):
            "effective: \(day) is final already; write \(open), the earliest day that a new version can price, or a later one"
        case .currencyChanged(let from, let to):
            "currency: the book says \(to), and the ledger keeps \(from); write currency: \(from)"
        case .itemRemoved(let item):
            "items: \(item) is missing; a version keeps every item of the versions before it, so add it again"
        case .aggregationChanged(let item):
            "items.\(item).aggregation: an item keeps its aggregation; write the former one, or add an item with another code"
        case .priceRemoved(let item):
            "items.\(item): the item had a price and may hold usage; write tiers, or free: true"
        }
    }
}

package struct PriceBookHistory: Sendable {
    /// By number, and so by effective day.
    package private(set) var versions: [PriceBookVersion]

    /// - Parameter versions: at least one, ascending.
    package init(versions: [PriceBookVersion]) {
        precondition(!versions.isEmpty)
        self.versions = versions
    }

    package var latest: PriceBookVersion { versions[versions.count - 1] }

    /// The version that prices a usage day; the first one prices every earlier day too.
    package func version(for usageDay: Day) -> PriceBookVersion {
        versions.last { $0.book.effective <= usageDay } ?? versions[0]
    }

    /// - Precondition: the history has a version of that number.
    package func version(numbered number: Int) -> PriceBookVersion { versions[number - 1] }

    /// - Throws: ``VersionObjection`` when the book can't become the next version.
    package func check(next book: PriceBook, earliestOpenDay: Day) throws(VersionObjection) {
        let before = latest.book
        guard book.effective > before.effective else {
            throw .effectiveDayNotAfter(book.effective, earlier: before.effective)
        }
        guard book.effective >= earliestOpenDay else {
            throw .effectiveDayNotOpen(book.effective, earliestOpen: earliestOpenDay)
        }
        guard book.currency == before.currency else {
            throw .currencyChanged(from: before.currency.code, to: book.currency.code)
        }
        for item in before.items.values.sorted(by: { $0.code < $1.code }) {
            guard let kept = book.items[item.code] else { throw .itemRemoved(item.code) }
            guard kept.aggregation == item.aggregation else { throw .aggregationChanged(item.code) }
            guard kept.pricing != .none || item.pricing == .none else { throw .priceRemoved(item.code) }
        }
    }
}
