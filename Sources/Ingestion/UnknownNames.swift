// What to say of an app or a feature that the ledger does not know: what was probably meant.

import EventCodec
import GRDB
import LedgerStore
import Quantities
import Rating

/// Words the refusals of names that are not in the ledger.
///
/// To search costs in proportion to the names that there are, and a request may hold 100,000 names that are not. So each
/// transaction has a bound on its searching; beyond it the reasons are the same without a suggestion.
struct UnknownNames {
    /// In words looked at and pairs of letters compared: some milliseconds.
    static let workPerTransaction = 2_000_000
    /// A look into the ledger, in the same unit.
    private static let workPerQuery = 2_000

    /// What is left of the transaction's bound.
    private(set) var workLeft = workPerTransaction
    private var features: [Int: WordIndex] = [:]
    private var apps: WordIndex?
    /// A mistake is often made again, so some reasons are kept; a sender of made-up names does not fill the memory.
    private var appReasons: [[UInt8]: String] = [:]
    private static let mostReasons = 1_000

    private static let shownApps = 3

    mutating func beginTransaction() { workLeft = Self.workPerTransaction }

    // MARK: Apps

    /// - Parameter known: the codes of all apps.
    mutating func reason(
        forApp subject: Bytes, known: () -> [String], _ database: Database
    ) throws -> String {
        let plain = "app '\(subject.printable)' is not in the ledger"
        guard workLeft > 0 else { return plain }
        let key = Array(subject.buffer)
        if let reason = appReasons[key] { return reason }
        let (hint, isComplete) = try hint(forApp: subject, known: known, database)
        let reason = plain + hint
        if isComplete, appReasons.count < Self.mostReasons { appReasons[key] = reason }
        return reason
    }

    private mutating func hint(
        forApp subject: Bytes, known: () -> [String], _ database: Database
    ) throws -> (text: String, isComplete: Bool) {
        guard let code = Code(subject.string) else { return ("", true) }
        workLeft -= Self.workPerQuery
        if let hint = try hint(forTenant: code, database) { return (hint, true) }
        let index = apps ?? WordIndex(known())
        apps = index
        let (nearest, isComplete) = index.nearest(to: code.text, work: &workLeft)
        return (nearest.map { "; did you mean '\($0)'?" } ?? "", isComplete)
    }

    /// What to say where the code is a tenant's.
    private func hint(forTenant code: Code, _ database: Database) throws -> String? {
        let statement = try database.cachedStatement(sql: "SELECT tenant_id FROM tenant WHERE code = ?")
        guard let tenant = try Int64.fetchOne(statement, arguments: [code.text]) else { return nil }
        let apps = try String.fetchAll(
            database, sql: "SELECT code FROM app WHERE tenant_id = ? ORDER BY code LIMIT ?",
            arguments: [tenant, Self.shownApps + 1])
        guard !apps.isEmpty else {
            return ": '\(code)' is a tenant without apps; 'meterd app add CODE --tenant \(code)' adds one"
        }
        let shown = apps.prefix(Self.shownApps).map { "'\($0)'" }.joined(separator: ", ")
        let more = apps.count > Self.shownApps ? " …" : ""
        return ": '\(code)' is a tenant, and subject is the code of an app; its apps are \(shown)\(more)"
    }

    // MARK: Features

    /// - Returns: the reason, and whether it may be kept: it would be the same in any transaction.
    mutating func reason(
        forFeature feature: String, in version: PriceBookVersion, of history: PriceBookHistory
    ) -> (text: String, isComplete: Bool) {
        var bytes = feature
        let shown = bytes.withUTF8 { Bytes($0).printable }
        let later = Code(feature).flatMap { code in
            history.versions.first { $0.number > version.number && $0.book.items(fedBy: code) != nil }
        }
        if let later {
            return (
                "feature '\(shown)' is not in version \(version.number) of the price book, which prices its day; "
                    + "version \(later.number) has it, from \(later.book.effective) on", true
            )
        }
        let (nearest, isComplete) = workLeft > 0 ? nearest(to: feature, in: version) : (nil, false)
        let hint = nearest.map { "; did you mean '\($0)'?" } ?? ";"
        return (
            "feature '\(shown)' is not in the price book '\(version.book.name)'\(hint) "
                + "'meterd price-book show' lists its features and items", isComplete
        )
    }

    private mutating func nearest(to feature: String, in version: PriceBookVersion) -> (String?, Bool) {
        let index: WordIndex
        if let known = features[version.number] {
            index = known
        } else {
            let book = version.book
            index = WordIndex(Set(book.features.keys).union(book.items.keys).sorted().map(\.text))
            features[version.number] = index
        }
        return index.nearest(to: feature, work: &workLeft)
    }
}
