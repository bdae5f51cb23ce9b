// How one event is judged when it arrives (billing rules, sections 2 to 4), check by check.

extension BillingOracle {
    private static let aheadMicros: Int64 = 10 * 60 * 1_000_000

    /// Judges the event, and stores it when it is taken; else keeps it, if it is an event at all.
    mutating func ingest(_ event: History.Event, at: Int64) -> EventOutcome {
        let outcome = take(event, at: at)
        tally[TallyKey(arrivalDay: local.day(of: at), outcome: outcome), default: 0] += 1
        let known = quarantine.firstIndex { $0.text == Bytes(event.description) }
        if case .refused(let refusal) = outcome {
            if case .unreadable = event.kind { return outcome }
            if let known {
                quarantine[known].refusal = refusal
            } else {
                quarantine.append(QuarantinedEvent(event, refusal))
            }
        } else if let known {
            quarantine.remove(at: known)
        }
        return outcome
    }

    private mutating func take(_ event: History.Event, at: Int64) -> EventOutcome {
        if let refusal = judgeForm(event) { return .refused(refusal) }
        let today = local.day(of: at)
        let usageDay = local.day(of: event.timeMicros)
        if let known = judgeIdentity(event, today: today) { return known }
        guard let tenant = tenant(ofApp: event.app) else { return .refused(.unknownApp) }
        if today - usageDay > settings.maxAgeDays { return .refused(.tooOld) }
        if event.timeMicros > at + Self.aheadMicros { return .refused(.inFuture) }

        let items: [String]
        switch itemsFed(by: event, tenant: tenant, usageDay: usageDay) {
        case .success(let fed): items = fed
        case .failure(let refusal): return .refused(refusal)
        }
        let postingDay = max(usageDay, firstOpenDay(today: today))
        store(event, items: items, usageDay: usageDay, arrivalDay: today, postingDay: postingDay)
        return postingDay > usageDay ? .correction : .accepted
    }

    /// The earliest day that still takes usage.
    func firstOpenDay(today: Int) -> Int {
        let notFinal = today - (settings.finalAfterDays - 1)
        guard let closedThrough else { return notFinal }
        return max(notFinal, closedThrough + 1)
    }

    private func judgeForm(_ event: History.Event) -> Refusal? {
        switch event.kind {
        case .unreadable: .malformed
        case .deviceActivity(_, let device): device.isEmpty ? .badDevice : nil
        case .gatewayCall(let quantity), .usage(_, let quantity):
            (1...1_000_000_000_000).contains(quantity) ? nil : .badQuantity
        case .bareCall(let member, _): Self.looksLikeQuantity(member) ? .badQuantity : nil
        case .callBeside(let member, _):
            Self.looksLikeQuantity(member) ? .badQuantity : Self.looksLikeData(member) ? .malformed : nil
        }
    }

    /// Whether a member that is not `calls` may be meant as the quantity: `null` in `calls` itself, a name that is near
    /// `calls` or `quantity`, or another word for them.
    package static func looksLikeQuantity(_ member: String) -> Bool {
        let name = letters(of: member)
        let words = [
            "quantities", "qty", "callnumber", "callsnumber", "callstotal", "calltotal", "quantitytotal",
        ]
        if words.contains(name) || ["calls", "quantity"].contains(where: { neighbours(of: $0).contains(name) }) {
            return true
        }
        let others = ["account", "accounts", "discount", "discounts", "recall", "recalls"]
        return ["call", "calls", "count", "counts", "quantity"].contains(where: name.hasSuffix)
            && !others.contains(where: name.hasSuffix)
    }

    /// Whether a member of an event that has no data may be meant as its data. No value of a history is an object.
    package static func looksLikeData(_ member: String) -> Bool {
        let name = letters(of: member)
        if name == "date" { return false }
        return ["body", "eventdata", "base64", "base64data", "data64", "datab64"].contains(name)
            || ["data", "payload", "database64"].contains { neighbours(of: $0).contains(name) }
    }

    private static func letters(of member: String) -> String { member.lowercased().filter { !" _-.".contains($0) } }

    /// All that a word of small letters becomes by one letter more, less or otherwise, or by two that change places.
    private static func neighbours(of word: String) -> Set<String> {
        let letters = Array(word)
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        var all: Set<String> = [word]
        for at in 0...letters.count {
            for letter in alphabet { all.insert(String(letters[..<at] + [letter] + letters[at...])) }
            guard at < letters.count else { continue }
            all.insert(String(letters[..<at] + letters[(at + 1)...]))
            for letter in alphabet { all.insert(String(letters[..<at] + [letter] + letters[(at + 1)...])) }
            guard at + 1 < letters.count else { continue }
            all.insert(String(letters[..<at] + [letters[at + 1], letters[at]] + letters[(at + 2)...]))
        }
        return all
    }

    /// nil for device activity, and when nobody holds the identity.
    private func judgeIdentity(_ event: History.Event, today: Int) -> EventOutcome? {
        guard let content = sumContent(of: event) else { return nil }
        // After a clock was set back more than one may be held: one that is the same is enough.
        let held = usage.sums.filter { stored in
            stored.source == Bytes(event.source) && stored.id == Bytes(event.id)
                && stored.arrivalDay >= today - settings.maxAgeDays - 1
        }
        if held.isEmpty { return nil }
        let isSame = held.contains { stored in
            Bytes(stored.app) == Bytes(event.app) && Bytes(stored.feature) == Bytes(content.feature)
                && stored.timeMicros == event.timeMicros && stored.quantity == content.quantity
        }
        return isSame ? .duplicate : .refused(.conflict)
    }

    /// The feature and the quantity of a sum event, nil for device activity.
    private func sumContent(of event: History.Event) -> (feature: String, quantity: Int64)? {
        switch event.kind {
        case .deviceActivity, .unreadable: nil
        case .gatewayCall(let calls): ("mobile_gateway", calls)
        case .bareCall, .callBeside: ("mobile_gateway", 1)
        case .usage(let feature, let quantity): (feature, quantity)
        }
    }

    /// The items that the event feeds, each once; or why it is refused as a whole.
    private func itemsFed(
        by event: History.Event, tenant: History.Tenant, usageDay: Int
    ) -> Result<[String], Refusal> {
        let book = books[priceVersion(ofDay: usageDay) - 1]
        let features: [String]
        let aggregation: History.Aggregation
        switch event.kind {
        case .deviceActivity(let named, _): (features, aggregation) = (named, .uniqueDevices)
        case .gatewayCall, .bareCall, .callBeside: (features, aggregation) = (["mobile_gateway"], .sum)
        case .usage(let feature, _): (features, aggregation) = ([feature], .sum)
        case .unreadable: preconditionFailure("a text that is no event feeds nothing")
        }
        var fed: Set<String> = []
        for feature in features {
            guard let codes = book.features[feature] ?? book.item(feature).map({ [$0.code] }) else {
                return .failure(.unknownFeature)
            }
            if codes.isEmpty { return .failure(.notMetered) }
            let items = codes.map { book.item($0)! }
            if items.contains(where: { $0.aggregation != aggregation }) { return .failure(.wrongType) }
            if items.contains(where: { $0.legacy && (!tenant.legacy || $0.tiers.isEmpty) }) {
                return .failure(.legacyItem)
            }
            fed.formUnion(codes)
        }
        return .success(fed.sorted())
    }

    private mutating func store(
        _ event: History.Event, items: [String], usageDay: Int, arrivalDay: Int, postingDay: Int
    ) {
        if case .deviceActivity(_, let device) = event.kind {
            usage.activities.append(
                StoredUsage.Activity(
                    app: event.app, device: Bytes(device), items: items, usageDay: usageDay,
                    usageMonth: Dates.month(ofDay: usageDay), postingDay: postingDay))
        } else if let content = sumContent(of: event) {
            usage.sums.append(
                StoredUsage.Sum(
                    source: Bytes(event.source), id: Bytes(event.id), app: event.app, feature: content.feature,
                    timeMicros: event.timeMicros, quantity: content.quantity, items: items, arrivalDay: arrivalDay,
                    usageDay: usageDay, postingDay: postingDay))
        }
    }
}

extension BillingOracle.Refusal: Error {}
