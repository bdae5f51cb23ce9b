// Books read to the values that stand in them, and are written as they were read.

import MarkedYAML
import PriceBookFile
import Quantities
import Rating
import Testing

private func code(_ text: String) throws -> Code { try #require(Code(text)) }

@Suite("A price book file")
struct PriceBookFileTests {
    static let everything = """
        book: every/feature
        effective: "2027-03-01"
        currency: JPY
        items:
          devices: { unit: device, aggregation: unique_devices, tiers: [ { price: 1 } ] }
          "123": { name: "No: #1, \\"quoted\\" \\\\ é 漢 {}", aggregation: unique_devices, free: true, legacy: false }
          "null": { name: "null", unit: "yes", aggregation: sum, tiers: &tiers
                    [ { up_to: 5, price: "0" }, { up_to: 9223372036854775806, price: 0.000000000001, per: 1000000000 },
                      { price: 999999999999.999999999999 } ] }
          "a:": { aggregation: sum, tiers: *tiers }
          Old.priced: { aggregation: sum, legacy: true, replaced_by: [ "a:", devices ], tiers: *tiers }
          Old.free: { aggregation: sum, legacy: true, replaced_by: [ "null" ], free: true }
          Old.bare: { aggregation: unique_devices, legacy: true, replaced_by: [ "123" ], name: " padded " }
        features:
          none: { items: [] }
          "true": { name: True, items: [ devices, "123", Old.bare ] }
          sums: { name: "a # b", items: [ "a:", "null" ] }
        offers:
          mini_program_package: { name: "-", term: month, devices: { min: 1, max: 1000000000000 },
                                  monthly: { devices: devices, "123": 7, "a:": 1000000000000000 },
                                  licences: [ kernel, "on" ] }
          resource_package: { term: month }
          subscription: { terms: [ year ] }
        """

    @Test("is read as it stands")
    func values() throws {
        let book = try PriceBookFile.read(Self.everything)
        #expect(book.name == "every/feature")
        #expect(book.effective.description == "2027-03-01")
        #expect(book.currency.code == "JPY")
        #expect(book.items.count == 7)
        #expect(book.items[try code("123")]?.name == #"No: #1, "quoted" \ é 漢 {}"#)
        #expect(book.items[try code("devices")]?.name == "devices")
        #expect(book.items[try code("a:")]?.unit == "unit")
        #expect(book.items[try code("null")]?.allowance == Quantity(5))
        #expect(book.items[try code("Old.bare")]?.pricing == Pricing.none)
        #expect(book.items[try code("Old.priced")]?.replacedBy == [try code("a:"), try code("devices")])
        #expect(book.features[try code("none")]?.items == [])
        #expect(book.miniProgramPackage?.devices == 1...1_000_000_000_000)
        #expect(book.miniProgramPackage?.monthly[try code("123")] == .fixed(Quantity(7)))
        #expect(book.miniProgramPackage?.licences == [try code("kernel"), try code("on")])
        #expect(book.resourcePackage == ResourcePackageOffer(name: "resource_package", term: .month))
        #expect(book.subscription == SubscriptionOffer(name: "subscription", terms: [.year]))
    }

    @Test("is written so that it reads to the same book", arguments: [everything, PriceBookFile.builtIn])
    func roundTrip(yaml: String) throws {
        let book = try PriceBookFile.read(yaml)
        let written = PriceBookFile.write(book)
        #expect(try PriceBookFile.read(written) == book)
        #expect(PriceBookFile.write(try PriceBookFile.read(written)) == written)
    }

    @Test("is written in a layout that people can read")
    func layout() throws {
        let yaml = """
            book: small
            effective: 2026-01-01
            currency: USD
            items:
              calls: { name: API calls, unit: call, aggregation: sum, tiers: [ { price: "0.15", per: 10000 } ] }
              devices: { name: devices, unit: device, aggregation: unique_devices, free: true }
              old:
                { name: "Old, by volume", unit: byte, aggregation: sum, legacy: true,
                  replaced_by: [ calls ],
                  tiers: [
                    { up_to: 10000, price: "0" },
                    { up_to: 100000, price: "0.96", per: 10000 },
                    { price: "0.8", per: 10000 } ] }
            features:
              kernel: { name: mPaaS kernel, items: [] }
            offers:
              mini_program_package:
                name: Mini Program package
                term: year
                devices: { min: 10, max: 100 }
                monthly:
                  calls: 2000
                  devices: devices
                licences: [ kernel ]
              subscription: { name: Subscription, terms: [ month, year ] }

            """
        #expect(PriceBookFile.write(try PriceBookFile.read(yaml)) == yaml)
    }

    @Test("may be JSON")
    func json() throws {
        let json = """
            {
            \t"book": "small", "effective": "2026-01-01", "currency": "USD",
            \t"items": {
            \t\t"devices":{"aggregation":"unique_devices","tiers":[{"price":0.03}],"name":"Caf\\u00e9 \\/ bar"},
            \t\t"calls": {"aggregation": "sum", "tiers": [{"up_to": 10, "price": "0"}, {"price": "0.15", "per": 10000}]},
            \t\t"old": {"aggregation": "sum", "legacy": true, "replaced_by": ["calls"]}
            \t},
            \t"features": {"scanner": {"items": ["devices"]}},
            \t"offers": {"subscription": {"terms": ["month", "year"]}}
            }
            """
        let yaml = """
            book: small
            effective: 2026-01-01
            currency: USD
            items:
              devices: { name: Café / bar, aggregation: unique_devices, tiers: [ { price: "0.03" } ] }
              calls: { aggregation: sum, tiers: [ { up_to: 10, price: "0" }, { price: "0.15", per: 10000 } ] }
              old: { aggregation: sum, legacy: true, replaced_by: [ calls ] }
            features:
              scanner: { items: [ devices ] }
            offers:
              subscription: { terms: [ month, year ] }
            """
        #expect(try PriceBookFile.read(json) == PriceBookFile.read(yaml))
    }

    @Test("may begin with a byte order mark and have Windows line ends")
    func windowsFile() throws {
        let yaml = "\u{FEFF}" + BrokenBook.small.split(separator: "\n").joined(separator: "\r\n")
        #expect(try PriceBookFile.read(yaml) == PriceBookFile.read(BrokenBook.small))
        #expect(problems(of: yaml + "\r\nbook: x").first?.line == 18)
    }

    @Test(
        "keeps prices exact",
        arguments: [
            // price               per            units of 10⁻¹²
            ("0.000000000001", 1_000_000_000, 1),
            ("0.000000000001", 1, 1),
            ("0.1", 1, 100_000_000_000),
            ("0.30", 10, 300_000_000_000),
            ("123456789012.000000000001", 1000, 123_456_789_012_000_000_000_001),
            ("0", 1, 0),
        ] as [(String, Int64, Int128)])
    func exactPrices(price: String, per: Int64, units: Int128) throws {
        for text in [price, "\"\(price)\"", "'\(price)'"] {
            let yaml = """
                { book: b, effective: 2026-01-01, currency: USD,
                  items: { a: { aggregation: sum, tiers: [ { price: \(text), per: \(per) } ] } } }
                """
            let book = try PriceBookFile.read(yaml)
            let expected = try #require(UnitPrice(price: Decimal12(units: units), per: per))
            #expect(book.items[try code("a")]?.pricing == .tiers([Tier(upTo: nil, price: expected)]))
            #expect(try PriceBookFile.read(PriceBookFile.write(book)) == book)
        }
    }
}
