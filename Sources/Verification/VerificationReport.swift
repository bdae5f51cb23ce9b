// What a verification found, for the person or program that asked for it.

package import Accounting

/// The checks that were made, in order, and what contradicts itself.
package struct VerificationReport: Sendable {
    /// One check, and what it found.
    package struct Check: Sendable {
        /// The name that users see: `counters`.
        package let name: String
        /// What was compared, in numbers: `12,345 counters, 90,210 devices`.
        package let compared: String
        /// The first contradictions; ``findingCount`` tells how many there are in all.
        package let findings: [Finding]
        package let findingCount: Int

        /// How many findings are counted and not told.
        package var untold: Int { findingCount - findings.count }
    }

    /// A contradiction.
    package struct Finding: Sendable, Equatable {
        package let check: String
        /// One sentence that names the row and both values.
        package let sentence: String
    }

    package var checks: [Check] = []
    /// The last entry that the check of the chain read; nil when the ledger has no entries.
    package var chainHead: ChainHead?
    /// What the reader should know, and is no contradiction.
    package var notes: [String] = []

    package var findings: [Finding] { checks.flatMap(\.findings) }
    package var isSound: Bool { checks.allSatisfy { $0.findingCount == 0 } }
}

/// Collects what a check finds: the first few in words, the others by number.
struct Findings {
    private static let told = 20

    private let check: String
    private(set) var list: [VerificationReport.Finding] = []
    private(set) var count = 0
    /// The last entry, with the hash that it has in the ledger: set by the check that follows the chain.
    var chainHead: ChainHead?

    init(check: String) { self.check = check }

    mutating func add(_ sentence: @autoclosure () throws -> String) rethrows {
        count += 1
        guard list.count < Self.told else { return }
        list.append(VerificationReport.Finding(check: check, sentence: try sentence()))
    }

    /// Adds a finding for each row of a query that looks for what must not be.
    mutating func add(_ rows: [String]) { for row in rows { add(row) } }
}
