// The workloads that a shape describes, and what a ledger must know before it takes them.

package import Quantities

/// Seeded usage events as lines of JSON (CloudEvents): nobody's, and like those of a mobile platform.
///
///     let workload = Workload(WorkloadShape())
///     var stream = workload.day(LocalDay(Day("2027-01-10")!, start: start, end: end, offsetMinutes: 480))
///     var chunk: [UInt8] = []
///     while stream.append(to: &chunk, maxBytes: 1 << 20) > 0 {
///         …                                    // whole lines, in the order in which they arrive
///         chunk.removeAll(keepingCapacity: true)
///     }
///
/// Nothing is drawn before it is asked for and nothing is kept: each event of each day follows from the seed, the day and
/// the event's place in it. So days can be had alone and in any order, and memory does not grow with the devices.
package struct Workload: Sendable {
    package let shape: WorkloadShape
    let key: UInt64
    /// From it and a device's number follows the device's text; no two numbers have the same.
    let deviceKey: UInt64
    let apps: AppSizes

    /// - Precondition: the numbers of the shape are in their ranges, and its shares from 0 to 1, those of duplicates, late
    ///   events and events after finality together too.
    package init(_ shape: WorkloadShape) {
        precondition((1...WorkloadShape.maxApps).contains(shape.apps) && (1...shape.apps).contains(shape.tenants))
        precondition((1...WorkloadShape.maxDevices).contains(shape.devices) && shape.eventsPerItem > 0)
        for share in [shape.callsShare, shape.duplicates, shape.late, shape.afterFinality] {
            precondition((0...1).contains(share))
        }
        precondition(shape.duplicates + shape.late + shape.afterFinality <= 1)
        self.shape = shape
        key = mixed(shape.seed &+ Chance.step)
        deviceKey = subkey(key, 2)
        apps = AppSizes(count: shape.apps)
    }

    /// `tenant-01` and so on.
    package var tenants: [String] { (0..<shape.tenants).map(Self.tenant) }

    /// Every app, the largest first, and whose it is.
    package var ownedApps: [(app: String, tenant: String)] {
        (0..<shape.apps).map { (Self.app($0), Self.tenant($0 % shape.tenants)) }
    }

    static func app(_ rank: Int) -> String { "app-" + padded(rank + 1, to: 4) }
    private static func tenant(_ number: Int) -> String { "tenant-" + padded(number + 1, to: 2) }

    private static func padded(_ number: Int, to width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    // MARK: The three workloads

    /// The most events of a stream that is asked for a number of them.
    package static let maxEvents = 100_000_000_000

    /// What arrives on a local day: devices that come back and repeat themselves, calls among them, some of it twice, late
    /// or after finality.
    ///
    /// A ledger that takes the lines at the end of that day, or up to two weeks later, refuses none.
    package func day(_ day: LocalDay) -> EventStream {
        EventStream(.day(DayOfUse(self, day)), on: day, of: self)
    }

    /// Devices that were never there before, from number `first` on, each with three items and an event for each; the
    /// three are near each other and not adjacent.
    ///
    /// - Parameters:
    ///   - first: streams with other numbers, 0 to ``maxEvents``, or on other days share no device; none shares one with
    ///     ``day(_:)``.
    ///   - events: at most so many; there are three for each device.
    package func newDevices(first: Int = 0, events: Int, on day: LocalDay) -> EventStream {
        EventStream(.newDevices(NewDevices(self, first: first, events: events, on: day.day)), on: day, of: self)
    }

    /// Gateway calls, one an event, each with an id of its own, from number `first` on.
    ///
    /// - Parameter first: streams with other numbers, 0 to ``maxEvents``, or on other days share no id.
    package func calls(first: Int = 0, events: Int, on day: LocalDay) -> EventStream {
        EventStream(.calls(SingleCalls(self, first: first, events: events, on: day.day)), on: day, of: self)
    }
}

/// A day in a time zone.
package struct LocalDay: Sendable {
    package let day: Day
    package let start: Instant
    /// The first instant of the next day.
    package let end: Instant
    /// How the times of this day's events are written: so far from UTC. On a day on which the clocks change it is right in
    /// one part and, as any offset is, still names the same instants in the other.
    package let offsetMinutes: Int

    package init(_ day: Day, start: Instant, end: Instant, offsetMinutes: Int) {
        self.day = day
        self.start = start
        self.end = end
        self.offsetMinutes = offsetMinutes
    }
}

/// Sizes of apps by Zipf's law: the app of rank r is 1/r of the first.
struct AppSizes: Sendable {
    /// For each app the end of its part of 32 random bits.
    private let ends: [UInt64]

    init(count: Int) {
        let weights = (1...count).map { 1 / Double($0) }
        let total = weights.reduce(0, +)
        var sum = 0.0
        var ends: [UInt64] = []
        for weight in weights {
            sum += weight
            ends.append(UInt32.threshold(min(1, sum / total)))
        }
        ends[count - 1] = 1 << 32
        self.ends = ends
    }

    /// The rank, from 0, of an app drawn with 32 random bits.
    @inline(__always)
    func rank(of bits: UInt32) -> Int {
        let bits = UInt64(bits)
        var low = 0
        var high = ends.count - 1
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] <= bits { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
