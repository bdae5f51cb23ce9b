// The way in for every usage event: from the bytes of one JSON text to an event or a refusal.

/// Reads usage events (CloudEvents 1.0, structured JSON). One scanner serves one thread; it keeps memory between
/// events, so use it for many and `reset` it when what it gave out is no longer needed.
///
/// The steps: `JSONScanner` passes over the text once and validates all of it, `EventMembers` picks out what an event
/// is made of, `judge` applies the rules in the order that decides which one a refusal names.
package final class EventScanner {
    private let limits: EventLimits
    private let scratch: UnsafeMutablePointer<Scratch>

    package init(limits: EventLimits = .standard) {
        self.limits = limits
        scratch = .allocate(capacity: 1)
        scratch.initialize(to: Scratch())
    }

    deinit {
        scratch.deinitialize(count: 1)
        scratch.deallocate()
    }

    /// Feature codes after the first, of all events since the last reset; see `ScannedEvent.moreFeatures`.
    package var features: ContiguousArray<Bytes> { scratch.pointee.features }

    /// Lets the scratch be used again: all `Bytes` and ranges that came from this scanner become invalid.
    package func reset() { scratch.pointee.reset() }

    /// Reads exactly one JSON text, white space around it allowed.
    ///
    /// Strict on every path, for members that are ignored too: UTF-8, RFC 8259 grammar, no duplicate members in any
    /// object (compared after unescaping), no half surrogates, bounded nesting and size. Only what stands before the
    /// text is passed over: byte order marks and NUL bytes.
    /// A member whose value is `null` counts as missing, but for the `data`, the `data_base64` and the `calls` of a gateway
    /// call, which may be left out and not be `null`. Unknown members are ignored unless data or a quantity is missing and
    /// one of them looks like it.
    package func scan(_ text: UnsafeBufferPointer<UInt8>) -> ScanResult {
        guard text.count <= limits.eventBytes else {
            return notJSON("the event has \(text.count) bytes, \(limits.eventBytes) at most are allowed")
        }
        scratch.pointee.beginText()
        let mark = scratch.pointee.arena.mark
        var members = EventMembers()
        do throws(JSONFault) {
            var scanner = JSONScanner(Bytes(text), maxNesting: limits.nesting, scratch: scratch)
            scanner.skipWhiteSpace()
            if !scanner.isAt("{") { scanner.skipLeadingMarks() }
            guard scanner.isAt("{") else {
                let refusal = try noObject(&scanner)
                scratch.pointee.arena.rewind(to: mark)
                return refusal
            }
            try members.read(&scanner, keptFeatures: limits.featureCount)
            try scanner.finish()
        } catch {
            scratch.pointee.arena.rewind(to: mark)
            return notJSON("not valid JSON at byte \(error.offset): \(error.problem.rawValue)")
        }
        do throws(Complaint) {
            return .event(try judge(&members))
        } catch {
            let refusal = refuse(members, error)
            scratch.pointee.arena.rewind(to: mark)
            return .refused(refusal)
        }
    }

    /// A rule that does not hold. The text is made only once it is known that it is needed.
    private struct Complaint: Error {
        let code: RefusalCode
        let reason: String
    }

    // MARK: The rules, the first that does not hold answers

    @inline(__always)
    private func judge(_ members: inout EventMembers) throws(Complaint) -> ScannedEvent {
        let kind = try judgeKind(members)
        try require(members.source, "source", atMost: limits.sourceBytes)
        try require(members.id, "id", atMost: limits.idBytes)
        try require(members.subject, "subject", atMost: limits.subjectBytes)
        guard members.time.kind == .string, let timeMicros = RFC3339.parse(members.time.bytes.buffer) else {
            throw Complaint(code: .badTime, reason: members.time.complaint(asTime: "time"))
        }
        if members.dataBase64.kind != .missing { try readBase64(&members) }
        // A call without data is one call. `null` stands where somebody meant to write more.
        guard members.data.kind == .object || kind == .gatewayCall && members.hasNoData else {
            throw complaintAboutData(members, of: kind)
        }
        var event = ScannedEvent(
            kind: kind, source: members.source.bytes, id: members.id.bytes, subject: members.subject.bytes,
            timeMicros: timeMicros, feature: .empty, moreFeatures: 0..<0, device: .empty, quantity: 1,
            raw: members.raw)
        switch kind {
        case .deviceActivity:
            try judgeFeatures(members, &event)
            if members.device.isAbsent {
                throw missing(
                    "data.device", in: members, .badDevice, MemberNames.isDevice, meant: "device", own: ["device"])
            }
            try require(members.device, "data.device", atMost: limits.deviceBytes, else: .badDevice)
            event.device = members.device.bytes
            keepMoreFeatures(members, &event)
        case .gatewayCall:
            if members.calls.isAbsent {
                try requireNoOtherQuantity(members)
            } else {
                event.quantity = try number(members.calls, "data.calls")
            }
        case .usage:
            if members.feature.isAbsent {
                throw missing(
                    "data.feature", in: members, .malformed, MemberNames.isFeature, meant: "feature", own: ["feature"])
            }
            try require(members.feature, "data.feature", atMost: limits.featureBytes)
            event.feature = members.feature.bytes
            if members.quantity.isAbsent {
                throw missing(
                    "data.quantity", in: members, .badQuantity, MemberNames.isQuantity, meant: "quantity",
                    own: ["quantity"])
            }
            event.quantity = try number(members.quantity, "data.quantity")
        }
        return event
    }

    @inline(__always)
    private func judgeKind(_ members: EventMembers) throws(Complaint) -> EventKind {
        guard members.specversion.kind == .string, members.specversion.bytes == "1.0" else {
            let reason =
                members.specversion.isAbsent
                ? "specversion is missing" : "specversion must be \"1.0\", not \(members.specversion.shown)"
            throw Complaint(code: .malformed, reason: reason)
        }
        guard members.type.kind == .string, !members.type.bytes.isEmpty else {
            throw Complaint(code: .malformed, reason: members.type.complaint(asText: "type", atMost: .max))
        }
        guard let kind = EventKind(type: members.type.bytes) else {
            let types = EventKind.allCases.map(\.type).joined(separator: ", ")
            throw Complaint(code: .unknownType, reason: "type \(members.type.shown) is none of \(types)")
        }
        return kind
    }

    /// `data.feature` or `data.features`, not both.
    @inline(__always)
    private func judgeFeatures(_ members: EventMembers, _ event: inout ScannedEvent) throws(Complaint) {
        if members.features.isAbsent {
            if members.feature.isAbsent {
                throw missing(
                    "data.feature or data.features", in: members, .malformed, MemberNames.isFeature, meant: "feature",
                    own: ["feature", "features"])
            }
            try require(members.feature, "data.feature", atMost: limits.featureBytes)
            event.feature = members.feature.bytes
        } else {
            event.feature = try judgeFeatureList(members)
        }
    }

    /// The first code of `data.features`.
    private func judgeFeatureList(_ members: EventMembers) throws(Complaint) -> Bytes {
        func complaint(_ reason: String) -> Complaint { Complaint(code: .malformed, reason: reason) }
        guard members.feature.isAbsent else { throw complaint("data.feature and data.features exclude each other") }
        guard members.features.kind == .array else {
            throw complaint("data.features must be an array of strings, not \(members.features.shown)")
        }
        guard members.featureCount <= limits.featureCount else {
            throw complaint(
                "data.features has \(members.featureCount) entries, \(limits.featureCount) at most are allowed")
        }
        guard let first = scratch.pointee.featureEntries.first else { throw complaint("data.features is empty") }
        for (index, entry) in scratch.pointee.featureEntries.enumerated() {
            try require(entry, "data.features[\(index)]", atMost: limits.featureBytes)
        }
        return first.bytes
    }

    /// Done last, once nothing can refuse the event any more.
    @inline(__always)
    private func keepMoreFeatures(_ members: EventMembers, _ event: inout ScannedEvent) {
        guard members.featureCount > 1 else { return }
        let first = scratch.pointee.features.count
        for entry in scratch.pointee.featureEntries.dropFirst() { scratch.pointee.features.append(entry.bytes) }
        event.moreFeatures = first..<scratch.pointee.features.count
    }

    @inline(__always)
    private func require(
        _ value: JSONValue, _ name: @autoclosure () -> String, atMost most: Int, else code: RefusalCode = .malformed
    ) throws(Complaint) {
        if !value.isText(atMost: most) {
            throw Complaint(code: code, reason: value.complaint(asText: name(), atMost: most))
        }
    }

    @inline(__always)
    private func number(_ value: JSONValue, _ name: @autoclosure () -> String) throws(Complaint) -> Int64 {
        guard let number = value.wholeNumber(atMost: limits.quantity) else {
            throw Complaint(code: .badQuantity, reason: value.complaint(asNumber: name(), atMost: limits.quantity))
        }
        return number
    }

    // MARK: What is missing, and may be there by another name

    /// Why data is not taken as it is, or where it may stand by another name.
    private func complaintAboutData(_ members: EventMembers, of kind: EventKind) -> Complaint {
        if members.data.kind == .missing, members.hasOthers, let other = misnamedData(in: members) { return other }
        return Complaint(code: .malformed, reason: members.complaintAboutData(of: kind))
    }

    /// A member of the event itself that may be meant as its data: what stands in it can't be counted.
    private func misnamedData(in members: EventMembers) -> Complaint? {
        var isBase64 = false
        let name = firstName(in: members.raw) { name, holdsObject in
            guard !(name == "data"), !(name == "data_base64"), MemberNames.isData(name, holdsObject: holdsObject) else {
                return false
            }
            isBase64 = MemberNames.isBase64Data(name)
            return true
        }
        guard let name else { return nil }
        let reason =
            members.data.kind == .missing
            ? "data is missing, but \(name) is there: rename it to \(isBase64 ? "data_base64" : "data")"
            : "data.calls is missing, but \(name) is there beside data: move what it counts into data, as "
                + "{\"calls\":1200}, or leave it out"
        return Complaint(code: .malformed, reason: reason)
    }

    /// A gateway call without `calls` is one call only where nothing says that it may be more (Billing rules, section 2).
    private func requireNoOtherQuantity(_ members: EventMembers) throws(Complaint) {
        if members.calls.kind == .null {
            throw Complaint(
                code: .badQuantity, reason: "data.calls is null: leave it out for one call, or write a whole number")
        }
        // Of the members that are read, only `quantity` may be meant.
        guard members.hasOthers || members.quantity.kind != .missing else { return }
        if let other = other(than: ["calls"], in: members, MemberNames.isQuantity) {
            throw Complaint(code: .badQuantity, reason: "data.calls is missing, but " + other.wording(meant: "calls"))
        }
        if let other = misnamedData(in: members) { throw other }
    }

    /// - Parameters:
    ///   - isMeant: whether a member of that name may be what is missing.
    ///   - meant: its right name.
    ///   - own: the names of members that the event's type has, which may be there and `null`.
    private func missing(
        _ name: String, in members: EventMembers, _ code: RefusalCode, _ isMeant: (Bytes) -> Bool, meant: String,
        own: [StaticString]
    ) -> Complaint {
        guard let other = other(than: own, in: members, isMeant) else {
            return Complaint(code: code, reason: "\(name) is missing")
        }
        return Complaint(code: code, reason: "\(name) is missing, but " + other.wording(meant: meant))
    }

    private struct OtherMember {
        let name: String
        let isInData: Bool

        func wording(meant: String) -> String {
            isInData
                ? "data.\(name) is there: rename it to \(meant)"
                : "\(name) is outside data: move it into data and name it \(meant)"
        }
    }

    /// The first member of data, otherwise of the event itself, whose name passes a test. The texts are read once more:
    /// only events that lack a member pay for that, of calls only those with members that meterd does not know.
    private func other(
        than own: [StaticString], in members: EventMembers, _ isMeant: (Bytes) -> Bool
    ) -> OtherMember? {
        if members.data.kind == .object,
            let name = firstName(in: members.data.bytes, { name, _ in isMeant(name) && !own.contains { name == $0 } })
        {
            return OtherMember(name: name, isInData: true)
        }
        return firstName(in: members.raw, { name, _ in isMeant(name) }).map { OtherMember(name: $0, isInData: false) }
    }

    /// - Parameter object: has been read before without a fault.
    private func firstName(in object: Bytes, _ isMeant: (_ name: Bytes, _ holdsObject: Bool) -> Bool) -> String? {
        let mark = scratch.pointee.arena.mark
        defer { scratch.pointee.arena.rewind(to: mark) }
        var found: String?
        var scanner = JSONScanner(object, maxNesting: limits.nesting, scratch: scratch)
        try? scanner.scanObject { (name, scanner) throws(JSONFault) in
            if found == nil, isMeant(name, scanner.isAt("{")) { found = name.printable }
            try scanner.skipValue()
            return 0
        }
        return found
    }

    // MARK: Data in base64

    /// Reads `data_base64`, which holds the JSON that `data` holds otherwise, as if it stood there.
    private func readBase64(_ members: inout EventMembers) throws(Complaint) {
        func complaint(_ reason: String) -> Complaint { Complaint(code: .malformed, reason: reason) }
        if members.dataBase64.isAbsent { return }
        guard members.data.isAbsent else { throw complaint("data and data_base64 exclude each other") }
        guard members.dataBase64.kind == .string else {
            throw complaint("data_base64 must be a string, not \(members.dataBase64.shown)")
        }
        let written = members.dataBase64.bytes
        let out = scratch.pointee.arena.reserve(written.count / 4 * 3 + 3)
        guard let count = Base64.decode(written, to: out) else {
            throw complaint("data_base64 is not base64 (RFC 4648, with padding): \(members.dataBase64.shown)")
        }
        scratch.pointee.arena.commit(count)
        // The event is the first object, as where data stands in it.
        var scanner = JSONScanner(
            Bytes(start: out, count: count), maxNesting: limits.nesting - 1, scratch: scratch)
        scanner.skipLeadingMarks()
        guard scanner.position < scanner.end else { throw complaint("data_base64 is empty") }
        do throws(JSONFault) {
            try members.readData(&scanner, keptFeatures: limits.featureCount)
            try scanner.finish()
        } catch {
            throw complaint("data_base64 decodes to no valid JSON, at byte \(error.offset): \(error.problem.rawValue)")
        }
    }

    // MARK: Refusals

    private func refuse(_ members: EventMembers, _ complaint: Complaint) -> ScanRefusal {
        func text(_ value: JSONValue, _ most: Int) -> String? { value.isText(atMost: most) ? value.bytes.string : nil }
        return ScanRefusal(
            code: complaint.code, reason: complaint.reason, source: text(members.source, limits.sourceBytes),
            id: text(members.id, limits.idBytes), raw: members.raw)
    }

    private func notJSON(_ reason: String) -> ScanResult {
        .refused(ScanRefusal(code: .malformed, reason: reason, source: nil, id: nil, raw: nil))
    }

    /// The text does not begin as an object: it is either other JSON or none.
    private func noObject(_ scanner: inout JSONScanner) throws(JSONFault) -> ScanResult {
        if scanner.position == scanner.end {
            return notJSON(
                scanner.base < scanner.end && scanner.end[-1] == 0 ? "there are NUL bytes only" : "there is no text")
        }
        let text = UnsafeBufferPointer(start: scanner.position, count: scanner.end - scanner.position)
        if text.beginsAsUTF16 { return notJSON("the text is UTF-16; write it in UTF-8") }
        let value = try scanner.scanValue()
        try scanner.finish()
        return notJSON("an event must be a JSON object, not \(value.shown)")
    }
}
