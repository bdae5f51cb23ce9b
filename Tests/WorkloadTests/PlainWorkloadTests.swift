// Devices that are new, and single calls.

import EventCodec
import Quantities
import TestSupport
import Testing
import Workload

@Suite("New devices and single calls", .computing)
struct PlainWorkloadTests {
    private static let workload = Workload(Generated.shape())

    @Test(
        "a new device has three items, an event each, near each other and not adjacent",
        arguments: [6, 33, 191, 192, 193, 384, 500, 30_000])
    func newDevices(events: Int) throws {
        let lines = try Generated.lines(Self.workload.newDevices(events: events, on: Generated.local()))
        #expect(lines.count == events / 3 * 3)
        var places: [String: [Int]] = [:]
        var features: [String: Set<String>] = [:]
        var apps: [String: Set<String>] = [:]
        for (place, line) in lines.enumerated() {
            places[line.device, default: []].append(place)
            features[line.device, default: []].insert(line.feature)
            apps[line.device, default: []].insert(line.app)
        }
        #expect(places.count == lines.count / 3)
        #expect(features.values.allSatisfy { $0.count == 3 })
        #expect(apps.values.allSatisfy { $0.count == 1 })
        for places in places.values {
            let steps = zip(places, places.dropFirst()).map { $1 - $0 }
            #expect(steps.count == 2 && steps.allSatisfy { 2...256 ~= $0 })
        }
        #expect(Set(lines.map(\.id)).count == lines.count)
        #expect(zip(lines, lines.dropFirst()).allSatisfy { $0.timeMs <= $1.timeMs })
    }

    @Test("streams with other first devices or on other days share none, neither with each other nor with a day")
    func firstDevices() throws {
        let day = Generated.local()
        var known = Set(try Generated.lines(Self.workload.day(day)).map(\.device))
        for first in [0, 1_000, 2_000] {
            let lines = try Generated.lines(Self.workload.newDevices(first: first, events: 3_000, on: day))
            let devices = Set(lines.map(\.device))
            #expect(devices.count == 1_000)
            #expect(known.isDisjoint(with: devices))
            known.formUnion(devices)
        }
        let tomorrow = Generated.local(Generated.day + 1)
        let lines = try Generated.lines(Self.workload.newDevices(events: 3_000, on: tomorrow))
        #expect(known.isDisjoint(with: lines.map(\.device)))
    }

    @Test("calls are single, each with an id of its own, also from stream to stream")
    func calls() throws {
        let day = Generated.local()
        var known: Set<String> = []
        for first in [0, 10_000, 20_000] {
            let lines = try Generated.lines(Self.workload.calls(first: first, events: 10_000, on: day))
            #expect(lines.count == 10_000)
            #expect(lines.allSatisfy { $0.kind == .gatewayCall && $0.quantity == 1 })
            #expect(zip(lines, lines.dropFirst()).allSatisfy { $0.timeMs <= $1.timeMs })
            known.formUnion(lines.map(\.id))
        }
        let tomorrow = Generated.local(Generated.day + 1)
        known.formUnion(try Generated.lines(Self.workload.calls(events: 10_000, on: tomorrow)).map(\.id))
        #expect(known.count == 40_000)
    }
}
