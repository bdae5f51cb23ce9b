// The store of usage: applies events to memory and file in one transaction, and takes the memory back when it fails.

package import GRDB
package import Quantities
package import Storage

/// Devices, touches, records and counters of one ledger, with the memory that makes a repeat cost no page.
///
/// Owned by the one writer; not thread-safe. Each batch runs `begin`, any number of `touch` and `record`, `flush`,
/// all inside one write transaction, then `commit` or `rollBack` by how that transaction ended.
package final class UsageStore {
    private let key: FingerprintKey
    private let statements: UsageStatements
    package let identities: IdentityIndex

    private var devices = FingerprintTable<Fingerprint>()
    private var apps: [AppState] = []
    private var appsLoaded = AppsLoaded.none
    /// Days through this one have their evidence sealed.
    private var sealedThrough: Day?

    private var counters: [CounterKey: CounterChange] = [:]
    private var nextTouch: [Day: Int64] = [:]
    private var undo: [Undo] = []

    private enum AppsLoaded { case none, some, all }

    /// What memory holds of an app: `sets[item]` are its months.
    private struct AppState {
        var isLoaded = false
        var deviceCount: UInt32 = 0
        var sets: [[MonthSet]] = []
    }

    struct CounterKey: Hashable {
        let app: Int64
        let item: Int64
        let place: CountingPlace
    }

    struct CounterChange {
        var quantity: Int64 = 0
        var activeDevices: Int64 = 0
    }

    private enum Undo {
        case device(AppID, Fingerprint, UInt32)
        case place(MonthSet, MonthSet.Before)
    }

    package init(file: LedgerFile, key: FingerprintKey) throws {
        self.key = key
        statements = try file.connection { try UsageStatements($0) }
        identities = try IdentityIndex(file: file, key: key)
    }

    // MARK: A batch

    /// Begins a batch inside its write transaction.
    ///
    /// - Parameter expected: the apps that the batch names, so that they are loaded in one pass.
    package func begin(_ database: Database, expected: Set<AppID>) throws {
        if appsLoaded == .none { sealedThrough = try UsageStatements.sealedThrough(database) }
        let missing = expected.filter { !isLoaded($0) }
        if !missing.isEmpty {
            do {
                try load(missing, database)
            } catch {
                // Half a memory would count devices twice: the next batch reads everything anew.
                devices = FingerprintTable()
                apps = []
                appsLoaded = .none
                throw error
            }
        }
        // Apps that were added after everything had been loaded have nothing to load.
        let size = Int(expected.map(\.number).max() ?? 0) + 1
        while apps.count < size { apps.append(AppState()) }
    }

    /// Device activity of one app at a place, for items that count unique devices. A device that is new to the place's
    /// month counts there; one that counted at a larger place moves; activity is counted once a day.
    ///
    /// - Returns: nothing: every outcome is an acceptance (Billing rules, section 2).
    package func touch(
        app: AppID, items: [ItemID], device: UnsafeBufferPointer<UInt8>, place: CountingPlace
    ) throws {
        let ordinal = try self.ordinal(of: device, app: app)
        for item in items {
            let set = monthSet(app: app, item: item, month: place.usageDay.month)
            if place.isOnTime, set.wasActive(ordinal, on: place.usageDay) { continue }
            let deviceID = app.number << 32 | Int64(ordinal)
            var counted = set.place(ordinal)
            if counted == nil, set.isSealed {
                counted = try statements.sealedPlace(month: set.month, item: item, device: deviceID)
            }
            let moves = counted.map { place < $0 } ?? true
            guard moves || place.isOnTime else { continue }

            undo.append(.place(set, set.note(ordinal, at: place)))
            if moves, let counted {
                try appendTouch(item: item, device: deviceID, place: counted, counts: -1)
                counters[CounterKey(app: app.number, item: item.number, place: counted), default: .init()].quantity -= 1
            }
            try appendTouch(item: item, device: deviceID, place: place, counts: moves ? 1 : 0)
            let counter = CounterKey(app: app.number, item: item.number, place: place)
            if moves { counters[counter, default: .init()].quantity += 1 }
            if place.isOnTime { counters[counter, default: .init()].activeDevices += 1 }
        }
    }

    /// Stores a sum event whose identity is free.
    ///
    /// - Throws: ``Quantities/Overflow`` when the batch's sum of an item leaves 64 bits.
    package func record(
        _ record: UsageRecord, app: AppID, items: [ItemID], arrivalDay: Day, _ database: Database
    ) throws {
        try identities.insert(record, app: app, arrivalDay: arrivalDay, database)
        for item in items {
            let counter = CounterKey(app: app.number, item: item.number, place: record.place)
            let sum = Quantity(counters[counter, default: .init()].quantity)
            counters[counter, default: .init()].quantity = try (sum + record.quantity).units
        }
    }

    /// Writes what the batch changed in the counters: one row a changed counter, however many events.
    ///
    /// - Returns: whether any counter changed.
    package func flush() throws -> Bool {
        for (key, change) in counters { try statements.addToCounter(key, change) }
        return !counters.isEmpty
    }

    package func commit() {
        undo.removeAll(keepingCapacity: true)
        counters.removeAll(keepingCapacity: true)
        identities.commit()
    }

    /// Takes back what the batch changed in memory, last change first.
    package func rollBack() {
        for change in undo.reversed() {
            switch change {
            case .device(let app, let fingerprint, let ordinal):
                devices.remove(fingerprint, ordinal)
                apps[Int(app.number)].deviceCount -= 1
            case .place(let set, let before):
                set.restore(before)
            }
        }
        undo.removeAll(keepingCapacity: true)
        counters.removeAll(keepingCapacity: true)
        nextTouch.removeAll()
        identities.rollBack()
    }

    // MARK: Erasure

    /// Erases a device's text from the dictionary; its fingerprint and its counts stay.
    ///
    /// - Returns: whether the app has the device.
    package func erase(
        device: UnsafeBufferPointer<UInt8>, app: AppID, _ database: Database
    ) throws -> Bool {
        try begin(database, expected: [app])
        let fingerprint = key.fingerprint(prefix: UInt64(app.number), device)
        guard let ordinal = devices.value(of: fingerprint) else { return false }
        try UsageStatements.eraseDevice(app.number << 32 | Int64(ordinal), fingerprint, database)
        return true
    }

    // MARK: Memory

    private func ordinal(of device: UnsafeBufferPointer<UInt8>, app: AppID) throws -> UInt32 {
        let fingerprint = key.fingerprint(prefix: UInt64(app.number), device)
        if let ordinal = devices.value(of: fingerprint) { return ordinal }
        let index = Int(app.number)
        let ordinal = apps[index].deviceCount
        try statements.insertDevice(app.number << 32 | Int64(ordinal), name: device)
        devices.insert(fingerprint, ordinal)
        apps[index].deviceCount += 1
        undo.append(.device(app, fingerprint, ordinal))
        return ordinal
    }

    private func monthSet(app: AppID, item: ItemID, month: Month) -> MonthSet {
        let app = Int(app.number)
        let item = Int(item.number)
        while apps[app].sets.count <= item { apps[app].sets.append([]) }
        for set in apps[app].sets[item] where set.month == month { return set }
        let set = MonthSet(month: month, isSealed: sealedThrough.map { month.last <= $0 } ?? false)
        apps[app].sets[item].append(set)
        return set
    }

    private func appendTouch(item: ItemID, device: Int64, place: CountingPlace, counts: Int64) throws {
        let next = try nextTouch[place.postingDay] ?? statements.firstFreeTouch(of: place.postingDay)
        try statements.insertTouch(next, item: item, device: device, usageDay: place.usageDay, counts: counts)
        nextTouch[place.postingDay] = next + 1
    }

    private func isLoaded(_ app: AppID) -> Bool {
        appsLoaded == .all || (Int(app.number) < apps.count && apps[Int(app.number)].isLoaded)
    }

    /// Loads the devices of apps, and where they count in the months that are not yet sealed. The touches of all open
    /// days are read in one pass, so a second call loads every other app rather than reading them again and again.
    private func load(_ wanted: Set<AppID>, _ database: Database) throws {
        let all = try UsageStatements.allApps(database)
        let chosen = appsLoaded == .none ? wanted : Set(all.filter { !isLoaded($0) })
        let size = Int(all.map(\.number).max() ?? 0) + 1
        while apps.count < size { apps.append(AppState()) }
        for app in chosen {
            apps[Int(app.number)].isLoaded = true
            try UsageStatements.eachDevice(of: app, database) { ordinal, name, erased in
                let fingerprint =
                    erased.isEmpty
                    ? key.fingerprint(prefix: UInt64(app.number), name) : Fingerprint(bytes: Array(erased))
                devices.insert(fingerprint, ordinal)
                apps[Int(app.number)].deviceCount = ordinal + 1
            }
        }
        func note(_ device: Int64, item: Int64, place: CountingPlace) {
            let app = AppID(device >> 32)
            guard chosen.contains(app) else { return }
            let set = monthSet(app: app, item: ItemID(item), month: place.usageDay.month)
            set.note(UInt32(truncatingIfNeeded: device), at: place)
        }
        // Sealed rows of months that still have unsealed days.
        let firstOpenMonth = sealedThrough.map { ($0 + 1).month } ?? Month(number: 0)
        for app in chosen {
            try UsageStatements.eachSealedDevice(of: app, from: firstOpenMonth, database) { item, device, place in
                note(device, item: item, place: place)
            }
        }
        try UsageStatements.eachTouch(database) { item, device, place, counts in
            // What is sealed speaks through its rows; its touches only wait to be cleared away.
            if let sealedThrough, place.postingDay <= sealedThrough { return }
            // A place that was left since is larger than the one that counts: the smallest wins, so it may stay.
            if counts >= 0 { note(device, item: item, place: place) }
        }
        appsLoaded = appsLoaded == .none && chosen.count < all.count ? .some : .all
    }

    /// The evidence of days through this one is sealed: months that are over leave the memory.
    func noteSealed(through day: Day) {
        sealedThrough = day
        nextTouch = nextTouch.filter { $0.key > day }
        for app in apps.indices {
            for item in apps[app].sets.indices {
                for (index, set) in apps[app].sets[item].enumerated() where !set.isSealed && set.month.last <= day {
                    apps[app].sets[item][index] = set.sealed(through: day)
                }
                apps[app].sets[item].removeAll { $0.isSealed && $0.isEmpty }
            }
        }
    }
}
