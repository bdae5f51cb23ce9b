// The worked cases about packages and resource packages: order, validity, ends, purchases recorded late.

extension Scenario {
    static let grants: [ScenarioTable] = [
        ScenarioTable(
            name: "seed example 1: 13M calls, resource package of 10M",
            grants: [
                .resource("R", "gateway_calls", 10_000_000, purchased: "2026-12-31T12:00:00+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 13_000_000, "2027-01-10T12:00:00+08:00")
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["overage": 3_000_000, "resource_package:R": 10_000_000]
            ],
            amounts: ["gateway_calls": 45_000_000],
            total: 45_000_000),
        ScenarioTable(
            name: "seed example 2: annual package, 20M a month, one month 5M over",
            grants: [
                .package("P", devices: 10_000, purchased: "2026-12-31T12:00:00+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 20_000_000, "2027-01-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 20_000_000, "2027-02-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 25_000_000, "2027-03-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 20_000_000, "2027-04-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 20_000_000, "2027-05-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 20_000_000, "2027-06-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 20_000_000, "2027-07-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 20_000_000, "2027-08-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 20_000_000, "2027-09-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 20_000_000, "2027-10-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 20_000_000, "2027-11-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 20_000_000, "2027-12-10T12:00:00+08:00"),
            ],
            rateThrough: "2027-12-31",
            quantities: [
                "gateway_calls": ["overage": 5_000_000, "package:P": 240_000_000]
            ],
            amounts: ["gateway_calls": 75_000_000],
            total: 75_000_000),
        ScenarioTable(
            name: "resource package takes effect the day after purchase",
            grants: [
                .resource("R", "gateway_calls", 10_000_000, purchased: "2027-01-01T09:00:00+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 400_000, "2027-01-01T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 12_600_000, "2027-01-20T12:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["overage": 3_000_000, "resource_package:R": 10_000_000]
            ],
            amounts: ["gateway_calls": 45_000_000],
            total: 45_000_000),
        ScenarioTable(
            name: "monthly package quota comes back, is not carried over",
            grants: [
                .package("P", devices: 10_000, purchased: "2026-12-31T12:00:00+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 30_000_000, "2027-01-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 10_000_000, "2027-02-10T12:00:00+08:00"),
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "gateway_calls": ["overage": 10_000_000, "package:P": 30_000_000]
            ],
            amounts: ["gateway_calls": 150_000_000],
            total: 150_000_000),
        ScenarioTable(
            name: "package, then resource package, then overage, across a month",
            grants: [
                .package("P", devices: 10_000, purchased: "2026-12-31T12:00:00+08:00"),
                .resource("R", "gateway_calls", 10_000_000, purchased: "2026-12-31T12:00:00+08:00"),
            ],
            events: ScenarioTable.EventRow.everyDayOfJanuary { .sum("shop", "mobile_gateway", 1_200_000, $0) },
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["overage": 7_200_000, "package:P": 20_000_000, "resource_package:R": 10_000_000]
            ],
            amounts: ["gateway_calls": 108_000_000],
            total: 108_000_000),
        ScenarioTable(
            name: "device resource package is a yearly pool: the same devices draw again next month",
            grants: [
                .resource("R", "basic_analysis", 5000, purchased: "2026-12-31T12:00:00+08:00")
            ],
            events: [
                .devices("shop", "basic_analysis", 1...3000, "2027-01-01T12:00:00+08:00"),
                .devices("shop", "basic_analysis", 1...3000, "2027-02-01T12:00:00+08:00"),
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "basic_analysis": ["overage": 1000, "resource_package:R": 5000]
            ],
            amounts: ["basic_analysis": 30_000_000],
            total: 30_000_000),
        ScenarioTable(
            name: "apps share the tenant quota, in order of their codes",
            apps: ["a", "b", "c"],
            grants: [
                .resource("R", "basic_analysis", 500, purchased: "2026-12-31T12:00:00+08:00")
            ],
            events: [
                .devices("a", "basic_analysis", 1...300, "2027-01-05T12:00:00+08:00"),
                .devices("b", "basic_analysis", 1...200, "2027-01-05T12:00:00+08:00"),
                .devices("c", "basic_analysis", 1...400, "2027-01-05T12:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "basic_analysis": ["overage": 400, "resource_package:R": 500]
            ],
            amounts: ["basic_analysis": 12_000_000],
            total: 12_000_000),
        ScenarioTable(
            name: "package quota is per item",
            grants: [
                .package("P", devices: 10_000, purchased: "2026-12-31T12:00:00+08:00")
            ],
            events: [
                .devices("shop", "h5_offline_package", 1...10_500, "2027-01-05T12:00:00+08:00"),
                .devices("shop", "basic_analysis", 1...10_000, "2027-01-05T12:00:00+08:00"),
                .devices("shop", "performance_analysis", 1...10_250, "2027-01-05T12:00:00+08:00"),
                .devices("shop", "message_push", 1...10, "2027-01-05T12:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "basic_analysis": ["package:P": 10_000],
                "h5_offline_package": ["overage": 500, "package:P": 10_000],
                "message_push": ["overage": 10],
                "performance_analysis": ["overage": 250, "package:P": 10_000],
            ],
            amounts: [
                "basic_analysis": 0, "h5_offline_package": 15_000_000, "message_push": 300_000,
                "performance_analysis": 7_500_000,
            ],
            total: 22_800_000),
        ScenarioTable(
            name: "package bought mid-month: what was counted before is overage, what returns is not counted again",
            grants: [
                .resource("R", "basic_analysis", 600, purchased: "2027-01-14T10:00:00+08:00")
            ],
            events: [
                .devices("shop", "basic_analysis", 1...400, "2027-01-10T12:00:00+08:00"),
                .devices("shop", "basic_analysis", 1...900, "2027-01-20T12:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "basic_analysis": ["overage": 400, "resource_package:R": 500]
            ],
            amounts: ["basic_analysis": 12_000_000],
            total: 12_000_000),
        ScenarioTable(
            name: "bought in the last second of January, works on 1 February",
            grants: [
                .resource("R", "gateway_calls", 10_000_000, purchased: "2027-01-31T23:59:59+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 1000, "2027-02-01T12:00:00+08:00")
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "gateway_calls": ["resource_package:R": 1000]
            ],
            amounts: ["gateway_calls": 0],
            total: 0),
        ScenarioTable(
            name: "the same instant in UTC is already February in Shanghai",
            grants: [
                .resource("R", "gateway_calls", 10_000_000, purchased: "2027-01-31T16:00:00+00:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 1000, "2027-02-01T12:00:00+08:00")
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "gateway_calls": ["overage": 1000]
            ],
            amounts: ["gateway_calls": 15_000],
            total: 15_000),
        ScenarioTable(
            name: "a resource package ends on its anniversary and forfeits the rest",
            grants: [
                .resource("R", "gateway_calls", 10_000_000, purchased: "2026-12-31T12:00:00+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 8_000_000, "2027-06-01T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 500_000, "2027-12-31T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 500_000, "2028-01-01T12:00:00+08:00"),
            ],
            rateThrough: "2028-01-31",
            quantities: [
                "gateway_calls": ["overage": 500_000, "resource_package:R": 8_500_000]
            ],
            amounts: ["gateway_calls": 7_500_000],
            total: 7_500_000),
        ScenarioTable(
            name: "earliest end first, and an end in the middle",
            grants: [
                .resource("B", "gateway_calls", 10_000_000, purchased: "2026-08-31T12:00:00+08:00"),
                .resource("A", "gateway_calls", 10_000_000, purchased: "2026-05-31T12:00:00+08:00"),
            ],
            events: [
                .sum("shop", "mobile_gateway", 12_000_000, "2027-05-20T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 9_000_000, "2027-06-01T12:00:00+08:00"),
            ],
            rateThrough: "2027-06-30",
            quantities: [
                "gateway_calls": [
                    "overage": 1_000_000, "resource_package:A": 10_000_000, "resource_package:B": 10_000_000,
                ]
            ],
            amounts: ["gateway_calls": 15_000_000],
            total: 15_000_000),
        ScenarioTable(
            name: "effective on a leap day, ends on 1 March",
            grants: [
                .resource("R", "gateway_calls", 10_000_000, purchased: "2028-02-28T10:00:00+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 1000, "2028-02-29T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 1000, "2029-02-28T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 1000, "2029-03-01T12:00:00+08:00"),
            ],
            rateThrough: "2029-03-31",
            quantities: [
                "gateway_calls": ["overage": 1000, "resource_package:R": 2000]
            ],
            amounts: ["gateway_calls": 15_000],
            total: 15_000),
        ScenarioTable(
            name: "last unit of a package across the year end",
            grants: [
                .resource("R", "basic_analysis", 1, purchased: "2027-06-30T12:00:00+08:00")
            ],
            events: [
                .devices("shop", "basic_analysis", 1...1, "2027-12-31T12:00:00+08:00"),
                .devices("shop", "basic_analysis", 1...1, "2028-01-01T12:00:00+08:00"),
            ],
            rateThrough: "2028-01-31",
            quantities: [
                "basic_analysis": ["overage": 1, "resource_package:R": 1]
            ],
            amounts: ["basic_analysis": 30_000],
            total: 30_000),
        ScenarioTable(
            name: "late, before and after the resource package ended",
            grants: [
                .resource("R", "gateway_calls", 1000, purchased: "2026-01-31T12:00:00+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 400, "2027-01-30T12:00:00+08:00", received: "2027-02-02T00:00:00+08:00"),
                .sum("shop", "mobile_gateway", 500, "2027-01-30T12:00:00+08:00", received: "2027-02-03T00:00:00+08:00"),
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "gateway_calls": ["resource_package:R": 900]
            ],
            amounts: ["gateway_calls": 0],
            total: 0),
        ScenarioTable(
            name:
                "a device moves to an earlier open day, before its grant; a late event does not move it back behind a final day",
            grants: [
                .resource("R", "basic_analysis", 5, purchased: "2027-01-19T12:00:00+08:00")
            ],
            events: [
                .devices("shop", "basic_analysis", 1...1, "2027-01-20T12:00:00+08:00"),
                .devices(
                    "shop", "basic_analysis", 1...1, "2027-01-19T12:00:00+08:00", received: "2027-01-21T12:00:00+08:00"),
                .devices("shop", "basic_analysis", 2...2, "2027-01-20T12:00:00+08:00"),
                .devices(
                    "shop", "basic_analysis", 2...2, "2027-01-18T12:00:00+08:00", received: "2027-01-23T00:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "basic_analysis": ["overage": 1, "resource_package:R": 1]
            ],
            amounts: ["basic_analysis": 30_000],
            total: 30_000),
        ScenarioTable(
            name: "codes do not order packages, ends do",
            grants: [
                .resource("Z", "gateway_calls", 10_000_000, purchased: "2026-05-31T12:00:00+08:00"),
                .resource("A", "gateway_calls", 10_000_000, purchased: "2026-08-31T12:00:00+08:00"),
            ],
            events: [
                .sum("shop", "mobile_gateway", 6_000_000, "2027-05-20T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 9_000_000, "2027-06-01T12:00:00+08:00"),
            ],
            rateThrough: "2027-06-30",
            quantities: [
                "gateway_calls": ["resource_package:A": 9_000_000, "resource_package:Z": 6_000_000]
            ],
            amounts: ["gateway_calls": 0],
            total: 0),
        ScenarioTable(
            name: "an earlier open day rated after a later one draws first",
            grants: [
                .resource("R", "gateway_calls", 10, purchased: "2027-01-01T12:00:00+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 10, "2027-01-11T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 10, "2027-01-10T12:00:00+08:00", received: "2027-01-12T10:00:00+08:00"),
            ],
            rates: [
                ScenarioTable.RateRow(day: "2027-01-11", at: "2027-01-12T00:30:00+08:00"),
                ScenarioTable.RateRow(day: "2027-01-10", at: "2027-01-12T11:00:00+08:00"),
            ],
            rateThrough: "2027-01-12",
            quantities: [
                "gateway_calls": ["overage": 10, "resource_package:R": 10]
            ],
            amounts: ["gateway_calls": 150],
            total: 150),
        ScenarioTable(
            name: "a purchase recorded late does not reach back behind final days",
            grants: [
                .resource(
                    "R", "gateway_calls", 10_000_000, purchased: "2027-01-10T12:00:00+08:00",
                    recorded: "2027-01-20T12:00:00+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 1000, "2027-01-12T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 1000, "2027-01-18T12:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["overage": 1000, "resource_package:R": 1000]
            ],
            amounts: ["gateway_calls": 15_000],
            total: 15_000),
    ]
}
