// What holds for the lines of every workload.

import EventCodec
import PriceBookFile
import Quantities
import Rating
import TestSupport
import Testing
import Workload

@Suite("The lines of a workload", .computing)
struct WorkloadTests {
    private static let workload = Workload(Generated.shape())

    private static func streams() -> [EventStream] {
        let day = Generated.local()
        return [
            workload.day(day), workload.newDevices(events: 9_000, on: day), workload.calls(events: 9_000, on: day),
        ]
    }

    @Test("the first lines of each workload are these, on every machine")
    func firstLines() {
        let first = Self.streams().map { stream in
            String(decoding: Generated.bytes(stream, maxBytes: EventStream.maxLineBytes), as: UTF8.self)
        }
        #expect(
            first == [
                #"{"specversion":"1.0","type":"meterd.device_activity","source":"/sdk/android","id":"37e2988ce9f1e092","#
                    + #""time":"2027-01-10T00:00:11.262+08:00","subject":"app-0002","data":{"feature":"basic_analysis","#
                    + #""device":"c505eebf-6ba2-cd9e-f6ef-93bc09c5bff9"}}"# + "\n",
                #"{"specversion":"1.0","type":"meterd.device_activity","source":"/sdk/ios","id":"e0600ec240bc63e4","#
                    + #""time":"2027-01-10T00:00:23.463+08:00","subject":"app-0001","data":{"feature":"version_upgrade","#
                    + #""device":"044905f5-1cdd-62e5-4056-50ad257f8be5"}}"# + "\n",
                #"{"specversion":"1.0","type":"meterd.gateway_call","source":"/gw/2","#
                    + #""id":"eff82969-f7d1-94e5-a3f7-cc657419e299","time":"2027-01-10T00:00:23.463+08:00","#
                    + #""subject":"app-0003","data":{"calls":1,"api":"com.example.account.query"}}"# + "\n",
            ])
    }

    @Test("the same seed gives the same bytes, another one other events")
    func seeds() {
        for (one, again) in zip(Self.streams(), Self.streams()) {
            #expect(Generated.bytes(one) == Generated.bytes(again))
        }
        let other = Workload(Generated.shape { $0.seed = 2 })
        let day = Generated.local()
        let streams = [other.day(day), other.newDevices(events: 9_000, on: day), other.calls(events: 9_000, on: day)]
        for (one, other) in zip(Self.streams(), streams) {
            let known = Set(String(decoding: Generated.bytes(one), as: UTF8.self).split(separator: "\n"))
            let lines = String(decoding: Generated.bytes(other), as: UTF8.self).split(separator: "\n")
            #expect(!lines.isEmpty && known.isDisjoint(with: lines))
        }
    }

    @Test("the pieces that a stream is written in make no difference", arguments: [320, 1_000, 65_536, 1 << 20])
    func pieces(maxBytes: Int) {
        for var stream in Self.streams() {
            let whole = Generated.bytes(stream)
            var bytes: [UInt8] = []
            var events = 0
            while true {
                let before = bytes.count
                let part = stream.append(to: &bytes, maxBytes: maxBytes, maxEvents: 1_000)
                #expect(part <= 1_000 && bytes.count - before <= maxBytes)
                events += part
                if part == 0 { break }
                if bytes.last != UInt8(ascii: "\n") { Issue.record("a line that is not whole") }
            }
            #expect(bytes == whole)
            #expect(events == stream.count && stream.written == stream.count)
        }
    }

    @Test("every line is an event of 200 to 280 bytes")
    func lineLengths() throws {
        for stream in Self.streams() {
            let lines = try Generated.lines(stream)
            #expect(lines.allSatisfy { 200...280 ~= $0.text.utf8.count })
            let mean = lines.reduce(0) { $0 + $1.text.utf8.count } / lines.count
            #expect(220...250 ~= mean)
        }
    }

    @Test("a day with another number of hours, or none, takes what arrives")
    func oddDays() throws {
        let usual = Generated.local()
        for hours in [23, 25] {
            let day = LocalDay(
                usual.day, start: usual.start, end: usual.start + hours * 3_600, offsetMinutes: -(9 * 60 + 30))
            let lines = try Generated.lines(
                Workload(
                    Generated.shape {
                        $0.late = 0; $0.afterFinality = 0
                    }
                ).day(day))
            #expect(lines.allSatisfy { day.start.micros / 1_000..<day.end.micros / 1_000 ~= $0.timeMs })
            #expect(lines.allSatisfy { $0.text.contains("-09:30\"") })
            let last = try #require(lines.last)
            #expect(last.timeMs > day.end.micros / 1_000 - 600_000)
        }
        let skipped = LocalDay(usual.day, start: usual.start, end: usual.start, offsetMinutes: 0)
        for stream in [Self.workload.day(skipped), Self.workload.calls(events: 5, on: skipped)] {
            #expect(stream.count == 0 && Generated.bytes(stream).isEmpty)
        }
    }

    @Test("apps have sizes by Zipf's law", arguments: [0, 1, 2])
    func appSizes(stream: Int) throws {
        let lines = try Generated.lines(Self.streams()[stream])
        var counts: [String: Int] = [:]
        for line in lines { counts[line.app, default: 0] += 1 }
        #expect(counts.count == 20)
        // 1 + 1/2 + … + 1/20
        let total = 3.597_74
        for rank in [1, 2, 4, 10] {
            let app = "app-\(String(10_000 + rank).dropFirst())"
            #expect(isAbout(counts[app] ?? 0, of: lines.count, 1 / Double(rank) / total, within: 0.03))
        }
    }

    @Test("tenants own the apps in turn")
    func owners() {
        let workload = Workload(Generated.shape { ($0.apps, $0.tenants) = (5, 2) })
        #expect(workload.tenants == ["tenant-01", "tenant-02"])
        #expect(workload.ownedApps.map(\.app) == ["app-0001", "app-0002", "app-0003", "app-0004", "app-0005"])
        #expect(
            workload.ownedApps.map(\.tenant) == ["tenant-01", "tenant-02", "tenant-01", "tenant-02", "tenant-01"])
    }

    @Test("features are those of the built-in price book that count devices, one item each")
    func features() throws {
        let book = try PriceBookFile.read(PriceBookFile.builtIn)
        let used = Set(try Generated.lines(Self.streams()[0]).map(\.feature)).subtracting([""])
        #expect(used.count == 7)
        for feature in used {
            let code = try #require(Code(feature))
            let items = try #require(book.items(fedBy: code))
            #expect(items.count == 1)
            #expect(items.allSatisfy { book.items[$0]?.aggregation == .uniqueDevices })
        }
    }

    @Test("the smallest shapes work")
    func smallest() throws {
        for devices in [1, 2, 7, 400] {
            let workload = Workload(Generated.shape { ($0.apps, $0.tenants, $0.devices) = (1, 1, devices) })
            for number in 0..<30 { _ = try Generated.lines(workload.day(Generated.local(Generated.day + number))) }
        }
        for events in [1, 2] {
            #expect(try Generated.lines(Self.workload.calls(events: events, on: Generated.local())).count == events)
        }
    }
}
