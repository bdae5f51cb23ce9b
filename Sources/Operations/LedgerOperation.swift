// What can be asked of a ledger, as values: done where the ledger is open, in this process or in the daemon.

package import Ingestion
package import LedgerStore
import PriceBookFile
package import Quantities
package import Rating
package import RatingRun

/// A change of a ledger, or a look at one that only its writer can take. The same value gives the same answer, and the
/// same error text, whether it is performed here or sent to the process that has the ledger open.
package protocol LedgerOperation: Codable, Sendable {
    associatedtype Answer: Codable, Sendable

    /// Its name between processes.
    static var name: String { get }

    /// - Throws: an error whose description is the message for whoever asked.
    func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Answer
}

/// Every operation, by which a received name is looked up.
package let ledgerOperations: [any LedgerOperation.Type] = [
    AddTenant.self, AddApp.self, ApplyPriceBook.self, RecordGrant.self, VoidGrant.self, RetryQuarantine.self,
    DropQuarantine.self, EraseDevice.self, RateDay.self, CopyLedger.self, ReadClock.self, ConfirmClock.self,
]

package struct AddTenant: LedgerOperation {
    package static let name = "tenant.add"
    private let code: Code
    private let displayName: String
    private let isLegacy: Bool

    package init(code: Code, name: String, isLegacy: Bool) {
        self.code = code
        displayName = name
        self.isLegacy = isLegacy
    }

    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Recording {
        try ledger.addTenant(code, name: displayName, isLegacy: isLegacy, clock: clock)
    }
}

package struct AddApp: LedgerOperation {
    package static let name = "app.add"
    private let code: Code
    private let tenant: Code
    private let displayName: String

    package init(code: Code, tenant: Code, name: String) {
        self.code = code
        self.tenant = tenant
        displayName = name
    }

    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Recording {
        try ledger.addApp(code, tenant: tenant, name: displayName, clock: clock)
    }
}

package struct ApplyPriceBook: LedgerOperation {
    package static let name = "price-book.apply"
    private let yaml: String
    private let isDryRun: Bool

    /// - Parameters:
    ///   - yaml: the text of a price book file that has been read without problems.
    ///   - isDryRun: whether the answer is what would be done, and nothing is.
    package init(yaml: String, isDryRun: Bool = false) {
        self.yaml = yaml
        self.isDryRun = isDryRun
    }

    package enum Answer: Codable, Sendable {
        /// - `earlier`: the version before, and `differences` what is not as there.
        case applied(version: Int, earlier: Int, differences: [PriceBookDifference])
        case alreadyApplied(version: Int)
        /// Why the book can't follow the versions that the ledger has.
        case refused(String)
    }

    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Answer {
        do {
            let book = try PriceBookFile.read(yaml, recordedCurrency: ledger.properties.currency.code)
            let application =
                isDryRun
                ? try ledger.previewPriceBook(book, yaml: yaml, clock: clock)
                : try ledger.applyPriceBook(book, yaml: yaml, clock: clock)
            let version = application.version.number
            guard application.recording == .recorded else { return .alreadyApplied(version: version) }
            return .applied(version: version, earlier: application.earlier, differences: application.differences)
        } catch let objection as VersionObjection {
            return .refused("\(objection)")
        }
    }
}

package struct RecordGrant: LedgerOperation {
    package static let name = "grant.add"
    private let order: GrantOrder

    package init(_ order: GrantOrder) { self.order = order }

    package struct Answer: Codable, Sendable {
        package let recording: Recording
        package let offer: Offer
        package let life: GrantLife
        /// The earliest day that was open when it was recorded.
        package let firstPostingDay: Day
        package let coversNothing: Bool
    }

    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Answer {
        let (recording, grant, coversNothing) = try ledger.recordGrant(order, clock: clock)
        return Answer(
            recording: recording, offer: grant.offer, life: grant.grant.life,
            firstPostingDay: grant.grant.firstPostingDay, coversNothing: coversNothing)
    }
}

package struct VoidGrant: LedgerOperation {
    package static let name = "grant.void"
    private let code: Code

    package init(_ code: Code) { self.code = code }

    package struct Answer: Codable, Sendable {
        /// What was paid and is refunded.
        package let refund: Money?
        /// What entries of open days draw on it until the next rating.
        package let openDraws: Quantity
    }

    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Answer {
        let (grant, openDraws) = try ledger.voidGrant(code, clock: clock)
        return Answer(refund: grant.price, openDraws: openDraws)
    }
}

package struct RetryQuarantine: LedgerOperation {
    package static let name = "quarantine.retry"
    private let ids: [Int64]

    /// - Parameter ids: all events when empty.
    package init(ids: [Int64]) { self.ids = ids }

    /// - Returns: all counts, and the first few refusals.
    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> BatchReport {
        try ledger.retryQuarantine(ids: ids, clock: clock).withExamples
    }
}

package struct DropQuarantine: LedgerOperation {
    package static let name = "quarantine.drop"
    private let ids: [Int64]

    /// - Parameter ids: all events when empty.
    package init(ids: [Int64]) { self.ids = ids }

    /// - Returns: how many were dropped.
    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Int {
        try ledger.dropQuarantine(ids: ids, clock: clock)
    }
}

package struct EraseDevice: LedgerOperation {
    package static let name = "device.erase"
    private let device: String
    private let app: Code

    package init(device: String, app: Code) {
        self.device = device
        self.app = app
    }

    package struct Answer: Codable, Sendable {}

    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> Answer {
        try ledger.eraseDevice(device, app: app, clock: clock)
        return Answer()
    }
}

package struct RateDay: LedgerOperation {
    package static let name = "rate"
    private let date: Day
    private let isDryRun: Bool

    package init(_ date: Day, isDryRun: Bool = false) {
        self.date = date
        self.isDryRun = isDryRun
    }

    package func perform(on ledger: OpenLedger, clock: LedgerClock) throws -> RatingReport {
        isDryRun ? try ledger.previewRating(date, clock: clock) : try ledger.rate(date, clock: clock)
    }
}
