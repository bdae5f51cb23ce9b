// The day of a mobile platform: its shares, its rhythm, and devices that come back.

import EventCodec
import Quantities
import TestSupport
import Testing
import Workload

@Suite("A day of a mobile platform", .computing)
struct DayTests {
    private static let workload = Workload(Generated.shape())

    private static func onTime(_ change: (inout WorkloadShape) -> Void = { _ in }) -> Workload {
        Workload(
            Generated.shape {
                ($0.duplicates, $0.late, $0.afterFinality) = (0, 0, 0)
                change(&$0)
            })
    }

    @Test("a day alone is that day among others, in any order")
    func alone() {
        let days = (0..<5).map { Generated.day + $0 }
        let forward = days.map { Generated.bytes(Self.workload.day(Generated.local($0))) }
        let backward = days.reversed().map { Generated.bytes(Workload(Generated.shape()).day(Generated.local($0))) }
        #expect(forward == backward.reversed())
        #expect(Set(forward).count == 5)
    }

    @Test("four of five events of devices repeat device, item and day")
    func repeats() throws {
        for number in 0..<3 {
            let lines = try Generated.lines(Self.workload.day(Generated.local(Generated.day + number)))
            let activity = lines.filter { $0.kind == .deviceActivity }
            let distinct = Set(activity.map(DeviceItemDay.init)).count
            #expect(isAbout(activity.count - distinct, of: activity.count, 0.8, within: 0.02))
        }
    }

    @Test("repeats are as the mean of events says", arguments: [(1.0, 0.368), (2.0, 0.568), (20.0, 0.95)])
    func otherRepeats(mean: Double, share: Double) throws {
        let lines = try Generated.lines(Self.onTime { $0.eventsPerItem = mean }.day(Generated.local()))
        let activity = lines.filter { $0.kind == .deviceActivity }
        let distinct = Set(activity.map(DeviceItemDay.init)).count
        #expect(isAbout(activity.count - distinct, of: activity.count, share, within: 0.02))
    }

    @Test("calls are their share, and the size of a day does not depend on it", arguments: [0, 0.2, 0.5, 1])
    func callsShare(share: Double) throws {
        let lines = try Generated.lines(Self.onTime { $0.callsShare = share }.day(Generated.local()))
        #expect(lines.count == Self.onTime().day(Generated.local()).count)
        let calls = lines.filter { $0.kind == .gatewayCall }
        #expect(isAbout(calls.count, of: lines.count, share, within: share == 0 || share == 1 ? 0 : 0.01))
        #expect(calls.isEmpty || isAbout(calls.count { $0.quantity == 1 }, of: calls.count, 0.94, within: 0.02))
        let distinct = Set(lines.filter { $0.kind == .deviceActivity }.map(DeviceItemDay.init)).count
        #expect(calls.count == lines.count || isAbout(distinct, of: lines.count - calls.count, 0.2, within: 0.02))
    }

    @Test("duplicates, late events and events after finality are their shares")
    func lateness() throws {
        let start = Generated.local().start.micros / 1_000
        let hourMs: Int64 = 3_600_000
        let lines = try Generated.lines(Workload(Generated.shape { $0.devices = 40_000 }).day(Generated.local()))
        var known: Set<String> = []
        var identities: Set<String> = []
        var (arrivalMs, duplicates, late, final, ofDayBefore) = (start, 0, 0, 0, 0)
        for line in lines {
            guard known.insert(line.text).inserted else {
                duplicates += 1
                continue
            }
            identities.insert(line.source + " " + line.id)
            // The arrival is that of the last event on time, some seconds less.
            let delayMs = arrivalMs - line.timeMs
            if delayMs < hourMs / 2 {
                #expect(line.timeMs >= arrivalMs)
                arrivalMs = line.timeMs
            } else if delayMs < 9 * hourMs {
                late += 1
                if line.timeMs < start { ofDayBefore += 1 }
            } else {
                final += 1
                #expect(delayMs > 72 * hourMs && delayMs <= 21 * 24 * hourMs)
                #expect(line.timeMs < start - 48 * hourMs)
            }
        }
        #expect(identities.count == known.count)
        #expect(isAbout(duplicates, of: lines.count, 0.01, within: 0.002))
        #expect(isAbout(late, of: lines.count, 0.03, within: 0.003))
        #expect(isAbout(final, of: lines.count, 0.001, within: 0.000_5))
        #expect(ofDayBefore > 0)
    }

    @Test("every share may be all there is")
    func extremes() throws {
        let day = Generated.local()
        let late = try Generated.lines(Self.onTime { $0.late = 1 }.day(day))
        #expect(Set(late.map(\.text)).count == late.count)
        let copies = try Generated.lines(Self.onTime { $0.duplicates = 1 }.day(day))
        #expect(Set(copies.map(\.text)).count == 1)
    }

    @Test("lines are in the order in which they arrive, few at night and most in the evening")
    func rhythm() throws {
        let day = Generated.local()
        let lines = try Generated.lines(Self.onTime().day(day))
        #expect(zip(lines, lines.dropFirst()).allSatisfy { $0.timeMs <= $1.timeMs })
        var hours = [Int](repeating: 0, count: 24)
        for line in lines { hours[Int((line.timeMs - day.start.micros / 1_000) / 3_600_000)] += 1 }
        #expect(hours.max() == hours[20])
        #expect(hours[2..<6].allSatisfy { $0 * 10 < hours[20] && $0 > 0 })
    }

    @Test("devices come back, the younger the likelier, and none is older than a year")
    func returning() throws {
        let workload = Self.onTime { $0.callsShare = 0 }
        func active(_ number: Int) throws -> Set<String> {
            Set(try Generated.lines(workload.day(Generated.local(Generated.day + number))).map(\.device))
        }
        let today = try active(0)
        #expect((1_000...2_500).contains(today.count))
        let tomorrow = try active(1)
        let nextMonth = try active(30)
        #expect(today.intersection(tomorrow).count > today.intersection(nextMonth).count)
        #expect(today.intersection(nextMonth).count * 8 > today.count)
        #expect(try active(365).isDisjoint(with: today))
        // Saturday, Sunday and Monday.
        let weekday = Self.onTime().day(Generated.local(Generated.day + 1)).count
        #expect(Self.onTime().day(Generated.local()).count < weekday)
        #expect(Self.onTime().day(Generated.local(Generated.day - 1)).count < weekday)
    }

    @Test("a device has one app and one platform")
    func devicesAreConstant() throws {
        var places: [String: Set<String>] = [:]
        for number in 0..<3 {
            for line in try Generated.lines(Self.workload.day(Generated.local(Generated.day + number)))
            where line.kind == .deviceActivity { places[line.device, default: []].insert(line.app + line.source) }
        }
        #expect(places.values.allSatisfy { $0.count == 1 })
    }
}
