// The offers on sale: the three that the program knows.

import MarkedYAML
import Quantities
import Rating

struct Offers {
    var miniProgramPackage: PackageOffer?
    var resourcePackage: ResourcePackageOffer?
    var subscription: SubscriptionOffer?
}

extension FieldReader {
    mutating func offers(_ field: Field, _ known: BookItems) -> Offers? {
        let keys = ["mini_program_package", "resource_package", "subscription"]
        guard let record = record(field, "offers", keys: keys) else { return nil }
        var offers = Offers()
        offers.miniProgramPackage = record[keys[0]].flatMap { packageOffer($0, code: keys[0], known) }
        offers.resourcePackage = record[keys[1]].flatMap { resourcePackageOffer($0, code: keys[1]) }
        offers.subscription = record[keys[2]].flatMap { subscriptionOffer($0, code: keys[2]) }
        return offers
    }

    private mutating func packageOffer(_ field: Field, code: String, _ known: BookItems) -> PackageOffer? {
        let keys = ["name", "term", "devices", "monthly", "licences"]
        guard let record = record(field, "a package offer", keys: keys) else { return nil }
        let name = label("name", of: record, default: code)
        let term = term(record)
        let devices = required("devices", of: record, hint: "the sizes on sale, like { min: 10000, max: 100000 }")
            .flatMap { deviceRange($0) }
        let monthly = required("monthly", of: record, hint: "the items that it grants every month")
            .flatMap { monthlyQuotas($0, known) }
        let licences =
            record["licences"].map { codes($0, mayBeEmpty: true, expecting: "a list of codes, like [ kernel ]") } ?? []
        for (code, place) in licences ?? [] {
            checkCase(of: code, at: place, besides: known.items, "item")
            checkCase(of: code, at: place, besides: known.features, "feature")
        }
        guard let name, let term, let devices, let monthly, let licences else { return nil }
        return PackageOffer(
            name: name, term: term, devices: devices, monthly: monthly, licences: licences.map(\.code))
    }

    private mutating func deviceRange(_ field: Field) -> ClosedRange<Int64>? {
        guard let record = record(field, "devices", keys: ["min", "max"]) else { return nil }
        let range: ClosedRange<Int64> = 1...1_000_000_000_000
        let min = required("min", of: record, hint: "the smallest size").flatMap { whole($0, in: range) }
        let max = required("max", of: record, hint: "the largest size").flatMap { whole($0, in: range) }
        guard let min, let max else { return nil }
        guard min <= max else {
            record["max"].map { report($0, "\(max) is below min, \(min); write the larger number as max") }
            return nil
        }
        return min...max
    }

    private mutating func monthlyQuotas(_ field: Field, _ known: BookItems) -> [Code: MonthlyQuota]? {
        let expecting = "a map from items to devices or a number, like { gateway_calls: 20000000 }"
        guard let entries = codeMap(field, expecting: expecting) else { return nil }
        var quotas: [Code: MonthlyQuota] = [:]
        for (code, value) in entries where itemExists(code, at: value, in: known) {
            quotas[code] = quota(of: code, value, known)
        }
        return quotas
    }

    private mutating func quota(of item: Code, _ field: Field, _ known: BookItems) -> MonthlyQuota? {
        guard field.scalarText == "devices" else {
            return whole(field, in: 1...1_000_000_000_000_000, or: "devices or ").map { .fixed(Quantity($0)) }
        }
        if known.aggregations[item] == .sum {
            report(field, "\(item) counts no devices, its aggregation is sum; write a whole number")
        }
        return .devices
    }

    private mutating func resourcePackageOffer(_ field: Field, code: String) -> ResourcePackageOffer? {
        guard let record = record(field, "a resource package offer", keys: ["name", "term"]) else { return nil }
        let name = label("name", of: record, default: code)
        let term = term(record)
        guard let name, let term else { return nil }
        return ResourcePackageOffer(name: name, term: term)
    }

    private mutating func subscriptionOffer(_ field: Field, code: String) -> SubscriptionOffer? {
        let expecting = "a list of terms, like [ month, year ]"
        guard let record = record(field, "a subscription offer", keys: ["name", "terms"]) else { return nil }
        let name = label("name", of: record, default: code)
        guard let termsField = required("terms", of: record, hint: expecting),
            let elements = list(termsField, expecting: expecting)
        else { return nil }
        var terms: [Term] = []
        for element in elements {
            guard let term = choice(element, of: Term.allCases) else { continue }
            if terms.contains(term) {
                report(element, "the list has \(term.rawValue) already; remove one of the two")
            } else {
                terms.append(term)
            }
        }
        return name.map { SubscriptionOffer(name: $0, terms: terms) }
    }

    private mutating func term(_ record: Record) -> Term? {
        required("term", of: record, hint: "month or year").flatMap { choice($0, of: Term.allCases) }
    }
}
