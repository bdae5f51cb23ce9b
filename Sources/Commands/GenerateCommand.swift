// meterd generate: seeded events to try a ledger with.

import ArgumentParser
import Foundation
import LedgerStore
import Quantities
import Workload

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Generate usage events to try meterd with.",
        discussion: """
            Prints events for 'meterd ingest', in the order in which they arrive. The same options print the same bytes, \
            and a day has the same events alone as in a range of days:

              meterd init
              meterd generate --setup | sh
              meterd generate | meterd ingest -
              meterd rate --date yesterday

            The workload 'day' is that of a mobile platform: devices that come back less and less as they get older, \
            repeat themselves, and call a gateway, with an evening peak; some lines come twice, late, or after their day is \
            final. It has about two events a day for each device there is. 'new-devices' has devices that were never seen \
            before, three items each; 'calls' has single gateway calls.

            A ledger with the system's clock takes events up to now and up to 35 days old. Without --date the last day is \
            yesterday, and 14 days fit in. For other days use a ledger with a test clock, and 'meterd ingest --now' at the \
            end of the day.
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case day
        case newDevices = "new-devices"
        case calls
    }

    @Option(help: "The workload.")
    var kind = Kind.day

    @Flag(help: "Print the commands that add the tenants and apps, instead of events.")
    var setup = false

    @Option(
        help: ArgumentHelp("Other seeds give other events (default: 1).", valueName: "number"),
        transform: Arguments.whole(0...UInt64.max))
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "The local day on which the first events arrive: YYYY-MM-DD, today or yesterday (default: the --days end "
                + "with yesterday).", valueName: "day"),
        transform: Arguments.day)
    var date: DayReference?

    @Option(
        help: ArgumentHelp(
            "Time zone in which days are counted (IANA name); use the ledger's (default: Asia/Shanghai).",
            valueName: "zone"),
        transform: Self.zone)
    var timeZone: TimeZone?

    @Option(
        help: ArgumentHelp(
            "How many apps; the second has half the traffic of the first, the third a third, and so on (default: 20).",
            valueName: "count"),
        transform: Arguments.whole(1...WorkloadShape.maxApps))
    var apps = 20

    @Option(
        help: ArgumentHelp("How many tenants own them (default: 5).", valueName: "count"),
        transform: Arguments.whole(1...WorkloadShape.maxApps))
    var tenants = 5

    @Option(
        help: ArgumentHelp(
            "Print at most this many events (default: all of the days; 30000 for 'new-devices' and 'calls').",
            valueName: "count"),
        transform: Arguments.whole(1...Workload.maxEvents))
    var events: Int?

    @Option(
        help: ArgumentHelp(
            "Number of the first device of 'new-devices' or the first call of 'calls'; another number gives other "
                + "devices or calls (default: 0).", valueName: "number"),
        transform: Arguments.whole(0...Workload.maxEvents))
    var offset: Int?

    @OptionGroup(title: "Options of 'day'") var habits: HabitOptions

    private static let defaultEvents = 30_000
    private static let defaultZone = "Asia/Shanghai"
    /// Years of four digits, also three weeks before.
    private static let dates = Day(366)...Day(2_932_896)

    private static func zone(_ name: String) throws -> TimeZone {
        do throws(LedgerError) {
            return try LedgerProperties.timeZone(named: name)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func validate() throws {
        guard (1...apps).contains(tenants) else {
            throw ValidationError(
                "--tenants \(tenants) is out of range; choose 1 to \(apps), an app for each, or more --apps")
        }
        switch kind {
        case .day:
            guard offset == nil else {
                throw ValidationError(
                    "--offset goes with --kind new-devices or calls; for another day give another --date or --seed")
            }
        case .newDevices, .calls:
            if let option = habits.given {
                throw ValidationError(
                    "\(option) goes with --kind day; --kind \(kind.rawValue) prints one day, of --events events")
            }
            guard kind == .calls || events ?? Self.defaultEvents >= 3 else {
                throw ValidationError(
                    "--events \(events ?? 0) is too few for new-devices: a device has 3; choose 3 or more")
            }
        }
        guard let date = date?.date else { return }
        let last = Self.dates.upperBound - (habits.dayCount - 1)
        guard (Self.dates.lowerBound...last).contains(date) else {
            throw ValidationError("--date \(date) is out of range; choose \(Self.dates.lowerBound) to \(last)")
        }
    }

    func run() throws {
        var shape = habits.shape
        shape.seed = seed
        shape.apps = apps
        shape.tenants = tenants
        let workload = Workload(shape)
        if setup {
            printSetup(workload)
        } else {
            try printEvents(workload)
        }
    }

    private func printSetup(_ workload: Workload) {
        var lines = ["set -e"]
        lines += workload.tenants.map { "meterd tenant add \($0)" }
        lines += workload.ownedApps.map { "meterd app add \($0.app) --tenant \($0.tenant)" }
        Terminal.print(lines.joined(separator: "\n"))
    }

    private func printEvents(_ workload: Workload) throws {
        let zone = try timeZone ?? Self.zone(Self.defaultZone)
        let now = Instant(micros: Int64(Date().timeIntervalSince1970 * 1_000_000))
        let today = LedgerDays.date(of: now, in: zone)
        let first = date?.day { today } ?? today - habits.dayCount
        let last = first + (habits.dayCount - 1)
        var output = EventOutput()
        var left = events ?? (kind == .day ? Int.max : Self.defaultEvents)
        for number in first.number...last.number where left > 0 && !output.isClosed {
            let day = try localDay(Day(number), in: zone)
            var stream =
                switch kind {
                case .day: workload.day(day)
                case .newDevices: workload.newDevices(first: offset ?? 0, events: left, on: day)
                case .calls: workload.calls(first: offset ?? 0, events: left, on: day)
                }
            left -= try output.write(&stream, maxEvents: left)
        }
        guard !output.isClosed else { return }
        let days = habits.dayCount == 1 ? "on \(first)" : "from \(first) to \(last)"
        Terminal.error("\(counted(output.events, "event")) that arrive \(days) (\(zone.identifier)), seed \(seed)")
    }

    private func localDay(_ day: Day, in zone: TimeZone) throws -> LocalDay {
        let calendar = DayCalendar(segments: LedgerDays.segments(of: day - 2...day + 3, in: zone))
        guard let start = calendar.firstInstant(of: day), let end = calendar.firstInstant(of: day + 1) else {
            throw Failure("the day \(day) has no beginning in \(zone.identifier)")
        }
        let seconds = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(start.micros) / 1_000_000))
        return LocalDay(day, start: start, end: end, offsetMinutes: seconds / 60)
    }
}

/// What a day of a mobile platform is like; what is not given is as in `WorkloadShape`.
struct HabitOptions: ParsableArguments {
    private static let standard = WorkloadShape()
    private static let part = Arguments.decimal(0...1, "choose 0 to 1, like 0.05 for five in a hundred")

    @Option(
        help: ArgumentHelp("How many days (default: 1).", valueName: "count"),
        transform: Arguments.whole(1...3_650, unit: "days"))
    var days: Int?

    @Option(
        help: ArgumentHelp("How many devices there are on any day (default: \(standard.devices)).", valueName: "count"),
        transform: Arguments.whole(1...WorkloadShape.maxDevices))
    var devices: Int?

    @Option(
        help: ArgumentHelp(
            "Mean number of events of an active device for each item and day (default: \(standard.eventsPerItem); "
                + "four of five then bring nothing new).", valueName: "mean"),
        transform: Arguments.decimal(0.01...1_000, "choose 0.01 to 1000, like 2.5"))
    var eventsPerItem: Double?

    @Option(
        help: ArgumentHelp(
            "Part of the events that are gateway calls, 0 to 1 (default: \(standard.callsShare)).", valueName: "part"),
        transform: part)
    var callsShare: Double?

    @Option(
        help: ArgumentHelp(
            "Part of the lines that repeat an earlier one (default: \(standard.duplicates)).", valueName: "part"),
        transform: part)
    var duplicates: Double?

    @Option(
        help: ArgumentHelp(
            "Part of the events that arrive 1 to 8 hours late (default: \(standard.late)).", valueName: "part"),
        transform: part)
    var late: Double?

    @Option(
        help: ArgumentHelp(
            "Part of the events that arrive 3 to 21 days late (default: \(standard.afterFinality)).",
            valueName: "part"),
        transform: part)
    var afterFinality: Double?

    var dayCount: Int { days ?? 1 }

    /// The name of one that was given.
    var given: String? {
        let options: [(name: String, isGiven: Bool)] = [
            ("--days", days != nil), ("--devices", devices != nil), ("--events-per-item", eventsPerItem != nil),
            ("--calls-share", callsShare != nil), ("--duplicates", duplicates != nil), ("--late", late != nil),
            ("--after-finality", afterFinality != nil),
        ]
        return options.first { $0.isGiven }?.name
    }

    var shape: WorkloadShape {
        var shape = WorkloadShape()
        shape.devices = devices ?? shape.devices
        shape.eventsPerItem = eventsPerItem ?? shape.eventsPerItem
        shape.callsShare = callsShare ?? shape.callsShare
        shape.duplicates = duplicates ?? shape.duplicates
        shape.late = late ?? shape.late
        shape.afterFinality = afterFinality ?? shape.afterFinality
        return shape
    }

    func validate() throws {
        let shape = shape
        guard shape.duplicates + shape.late + shape.afterFinality <= 1 else {
            throw ValidationError(
                "--duplicates \(shape.duplicates), --late \(shape.late) and --after-finality \(shape.afterFinality) add up to "
                    + "more than 1; an event is at most one of the three, so choose smaller parts")
        }
    }
}

/// Writes events to standard output, a megabyte at a time.
private struct EventOutput {
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)
    private(set) var events = 0
    /// Whether nobody reads any more.
    private(set) var isClosed = false

    /// - Returns: how many events of the stream there were.
    /// - Throws: ``Failure`` when they can't be written.
    mutating func write(_ stream: inout EventStream, maxEvents: Int) throws -> Int {
        let before = events
        while !isClosed {
            let limit = maxEvents - (events - before)
            let part = buffer.withUnsafeMutableBufferPointer { stream.write(into: $0, maxEvents: limit) }
            guard part.events > 0 else { break }
            isClosed = try !buffer.withUnsafeBytes { try Self.write($0[..<part.bytes]) }
            events += part.events
        }
        return events - before
    }

    /// - Returns: false when nobody reads any more and the signal that says so is ignored; else it ends the process.
    private static func write(_ bytes: Slice<UnsafeRawBufferPointer>) throws -> Bool {
        var rest = UnsafeRawBufferPointer(rebasing: bytes)
        while !rest.isEmpty {
            let count = Foundation.write(STDOUT_FILENO, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if errno == EPIPE {
                return false
            } else if errno != EINTR {
                throw Failure("cannot write to standard output: \(String(cString: strerror(errno)))")
            }
        }
        return true
    }
}
