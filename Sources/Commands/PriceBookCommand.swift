// meterd price-book: checks, applies and shows price books.

import ArgumentParser
import Forwarding
import Foundation
import LedgerStore
import MarkedYAML
import Operations
import PriceBookFile
import Quantities
import Rating
import Storage

struct PriceBookCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "price-book", abstract: "Check, apply and show price books.",
        subcommands: [Check.self, Apply.self, Show.self])

    static func text(of file: String) throws -> String {
        let data: Data
        do {
            data = try YAMLFile.bytes(at: file)
        } catch YAMLFileError.absent {
            throw Failure("cannot read the price book '\(file)': there is no such file; check the path")
        } catch YAMLFileError.unreadable(let reason) {
            throw Failure("cannot read the price book '\(file)': \(reason)")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw Failure("the price book '\(file)' is not UTF-8 text; save it as UTF-8")
        }
        return text
    }

    static func failure(_ problems: PriceBookProblems, file: String) -> Failure {
        let lines = problems.problems.map { "\(file): \($0)" }
        return Failure(lines.joined(separator: "\n"))
    }

    static func read(_ file: String) throws -> (yaml: String, book: PriceBook) {
        let yaml = try text(of: file)
        do {
            return (yaml, try PriceBookFile.read(yaml))
        } catch {
            throw failure(error, file: file)
        }
    }

    static func noteUnusableFeatures(of book: PriceBook) {
        for feature in book.unusableFeatures {
            Terminal.print(
                "note: feature '\(feature)' feeds items of devices and items of sums. No event can do both, so its usage will be "
                    + "refused; make a feature for each of the two kinds")
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Check a price book file; needs no ledger.")

        @OptionGroup var output: FormatOptions

        @Argument(help: "The price book file, YAML.")
        var file: String

        func run() throws {
            CheckedPriceBook(file: file, book: try PriceBookCommand.read(file).book).print(output)
        }
    }

    struct Apply: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Apply a price book as the next version.",
            discussion: """
                The book prices usage from its effective day on. That day must still be open, and after the effective day of \
                every earlier version. A version that is recorded can't be taken back or replaced, only followed by a later \
                one, so look first with --dry-run.
                """)

        @OptionGroup var options: ChangeOptions
        @OptionGroup var output: FormatOptions

        @Argument(help: "The price book file, YAML.")
        var file: String

        @Flag(help: "Show what would be applied, and what differs from the latest version; change nothing.")
        var dryRun = false

        func run() throws {
            let (yaml, book) = try PriceBookCommand.read(file)
            let ledger = try options.openForWriting()
            switch try ledger.perform(ApplyPriceBook(yaml: yaml, isDryRun: dryRun), clock: options.clock) {
            case .applied(let version, let earlier, let differences):
                AppliedPriceBook(
                    book: book, version: version, status: dryRun ? .wouldBeApplied : .applied, earlier: earlier,
                    differences: differences
                ).print(output)
            case .alreadyApplied(let version):
                AppliedPriceBook(book: book, version: version, status: .alreadyApplied).print(output)
            case .refused(let objection): throw Failure("\(file): \(objection)")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a version of the ledger's price book, or the built-in one.")

        @OptionGroup var options: LedgerOptions

        @Option(
            help: "The version's number (default: the latest).", transform: Arguments.whole(1...1_000_000))
        var number: Int?

        @Flag(help: "The built-in price book; needs no ledger.")
        var builtIn = false

        func run() throws {
            if builtIn {
                Self.printAsWritten(PriceBookFile.builtIn)
                return
            }
            guard let yaml = try options.openForReading().read({ try PriceBooks.yaml(version: number, $0) }) else {
                throw Failure(
                    "the ledger's price book has no version \(number ?? 0); leave --number out for the latest")
            }
            Self.printAsWritten(yaml)
        }

        /// A file that was applied comes out as it went in.
        private static func printAsWritten(_ yaml: String) {
            Terminal.printAsWritten(yaml.hasSuffix("\n") ? String(yaml.dropLast()) : yaml)
        }
    }
}
