// How large the benchmark is: a quick form for every day, a full form for figures that are published.

/// Sizes of all workloads.
struct Scale {
    let isFull: Bool
    let runs: Int
    /// Device-months that the ledger of N, D and E holds.
    let heldDeviceMonths: Int
    /// The events of a realistic day, nearly.
    let dayEvents: Int
    let newDeviceEvents: Int
    /// Gateway calls: held from earlier days, held of today, and stored while the clock runs.
    let earlierCalls: Int
    let todaysCalls: Int
    let calls: Int
    /// The longest that a closed loop lasts, and how long an open one does.
    let loadSeconds: Double
    /// Device-months in the file when a small day is rated.
    let smallDayHeld: [Int]
    /// Devices in the file when the daemon starts.
    let restartDevices: [Int]
    let memoryDevices: Int
    /// Devices with seven items whose memory is looked at after a restart only.
    let manyMemoryDevices: Int?
    let sealedWhileServing: Int
    let postgresWays: [PostgresFile.Way]
    let neededBytes: Int
    /// How long the compressed day of a soak takes.
    var soakMinutes = 10.0
    /// After so long no further workload begins.
    let maxSeconds: Double

    static func quick(runs: Int?) -> Scale {
        Scale(
            isFull: false, runs: runs ?? 1, heldDeviceMonths: 1_000_000, dayEvents: 1_200_000, newDeviceEvents: 450_000,
            earlierCalls: 1_000_000, todaysCalls: 300_000, calls: 300_000, loadSeconds: 3,
            smallDayHeld: [1_000_000, 3_000_000], restartDevices: [300_000, 1_000_000],
            memoryDevices: 100_000, manyMemoryDevices: nil, sealedWhileServing: 300_000, postgresWays: [.merge],
            neededBytes: 5_000_000_000,
            maxSeconds: 600)
    }

    static func full(runs: Int?) -> Scale {
        Scale(
            isFull: true, runs: runs ?? 3, heldDeviceMonths: 10_000_000, dayEvents: 3_000_000,
            newDeviceEvents: 3_000_000, earlierCalls: 30_000_000, todaysCalls: 10_000_000, calls: 1_000_000,
            loadSeconds: 5,
            smallDayHeld: [1_000_000, 10_000_000, 30_000_000],
            restartDevices: [1_000_000, 10_000_000, 30_000_000], memoryDevices: 1_000_000,
            manyMemoryDevices: 10_000_000,
            sealedWhileServing: 3_000_000, postgresWays: PostgresFile.Way.allCases, neededBytes: 40_000_000_000,
            maxSeconds: 2_400)
    }
}
