// The store of usage: applies events to memory and file in one transaction, and takes the memory back when it fails.

package import GRDB
package import Quantities
package import Storage

/// Devices, touches, records and counters of one ledger, with the memory that makes a repeat cost no page.
///
/// Owned by the one writer; not thread-safe; what is used for each event goes without checks of exclusive access, which
/// cost more than the use. Each batch runs `load`, any number of `touch` and `record`, `flush`,
/// all inside one write transaction, then `commit` or `rollBack` by how that transaction ended.
package final class UsageStore {
    private let file: LedgerFile
    private let key: FingerprintKey
    private let statements: UsageStatements
    package let identities: IdentityIndex

    @exclusivity(unchecked) private var devices = FingerprintTable<Fingerprint>()
    private var apps: [AppUsage] = []
    /// The same, by number, lent: so that what is asked for each event need not count references.
    @exclusivity(unchecked) private var lentApps: ContiguousArray<Unmanaged<AppUsage>> = []
    @exclusivity(unchecked) private var appsLoaded = AppsLoaded.none
    /// Days through this one have their evidence sealed.
    @exclusivity(unchecked) private var sealedThrough: Day?

    @exclusivity(unchecked) private var counters = CounterChanges()
    @exclusivity(unchecked) private var nextArrival: Int64?
    @exclusivity(unchecked) private var nextTouch: (day: Day, id: Int64)?
    @exclusivity(unchecked) private var undo = Undo()

    private enum AppsLoaded { case none, some, all }

    /// What a batch has changed in memory, each list in order. Apps and their months are lent: they stay while a batch
    /// is under way.
    private struct Undo {
        var devices: ContiguousArray<(app: Unmanaged<AppUsage>, fingerprint: Fingerprint, ordinal: UInt32)> = []
        var places: ContiguousArray<(set: Unmanaged<MonthSet>, before: MonthSet.Before)> = []

        mutating func removeAll() {
            devices.removeAll(keepingCapacity: true)
            places.removeAll(keepingCapacity: true)
        }
    }

    package init(
        file: LedgerFile, key: FingerprintKey, identities bounds: IdentityIndex.Bounds = IdentityIndex.Bounds()
    ) throws {
        self.file = file
        self.key = key
        statements = try file.connection { try UsageStatements($0) }
        identities = try IdentityIndex(file: file, key: key, bounds: bounds)
    }

    // MARK: A batch

    /// Whether memory holds an app, so that its devices may be asked for.
    @inline(__always)
    package func holds(_ app: AppID) -> Bool {
        // Apps that were added after everything had been loaded have nothing to load, but a place in memory to get.
        Int(app.number) < lentApps.count
            && (appsLoaded == .all || lentApps[Int(app.number)]._withUnsafeGuaranteedRef { $0.isLoaded })
    }

    /// Reads what is stored of apps, inside a batch's write transaction.
    ///
    /// - Parameter expected: the apps that the batch names, so that they are loaded in one pass.
    package func load(_ expected: Set<AppID>, _ database: Database) throws {
        if appsLoaded == .none { sealedThrough = try UsageStatements.sealedThrough(database) }
        let missing = expected.filter { !holds($0) }
        guard !missing.isEmpty else { return }
        do {
            try loadMissing(missing, database)
        } catch {
            // Half a memory would count devices twice: the next batch reads everything anew, and of this transaction
            // nothing is left to take back.
            undo.removeAll()
            devices = FingerprintTable()
            apps = []
            lentApps = []
            appsLoaded = .none
            throw error
        }
    }

    @inline(__always)
    private func fingerprint(_ device: Fingerprint, in app: AppID) -> Fingerprint {
        lentApps[Int(app.number)]._withUnsafeGuaranteedRef { device.within(app: $0.fingerprint) }
    }

    @inline(__always)
    private func set(_ app: AppID, _ item: ItemID, _ month: Month) -> Unmanaged<MonthSet> {
        lentApps[Int(app.number)]._withUnsafeGuaranteedRef { $0.set(item, month, sealedThrough: sealedThrough) }
    }

    /// Asks for the memory of a device that is touched soon.
    @inline(__always)
    package func prefetch(app: AppID, device: Fingerprint) {
        devices.prefetch(fingerprint(device, in: app))
    }

    /// Looks a device up that is touched soon, and asks for the memory of its places.
    ///
    /// - Returns: its ordinal, or nil while it is new.
    @inline(__always)
    package func lookAhead(
        app: AppID, items: UnsafeBufferPointer<ItemID>, device: Fingerprint, month: Month
    ) -> UInt32? {
        guard let ordinal = devices.value(of: fingerprint(device, in: app)) else { return nil }
        for item in items { set(app, item, month)._withUnsafeGuaranteedRef { $0.prefetch(ordinal) } }
        return ordinal
    }

    /// Device activity of one app at a place, for items that count unique devices. A device that is new to the place's
    /// month counts there; one that counted at a larger place moves; activity is counted once a day.
    ///
    /// - Parameters:
    ///   - name: the device's id.
    ///   - device: its fingerprint.
    ///   - known: its ordinal, if ``lookAhead(app:items:device:month:)`` has found it.
    /// - Returns: nothing: every outcome is an acceptance (Billing rules, section 2).
    @inline(__always)
    package func touch(
        app: AppID, items: UnsafeBufferPointer<ItemID>, name: UnsafeBufferPointer<UInt8>, device: Fingerprint,
        known: UInt32?, place: CountingPlace, month: Month
    ) throws {
        let ordinal = try known ?? ordinal(of: fingerprint(device, in: app), name: name, app)
        for item in items {
            let set = set(app, item, month)
            if place.isOnTime, set._withUnsafeGuaranteedRef({ $0.wasActive(ordinal, on: place.usageDay) }) { continue }
            try touch(set, item, ordinal, app, place)
        }
    }

    /// Something new of a device, or something late.
    private func touch(
        _ set: Unmanaged<MonthSet>, _ item: ItemID, _ ordinal: UInt32, _ app: AppID, _ place: CountingPlace
    ) throws {
        let deviceID = app.number << 32 | Int64(ordinal)
        let counted: CountingPlace? = try set._withUnsafeGuaranteedRef { set in
            let noted = set.place(ordinal)
            guard set.isSealed else { return noted }
            // Memory knows only of open days: where the device counts is the smaller of the two.
            let sealed = try statements.sealedPlace(month: set.month, item: item, device: deviceID)
            return [noted, sealed].compactMap { $0 }.min()
        }
        let moves = counted.map { place < $0 } ?? true
        guard moves || place.isOnTime else { return }

        undo.places.append((set, set._withUnsafeGuaranteedRef { $0.note(ordinal, at: place) }))
        if moves, let counted {
            try appendTouch(item: item, device: deviceID, place: counted, counts: -1)
            try counters.add(CounterKey(app: app, item: item, place: counted), quantity: Quantity(-1))
        }
        try appendTouch(item: item, device: deviceID, place: place, counts: moves ? 1 : 0)
        try counters.add(
            CounterKey(app: app, item: item, place: place), quantity: Quantity(moves ? 1 : 0),
            activeDevices: place.isOnTime ? 1 : 0)
    }

    /// The most that a counter takes; nearly ten of them fit into what a sum may be.
    package static let largestCounter = Quantity(1_000_000_000_000_000_000)
    /// Of smaller quantities no day can bring so many that a counter would be full.
    private static let largeQuantity = Quantity(1_000_000)

    /// Whether the counters of a sum event's items can take it. One event must not fail all that are stored with it.
    package func hasRoom(
        for quantity: Quantity, app: AppID, items: some Collection<ItemID>, place: CountingPlace, _ database: Database
    ) throws -> Bool {
        guard quantity > Self.largeQuantity else { return true }
        return try items.allSatisfy { item in
            let key = CounterKey(app: app, item: item, place: place)
            let counted = try UsageReading.quantity(of: key, database) + counters.quantity(of: key)
            return try counted + quantity <= Self.largestCounter
        }
    }

    /// Stores a sum event whose identity is free.
    ///
    /// - Parameter identity: the hash of its source and id.
    /// - Throws: ``Quantities/Overflow`` when the batch's sum of an item leaves 64 bits.
    package func record(
        _ record: UsageRecord, identity: UInt64, app: AppID, items: some Collection<ItemID>, arrivalDay: Day,
        _ database: Database
    ) throws {
        try identities.insert(record, identity, app: app, arrivalDay: arrivalDay, database)
        for item in items {
            try counters.add(CounterKey(app: app, item: item, place: record.place), quantity: record.quantity)
        }
    }

    /// Writes the rows that are still gathered, and what the batch changed in the counters: one row a changed counter,
    /// however many events. The texts that events brought must live until then.
    ///
    /// - Returns: whether any counter changed.
    package func flush() throws -> Bool {
        for change in counters.changes { try statements.addToCounter(change) }
        try statements.flush()
        try identities.flush()
        return !counters.changes.isEmpty
    }

    package func commit() {
        undo.removeAll()
        counters.removeAll()
        identities.commit()
    }

    /// Takes back what the batch changed in memory, last change first.
    package func rollBack() {
        for change in undo.places.reversed() { change.set._withUnsafeGuaranteedRef { $0.restore(change.before) } }
        for change in undo.devices.reversed() {
            devices.remove(change.fingerprint, change.ordinal)
            change.app._withUnsafeGuaranteedRef { $0.deviceCount -= 1 }
        }
        undo.removeAll()
        counters.removeAll()
        nextArrival = nil
        nextTouch = nil
        statements.forget()
        identities.rollBack()
    }

    // MARK: Erasure

    /// Erases a device's text from the dictionary; its fingerprint and its counts stay.
    ///
    /// - Returns: whether the app has the device.
    package func erase(
        device: UnsafeBufferPointer<UInt8>, app: AppID, _ database: Database
    ) throws -> Bool {
        try load([app], database)
        let fingerprint = key.device(device).within(app: apps[Int(app.number)].fingerprint)
        guard let ordinal = devices.value(of: fingerprint) else { return false }
        try UsageStatements.eraseDevice(app.number << 32 | Int64(ordinal), fingerprint, database)
        return true
    }

    // MARK: Memory

    private func ordinal(
        of fingerprint: Fingerprint, name: UnsafeBufferPointer<UInt8>, _ appID: AppID
    ) throws -> UInt32 {
        if let ordinal = devices.value(of: fingerprint) { return ordinal }
        let app = lentApps[Int(appID.number)]
        let ordinal = app._withUnsafeGuaranteedRef { $0.deviceCount }
        let arrival = try nextArrival ?? statements.firstFreeArrival()
        try statements.insertDevice(appID.number << 32 | Int64(ordinal), arrival: arrival, name: name)
        nextArrival = arrival + 1
        devices.insert(fingerprint, ordinal)
        app._withUnsafeGuaranteedRef { $0.deviceCount += 1 }
        undo.devices.append((app, fingerprint, ordinal))
        return ordinal
    }

    private func appendTouch(item: ItemID, device: Int64, place: CountingPlace, counts: Int64) throws {
        let next: Int64
        if let nextTouch, nextTouch.day == place.postingDay {
            next = nextTouch.id
        } else {
            next = try statements.firstFreeTouch(of: place.postingDay)
        }
        try statements.insertTouch(next, item: item, device: device, usageDay: place.usageDay, counts: counts)
        nextTouch = (place.postingDay, next + 1)
    }

    private func makeRoom(through last: Int64) {
        while apps.count <= last {
            let app = AppUsage(fingerprint: key.app(AppID(Int64(apps.count))))
            apps.append(app)
            lentApps.append(Unmanaged.passUnretained(app))
        }
    }

    /// Loads the devices of apps, and where they count in the months that are not yet sealed. The touches of all open
    /// days are read in one pass, so a second call loads every other app rather than reading them again and again.
    private func loadMissing(_ wanted: Set<AppID>, _ database: Database) throws {
        let all = try UsageStatements.allApps(database)
        makeRoom(through: max(wanted.map(\.number).max() ?? 0, all.map(\.number).max() ?? 0))
        guard appsLoaded != .all else { return }
        let isFirst = appsLoaded == .none
        let chosen = isFirst ? Array(wanted) : all.filter { !apps[Int($0.number)].isLoaded }
        try MemoryReading(key: key, devices: devices, apps: apps, chosen: chosen, sealedThrough: sealedThrough)
            // Before the first apps are in memory, no transaction has changed what is read of them.
            .run(database, beside: isFirst ? { [file] in try file.openAgain() } : nil)
        appsLoaded = isFirst && chosen.count < all.count ? .some : .all
    }

    /// The evidence of days through this one is sealed: months that are over leave the memory.
    func noteSealed(through day: Day) {
        sealedThrough = day
        nextTouch = nil
        for app in apps { app.noteSealed(through: day) }
    }
}
