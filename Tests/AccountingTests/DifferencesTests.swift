// What is appended to make the ledger say the truth: new lines, changed ones, lines that are gone, and nothing.

import Accounting
import Quantities
import Rating
import Testing

@Suite("Differences between the truth and the ledger (Billing rules, section 6)")
struct DifferencesTests {
    private static func code(_ text: String) -> Code {
        guard let code = Code(text) else { preconditionFailure("'\(text)' is no code") }
        return code
    }

    private static let posted = Day(20_828)

    private static func key(_ item: String, _ source: Source = .overage, grant: String? = nil, used: Int = 0) -> LineKey
    {
        LineKey(
            usageDay: posted - used, app: code("shop"), item: code(item), source: source, grant: grant.map { code($0) },
            tier: source == .overage ? 1 : nil, priceVersion: 1)
    }

    private static func line(_ key: LineKey, _ quantity: Int64, _ micros: Int64 = 0) -> RatedLine {
        RatedLine(key: key, quantity: Quantity(quantity), amount: Money(micros: micros))
    }

    private static func booked(_ quantity: Int64, _ micros: Int64 = 0) -> Booked {
        Booked(quantity: Quantity(quantity), amount: Money(micros: micros))
    }

    /// Entries as `item source quantity micros`.
    private func entries(_ truth: [RatedLine], _ booked: [LineKey: Booked]) throws -> [String] {
        try Differences.entries(tenant: Self.code("acme"), postedDay: Self.posted, truth: truth, booked: booked).map {
            "\($0.item?.text ?? "-") \($0.source.rawValue) \($0.quantity.units) \($0.amount.micros)"
        }
    }

    private let calls = key("calls")
    private let devices = key("devices")

    @Test("Nothing is appended where both agree, and all of it where the ledger is empty")
    func agreement() throws {
        let truth = [Self.line(calls, 5, 75), Self.line(devices, 2, 60_000)]
        #expect(try entries(truth, [calls: Self.booked(5, 75), devices: Self.booked(2, 60_000)]) == [])
        #expect(try entries(truth, [:]) == ["calls overage 5 75", "devices overage 2 60000"])
        #expect(try entries([], [:]) == [])
        #expect(try entries([], [calls: .nothing]) == [])
    }

    @Test("A line that changed is appended as the difference, in quantity or amount, up or down")
    func changes() throws {
        let table: [(truth: (Int64, Int64), booked: (Int64, Int64), expected: [String])] = [
            ((7, 105), (5, 75), ["calls overage 2 30"]), ((3, 45), (5, 75), ["calls overage -2 -30"]),
            ((5, 76), (5, 75), ["calls overage 0 1"]), ((5, 74), (5, 75), ["calls overage 0 -1"]),
            ((6, 75), (5, 75), ["calls overage 1 0"]), ((5, 75), (0, 0), ["calls overage 5 75"]),
        ]
        for (truth, booked, expected) in table {
            let found = try entries([Self.line(calls, truth.0, truth.1)], [calls: Self.booked(booked.0, booked.1)])
            #expect(found == expected)
        }
    }

    @Test("A line that is gone is taken back; those come last, in a fixed order")
    func gone() throws {
        let covered = Self.key("calls", .package, grant: "p")
        let earlier = Self.key("calls", used: 2)
        #expect(
            try entries(
                [Self.line(covered, 5)],
                [calls: Self.booked(5, 75), devices: Self.booked(1, 30_000), earlier: Self.booked(1, 15)]
            ) == ["calls package 5 0", "calls overage -1 -15", "calls overage -5 -75", "devices overage -1 -30000"])
    }

    @Test("After the differences are booked, a second run appends nothing")
    func idempotence() throws {
        var booked: [LineKey: Booked] = [calls: Self.booked(5, 75), devices: Self.booked(1, 30_000)]
        let truth = [Self.line(calls, 7, 100)]
        for entry in try Differences.entries(
            tenant: Self.code("acme"), postedDay: Self.posted, truth: truth, booked: booked)
        {
            let key = entry.item == calls.item ? calls : devices
            try booked[key, default: .nothing].quantity += entry.quantity
            try booked[key, default: .nothing].amount += entry.amount
        }
        #expect(try entries(truth, booked) == [])
    }

    @Test("An entry says why it is there where that is not plain")
    func reasons() throws {
        func reason(_ line: RatedLine, _ booked: [LineKey: Booked]) throws -> [String?] {
            try Differences.entries(tenant: Self.code("acme"), postedDay: Self.posted, truth: [line], booked: booked)
                .map(\.reason)
        }
        #expect(try reason(Self.line(calls, 1, 15), [:]) == [nil])
        #expect(
            try reason(Self.line(Self.key("calls", used: 3), 1, 15), [:]) == [
                "correction: arrived after \(Self.posted - 3) was final"
            ])
        #expect(
            try reason(Self.line(calls, 2, 30), [calls: Self.booked(1, 15)]) == [
                "rated anew: the difference to what stood here"
            ])
        #expect(
            try reason(Self.line(calls, 1, 15), [calls: Self.booked(1, 15), devices: Self.booked(1)]) == [
                "rated anew: no longer so"
            ])
    }

    @Test("A difference beyond 64 bits is an error")
    func overflow() {
        #expect(throws: Overflow.self) { try entries([Self.line(calls, 1)], [calls: Self.booked(.min)]) }
        #expect(throws: Overflow.self) { try entries([], [calls: Self.booked(0, .min)]) }
    }
}
