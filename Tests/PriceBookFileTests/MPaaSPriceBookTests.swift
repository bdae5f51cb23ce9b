// The built-in book against the tables of the billing rules, section 3.

import PriceBookFile
import Quantities
import Rating
import Testing

@Suite("The built-in price book")
struct MPaaSPriceBookTests {
    let book: PriceBook

    init() throws { book = try PriceBookFile.read(PriceBookFile.builtIn) }

    @Test("has the product features of the rules, and no others")
    func features() {
        let table = """
            version_upgrade       | version_release
            mobile_gateway        | gateway_calls
            data_sync             | data_sync
            message_push          | message_push
            basic_analysis        | basic_analysis
            custom_analysis       | custom_analysis
            performance_analysis  | performance_analysis
            security_armor        |
            mini_program_release  | h5_offline_package
            mini_program_analysis | basic_analysis custom_analysis performance_analysis
            h5_offline_package    | h5_offline_package
            code_scanner          | basic_analysis
            frontend_framework    | frontend_framework
            social_sharing        | social_sharing
            device_id             | device_id
            datacenter            | datacenter
            location              | location
            kernel                |
            """
        let features = book.features.values.map { "\($0.code) | \($0.items.map(\.text).joined(separator: " "))" }
        #expect(features.sorted() == rows(table))
    }

    @Test("has the items of the rules at their prices, and no others")
    func items() {
        let table = """
            version_release          | device  | unique_devices | 0.03 per 1
            h5_offline_package       | device  | unique_devices | 0.03 per 1
            basic_analysis           | device  | unique_devices | 0.03 per 1
            custom_analysis          | device  | unique_devices | 0.03 per 1
            performance_analysis     | device  | unique_devices | 0.03 per 1
            message_push             | device  | unique_devices | 0.03 per 1
            data_sync                | device  | unique_devices | 0.03 per 1
            gateway_calls            | call    | sum            | 0.15 per 10000
            frontend_framework       | device  | unique_devices | free
            social_sharing           | device  | unique_devices | free
            device_id                | device  | unique_devices | free
            datacenter               | device  | unique_devices | free
            location                 | device  | unique_devices | free
            release_update_api       | call    | sum            | legacy: version_release
            package_download_traffic | byte    | sum            | legacy: h5_offline_package
            log_reporting_traffic    | byte    | sum            | legacy: basic_analysis custom_analysis performance_analysis
            historical_log_storage   | byte    | sum            | legacy: basic_analysis custom_analysis performance_analysis
            diagnostic_log_pulls     | pull    | sum            | legacy: basic_analysis custom_analysis performance_analysis
            pushed_messages          | message | sum            | legacy: message_push
            synchronized_messages    | message | sum            | legacy: data_sync
            """
        let items = book.items.values.map { item in
            "\(item.code) | \(item.unit) | \(item.aggregation.rawValue) | \(price(of: item))"
        }
        #expect(items.sorted() == rows(table))
    }

    @Test("bills the examples of the rules: 3,000,000 calls cost 45 dollars, one call 15 micro-dollars")
    func examples() throws {
        let calls = try #require(Code("gateway_calls").flatMap { book.items[$0] })
        guard case .tiers(let tiers) = calls.pricing else {
            Issue.record("gateway calls have a price")
            return
        }
        #expect(try tiers[0].price.amount(for: Quantity(3_000_000)).rounded() == Money(micros: 45_000_000))
        #expect(try tiers[0].price.amount(for: Quantity(1)).rounded() == Money(micros: 15))
        #expect(book.items.values.allSatisfy { $0.allowance == nil })
    }

    @Test("has the three offers")
    func offers() throws {
        let package = try #require(book.miniProgramPackage)
        #expect(package.term == .year)
        #expect(package.devices == 10_000...100_000)
        #expect(package.licences.map(\.text) == ["kernel"])
        let monthly = package.monthly.map { code, quota in
            switch quota {
            case .devices: "\(code) | devices"
            case .fixed(let quantity): "\(code) | \(quantity.units)"
            }
        }
        let table = """
            h5_offline_package   | devices
            basic_analysis       | devices
            custom_analysis      | devices
            performance_analysis | devices
            gateway_calls        | 20000000
            """
        #expect(monthly.sorted() == rows(table))
        #expect(book.resourcePackage?.term == .year)
        #expect(book.subscription?.terms == [.month, .year])
    }

    @Test("is named mpaas and prices in dollars from 2026 on")
    func top() {
        #expect(book.name == "mpaas")
        #expect(book.effective.description == "2026-01-01")
        #expect(book.currency.code == "USD")
    }

    /// The rows of a table without the blanks that align it.
    private func rows(_ table: String) -> [String] {
        table.split(separator: "\n").map { row in
            row.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.split(separator: " ").joined(separator: " ") }.joined(separator: " | ")
        }.sorted()
    }

    private func price(of item: Item) -> String {
        switch item.pricing {
        case .free: return "free"
        case .none: return "legacy: \(item.replacedBy.map(\.text).joined(separator: " "))"
        case .tiers(let tiers):
            return tiers.map { "\(Money(micros: Int64($0.price.price.units / 1_000_000))) per \($0.price.per)" }
                .joined(separator: ", ")
        }
    }
}
