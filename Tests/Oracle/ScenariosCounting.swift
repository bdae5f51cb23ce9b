// The worked cases about what counts, when and how often: days, months, zones, late and repeated events.

extension Scenario {
    static let counting: [ScenarioTable] = [
        ScenarioTable(
            name: "one device, many events, one month: one",
            events: ScenarioTable.EventRow.everyDayOfJanuary { .devices("shop", "basic_analysis", 1...1, $0) },
            rateThrough: "2027-01-31",
            quantities: [
                "basic_analysis": ["overage": 1]
            ],
            amounts: ["basic_analysis": 30_000],
            total: 30_000),
        ScenarioTable(
            name: "month boundary at local midnight",
            events: [
                .devices("shop", "basic_analysis", 1...1, "2027-01-31T23:59:59+08:00"),
                .devices("shop", "basic_analysis", 1...1, "2027-02-01T00:00:00+08:00"),
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "basic_analysis": ["overage": 2]
            ],
            amounts: ["basic_analysis": 60_000],
            total: 60_000),
        ScenarioTable(
            name: "one device in three apps counts three",
            apps: ["a", "b", "c"],
            events: [
                .devices("a", "basic_analysis", 1...1, "2027-01-05T12:00:00+08:00"),
                .devices("b", "basic_analysis", 1...1, "2027-01-05T12:00:00+08:00"),
                .devices("c", "basic_analysis", 1...1, "2027-01-05T12:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "basic_analysis": ["overage": 3]
            ],
            amounts: ["basic_analysis": 90_000],
            total: 90_000),
        ScenarioTable(
            name: "billing zone decides the month (Shanghai)",
            events: [
                .devices("shop", "basic_analysis", 1...1, "2027-01-31T15:59:59+00:00"),
                .devices("shop", "basic_analysis", 1...1, "2027-01-31T16:00:00+00:00"),
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "basic_analysis": ["overage": 2]
            ],
            amounts: ["basic_analysis": 60_000],
            total: 60_000),
        ScenarioTable(
            name: "billing zone decides the month (UTC)",
            zone: "UTC",
            events: [
                .devices("shop", "basic_analysis", 1...1, "2027-01-31T15:59:59+00:00"),
                .devices("shop", "basic_analysis", 1...1, "2027-01-31T16:00:00+00:00"),
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "basic_analysis": ["overage": 1]
            ],
            amounts: ["basic_analysis": 30_000],
            total: 30_000),
        ScenarioTable(
            name: "arrives in the last open second",
            events: [
                .devices(
                    "shop", "basic_analysis", 1...1, "2027-01-30T12:00:00+08:00", received: "2027-02-01T23:59:59+08:00")
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "basic_analysis": ["overage": 1]
            ],
            amounts: ["basic_analysis": 30_000],
            total: 30_000),
        ScenarioTable(
            name: "arrives when its day is final: a correction on the earliest open day",
            events: [
                .devices(
                    "shop", "basic_analysis", 1...1, "2027-01-30T12:00:00+08:00", received: "2027-02-02T00:00:00+08:00")
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "basic_analysis": ["overage": 1]
            ],
            amounts: ["basic_analysis": 30_000],
            total: 30_000),
        ScenarioTable(
            name: "late, but its month already knows the device",
            events: [
                .devices("shop", "basic_analysis", 1...1, "2027-01-05T12:00:00+08:00"),
                .devices(
                    "shop", "basic_analysis", 1...1, "2027-01-31T12:00:00+08:00", received: "2027-02-03T00:00:00+08:00"),
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "basic_analysis": ["overage": 1]
            ],
            amounts: ["basic_analysis": 30_000],
            total: 30_000),
        ScenarioTable(
            name: "an event delivered a hundred times counts once",
            events: [
                .sum("shop", "mobile_gateway", 100, "2027-01-10T12:00:00+08:00", id: "x", deliveries: 100)
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["overage": 100]
            ],
            amounts: ["gateway_calls": 1500],
            total: 1500),
        ScenarioTable(
            name: "mini program feeds four items",
            events: [
                .devices("shop", "mini_program_release", 1...3, "2027-01-05T12:00:00+08:00"),
                .devices("shop", "h5_offline_package", 1...2, "2027-01-05T12:00:00+08:00"),
                .devices("shop", "mini_program_analysis", 1...3, "2027-01-05T12:00:00+08:00"),
                .devices("shop", "code_scanner", 2...4, "2027-01-06T12:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "basic_analysis": ["overage": 4],
                "custom_analysis": ["overage": 3],
                "h5_offline_package": ["overage": 3],
                "performance_analysis": ["overage": 3],
            ],
            amounts: [
                "basic_analysis": 120_000, "custom_analysis": 90_000, "h5_offline_package": 90_000,
                "performance_analysis": 90_000,
            ],
            total: 390_000),
        ScenarioTable(
            name: "New York: the day with 25 hours is one day",
            zone: "America/New_York",
            events: [
                .devices("shop", "basic_analysis", 1...1, "2027-11-07T00:30:00-04:00"),
                .devices("shop", "basic_analysis", 1...2, "2027-11-07T23:30:00-05:00"),
                .devices("shop", "basic_analysis", 3...3, "2027-11-08T00:30:00-05:00"),
            ],
            rateThrough: "2027-11-30",
            quantities: [
                "basic_analysis": ["overage": 3]
            ],
            amounts: ["basic_analysis": 90_000],
            total: 90_000),
        ScenarioTable(
            name: "the same id a month later is a conflict",
            events: [
                .sum("shop", "mobile_gateway", 100, "2027-01-10T12:00:00+08:00", id: "x"),
                .sum("shop", "mobile_gateway", 100, "2027-02-10T12:00:00+08:00", id: "x"),
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "gateway_calls": ["overage": 100]
            ],
            amounts: ["gateway_calls": 1500],
            total: 1500),
        ScenarioTable(
            name: "age counts in local dates, across the end of daylight saving",
            zone: "America/New_York",
            events: [
                .sum(
                    "shop", "mobile_gateway", 1000, "2027-10-10T12:00:00-04:00", received: "2027-11-14T12:00:00-05:00"),
                .sum(
                    "shop", "mobile_gateway", 1000, "2027-10-10T12:00:00-04:00", received: "2027-11-15T00:00:00-05:00"),
            ],
            rateThrough: "2027-11-30",
            quantities: [
                "gateway_calls": ["overage": 1000]
            ],
            amounts: ["gateway_calls": 15_000],
            total: 15_000),
        ScenarioTable(
            name: "rated while open, more arrives, rated again when settled",
            events: [
                .sum("shop", "mobile_gateway", 1000, "2027-01-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 500, "2027-01-10T18:00:00+08:00", received: "2027-01-12T10:00:00+08:00"),
            ],
            rates: [
                ScenarioTable.RateRow(day: "2027-01-10", at: "2027-01-11T00:30:00+08:00")
            ],
            rateThrough: "2027-01-12",
            quantities: [
                "gateway_calls": ["overage": 1500]
            ],
            amounts: ["gateway_calls": 22_500],
            total: 22_500),
    ]
}
