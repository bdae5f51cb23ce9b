// The worked cases about prices: allowance, tiers, versions, fractions of a micro-unit, free items.

extension Scenario {
    private static let synchronizedMessages: [String: [History.Tier]] = [
        "synchronized_messages": [
            History.Tier(upTo: 10_000, price: "0"),
            History.Tier(upTo: 100_000, price: "0.96", per: 10_000),
            History.Tier(price: "0.80", per: 10_000),
        ]
    ]

    static let prices: [ScenarioTable] = [
        ScenarioTable(
            name: "proportional price, not per started 10,000",
            events: [
                .sum("shop", "mobile_gateway", 12_345, "2027-01-10T12:00:00+08:00")
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["overage": 12_345]
            ],
            amounts: ["gateway_calls": 185_175],
            total: 185_175),
        ScenarioTable(
            name: "allowance first, then package, then resource package",
            tiers: [
                "gateway_calls": [
                    History.Tier(upTo: 1_000_000, price: "0"),
                    History.Tier(price: "0.15", per: 10_000),
                ]
            ],
            grants: [
                .package("P", devices: 10_000, purchased: "2026-12-31T12:00:00+08:00"),
                .resource("R", "gateway_calls", 10_000_000, purchased: "2026-12-31T12:00:00+08:00"),
            ],
            events: [
                .sum("shop", "mobile_gateway", 25_000_000, "2027-01-09T12:00:00+08:00")
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["allowance": 1_000_000, "package:P": 20_000_000, "resource_package:R": 4_000_000]
            ],
            amounts: ["gateway_calls": 0],
            total: 0),
        ScenarioTable(
            name: "allowance, package, resource package all used up",
            tiers: [
                "gateway_calls": [
                    History.Tier(upTo: 1_000_000, price: "0"),
                    History.Tier(price: "0.15", per: 10_000),
                ]
            ],
            grants: [
                .package("P", devices: 10_000, purchased: "2026-12-31T12:00:00+08:00"),
                .resource("R", "gateway_calls", 10_000_000, purchased: "2026-12-31T12:00:00+08:00"),
            ],
            events: [
                .sum("shop", "mobile_gateway", 33_000_000, "2027-01-09T12:00:00+08:00")
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": [
                    "allowance": 1_000_000, "overage": 2_000_000, "package:P": 20_000_000,
                    "resource_package:R": 10_000_000,
                ]
            ],
            amounts: ["gateway_calls": 30_000_000],
            total: 30_000_000),
        ScenarioTable(
            name: "graduated tiers: 10000 synchronized messages (legacy tenant)",
            tiers: synchronizedMessages,
            events: [
                .sum("shop", "synchronized_messages", 10_000, "2027-01-09T12:00:00+08:00")
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "synchronized_messages": ["allowance": 10_000]
            ],
            amounts: ["synchronized_messages": 0],
            total: 0),
        ScenarioTable(
            name: "graduated tiers: 10001 synchronized messages (legacy tenant)",
            tiers: synchronizedMessages,
            events: [
                .sum("shop", "synchronized_messages", 10_001, "2027-01-09T12:00:00+08:00")
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "synchronized_messages": ["allowance": 10_000, "overage": 1]
            ],
            amounts: ["synchronized_messages": 96],
            total: 96),
        ScenarioTable(
            name: "graduated tiers: 87000 synchronized messages (legacy tenant)",
            tiers: synchronizedMessages,
            events: [
                .sum("shop", "synchronized_messages", 87_000, "2027-01-09T12:00:00+08:00")
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "synchronized_messages": ["allowance": 10_000, "overage": 77_000]
            ],
            amounts: ["synchronized_messages": 7_392_000],
            total: 7_392_000),
        ScenarioTable(
            name: "graduated tiers: 100000 synchronized messages (legacy tenant)",
            tiers: synchronizedMessages,
            events: [
                .sum("shop", "synchronized_messages", 100_000, "2027-01-09T12:00:00+08:00")
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "synchronized_messages": ["allowance": 10_000, "overage": 90_000]
            ],
            amounts: ["synchronized_messages": 8_640_000],
            total: 8_640_000),
        ScenarioTable(
            name: "tiers run over the month and start again on the first",
            tiers: synchronizedMessages,
            events: [
                .sum("shop", "synchronized_messages", 6000, "2027-01-09T12:00:00+08:00"),
                .sum("shop", "synchronized_messages", 6000, "2027-01-10T12:00:00+08:00"),
                .sum("shop", "synchronized_messages", 6000, "2027-02-01T12:00:00+08:00"),
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "synchronized_messages": ["allowance": 16_000, "overage": 2000]
            ],
            amounts: ["synchronized_messages": 192_000],
            total: 192_000),
        ScenarioTable(
            name: "a price finer than the micro-unit: days add up to the rounded month",
            tiers: [
                "gateway_calls": [
                    History.Tier(price: "0.0025", per: 10_000)
                ]
            ],
            events: ScenarioTable.EventRow.everyDayOfJanuary { .sum("shop", "mobile_gateway", 7, $0) },
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["overage": 217]
            ],
            amounts: ["gateway_calls": 54],
            total: 54),
        ScenarioTable(
            name: "free features are recorded and cost nothing",
            events: [
                .devices("shop", "social_sharing", 1...1000, "2027-01-05T12:00:00+08:00")
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "social_sharing": ["free": 1000]
            ],
            amounts: ["social_sharing": 0],
            total: 0),
        ScenarioTable(
            name: "late messages fill the tiers of their own month",
            tiers: synchronizedMessages,
            events: [
                .sum("shop", "synchronized_messages", 6000, "2027-01-09T12:00:00+08:00"),
                .sum("shop", "synchronized_messages", 10_000, "2027-02-01T12:00:00+08:00"),
                .sum(
                    "shop", "synchronized_messages", 6000, "2027-01-31T12:00:00+08:00",
                    received: "2027-02-03T12:00:00+08:00"),
            ],
            rateThrough: "2027-02-28",
            quantities: [
                "synchronized_messages": ["allowance": 20_000, "overage": 2000]
            ],
            amounts: ["synchronized_messages": 192_000],
            total: 192_000),
        ScenarioTable(
            name: "tiers run over all apps of the tenant",
            apps: ["a", "b"],
            tiers: synchronizedMessages,
            events: [
                .sum("a", "synchronized_messages", 6000, "2027-01-09T12:00:00+08:00"),
                .sum("b", "synchronized_messages", 6000, "2027-01-09T12:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "synchronized_messages": ["allowance": 10_000, "overage": 2000]
            ],
            amounts: ["synchronized_messages": 192_000],
            total: 192_000),
        ScenarioTable(
            name: "tiers count only what no grant covers",
            tiers: [
                "gateway_calls": [
                    History.Tier(upTo: 1_000_000, price: "0.20", per: 10_000),
                    History.Tier(price: "0.10", per: 10_000),
                ]
            ],
            grants: [
                .resource("R", "gateway_calls", 5_000_000, purchased: "2026-12-31T12:00:00+08:00")
            ],
            events: [
                .sum("shop", "mobile_gateway", 7_000_000, "2027-01-09T12:00:00+08:00")
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["overage": 2_000_000, "resource_package:R": 5_000_000]
            ],
            amounts: ["gateway_calls": 30_000_000],
            total: 30_000_000),
        ScenarioTable(
            name: "half a micro-unit goes to the even one, cumulatively",
            tiers: [
                "gateway_calls": [
                    History.Tier(price: "0.0025", per: 10_000)
                ]
            ],
            events: [
                .sum("shop", "mobile_gateway", 2, "2027-01-01T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 4, "2027-01-02T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 4, "2027-01-03T12:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["overage": 10]
            ],
            amounts: ["gateway_calls": 2],
            total: 2),
        ScenarioTable(
            name: "a new price from the 16th: the tier position carries on",
            versions: [
                ScenarioTable.VersionRow(
                    effective: "2027-01-16", applied: "2027-01-12T12:00:00+08:00",
                    tiers: [
                        "gateway_calls": [
                            History.Tier(upTo: 1_000_000, price: "0.20", per: 10_000),
                            History.Tier(price: "0.10", per: 10_000),
                        ]
                    ])
            ],
            events: [
                .sum("shop", "mobile_gateway", 600_000, "2027-01-10T12:00:00+08:00"),
                .sum("shop", "mobile_gateway", 600_000, "2027-01-20T12:00:00+08:00"),
            ],
            rateThrough: "2027-01-31",
            quantities: [
                "gateway_calls": ["overage": 1_200_000]
            ],
            amounts: ["gateway_calls": 19_000_000],
            total: 19_000_000),
    ]
}
