// meterd init: makes a ledger.

import ArgumentParser
import Operations
import PriceBookFile
import Quantities

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a new ledger.",
        discussion: """
            The time zone, the kind of clock and the finality can't be changed later. The first price book prices every \
            earlier day too.

            A test clock stands still until it is told the time: every command takes --now, and works at the latest instant \
            recorded without it. Every command that changes something records its instant; 'init' itself, and events that \
            are all refused, record none. The first --now may be any. A later one never goes back, and takes --confirm-clock \
            where it is more than 400 days after the latest.
            """)

    @OptionGroup var file: FileOptions

    @Option(help: ArgumentHelp("The billing time zone, an IANA name.", valueName: "zone"))
    var timeZone = "Asia/Shanghai"

    @Flag(help: "Let every command say what time it is with --now.")
    var testClock = false

    @Option(help: ArgumentHelp("The first price book (default: the built-in 'mpaas').", valueName: "file"))
    var priceBook: String?

    @Option(
        help: ArgumentHelp("A day takes no more usage after this many days, 1 to 31 (default: 3).", valueName: "days"),
        transform: Arguments.whole(1...31, unit: "days"))
    var finalAfterDays = 3

    @Option(
        help: ArgumentHelp(
            "How many days old usage may be when it arrives, 0 to 3650 (default: 35).", valueName: "days"),
        transform: Arguments.whole(0...3650, unit: "days"))
    var maxAgeDays = 35

    @Option(
        help: ArgumentHelp("When it is made (RFC 3339), with --test-clock.", valueName: "time"),
        transform: Arguments.instant)
    var now: Instant?

    func validate() throws {
        guard now == nil || testClock else {
            throw ValidationError("--now goes with --test-clock: any other ledger goes by the system's clock")
        }
    }

    func run() throws {
        var creation = LedgerCreation()
        creation.timeZone = timeZone
        creation.hasTestClock = testClock
        creation.finality = FinalityRule(finalAfterDays: finalAfterDays, maxAgeDays: maxAgeDays)
        creation.now = now
        if let priceBook { creation.priceBook = try PriceBookCommand.text(of: priceBook) }
        let path = try file.path()
        do {
            _ = try creation.create(at: path)
        } catch let problems as PriceBookProblems {
            throw PriceBookCommand.failure(problems, file: priceBook ?? "the built-in book")
        }
        let clock = testClock ? ", test clock" : ""
        Terminal.print(
            "ledger \(path) made: time zone \(timeZone), days final after \(finalAfterDays), "
                + "usage up to \(counted(maxAgeDays, "day")) old\(clock)")
    }
}
