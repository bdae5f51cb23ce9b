// swift-tools-version: 6.2
// Targets from the pure rules at the bottom to the executable at the top; the README has the map.

import PackageDescription

// Only the checks set this: a newer compiler's new warnings must not stop a user's build.
let warnings: [SwiftSetting] =
    Context.environment["METERD_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]
let strict: [SwiftSetting] =
    warnings + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let nioLocks = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "meterd",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "meterd", targets: ["meterd"]),
        .executable(name: "departures-sample", targets: ["DeparturesSample"]),
        .executable(name: "meterd-bench", targets: ["MeterdBench"]),
        // For the tests: put before a program's calls to the system by LD_PRELOAD.
        .library(name: "Interposer", type: .dynamic, targets: ["Interposer"]),
        .executable(name: "meterd-simulate", targets: ["Simulate"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
    ],
    targets: [
        // Pure: no clock, no files, no randomness.
        library("Quantities"),
        library("EventCodec", ["Quantities"]),
        library("Rating", ["Quantities"]),
        library("Accounting", ["Quantities", "Rating", crypto]),
        library("MarkedYAML", ["Quantities", yams]),
        library("PriceBookFile", ["MarkedYAML", "Quantities", "Rating"]),

        // Events to try a ledger with, and to measure one by; as pure as the others.
        library("Workload", ["Quantities"]),

        // Storage.
        .executableTarget(name: "EmbedSQL", swiftSettings: strict),
        .plugin(
            name: "EmbedSQLPlugin", capability: .buildTool(), dependencies: ["EmbedSQL"],
            path: "Sources/EmbedSQLPlugin"),
        .target(name: "Migrations", path: "Migrations", swiftSettings: strict, plugins: ["EmbedSQLPlugin"]),
        .systemLibrary(name: "CSQLiteSettings", path: "Sources/CSQLiteSettings", providers: [.apt(["libsqlite3-dev"])]),
        library("Storage", ["CSQLiteSettings", "Quantities", "Migrations", grdb, sqlite, crypto]),
        .systemLibrary(name: "CPrefetch", path: "Sources/CPrefetch"),
        library("UsageStore", ["CPrefetch", "Quantities", "Storage", grdb, sqlite]),
        .systemLibrary(name: "CClock", path: "Sources/CClock"),
        library("LedgerStore", ["CClock", "Quantities", "Rating", "Accounting", "PriceBookFile", "Storage", grdb]),

        // The two jobs, and the command line over them.
        library("Ingestion", ["EventCodec", "Quantities", "Rating", "UsageStore", "LedgerStore", "Storage", grdb]),
        library(
            "RatingRun", ["Quantities", "Rating", "Accounting", "UsageStore", "LedgerStore", "Storage", grdb]),
        library(
            "Operations",
            [
                "EventCodec", "Quantities", "Rating", "PriceBookFile", "Storage", "UsageStore", "LedgerStore",
                "Ingestion", "RatingRun", "Accounting", grdb,
            ]),
        library(
            "Verification",
            [
                "Quantities", "EventCodec", "Rating", "Accounting", "Migrations", "Storage", "UsageStore",
                "LedgerStore",
                grdb,
            ]),
        library(
            "Writer",
            [
                "EventCodec", "Quantities", "Storage", "UsageStore", "LedgerStore", "Ingestion", "Operations", logging,
                grdb,
            ]),
        library(
            "Forwarding",
            ["EventCodec", "Quantities", "Storage", "UsageStore", "LedgerStore", "Ingestion", "Operations", "Writer"]),

        // The daemon.
        library("Settings", ["Quantities", "MarkedYAML"]),
        library("Systemd", ["Quantities", logging]),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        library("Gzip", ["CZlib"]),
        library(
            "HTTPAPI",
            [
                "EventCodec", "Quantities", "Storage", "UsageStore", "LedgerStore", "Ingestion", "Writer", "Gzip",
                hummingbird, hummingbirdCore, httpTypes, logging, nioCore, nioLocks, nioHTTP1, nioHTTPTypes,
                nioHTTPTypesHTTP1, grdb,
            ]),
        library(
            "Serving",
            [
                "Quantities", "Storage", "LedgerStore", "Operations", "RatingRun", "Writer", "Forwarding", "HTTPAPI",
                "Settings", "Systemd", hummingbird, lifecycle, unixSignals, logging, nioCore,
            ]),
        library(
            "Commands",
            [
                "EventCodec", "Quantities", "Rating", "Accounting", "MarkedYAML", "PriceBookFile", "Storage",
                "UsageStore", "LedgerStore", "Ingestion", "RatingRun", "Operations", "Forwarding", "Verification",
                "Gzip", "Settings", "Systemd", "Serving", "Workload", logging, argumentParser, grdb,
            ]),
        // Converts the sample's table of departures to events.
        .executableTarget(name: "DeparturesSample", swiftSettings: strict),
        .executableTarget(name: "meterd", dependencies: ["Commands"], swiftSettings: strict),

        // The benchmark: built by scripts/bench, not installed.
        .systemLibrary(name: "CEpoll", path: "Sources/CEpoll"),
        library(
            "Bench",
            ["CEpoll", "Quantities", "Workload", "Storage", "LedgerStore", argumentParser, sqlite, grdb]),
        .executableTarget(name: "MeterdBench", dependencies: ["Bench"], swiftSettings: strict),

        // Tests: the pure targets, the files, the rules against the oracle.
        .testTarget(
            name: "EventCodecTests", dependencies: ["TestSupport", "EventCodec", "Quantities"], swiftSettings: strict),
        .testTarget(
            name: "PriceBookFileTests", dependencies: ["MarkedYAML", "Quantities", "Rating", "PriceBookFile"],
            swiftSettings: strict),
        .testTarget(
            name: "WorkloadTests",
            dependencies: ["TestSupport", "EventCodec", "PriceBookFile", "Quantities", "Rating", "Workload"],
            swiftSettings: strict),
        .testTarget(name: "SettingsTests", dependencies: ["Settings"], swiftSettings: strict),
        .testTarget(
            name: "VerificationTests",
            dependencies: [
                "TestSupport", "BuiltProgram", "LedgerFixture", "EventCodec", "Quantities", "Rating", "Accounting",
                "PriceBookFile",
                "Migrations", "Storage", "UsageStore", "LedgerStore", "Ingestion", "RatingRun", "Operations",
                "Verification", sqlite, grdb,
            ], swiftSettings: strict),
        // What the tests below share: how long they wait, whose turn it is, seeded chance, the built programs, and a ledger
        // in a folder of its own.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "BuiltProgram", dependencies: ["TestSupport"], path: "Tests/BuiltProgram", swiftSettings: strict),
        .target(name: "Seeded", path: "Tests/Seeded", swiftSettings: strict),
        // Programs whose calls to the system are watched, fail, or see another time.
        .systemLibrary(name: "CInterposerJournal", path: "Tests/CInterposerJournal"),
        .target(name: "Interposer", path: "Tests/Interposer", publicHeadersPath: "."),
        .target(
            name: "Interposing", dependencies: ["BuiltProgram", "CInterposerJournal"], path: "Tests/Interposing",
            swiftSettings: strict),
        .executableTarget(name: "InterposerProbe", path: "Tests/InterposerProbe", swiftSettings: strict),
        .target(
            name: "LedgerFixture",
            dependencies: [
                "EventCodec", "Quantities", "Rating", "PriceBookFile", "Migrations", "Storage", "LedgerStore",
                "Ingestion", "Operations", sqlite, grdb,
            ], path: "Tests/LedgerFixture", swiftSettings: strict),
        .testTarget(
            name: "InterposerTests",
            dependencies: ["TestSupport", "BuiltProgram", "Interposing", "LedgerFixture", "InterposerProbe"],
            swiftSettings: strict),
        .target(
            name: "PowerLoss", dependencies: ["Interposing", "Seeded"], path: "Tests/PowerLoss", swiftSettings: strict),
        .testTarget(
            name: "PowerLossTests",
            dependencies: [
                "TestSupport", "PowerLoss", "Interposing", "Seeded", "BuiltProgram", "LedgerFixture", "Migrations",
                "Quantities",
                "Storage", "LedgerStore", "Ingestion", "Operations", "Verification", grdb, "meterd",
            ], swiftSettings: strict),
        .testTarget(
            name: "IngestionTests",
            dependencies: [
                "LedgerFixture", "EventCodec", "Quantities", "PriceBookFile", "Storage", "LedgerStore", "Ingestion",
                "Operations", grdb,
            ], swiftSettings: strict),
        .testTarget(
            name: "CrashTests",
            dependencies: [
                "TestSupport", "Seeded", "BuiltProgram", "Interposing", "LedgerFixture", "Migrations", "Storage", grdb,
                "meterd",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "TestSupport", "Seeded", "BuiltProgram", "Interposing", "LedgerFixture", "EventCodec", "PriceBookFile",
                "Storage",
                grdb, "meterd", "DeparturesSample",
            ], swiftSettings: strict),
        .testTarget(
            name: "UsageStoreTests",
            dependencies: [
                "TestSupport", "Seeded", "LedgerFixture", "Quantities", "Storage", "UsageStore", "LedgerStore",
                "RatingRun", "Operations", "Ingestion", grdb,
            ], swiftSettings: strict),
        .testTarget(
            name: "QuantitiesTests", dependencies: ["Seeded", "Quantities", "LedgerStore"], swiftSettings: strict),
        .testTarget(name: "RatingTests", dependencies: ["Seeded", "Quantities", "Rating"], swiftSettings: strict),
        .testTarget(
            name: "AccountingTests", dependencies: ["Quantities", "Rating", "Accounting"], swiftSettings: strict),
        .testTarget(
            name: "StorageTests",
            dependencies: ["TestSupport", "LedgerFixture", "Storage", "Migrations", grdb, sqlite], swiftSettings: strict
        ),
        .testTarget(
            name: "UpgradeTests",
            dependencies: [
                "TestSupport", "LedgerFixture", "Quantities", "Accounting", "Migrations", "Storage", "LedgerStore",
                "Ingestion",
                "Operations", "Verification", grdb,
            ], swiftSettings: strict),
        .testTarget(
            name: "RatingRunTests",
            dependencies: [
                "LedgerFixture", "Quantities", "LedgerStore", "Storage", "RatingRun", "Operations", "Verification",
                grdb,
            ], swiftSettings: strict),
        .testTarget(
            name: "WriterTests",
            dependencies: [
                "TestSupport", "LedgerFixture", "EventCodec", "Quantities", "Storage", "UsageStore", "LedgerStore",
                "Ingestion",
                "Operations", "Verification", "Writer", grdb,
            ], swiftSettings: strict),
        .testTarget(
            name: "ForwardingTests",
            dependencies: [
                "TestSupport", "LedgerFixture", "EventCodec", "Quantities", "Rating", "Storage", "LedgerStore",
                "Ingestion",
                "Operations", "Writer", "Forwarding", grdb,
            ], swiftSettings: strict),
        .testTarget(name: "BenchTests", dependencies: ["Bench"], swiftSettings: strict),
        .testTarget(name: "SystemdTests", dependencies: ["BuiltProgram", "Systemd", logging], swiftSettings: strict),
        .testTarget(
            name: "HTTPAPITests",
            dependencies: [
                "TestSupport", "LedgerFixture", "Quantities", "Rating", "LedgerStore", "Storage", "Operations",
                "Writer", "HTTPAPI",
                hummingbird,
                hummingbirdTesting, httpTypes, logging, nioCore, grdb,
            ], swiftSettings: strict),
        .testTarget(
            name: "ServingTests", dependencies: ["EventCodec", "Quantities", "Settings", "Serving"],
            swiftSettings: strict),
        // The command line, as a user types it.
        .testTarget(
            name: "TranscriptTests", dependencies: ["TestSupport", "meterd"], exclude: ["Transcripts", "Serving"],
            swiftSettings: strict),
        .target(name: "Oracle", path: "Tests/Oracle", swiftSettings: strict),
        .testTarget(name: "OracleTests", dependencies: ["TestSupport", "Oracle"], swiftSettings: strict),
        .testTarget(
            name: "LedgerTests",
            dependencies: [
                "TestSupport", "Seeded", "LedgerFixture", "Oracle", "Simulator", "EventCodec", "Quantities", "Rating",
                "PriceBookFile",
                "Storage", "UsageStore", "LedgerStore", "Ingestion", "Operations", "Verification", grdb,
            ], swiftSettings: strict),
        // Random histories on real ledgers, compared with the oracle; scripts/simulate runs it for long.
        .target(
            name: "Simulator",
            dependencies: [
                "Oracle", "EventCodec", "Quantities", "Rating", "PriceBookFile", "Storage", "UsageStore",
                "LedgerStore", "Ingestion", "RatingRun", "Operations", "Verification", grdb,
            ], path: "Tests/Simulator", swiftSettings: strict),
        .testTarget(
            name: "SimulatorTests",
            dependencies: [
                "TestSupport", "Simulator", "Simulate", "BuiltProgram", "LedgerFixture", "Oracle", "Operations",
                "Storage", grdb,
            ], swiftSettings: strict),
        .executableTarget(
            name: "Simulate", dependencies: ["Simulator", "Oracle"], path: "Tests/Simulate", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
