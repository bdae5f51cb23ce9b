// Why an event is refused: the stable codes that clients and the quarantine see.

/// The raw values are part of the interface; a code once given is never renamed.
///
/// The scanner answers with `malformed`, `unknownType`, `badDevice`, `badQuantity` and `badTime`; the others need the
/// ledger and come from the stages after it, as does `badQuantity` where a counter has no room.
package enum RefusalCode: String, CaseIterable, Codable, Sendable {
    case malformed
    case unknownType = "unknown_type"
    case unknownApp = "unknown_app"
    case unknownFeature = "unknown_feature"
    /// The feature has no billable items.
    case notMetered = "not_metered"
    /// The event's type and the aggregation of the item don't go together.
    case wrongType = "wrong_type"
    case legacyItem = "legacy_item"
    case badDevice = "bad_device"
    case badQuantity = "bad_quantity"
    case badTime = "bad_time"
    case tooOld = "too_old"
    case inFuture = "in_future"
    /// The same source and id came before with other content.
    case conflict
}
