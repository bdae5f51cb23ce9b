// meterd init: makes a ledger.

import ArgumentParser
import Foundation
import Operations
import PriceBookFile
import Quantities

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a new ledger.",
        discussion: """
            Its time zone, clock and finality are fixed for good; its first price book prices every earlier day too.
            """)

    @OptionGroup var file: FileOptions

    @Option(help: "The billing time zone, an IANA name.")
    var timeZone = "Asia/Shanghai"

    @Flag(help: "Let every command say what time it is with --now.")
    var testClock = false

    @Option(help: ArgumentHelp("The first price book (default: the built-in 'mpaas').", valueName: "file"))
    var priceBook: String?

    @Option(help: "After how many days a day takes no more usage, 1 to 31.")
    var finalAfterDays = 3

    @Option(help: "How many days old usage may be when it arrives, 0 to 3650.")
    var maxAgeDays = 35

    func validate() throws {
        guard (1...31).contains(finalAfterDays) else {
            throw ValidationError("--final-after-days \(finalAfterDays) is out of range; choose 1 to 31")
        }
        guard (0...3650).contains(maxAgeDays) else {
            throw ValidationError("--max-age-days \(maxAgeDays) is out of range; choose 0 to 3650")
        }
    }

    func run() throws {
        var creation = LedgerCreation()
        creation.timeZone = timeZone
        creation.hasTestClock = testClock
        creation.finality = FinalityRule(finalAfterDays: finalAfterDays, maxAgeDays: maxAgeDays)
        if let priceBook { creation.priceBook = try PriceBookCommand.text(of: priceBook) }
        do {
            _ = try creation.create(at: file.path)
        } catch let problems as PriceBookProblems {
            throw PriceBookCommand.failure(problems, file: priceBook ?? "the built-in book")
        }
        let clock = testClock ? ", test clock" : ""
        Terminal.print(
            "ledger \(file.path) made: time zone \(timeZone), days final after \(finalAfterDays), "
                + "usage up to \(maxAgeDays) days old\(clock)")
    }
}
