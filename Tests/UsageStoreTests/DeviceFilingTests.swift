// Filing: new devices move to where their apps' are, and nobody who counts, reads or erases them notices.

import Ingestion
import LedgerFixture
import Operations
import Seeded
import Storage
import TestSupport
import Testing
import UsageStore

@Suite("Filing", .computing)
struct DeviceFilingTests {
    private static let names = """
        SELECT app.code, device_id & 0xFFFFFFFF, coalesce(known.name, hex(fingerprint))
        FROM (SELECT * FROM device UNION ALL SELECT device_id, name, fingerprint FROM new_device) AS known
        JOIN app ON app.app_id = device_id >> 32
        ORDER BY 1, 2
        """

    private static func events(_ devices: Range<Int>) -> [String] {
        devices.map { EventLine.device("device-\($0)", at: "2027-01-10T10:00:00Z", app: app($0)).text }
    }

    private static func app(_ device: Int) -> String { device % 3 == 0 ? "kiosk" : device % 3 == 1 ? "shop" : "rides" }

    private func ledger(devices: Int) throws -> LedgerFixture {
        let ledger = try LedgerFixture.withApps(now: "2027-01-10T12:00:00Z")
        _ = try ledger.ingest(Self.events(0..<devices))
        return ledger
    }

    private func file(
        _ ledger: LedgerFixture, slices: Int = 1_000, fewest: Int = 1, between: () throws -> Void = {}
    ) throws {
        var bounds = DeviceFiling.Bounds()
        (bounds.devicesPerSlice, bounds.fewestDevices) = (slices, fewest)
        try DeviceFiling(file: ledger.ledger.file, bounds: bounds).file(between: between)
    }

    @Test("waits until there are enough")
    func enough() throws {
        let ledger = try ledger(devices: 29)
        try file(ledger, fewest: 30)
        #expect(try ledger.rows("SELECT count(*) FROM device") == ["0"])
        _ = try ledger.ingest(Self.events(0..<30))
        try file(ledger, fewest: 30)
        #expect(try ledger.rows("SELECT count(*) FROM device") == ["30"])
        #expect(try ledger.rows("SELECT count(*) FROM new_device") == ["0"])
    }

    @Test("in slices of any size moves each device once, and may end between any two", arguments: [1, 7, 40, 1_000])
    func slices(size: Int) throws {
        let ledger = try ledger(devices: 100)
        try ledger.ledger.eraseDevice("device-50", app: LedgerFixture.code("rides"), clock: ledger.clock)
        let (names, counted) = (try ledger.rows(Self.names), try ledger.countedDevices())
        #expect(try ledger.rows("SELECT count(*) FROM new_device") == ["100"])
        struct Stop: Error {}
        var slices = 0
        var isDone = false
        while !isDone {
            isDone = true
            do {
                try file(ledger, slices: size) {
                    slices += 1
                    #expect(try ledger.rows(Self.names) == names)
                    #expect(try ledger.countedDevices() == counted)
                    if slices.isMultiple(of: 3) { throw Stop() }
                }
            } catch is Stop {
                isDone = false
            }
        }
        #expect(slices == (100 + size - 1) / size)
        #expect(try ledger.rows("SELECT count(*) FROM device") == ["100"])
        #expect(try ledger.rows("SELECT count(*) FROM new_device") == ["0"])
        #expect(try ledger.rows(Self.names) == names)
        #expect(try ledger.countedDevices() == counted)
    }

    @Test("takes what was there when it began; what comes meanwhile is known, and waits")
    func meanwhile() throws {
        let ledger = try ledger(devices: 30)
        var next = 30
        try file(ledger, slices: 10) {
            // Known ones again, filed or not, and three new ones.
            _ = try ledger.ingest(Self.events(0..<next + 3))
            next += 3
        }
        #expect(next == 39)
        #expect(try ledger.rows("SELECT count(*) FROM device") == ["30"])
        #expect(try ledger.rows("SELECT count(*) FROM new_device") == ["9"])
        for isReopened in [false, true] {
            if isReopened { try ledger.reopen() }
            _ = try ledger.ingest(Self.events(0..<39))
            #expect(try ledger.rows(Self.names).count == 39)
        }
        try file(ledger)
        _ = try ledger.ingest(Self.events(0..<45))
        try ledger.reopen()
        _ = try ledger.ingest(Self.events(0..<45))
        #expect(try ledger.rows(Self.names).count == 45)
        #expect(try ledger.evidenceCounts() == ledger.expectedCounts())
    }

    @Test("An app that is named later than others of the process has its new devices, too")
    func appsLoadedLater() throws {
        let ledger = try ledger(devices: 30)
        try file(ledger)
        _ = try ledger.ingest(Self.events(0..<60))
        try ledger.reopen()
        // One app first, which gets a device more, then all others.
        _ = try ledger.ingest(Self.events(60..<61))
        _ = try ledger.ingest(Self.events(0..<61))
        #expect(try ledger.rows(Self.names).count == 61)
        #expect(try ledger.evidenceCounts() == ledger.expectedCounts())
    }
}
