// What the oracle answers to a step.

extension BillingOracle {
    package enum EventOutcome: Hashable, Sendable {
        case accepted
        /// Taken, but posted later than it was used.
        case correction
        case duplicate
        case refused(Refusal)
    }

    /// The stable refusal codes.
    package enum Refusal: String, Hashable, Sendable, CaseIterable {
        case malformed
        case badDevice = "bad_device"
        case badQuantity = "bad_quantity"
        case conflict
        case unknownApp = "unknown_app"
        case tooOld = "too_old"
        case inFuture = "in_future"
        case unknownFeature = "unknown_feature"
        case notMetered = "not_metered"
        case wrongType = "wrong_type"
        case legacyItem = "legacy_item"
    }

    package enum GrantOutcome: Hashable, Sendable {
        case recorded
        /// The same code with the same terms: nothing happened.
        case repeated
        case refusedOtherTerms
        /// Its code is that of a grant that was voided.
        case refusedVoided
        case refusedFuturePurchase
    }

    package enum VoidOutcome: Hashable, Sendable {
        case voided
        case alreadyVoided
        case refusedUsed
        /// Of a subscription: its first day is over.
        case refusedBegun
        case refusedUnknown
    }

    package enum PriceBookOutcome: Hashable, Sendable {
        case applied
        case alreadyApplied
        /// Its day is not after that of the version before.
        case refusedNotAfter
        /// Its day is final.
        case refusedNotOpen
    }

    package enum RatingOutcome: Hashable, Sendable {
        case rated
        case refusedFuture
    }

    package enum StepOutcome: Hashable, Sendable {
        /// One for each event of the batch, in its order.
        case events([EventOutcome])
        case grant(GrantOutcome)
        case void(VoidOutcome)
        case priceBook(PriceBookOutcome)
        case rating(RatingOutcome)
        /// How many.
        case dropped(Int)
        /// Whether the app has the device.
        case erased(Bool)
        case done
        /// The clock is not believed, or a test clock does not go there.
        case refusedByClock
    }
}
