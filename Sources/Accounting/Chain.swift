// The ledger's hash chain: which bytes of an entry are hashed, so that anybody can check it (Billing rules, section 8).

import Crypto
import Quantities
import Rating

/// SHA-256 links from each entry to the one before.
package enum Chain {
    /// Stands in for the hash before the first entry: 64 zeros.
    package static let origin = String(repeating: "0", count: 64)

    /// The text whose UTF-8 bytes are hashed: the columns of the view `ledger` from `prev_hash` on to `created_at`,
    /// one a line, joined by line feeds, NULL as the empty text, numbers in decimal:
    /// `prev_hash, entry_id, posted_day, usage_day, tenant, app, item, source, grant_code, tier, quantity,
    /// amount_micros, currency, price_version, run_id, reason, created_at`.
    package static func text(of entry: EntryDraft, stamp: EntryStamp, previous: String) -> String {
        var text = previous
        func add(_ field: String?) {
            text += "\n"
            if let field { text += field }
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
    package static func hash(of text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    /// A hash as the ledger shows it: 64 lower-case hexadecimal digits.
    package static func hexadecimal(_ hash: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text = [UInt8]()
        text.reserveCapacity(hash.count * 2)
        for byte in hash {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
