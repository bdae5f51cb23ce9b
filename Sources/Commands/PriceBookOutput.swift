// What 'price-book check' and 'price-book apply' say, for people, programs and spreadsheets.

import EventCodec
import GRDB
import Operations
import Quantities
import Rating

/// A price book that was read without problems.
struct CheckedPriceBook {
    let file: String
    let book: PriceBook

    func print(_ output: FormatOptions) {
        let counts = [("items", book.items.count), ("features", book.features.count)]
        switch output.format {
        case .text:
            Terminal.print(
                "\(file): book '\(book.name)', effective \(book.effective), \(book.currency.code), "
                    + "\(counted(book.items.count, "item")), \(counted(book.features.count, "feature")): no problems")
            PriceBookCommand.noteUnusableFeatures(of: book)
        case .json:
            let members = counts.map { "\"\($0.0)\":\(output.numbers.json($0.1))" }.joined(separator: ",")
            Terminal.print(
                "{\"file\":\(JSONText.quoted(file)),\(book.headJSON),\(members),\(book.unusableFeaturesJSON)}")
        case .csv:
            RowPrinter(
                columns: ["file"] + PriceBook.headColumns + counts.map(\.0) + ["unusable_features"],
                rows: [
                    [file.databaseValue] + book.head + counts.map { $0.1.databaseValue }
                        + [book.unusableFeatures.map(\.text).joined(separator: " ").databaseValue]
                ]
            ).printCSV()
        }
    }
}

/// A price book that is, or would be, a version of the ledger's.
struct AppliedPriceBook {
    enum Status: String {
        case applied
        case wouldBeApplied = "would_be_applied"
        case alreadyApplied = "already_applied"
    }

    let book: PriceBook
    let version: Int
    let status: Status
    /// The version before, where this one is new.
    var earlier: Int?
    var differences: [PriceBookDifference] = []

    func print(_ output: FormatOptions) {
        switch output.format {
        case .text: printText()
        case .json:
            let differences = differences.map {
                "{\"subject\":\(JSONText.quoted($0.subject)),\"change\":\(JSONText.quoted($0.change))}"
            }.joined(separator: ",")
            Terminal.print(
                "{\"version\":\(output.numbers.json(version)),\"status\":\"\(status.rawValue)\",\(book.headJSON),"
                    + "\"earlier_version\":\(earlier.map { output.numbers.json($0) } ?? "null"),"
                    + "\"differences\":[\(differences)],\(book.unusableFeaturesJSON)}")
        case .csv:
            // A row for each difference, and one where there is none.
            let head =
                [version.databaseValue, status.rawValue.databaseValue] + book.head + [earlier.databaseValue]
            let differences = differences.map { [$0.subject.databaseValue, $0.change.databaseValue] }
            RowPrinter(
                columns: ["version", "status"] + PriceBook.headColumns + ["earlier_version", "subject", "change"],
                rows: (differences.isEmpty ? [[.null, .null]] : differences).map { head + $0 }
            ).printCSV()
        }
    }

    private func printText() {
        guard let earlier else {
            Terminal.print("this is version \(version) already; nothing changed")
            return
        }
        let isDryRun = status == .wouldBeApplied
        Terminal.print(
            "price book '\(book.name)' \(isDryRun ? "would be applied" : "applied") as version \(version), "
                + "effective \(book.effective)\(isDryRun ? " (dry run, nothing changed)" : "")")
        Terminal.print(
            differences.isEmpty
                ? "only the effective day differs from version \(earlier)" : "differences from version \(earlier):")
        for difference in differences { Terminal.print("  \(difference)") }
        PriceBookCommand.noteUnusableFeatures(of: book)
    }
}

extension PriceBook {
    fileprivate static let headColumns = ["book", "effective_day", "currency"]

    fileprivate var head: [DatabaseValue] {
        [name.databaseValue, effective.description.databaseValue, currency.code.databaseValue]
    }

    fileprivate var headJSON: String {
        zip(Self.headColumns, [name, effective.description, currency.code])
            .map { "\"\($0)\":\(JSONText.quoted($1))" }.joined(separator: ",")
    }

    fileprivate var unusableFeaturesJSON: String {
        "\"unusable_features\":[\(unusableFeatures.map { JSONText.quoted($0.text) }.joined(separator: ","))]"
    }
}
