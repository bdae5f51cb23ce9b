// Whether the simulator would notice: engines with a wrong rule, and stores that lose or change something.

import GRDB
import Operations
import Oracle
import Simulator
import Storage
import TestSupport
import Testing

@Suite("The simulator notices", .computing)
struct SabotageTests {
    private static let histories: UInt64 = 600

    @Test("each wrong rule and each fault of the store that is planted", arguments: Planted.all)
    func notices(planted: Planted) throws {
        let noticed = try (0..<Self.histories).contains { seed in
            var simulation = try Simulation(Plan.random(seed: seed), sabotage: planted.sabotage())
            do {
                try simulation.run(isVerified: false)
            } catch let failure as Simulation.Failure {
                guard simulation.tamperedRows > 0 || !planted.isTampering else { return false }
                if planted.isNoticedByFailing, failure.law == Simulation.noStepFails { return true }
                // Any other operation that throws over what it finds has compared nothing.
                return planted.onlyLaw.map { failure.law == $0.rawValue } ?? (failure.law != Simulation.noStepFails)
            }
            return false
        }
        #expect(noticed, "\(planted) was not noticed in \(Self.histories) histories")
    }
}

/// Something wrong. A wrong rule is planted by telling the oracle something else than the ledger: the ledger then does
/// what one with the wrong rule would do.
struct Planted: Sendable, CustomStringConvertible {
    let description: String
    /// Whether rows are changed behind everybody's back.
    private(set) var isTampering = false
    /// Whether the operation that meets it fails: a constraint of the tables speaks against it.
    private(set) var isNoticedByFailing = false
    /// What alone notices it, where the oracle says nothing of it.
    private(set) var onlyLaw: Law?
    let sabotage: @Sendable () -> Simulation.Sabotage

    private init(_ description: String, _ plant: @escaping @Sendable (inout Simulation.Sabotage) -> Void) {
        self.description = description
        sabotage = {
            var sabotage = Simulation.Sabotage()
            plant(&sabotage)
            return sabotage
        }
    }

    static let all = rules + stores

    private static let rules = [
        Planted("days are final a day too early") { $0.settings = { $0.with { $0.finalAfterDays += 1 } } },
        Planted("usage is too old a day too early") { $0.settings = { $0.with { $0.maxAgeDays += 1 } } },
        Planted("days are those of another zone") { $0.settings = { $0.with { $0.timeZone = "Asia/Tokyo" } } },
        Planted("every tenant is an existing customer") {
            $0.settings = { $0.with { for index in $0.tenants.indices { $0.tenants[index].legacy = false } } }
        },
        Planted("device ids are compared by their bytes though texts are meant") {
            $0.told = told { event in
                guard case .deviceActivity(let features, "cafe\u{301}") = event.kind else { return }
                event.kind = .deviceActivity(features: features, device: "cafe\u{301}")
            }
        },
        Planted("one call more than was sent") {
            $0.told = told { event in
                if case .gatewayCall(let calls) = event.kind { event.kind = .gatewayCall(calls: calls + 1) }
            }
        },
        Planted("a misnamed quantity counts as one call") {
            $0.told = told { event in
                guard case .bareCall(let member, let value) = event.kind else { return }
                // As the ledger reads it, but for the quantity that it would have found.
                if BillingOracle.looksLikeQuantity(member) { event.kind = .bareCall(member: "x", value: value) }
            }
        },
        Planted("misnamed data counts as one call") {
            $0.told = told { event in
                guard case .callBeside(let member, let value) = event.kind else { return }
                if BillingOracle.looksLikeData(member) { event.kind = .callBeside(member: "x", value: value) }
            }
        },
        Planted("a purchase takes effect a day late") {
            $0.told = { step in
                var step = step
                if case .grant(var grant) = step.action {
                    grant.purchasedAt -= 86_400_000_000
                    step.action = .grant(grant)
                }
                return step
            }
        },
        Planted("a tier ends a unit late") {
            $0.priceBook = { book in
                var book = book
                for item in book.items.indices {
                    for tier in book.items[item].tiers.indices {
                        book.items[item].tiers[tier].upTo = book.items[item].tiers[tier].upTo.map { max(1, $0 - 1) }
                    }
                }
                return book
            }
        },
        Planted("a package grants a call too few") {
            $0.priceBook = { book in
                var book = book
                if case .fixed(let calls) = book.packageQuotas["gateway_calls"] {
                    book.packageQuotas["gateway_calls"] = .fixed(calls + 1)
                }
                return book
            }
        },
        Planted("a resource package holds a unit too few") {
            $0.told = { step in
                var step = step
                if case .grant(var grant) = step.action, case .resourcePackage(let item, let quantity) = grant.offer {
                    grant.offer = .resourcePackage(item: item, quantity: quantity + 1)
                    step.action = .grant(grant)
                }
                return step
            }
        },
        Planted("every clock is believed, however far it has jumped") { $0.believesEveryClock = true },
        Planted("a void is forgotten") {
            $0.told = { step in
                guard case .voidGrant(let code) = step.action else { return step }
                var step = step
                step.action = .voidGrant(code: code + "x")
                return step
            }
        },
        misreading("a resource package is forfeited on its end day", .forfeitsAtTheEnd),
        misreading("a resource package is forfeited a day late", .forfeitsADayLate),
        misreading("a void rates first", .voidRatesFirst),
        misreading("a void is refused for what open days draw", .openDaysSpeakAgainstAVoid),
        misreading(
            "a void passes over days that are final and not settled", .onlySettledDaysSpeakAgainstAVoid),
        misreading("a subscription is voided at any time", .subscriptionIsVoidedAtAnyTime),
        misreading("the code of a voided grant is recorded already", .voidedCodeIsRepeated),
    ]

    /// The oracle misreads the rules of grants.
    private static func misreading(_ description: String, _ misreading: BillingOracle.Misreading) -> Planted {
        Planted(description) { $0.misreading = misreading }
    }

    private static let stores = [
        Planted("what is only in the log is lost with the process") { $0.losesLog = true },
        tampering("a counter is lost", "DELETE FROM usage_counter WHERE quantity > 1"),
        tampering(
            "a counter counts twice", "UPDATE usage_counter SET quantity = quantity * 2 WHERE active_devices > 1"),
        tampering(
            "a touch is lost",
            "DELETE FROM touch WHERE touch_id = (SELECT max(touch_id) FROM touch WHERE counts = 1)"),
        tampering("sealed evidence is lost", "DELETE FROM sealed_device WHERE device_id & 1 = 1"),
        tampering("evidence is sealed at another place", "UPDATE sealed_device SET usage_day = usage_day - 1"),
        tampering(
            "a mark of sealing is lost",
            "UPDATE seal_progress SET posting_day = NULL WHERE posting_day IS NOT NULL", noticedByFailing: true),
        tampering("an identity is not in its run", "DELETE FROM identity_run WHERE sequence = 0"),
        tampering("a record is lost", "DELETE FROM usage_record WHERE record_id & 3 = 2"),
        tampering("running sums are wrong", "UPDATE rated_total SET quantity = quantity + 1 WHERE source = 'overage'"),
        tampering(
            "an entry is changed",
            """
            DROP TRIGGER IF EXISTS ledger_entry_is_final;
            UPDATE ledger_entry SET amount_micros = amount_micros + 1 WHERE source = 'overage' AND entry_id & 3 = 1;
            """),
        tampering("a settled day is forgotten", "UPDATE ledger_state SET settled_through = settled_through - 1"),
        tampering("closed days are open again", "UPDATE ledger_state SET closed_through = settled_through"),
        tampering("refused events are lost", "DELETE FROM quarantine WHERE quarantine_id = 2"),
        tampering("an answer is not counted", "DELETE FROM outcome_counter WHERE outcome = 'duplicate'"),
        tampering(
            "a day begins an hour late", "UPDATE day_start SET starts_at = starts_at + 3600000000 WHERE day % 2 = 0"),
        tampering(
            "a device's name is lost",
            """
            UPDATE device SET name = NULL, fingerprint = zeroblob(16) WHERE name = 'd3';
            UPDATE new_device SET name = NULL, fingerprint = zeroblob(16) WHERE name = 'd3';
            """),
        tampering(
            "refused events move the test clock",
            """
            UPDATE ledger_state
            SET latest_instant = (SELECT max(arrived_at) FROM quarantine)
            WHERE latest_instant < (SELECT max(arrived_at) FROM quarantine)
                AND (SELECT test_clock FROM ledger_property) = 1
            """),
        tampering("a grant holds more than was sold", "UPDATE grant_item SET granted = granted + 1"),
        tampering(
            "an event is received that nobody sent",
            "UPDATE outcome_counter SET events = events + 1 WHERE outcome = 'received'",
            noticedBy: .everyEventIsAnswered),
    ]

    /// The store that does this before each step.
    private static func tampering(
        _ description: String, _ sql: String, noticedBy law: Law? = nil, noticedByFailing: Bool = false
    ) -> Planted {
        var planted = Planted(description) {
            $0.tampering = { driver in
                try driver.ledger.file.write { database in
                    let before = database.totalChangesCount
                    try database.execute(sql: sql)
                    return database.totalChangesCount - before
                }
            }
        }
        planted.isTampering = true
        planted.isNoticedByFailing = noticedByFailing
        planted.onlyLaw = law
        return planted
    }

    /// Steps whose events are others.
    private static func told(
        _ change: @escaping @Sendable (inout History.Event) -> Void
    ) -> @Sendable (History.Step) -> History.Step {
        { step in
            guard case .ingest(var events) = step.action else { return step }
            for index in events.indices { change(&events[index]) }
            var step = step
            step.action = .ingest(events)
            return step
        }
    }
}

extension History.Settings {
    fileprivate func with(_ change: (inout History.Settings) -> Void) -> History.Settings {
        var settings = self
        change(&settings)
        return settings
    }
}
