// From the text of an event to the members that the rules ask about, in one pass over the bytes.

/// The members of a JSON object that an event is made of, not judged yet. All others are validated and passed over.
struct EventMembers {
    var specversion = JSONValue.missing
    var type = JSONValue.missing
    var source = JSONValue.missing
    var id = JSONValue.missing
    var subject = JSONValue.missing
    var time = JSONValue.missing
    var data = JSONValue.missing
    /// Stands in place of `data`, see `EventScanner.readBase64(_:)`.
    var dataBase64 = JSONValue.missing

    // Members of `data`, where that is an object.
    var feature = JSONValue.missing
    /// The entries are in `Scratch.featureEntries`.
    var features = JSONValue.missing
    var featureCount = 0
    var device = JSONValue.missing
    var quantity = JSONValue.missing
    var calls = JSONValue.missing

    /// Whether there are members, of the event or its data, that are not read: one may be a misnamed quantity.
    var hasOthers = false

    /// From `{` to `}`.
    var raw = Bytes.empty

    /// Reads the object that begins at the scanner's position. Of `data.features`, however long, the first
    /// `keptFeatures` entries are kept.
    @inline(__always)
    mutating func read(_ scanner: inout JSONScanner, keptFeatures: Int) throws(JSONFault) {
        let start = scanner.position
        try scanner.scanObject { (name, scanner) throws(JSONFault) in
            switch name.count {
            case 2 where name == "id":
                id = try scanner.scanValue()
                return 1 << 0
            case 4 where name == "type":
                type = try scanner.scanValue()
                return 1 << 1
            case 4 where name == "time":
                time = try scanner.scanValue()
                return 1 << 2
            case 4 where name == "data":
                try readData(&scanner, keptFeatures: keptFeatures)
                return 1 << 3
            case 6 where name == "source":
                source = try scanner.scanValue()
                return 1 << 4
            case 7 where name == "subject":
                subject = try scanner.scanValue()
                return 1 << 5
            case 11 where name == "specversion":
                specversion = try scanner.scanValue()
                return 1 << 6
            case 11 where name == "data_base64":
                dataBase64 = try scanner.scanValue()
                return 1 << 7
            case 15 where name == "datacontenttype":
                try scanner.skipValue()
                return 0
            default:
                hasOthers = true
                try scanner.skipValue()
                return 0
            }
        }
        raw = Bytes(start: start, count: scanner.position - start)
    }

    /// Reads the value of `data`, from the event's own text or from what `data_base64` decodes to.
    @inline(__always)
    mutating func readData(_ scanner: inout JSONScanner, keptFeatures: Int) throws(JSONFault) {
        guard scanner.isAt("{") else {
            data = try scanner.scanValue()
            return
        }
        let start = scanner.position
        try scanner.scanObject { (name, scanner) throws(JSONFault) in
            switch name.count {
            case 5 where name == "calls":
                calls = try scanner.scanValue()
                return 1 << 0
            case 6 where name == "device":
                device = try scanner.scanValue()
                return 1 << 1
            case 7 where name == "feature":
                feature = try scanner.scanValue()
                return 1 << 2
            case 8 where name == "features":
                try readFeatures(&scanner, kept: keptFeatures)
                return 1 << 3
            case 8 where name == "quantity":
                quantity = try scanner.scanValue()
                return 1 << 4
            case 3 where name == "api":
                try scanner.skipValue()
                return 0
            default:
                hasOthers = true
                try scanner.skipValue()
                return 0
            }
        }
        data = JSONValue(kind: .object, bytes: Bytes(start: start, count: scanner.position - start))
    }

    private mutating func readFeatures(_ scanner: inout JSONScanner, kept: Int) throws(JSONFault) {
        guard scanner.isAt("[") else {
            features = try scanner.scanValue()
            return
        }
        let start = scanner.position
        try scanner.scanArray { (scanner) throws(JSONFault) in
            featureCount += 1
            if featureCount <= kept {
                scanner.scratch.pointee.featureEntries.append(try scanner.scanValue())
            } else {
                try scanner.skipValue()
            }
        }
        features = JSONValue(kind: .array, bytes: Bytes(start: start, count: scanner.position - start))
    }
}
