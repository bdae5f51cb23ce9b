// Drives a real ledger file through a plan, with the operations that the commands and the daemon use.

import EventCodec
import Foundation
import GRDB
import Ingestion
import LedgerStore
package import Operations
package import Oracle
import PriceBookFile
import Quantities
import Rating
import RatingRun
import Storage
import UsageStore

/// A ledger in a folder of its own, removed with this value.
package final class LedgerDriver {
    private let bounds: OpenLedger.Bounds
    private let losesLog: Bool
    private let believesEveryClock: Bool
    private let hasTestClock: Bool
    private let machine = SimulatedMachine()
    /// The machine's clock as the process knows it that has the ledger open.
    private var machineClock: MachineClock
    /// The last of so many versions, as far as is known, and one that may have become the next.
    private var book: History.PriceBook
    private var bookCount = 1
    private var pendingBook: History.PriceBook?
    private var folder: URL
    private let watch = CommitWatch()
    private var openLedger: OpenLedger?
    private var openReader: ViewReader?
    private var current: Current?

    /// What became of a step.
    package struct Taken {
        package enum Answer {
            case outcome(BillingOracle.StepOutcome)
            /// Nobody was told. Whether all of it had been done is known only where it had.
            case none(isDone: Bool)

            var isRefusedByClock: Bool { if case .outcome(.refusedByClock) = self { true } else { false } }
        }

        package var answer: Answer
        /// What became of the events that came meanwhile; nil if there were none, or they were not stored.
        package var meanwhile: BillingOracle.StepOutcome?
        /// How many transactions it took, and how often others could be served in between.
        package var transactions = 0
        package var moments = 0
    }

    /// The step under way.
    private struct Current {
        let step: PlannedStep
        var moments = 0
        var lastMoment: Int?
        var hasServed = false
        var isKilled = false
        var meanwhile: BillingOracle.StepOutcome?
    }

    /// Ends an operation between two of its transactions.
    private struct Stop: Error {}

    package struct UnexpectedRefusal: Error {
        let code: String
        let reason: String
    }

    /// - Parameters:
    ///   - losesLog: whether a process that is killed takes with it what is only in the log, as no ledger may.
    ///   - believesEveryClock: whether each step confirms the clock, as no step may by itself.
    package init(_ plan: Plan, losesLog: Bool = false, believesEveryClock: Bool = false) throws {
        bounds = plan.bounds
        self.losesLog = losesLog
        self.believesEveryClock = believesEveryClock
        hasTestClock = plan.settings.hasTestClock
        machineClock = machine.clock()
        book = plan.priceBook
        folder = try Self.newFolder()
        // A new ledger records no instant; nothing of it is to depend on the system's clock.
        let start = Instant(micros: plan.steps.first?.step.at ?? Dates.instant("2027-01-01T00:00:00+00:00"))
        var creation = LedgerCreation()
        creation.timeZone = plan.settings.timeZone
        creation.hasTestClock = hasTestClock
        creation.now = start
        creation.finality = FinalityRule(
            finalAfterDays: plan.settings.finalAfterDays, maxAgeDays: plan.settings.maxAgeDays)
        creation.priceBook = PriceBookFile.write(try PriceBookMaking.book(plan.priceBook))
        try make(creation, start, plan.settings)
        // The key is read when it is opened.
        try open()
    }

    private func make(_ creation: LedgerCreation, _ start: Instant, _ settings: History.Settings) throws {
        let made = try creation.create(at: path)
        try Self.fixFingerprints(made)
        machine.set(wall: start.micros, trust: .nothing)
        let clock = clock(at: start.micros)
        for tenant in settings.tenants {
            _ = try made.addTenant(code(tenant.code), name: "tenant", isLegacy: tenant.legacy, clock: clock)
        }
        for app in settings.apps {
            _ = try made.addApp(code(app.code), tenant: code(app.tenant), name: "app", clock: clock)
        }
        // The history begins with a ledger that knows of no time.
        try made.file.write { try $0.execute(sql: "UPDATE ledger_state SET latest_instant = NULL") }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    package var ledger: OpenLedger {
        guard let openLedger else { preconditionFailure("the ledger is open but for the moment of reopening") }
        return openLedger
    }

    /// For the public views.
    package var reader: ViewReader {
        guard let openReader else { preconditionFailure("the ledger is open but for the moment of reopening") }
        return openReader
    }

    package var path: String { folder.appending(path: "meterd.db").path }

    /// Memory where there is a folder of it: the calls are the same, and nothing waits for a disk. The environment may name
    /// another folder, for whoever has to clear up after a process that dies.
    private static let parent: URL = {
        if let chosen = ProcessInfo.processInfo.environment["METERD_SIMULATE_IN"] {
            return URL(filePath: chosen, directoryHint: .isDirectory)
        }
        let memory = URL(filePath: "/dev/shm", directoryHint: .isDirectory)
        return access(memory.path, W_OK) == 0 ? memory : FileManager.default.temporaryDirectory
    }()

    private static func newFolder() throws -> URL {
        let folder = parent.appending(path: "meterd-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// A ledger's key is a random one; here it is always the same, so that hashes, and all that is ordered by them, are.
    private static func fixFingerprints(_ ledger: OpenLedger) throws {
        try ledger.file.write { database in
            let guards = try Row.fetchAll(
                database,
                sql: "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'ledger_property'")
            for row in guards { try database.execute(sql: "DROP TRIGGER \(row["name"] as String)") }
            try database.execute(
                sql: "UPDATE ledger_property SET fingerprint_key = ?", arguments: [Data((0..<16).map { $0 })])
            for row in guards { try database.execute(sql: row["sql"]) }
        }
    }

    private func open() throws {
        // A program that the same process is just starting has the lock too, for a moment.
        let ledger = try OpenLedger(file: LedgerFile.openForWriting(at: path), bounds: bounds)
        ledger.betweenTransactions = { [unowned self] in try serveMeanwhile() }
        try ledger.file.connection { watch.watch($0) }
        openLedger = ledger
        openReader = ViewReader(ledger.file)
    }

    package func reopen() throws {
        // The file is closed and its lock freed with the last reference: the old ledger goes before the new one comes.
        openReader = nil
        openLedger = nil
        try open()
        machineClock = machine.clock()
    }

    private func clock(at instant: Int64, isConfirmed: Bool = false) -> LedgerClock {
        LedgerClock(
            given: hasTestClock ? Instant(micros: instant) : nil, isConfirmed: isConfirmed || believesEveryClock,
            machine: machineClock)
    }

    /// A process that begins looks at the clock, whatever it shows.
    private func lookAtClock(at instant: Int64) throws {
        _ = try? ledger.report(on: clock(at: instant))
    }

    private func code(_ text: String) -> Code {
        guard let code = Code(text) else { preconditionFailure("'\(text)' is no code") }
        return code
    }

    // MARK: A step and what comes in between

    /// Takes one step, and says what the oracle would say of it.
    package func take(_ planned: PlannedStep) throws -> Taken {
        current = Current(step: planned)
        defer {
            current = nil
            // It holds what holds this driver.
            watch.begin()
        }
        var killed: URL?
        let copy: (Int) throws -> Void = { [self] number in
            guard planned.interruption == .kill(afterTransactions: number), killed == nil else { return }
            killed = try copyAsItStands()
            current?.isKilled = true
        }
        machine.set(wall: planned.step.at, trust: planned.step.trust)
        watch.begin(
            failing: { if case .failure(let number) = planned.interruption { number } else { nil } }(),
            onTransaction: copy)
        try copy(0)
        var answer = Taken.Answer.none(isDone: false)
        if killed == nil {
            do {
                let outcome = try perform(planned)
                // Before it dies, or not at all.
                if killed == nil { serve() }
                answer = .outcome(outcome)
            } catch is Stop {
            } catch is CommitWatch.DiskIsFull {
            }
        }
        if let problem = watch.problem { throw problem }
        if case .kill = planned.interruption {
            if case .outcome = answer {
                answer = .none(isDone: killed == nil)
                if killed == nil { killed = try copyAsItStands() }
            }
        }
        let taken = Taken(
            answer: answer, meanwhile: current?.meanwhile, transactions: watch.transactions,
            moments: current?.moments ?? 0)
        if let killed {
            try goOn(in: killed)
            try lookAtClock(at: planned.step.at)
        }
        return taken
    }

    /// What another process would find now if this one died: the file and its log, without what is in memory.
    private func copyAsItStands() throws -> URL {
        let copy = try Self.newFolder()
        for name in losesLog ? ["meterd.db"] : ["meterd.db", "meterd.db-wal"] {
            try FileManager.default.copyItem(at: folder.appending(path: name), to: copy.appending(path: name))
        }
        return copy
    }

    private func goOn(in copy: URL) throws {
        watch.begin()
        openReader = nil
        try? openLedger?.close(checkpointing: false)
        openLedger = nil
        try? FileManager.default.removeItem(at: folder)
        folder = copy
        try open()
        machineClock = machine.clock()
    }

    /// Called by operations between their transactions, and while they read: then as often as there is time, which is
    /// not to matter.
    private func serveMeanwhile() throws {
        guard current != nil, current?.lastMoment != watch.transactions else { return }
        if current?.isKilled == true { throw Stop() }
        current?.moments += 1
        let moment = current?.moments
        if current?.step.meanwhile?.moment == moment { serve() }
        current?.lastMoment = watch.transactions
        if case .stop(let last) = current?.step.interruption, last == moment { throw Stop() }
    }

    /// Stores the events that come meanwhile, if they have not been. A failure is theirs, not the operation's.
    private func serve() {
        guard let planned = current?.step, let meanwhile = planned.meanwhile, current?.hasServed == false
        else { return }
        current?.hasServed = true
        do {
            let outcome = try ingest([meanwhile.events], clock(at: planned.step.at))
            current?.meanwhile = .events(outcome)
        } catch is CommitWatch.DiskIsFull {
        } catch let error as LedgerError where error.isOfTheClock {
            current?.meanwhile = .refusedByClock
        } catch {
            current?.meanwhile = nil
            unexpected = error
        }
    }

    /// What went wrong with events that came meanwhile.
    package private(set) var unexpected: (any Error)?

    // MARK: Operations

    private func perform(_ planned: PlannedStep) throws -> BillingOracle.StepOutcome {
        do {
            return try perform(planned, clock(at: planned.step.at, isConfirmed: planned.step.trust == .person))
        } catch let error as LedgerError where error.isOfTheClock {
            return .refusedByClock
        }
    }

    private func perform(_ planned: PlannedStep, _ clock: LedgerClock) throws -> BillingOracle.StepOutcome {
        switch planned.step.action {
        case .ingest(let events):
            var rest = events[...]
            let senders = planned.senders.isEmpty ? [events.count] : planned.senders
            let batches = senders.map { count in
                defer { rest = rest.dropFirst(count) }
                return Array(rest.prefix(count))
            }
            return .events(try ingest(batches, clock))
        case .grant(let grant): return .grant(try record(grant, clock))
        case .voidGrant(let text): return .void(try void(text, clock))
        case .applyPriceBook(let day, let changes): return .priceBook(try apply(changes, Day(day), clock))
        case .rate(let day): return .rating(try rate(Day(day), clock))
        case .retryQuarantine:
            return .events(try outcomes(of: ledger.retryQuarantine(ids: [], clock: clock)))
        case .dropQuarantine: return .dropped(try ledger.dropQuarantine(ids: [], clock: clock))
        case .eraseDevice(let app, let device):
            do {
                try ledger.eraseDevice(device, app: code(app), clock: clock)
                return .erased(true)
            } catch LedgerError.unknownDevice {
                return .erased(false)
            }
        case .addApp(let app):
            _ = try ledger.addApp(code(app.code), tenant: code(app.tenant), name: "app", clock: clock)
            return .done
        case .setClock: return .done
        case .reopen:
            openReader = nil
            // As the daemon's writer does, which leaves its statements to the end.
            if planned.isForServing { try? ledger.close() }
            try reopen()
            try lookAtClock(at: planned.step.at)
            if planned.isForServing {
                do {
                    try ledger.makeReady(clock: self.clock(at: planned.step.at))
                } catch let error as LedgerError where error.isOfTheClock {
                    // Then it begins without.
                }
            }
            return .done
        }
    }

    /// How many entries a rating appends.
    package func entriesAppended(byRating day: Int, at instant: Int64) throws -> Int {
        watch.begin()
        return try ledger.rate(Day(day), clock: clock(at: instant)).appended.count
    }

    private func rate(_ day: Day, _ clock: LedgerClock) throws -> BillingOracle.RatingOutcome {
        do {
            _ = try ledger.rate(day, clock: clock)
            return .rated
        } catch LedgerError.dayInFuture {
            return .refusedFuture
        }
    }

    private func apply(
        _ changes: History.PriceBookChanges, _ day: Day, _ clock: LedgerClock
    ) throws -> BillingOracle.PriceBookOutcome {
        // An answer that was lost leaves open which book the last one is.
        let count = try ledger.file.read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM price_book_version") ?? 0
        }
        if count > bookCount, let pendingBook { book = pendingBook }
        bookCount = count
        let next = book.applying(changes, effectiveDay: day.number)
        pendingBook = next
        let engineBook = try PriceBookMaking.book(next)
        do {
            let recording = try ledger.applyPriceBook(engineBook, yaml: PriceBookFile.write(engineBook), clock: clock)
                .recording
            return recording == .recorded ? .applied : .alreadyApplied
        } catch VersionObjection.effectiveDayNotAfter {
            return .refusedNotAfter
        } catch VersionObjection.effectiveDayNotOpen {
            return .refusedNotOpen
        }
    }

    private func ingest(_ senders: [[History.Event]], _ clock: LedgerClock) throws -> [BillingOracle.EventOutcome] {
        let texts = senders.map { $0.map { Array(EventText.json($0).utf8) } }
        let joined = texts.flatMap { $0.flatMap { $0 } }
        return try joined.withUnsafeBufferPointer { buffer in
            var start = 0
            let batches = texts.map { texts in
                let batch = EventBatch(key: ledger.eventKey)
                for text in texts {
                    batch.add(UnsafeBufferPointer(rebasing: buffer[start..<start + text.count]))
                    start += text.count
                }
                return batch
            }
            return try ledger.ingest(batches, clock: clock).flatMap { try outcomes(of: $0) }
        }
    }

    private func outcomes(of report: BatchReport) throws -> [BillingOracle.EventOutcome] {
        var outcomes = [BillingOracle.EventOutcome](repeating: .accepted, count: report.received)
        for result in report.results {
            switch result.outcome {
            case .accepted: break
            case .correction: outcomes[result.index] = .correction
            case .duplicate: outcomes[result.index] = .duplicate
            case .refused(let code, let reason):
                guard let refusal = BillingOracle.Refusal(rawValue: code.rawValue) else {
                    throw UnexpectedRefusal(code: code.rawValue, reason: reason)
                }
                outcomes[result.index] = .refused(refusal)
            }
        }
        return outcomes
    }

    private func record(_ grant: History.Grant, _ clock: LedgerClock) throws -> BillingOracle.GrantOutcome {
        let terms: GrantOrder.Terms =
            switch grant.offer {
            case .miniProgramPackage(let devices): .miniProgramPackage(devices: devices)
            case .resourcePackage(let item, let quantity):
                .resourcePackage(item: code(item), quantity: Quantity(quantity))
            case .subscription(let item, let app, let term):
                .subscription(licence: code(item), app: code(app), term: term == .month ? .month : .year)
            }
        let order = GrantOrder(
            code: code(grant.code), tenant: code(grant.tenant), terms: terms,
            purchasedAt: Instant(micros: grant.purchasedAt), price: grant.priceMicros.map { Money(micros: $0) })
        do {
            return try ledger.recordGrant(order, clock: clock).recording == .recorded ? .recorded : .repeated
        } catch LedgerError.otherTerms {
            return .refusedOtherTerms
        } catch LedgerError.voidedCode {
            return .refusedVoided
        } catch LedgerError.purchasedInFuture {
            return .refusedFuturePurchase
        }
    }

    private func void(_ text: String, _ clock: LedgerClock) throws -> BillingOracle.VoidOutcome {
        do {
            _ = try ledger.voidGrant(code(text), clock: clock)
            return .voided
        } catch LedgerError.grantUsed {
            return .refusedUsed
        } catch LedgerError.subscriptionBegun {
            return .refusedBegun
        } catch LedgerError.grantVoided {
            return .alreadyVoided
        } catch LedgerError.unknownGrant {
            return .refusedUnknown
        }
    }
}
