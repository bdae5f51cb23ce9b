// The built-in price book (billing rules, section 3) in plain values, typed in from the rules, not from the program.

extension History.PriceBook {
    /// - Parameter tiers: tiers that replace those of the book, by item.
    package static func builtIn(effectiveDay: Int, tiers: [String: [History.Tier]] = [:]) -> History.PriceBook {
        let book = History.PriceBook(
            effectiveDay: effectiveDay, items: currentItems + freeItems + legacyItems, features: features,
            packageQuotas: [
                "h5_offline_package": .devices,
                "basic_analysis": .devices,
                "custom_analysis": .devices,
                "performance_analysis": .devices,
                "gateway_calls": .fixed(20_000_000),
            ],
            packageDevices: 10_000...100_000)
        return book.applying(History.PriceBookChanges(tiers: tiers), effectiveDay: effectiveDay)
    }

    static let deviceItems = [
        "version_release", "data_sync", "message_push", "basic_analysis", "custom_analysis", "performance_analysis",
        "h5_offline_package",
    ]

    static let freeCodes = ["frontend_framework", "social_sharing", "device_id", "datacenter", "location"]

    private static let currentItems: [History.Item] =
        deviceItems.map { History.Item($0, .uniqueDevices, tiers: [History.Tier(price: "0.03")]) } + [
            History.Item("gateway_calls", .sum, tiers: [History.Tier(price: "0.15", per: 10_000)])
        ]

    private static let freeItems = freeCodes.map { History.Item($0, .uniqueDevices, free: true) }

    private static let legacyItems: [History.Item] = {
        let analysis = ["basic_analysis", "custom_analysis", "performance_analysis"]
        return [
            legacy("release_update_api", ["version_release"]),
            legacy("package_download_traffic", ["h5_offline_package"]),
            legacy("log_reporting_traffic", analysis),
            legacy("historical_log_storage", analysis),
            legacy("diagnostic_log_pulls", analysis),
            legacy("pushed_messages", ["message_push"]),
            legacy("synchronized_messages", ["data_sync"]),
        ]
    }()

    private static func legacy(_ code: String, _ replacedBy: [String]) -> History.Item {
        History.Item(code, .sum, legacy: true, replacedBy: replacedBy)
    }

    private static let features: [String: [String]] = {
        var features = [
            "version_upgrade": ["version_release"],
            "mobile_gateway": ["gateway_calls"],
            "data_sync": ["data_sync"],
            "message_push": ["message_push"],
            "basic_analysis": ["basic_analysis"],
            "custom_analysis": ["custom_analysis"],
            "performance_analysis": ["performance_analysis"],
            "security_armor": [],
            "mini_program_release": ["h5_offline_package"],
            "mini_program_analysis": ["basic_analysis", "custom_analysis", "performance_analysis"],
            "h5_offline_package": ["h5_offline_package"],
            "code_scanner": ["basic_analysis"],
            "kernel": [],
        ]
        for code in freeCodes { features[code] = [code] }
        return features
    }()
}
