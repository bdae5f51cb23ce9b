// The ledger's hash chain: which bytes of an entry are hashed, so that anybody can check it (Billing rules, section 8).

import Crypto
import Quantities
import Rating

/// SHA-256 links from each entry to the one before.
package enum Chain {
    /// Stands in for the hash before the first entry: shown as 64 zeros.
    package static let origin = [UInt8](repeating: 0, count: 32)

    /// The text that is hashed, in UTF-8: the columns of the view `ledger` from `prev_hash` on to `created_at`,
    /// one a line, joined by line feeds, NULL as the empty text, numbers in decimal:
    /// `prev_hash, entry_id, posted_day, usage_day, tenant, app, item, source, grant_code, tier, quantity,
    /// amount_micros, currency, price_version, run_id, reason, created_at`.
    package static func text(of entry: EntryDraft, stamp: EntryStamp, previous: [UInt8]) -> [UInt8] {
        var text = [UInt8]()
        text.reserveCapacity(384)
        addHexadecimal(previous, to: &text)
        func add(_ field: String?) {
            text.append(UInt8(ascii: "\n"))
            if let field { text.append(contentsOf: field.utf8) }
        }
        add(String(stamp.entryID))
        add(entry.postedDay.description)
        add(entry.usageDay.description)
        add(entry.tenant.text)
        add(entry.app?.text)
        add(entry.item?.text)
        add(entry.source.rawValue)
        add(entry.grant?.text)
        add(entry.tier.map(String.init))
        add(String(entry.quantity.units))
        add(String(entry.amount.micros))
        add(stamp.currency.code)
        add(entry.priceVersion.map(String.init))
        add(stamp.runID.map(String.init))
        add(entry.reason)
        add(stamp.createdAt)
        return text
    }

    /// The hash of an entry's text, 32 bytes.
    package static func hash(of text: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: text)) }

    /// A hash as the ledger shows it: 64 lower-case hexadecimal digits.
    package static func hexadecimal(_ hash: [UInt8]) -> String { String(decoding: digits(of: hash), as: UTF8.self) }

    /// The same as bytes of ASCII.
    package static func digits(of hash: [UInt8]) -> [UInt8] {
        var text = [UInt8]()
        text.reserveCapacity(2 * hash.count)
        addHexadecimal(hash, to: &text)
        return text
    }

    /// Reads what ``hexadecimal(_:)`` gives; capital digits do too.
    static func bytes(ofHexadecimal text: some Collection<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var high: UInt8?
        for character in text {
            let digit: UInt8
            switch character {
            case 48...57: digit = character - 48
            case 65...70: digit = character - 55
            case 97...102: digit = character - 87
            default: return nil
            }
            if let upper = high {
                bytes.append(upper << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
    }

    private static func addHexadecimal(_ hash: [UInt8], to text: inout [UInt8]) {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
        for byte in hash {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
    }
}

/// An entry of the chain by its number and hash. Who keeps the last one elsewhere finds out even about a ledger that was
/// rewritten as a whole: as long as it is intact, the entry of that number has that hash.
package struct ChainHead: Hashable, Sendable, CustomStringConvertible {
    /// From 1; 0 stands for the beginning of the chain, before any entry.
    package let entryID: Int64
    /// 32 bytes.
    package let hash: [UInt8]

    /// What every chain begins with, and the head of a ledger without entries.
    package static let origin = ChainHead(entryID: 0, hash: Chain.origin)

    package init(entryID: Int64, hash: [UInt8]) {
        self.entryID = entryID
        self.hash = hash
    }

    /// 64 lower-case hexadecimal digits.
    package var hexadecimal: String { Chain.hexadecimal(hash) }

    /// `9553:073f…`, the number and 64 hexadecimal digits.
    package var description: String { "\(entryID):\(hexadecimal)" }

    /// Reads what ``description`` gives; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(parts[0]),
            let hash = Chain.bytes(ofHexadecimal: parts[1].utf8), hash.count == Chain.origin.count
        else { return nil }
        self.init(entryID: number, hash: hash)
    }
}
