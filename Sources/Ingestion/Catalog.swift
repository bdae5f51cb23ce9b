// What the ledger knows that an event is judged by: apps, and what features feed under each price book version.

import EventCodec
import GRDB
import LedgerStore
import Quantities
import Rating
import Storage

/// Read once and kept until something is added.
final class Catalog {
    private var stamp: Stamp?
    @exclusivity(unchecked) private var apps = ByteTable<KnownApp>()
    private var history: PriceBookHistory?
    /// The usage day that was asked for last, and the index of its version.
    @exclusivity(unchecked) private var lastVersion: (day: Day, index: Int)?
    private var itemIDs: [Code: ItemID] = [:]
    private var feeds: [FeedKey: Feed] = [:]
    /// Those that are stored. Asked for each event whose identity is taken.
    private var feedsByID: [Int64: Feed] = [:]
    /// Made when first asked for.
    private var appCodes: [AppID: [UInt8]] = [:]
    private var unknownNames = UnknownNames()
    private var unknownsKept = 0
    /// By version, kind of tenant and kind of event.
    private var resolutions: ContiguousArray<ByteTable<Resolution>> = []
    /// Of these the ones that feed something, lent, for what is asked for each event.
    @exclusivity(unchecked) private var known: ContiguousArray<ByteTable<Unmanaged<Feed>>> = []

    /// What events need to know of an app.
    struct KnownApp {
        let id: AppID
        let tenantIsLegacy: Bool
    }

    private struct Stamp: Equatable {
        let lastApp: Int64?
        let lastVersion: Int64?
        let lastFeed: Int64?
    }

    private struct FeedKey: Hashable {
        let feature: String
        let items: [Int64]
    }

    /// What a feature feeds, for one kind of event, price book version and kind of tenant.
    enum Resolution {
        case items([ItemID], feed: Feed)
        case refused(RefusalCode, String)
    }

    /// A feature together with the items that it fed, as sum events refer to it.
    final class Feed {
        let feature: [UInt8]
        let items: [ItemID]
        fileprivate(set) var id: Int64?

        init(feature: [UInt8], items: [ItemID], id: Int64?) {
            self.feature = feature
            self.items = items
            self.id = id
        }
    }

    /// Forgets everything: what was read may have been rolled back.
    func forget() {
        stamp = nil
        apps = ByteTable()
        history = nil
        lastVersion = nil
        feeds = [:]
        feedsByID = [:]
        appCodes = [:]
        unknownNames = UnknownNames()
        resolutions = []
        known = []
        unknownsKept = 0
    }

    /// Reads again what has changed since the last transaction.
    func refresh(_ database: Database) throws {
        unknownNames.beginTransaction()
        // Asked in every transaction: a statement that is kept.
        let row = try Row.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT
                        (SELECT max(app_id) FROM app),
                        (SELECT max(version) FROM price_book_version),
                        (SELECT max(feed_id) FROM feed)
                    """))
        let stamp = Stamp(lastApp: row?[0], lastVersion: row?[1], lastFeed: row?[2])
        guard stamp != self.stamp else { return }
        forget()
        for app in try Accounts.apps(database).values {
            apps.insert(Array(app.code.text.utf8), KnownApp(id: app.id, tenantIsLegacy: app.tenant.isLegacy))
        }
        let history = try PriceBooks.history(database)
        self.history = history
        for _ in 0..<history.versions.count * 2 * EventKind.allCases.count {
            resolutions.append(ByteTable())
            known.append(ByteTable())
        }
        itemIDs = try PriceBooks.itemIDs(database)
        for row in try Row.fetchAll(database, sql: "SELECT feed_id, feature, items FROM feed") {
            let items = (row["items"] as String).split(separator: ",").compactMap { Int64($0) }
            let feature: String = row["feature"]
            let id: Int64 = row["feed_id"]
            let feed = Feed(feature: Array(feature.utf8), items: items.map { ItemID($0) }, id: id)
            feeds[FeedKey(feature: feature, items: items)] = feed
            feedsByID[id] = feed
        }
        self.stamp = stamp
    }

    @inline(__always)
    func app(_ code: Bytes) -> KnownApp? { apps.value(of: code) }

    /// The code of an app that the ledger has.
    func code(of app: AppID) -> [UInt8]? {
        if appCodes.isEmpty {
            for key in apps.keys {
                let known = key.withUnsafeBufferPointer { apps.value(of: Bytes($0)) }
                if let known { appCodes[known.id] = key }
            }
        }
        return appCodes[app]
    }

    /// What to say of an app that the ledger lacks.
    func reason(forUnknownApp subject: Bytes, _ database: Database) throws -> String {
        try unknownNames.reason(
            forApp: subject, known: { apps.keys.map { String(decoding: $0, as: UTF8.self) } }, database)
    }

    // MARK: Features

    /// The feed of a feature that ``resolve(_:kind:usageDay:tenantIsLegacy:)`` has found one for; lent until the
    /// catalog is refreshed.
    @inline(__always)
    func knownFeed(_ feature: Bytes, kind: EventKind, usageDay: Day, tenantIsLegacy: Bool) -> Unmanaged<Feed>? {
        known[table(kind, usageDay: usageDay, tenantIsLegacy: tenantIsLegacy)].value(of: feature)
    }

    /// What a feature feeds by the version of a usage day (Billing rules, section 3); a gateway call names none.
    func resolve(_ feature: Bytes, kind: EventKind, usageDay: Day, tenantIsLegacy: Bool) -> Resolution {
        let table = table(kind, usageDay: usageDay, tenantIsLegacy: tenantIsLegacy)
        if let known = resolutions[table].value(of: feature) { return known }
        let resolution = resolveAnew(
            feature, kind: kind, version: versionIndex(for: usageDay), tenantIsLegacy: tenantIsLegacy, table: table)
        if case .items(_, let feed) = resolution {
            known[table].insert(Array(feature.buffer), Unmanaged.passUnretained(feed))
        }
        return resolution
    }

    @inline(__always)
    private func table(_ kind: EventKind, usageDay: Day, tenantIsLegacy: Bool) -> Int {
        (versionIndex(for: usageDay) * 2 + (tenantIsLegacy ? 1 : 0)) * EventKind.allCases.count + Int(kind.rawValue)
    }

    @inline(__always)
    private func versionIndex(for usageDay: Day) -> Int {
        if let lastVersion, lastVersion.day == usageDay { return lastVersion.index }
        guard let history else { preconditionFailure("the catalog is refreshed at the start of a batch") }
        let index = history.version(for: usageDay).number - 1
        lastVersion = (usageDay, index)
        return index
    }

    private func resolveAnew(
        _ feature: Bytes, kind: EventKind, version: Int, tenantIsLegacy: Bool, table: Int
    ) -> Resolution {
        let text = kind == .gatewayCall ? Self.gatewayFeature : feature.string
        guard let resolution = decide(text, kind: kind, version: version, tenantIsLegacy: tenantIsLegacy) else {
            return refuseUnknown(text, feature, version: version, table: table)
        }
        resolutions[table].insert(Array(feature.buffer), resolution)
        return resolution
    }

    /// A mistake is often made again and its reason takes a search, so some are kept; a sender of made-up features does
    /// not fill the memory.
    private func refuseUnknown(_ text: String, _ feature: Bytes, version: Int, table: Int) -> Resolution {
        guard let history else { preconditionFailure("the catalog is refreshed at the start of a batch") }
        let (reason, isComplete) = unknownNames.reason(
            forFeature: text, in: history.versions[version], of: history)
        let resolution = Resolution.refused(.unknownFeature, reason)
        if isComplete, unknownsKept < Self.maxUnknownsKept {
            unknownsKept += 1
            resolutions[table].insert(Array(feature.buffer), resolution)
        }
        return resolution
    }

    static let gatewayFeature = PriceBook.gatewayFeature
    /// The same for ever in memory, to be compared with what events bring.
    nonisolated(unsafe) static let gatewayFeatureBytes: Bytes = {
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: gatewayFeature.utf8.count)
        _ = bytes.initialize(from: gatewayFeature.utf8)
        return Bytes(UnsafeBufferPointer(bytes))
    }()
    /// What senders call that which events of gateway calls count; other features that feed the item do it by usage.
    private static let gatewayCodes = [gatewayFeature, PriceBook.gatewayItem]
    private static let maxUnknownsKept = 1_000

    /// - Returns: nil for a feature that the version does not have.
    private func decide(
        _ feature: String, kind: EventKind, version: Int, tenantIsLegacy: Bool
    ) -> Resolution? {
        guard let history else { preconditionFailure("the catalog is refreshed at the start of a batch") }
        let book = history.versions[version].book
        let code = Code(feature)
        let fed = kind == .gatewayCall ? book.itemsFedByGatewayCalls : code.flatMap { book.items(fedBy: $0) }
        guard let fed else { return nil }
        guard !fed.isEmpty else {
            return .refused(.notMetered, "feature '\(feature)' has no billable items: its usage is not metered")
        }
        let items = fed.compactMap { book.items[$0] }
        if let code, book.isUnusable(code) {
            return .refused(
                .wrongType,
                "feature '\(feature)' feeds items of devices and items of sums, which no event can do at once; the price book "
                    + "has to give each of them a feature of its own")
        }
        let aggregation: Aggregation = kind == .deviceActivity ? .uniqueDevices : .sum
        if let other = items.first(where: { $0.aggregation != aggregation }) {
            let wanted: EventKind =
                other.aggregation == .uniqueDevices
                ? .deviceActivity : Self.gatewayCodes.contains(feature) ? .gatewayCall : .usage
            return .refused(
                .wrongType, "feature '\(feature)' feeds item '\(other.code)', which takes events of type \(wanted.type)"
            )
        }
        if let legacy = items.first(where: { $0.isLegacy && !(tenantIsLegacy && $0.pricing != .none) }) {
            let replacement = legacy.replacedBy.map { "'\($0)'" }.joined(separator: ", ")
            let cause = tenantIsLegacy ? "has no price in the price book" : "is for existing customers only"
            return .refused(.legacyItem, "item '\(legacy.code)' \(cause); it was replaced by \(replacement)")
        }
        let ids = items.compactMap { itemIDs[$0.code] }.sorted { $0.number < $1.number }
        return .items(ids, feed: feed(feature, items: ids))
    }

    // MARK: Feeds

    private func feed(_ feature: String, items: [ItemID]) -> Feed {
        let key = FeedKey(feature: feature, items: items.map(\.number))
        if let feed = feeds[key] { return feed }
        let feed = Feed(feature: Array(feature.utf8), items: items, id: nil)
        feeds[key] = feed
        return feed
    }

    /// The id under which records refer to a feed, stored when first needed.
    func id(of feed: Feed, _ database: Database) throws -> Int64 {
        if let id = feed.id { return id }
        try database.execute(
            sql: "INSERT INTO feed (feature, items) VALUES (?, ?)",
            arguments: [
                String(decoding: feed.feature, as: UTF8.self),
                feed.items.map { String($0.number) }.joined(separator: ","),
            ])
        let id = database.lastInsertedRowID
        for item in feed.items {
            try database.execute(
                sql: "INSERT INTO feed_item (feed_id, item_id) VALUES (?, ?)", arguments: [id, item.number])
        }
        feed.id = id
        feedsByID[id] = feed
        stamp = stamp.map { Stamp(lastApp: $0.lastApp, lastVersion: $0.lastVersion, lastFeed: id) }
        return id
    }

    /// The feature under which a record was stored.
    func feature(ofFeed id: Int64) -> [UInt8]? { feedsByID[id]?.feature }
}
