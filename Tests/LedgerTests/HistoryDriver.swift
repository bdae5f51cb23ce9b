// Drives a real ledger file with a history of plain values, through the operations that the commands use.

import EventCodec
import Foundation
import GRDB
import Ingestion
import LedgerStore
import Operations
import Oracle
import PriceBookFile
import Quantities
import Rating
import Storage

/// A ledger in a folder of its own, removed with this value.
final class HistoryDriver {
    let folder: URL
    let history: History
    private(set) var ledger: OpenLedger!
    private var book: History.PriceBook

    init(_ history: History) throws {
        self.history = history
        book = history.priceBook
        folder = FileManager.default.temporaryDirectory.appending(path: "meterd-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var creation = LedgerCreation()
        creation.timeZone = history.settings.timeZone
        creation.hasTestClock = true
        creation.finality = FinalityRule(
            finalAfterDays: history.settings.finalAfterDays, maxAgeDays: history.settings.maxAgeDays)
        creation.priceBook = PriceBookFile.write(try PriceBookMaking.book(history.priceBook))
        ledger = try creation.create(at: folder.appending(path: "meterd.db").path)
        // A new ledger records no instant: accounts are made by the system's clock.
        let clock = LedgerClock(given: nil)
        for tenant in history.settings.tenants {
            _ = try ledger.addTenant(code(tenant.code), name: tenant.code, isLegacy: tenant.legacy, clock: clock)
        }
        for app in history.settings.apps {
            _ = try ledger.addApp(code(app.code), tenant: code(app.tenant), name: app.code, clock: clock)
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var path: String { folder.appending(path: "meterd.db").path }

    func code(_ text: String) -> Code {
        guard let code = Code(text) else { preconditionFailure("'\(text)' is no code") }
        return code
    }

    /// Takes one step, and says what the oracle would say of it.
    func take(_ step: History.Step) throws -> BillingOracle.StepOutcome {
        let clock = LedgerClock(given: Instant(micros: step.at))
        switch step.action {
        case .ingest(let events): return .events(try ingest(events, clock))
        case .grant(let grant): return .grant(try record(grant, clock))
        case .voidGrant(let text): return .void(try void(text, clock))
        case .applyPriceBook(let day, let tiers):
            book = book.replacing(tiers: tiers, effectiveDay: day)
            let next = try PriceBookMaking.book(book)
            _ = try ledger.applyPriceBook(next, yaml: PriceBookFile.write(next), clock: clock)
            return .done
        case .rate(let day):
            _ = try ledger.rate(Day(day), clock: clock)
            return .done
        case .reopen:
            try reopen()
            return .done
        }
    }

    func reopen() throws {
        // The file is closed and its lock freed with the last reference: the old ledger goes before the new one comes.
        ledger = nil
        ledger = try OpenLedger(file: LedgerFile.openForWriting(at: path))
    }

    private func ingest(_ events: [History.Event], _ clock: LedgerClock) throws -> [BillingOracle.EventOutcome] {
        let batch = EventBatch(key: ledger.eventKey)
        let texts = events.map { Array(EventText.json($0).utf8) }
        let joined = texts.flatMap { $0 }
        return try joined.withUnsafeBufferPointer { buffer in
            var start = 0
            for text in texts {
                batch.add(UnsafeBufferPointer(rebasing: buffer[start..<start + text.count]))
                start += text.count
            }
            let report = try ledger.ingest(batch, clock: clock)
            var outcomes = [BillingOracle.EventOutcome](repeating: .accepted, count: events.count)
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
    }

    struct UnexpectedRefusal: Error {
        let code: String
        let reason: String
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
            return try ledger.recordGrant(order, clock: clock).0 == .recorded ? .recorded : .repeated
        } catch LedgerError.otherTerms {
            return .refusedOtherTerms
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
        } catch LedgerError.grantVoided {
            return .alreadyVoided
        } catch LedgerError.unknownGrant {
            return .refusedUnknown
        }
    }
}

/// Events as the JSON that a client sends.
enum EventText {
    static func json(_ event: History.Event) -> String {
        let (type, data): (String, String) =
            switch event.kind {
            case .deviceActivity(let features, let device):
                (
                    "meterd.device_activity",
                    features.count == 1
                        ? "{\"feature\":\(quoted(features[0])),\"device\":\(quoted(device))}"
                        : "{\"features\":[\(features.map(quoted).joined(separator: ","))],\"device\":\(quoted(device))}"
                )
            case .gatewayCall(let calls): ("meterd.gateway_call", "{\"calls\":\(calls)}")
            case .usage(let feature, let quantity):
                ("meterd.usage", "{\"feature\":\(quoted(feature)),\"quantity\":\(quantity)}")
            }
        let time = Instant(micros: event.timeMicros).description
        return "{\"specversion\":\"1.0\",\"type\":\"\(type)\",\"source\":\(quoted(event.source)),"
            + "\"id\":\(quoted(event.id)),\"time\":\"\(time)\",\"subject\":\(quoted(event.app)),\"data\":\(data)}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
