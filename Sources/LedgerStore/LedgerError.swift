// What a person can ask of a ledger that it can't do. Each message names the thing and says what to do.

import Foundation
package import Quantities
package import Rating

package enum LedgerError: Error, Equatable, CustomStringConvertible {
    case unknownTimeZone(String)
    case notTestClock
    case clockGoesBack(now: Instant, latest: Instant)
    /// - `nearest`: the code that was probably meant.
    case unknownTenant(String, nearest: String? = nil)
    case unknownApp(String, nearest: String? = nil)
    case unknownDevice(String, app: Code)
    case unknownGrant(String, nearest: String? = nil)
    /// A new code that would be confused with a recorded one.
    case differsInCase(what: String, code: Code, recorded: Code)
    case notInQuarantine([Int64])
    /// - `given`: the instant was given for a test clock; otherwise the machine's clock was never set.
    case clockTooEarly(Instant, given: Bool)
    /// The machine's clock shows an instant that nothing speaks for.
    case clockNotBelieved(now: Instant, latest: Instant)
    case testClockNotSet
    case testClockFarAhead(now: Instant, latest: Instant)
    case unknownItem(String, known: [Code])
    /// A purchase of what the version in force on its day doesn't sell, and a later version does.
    case notSoldYet(GrantOrder.Terms, from: Day, purchaseDay: Day)
    case otherTerms(what: String, code: Code, field: String, recorded: String, given: String)
    case unfitName(String, of: String, Unicode.Scalar)
    case appOfOtherTenant(app: Code, tenant: Code, owner: Code)
    case offerMissing(String)
    case devicesOutOfRange(Int64, ClosedRange<Int64>)
    case nothingToDraw(item: Code, isFree: Bool)
    case purchasedInFuture(Instant, now: Instant)
    case termNotOffered(String, offered: [String])
    case notALicence(String, licences: [String])
    case grantUsed(Code, FinalDraws, firstOpenDay: Day)
    case subscriptionBegun(Code, GrantLife)
    case grantVoided(Code)
    /// The code of a voided grant is recorded again.
    case voidedCode(Code, voidedAt: Instant)
    /// An amount that is finer than the currency's minor unit.
    case notPayable(option: String, Money, Currency)
    case dayInFuture(Day, today: Day)
    /// A tenant that could not be rated first, in its own words.
    case unrated(String)

    package var description: String {
        switch self {
        case .unknownTimeZone(let zone):
            "time zone '\(zone)' is not in the IANA database; "
                + (Self.zone(meantBy: zone).map { "did you mean \($0)?" }
                    ?? "use a name such as Asia/Shanghai or America/New_York")
        case .notTestClock, .clockGoesBack, .clockTooEarly, .testClockNotSet, .testClockFarAhead:
            description(whereTimeIsGivenBy: "--now")
        case .clockNotBelieved(let now, let latest):
            "the system's clock shows \(now), more than 10 days after \(latest), the latest instant that the ledger has "
                + "recorded; it is not believed, and nothing was stored. Set the clock right; if it is right, confirm it "
                + "with 'meterd clock confirm', or add --confirm-clock to the command"
        case .unknownTenant(let code, let nearest?):
            "the ledger has no tenant '\(code)'; did you mean '\(nearest)'? 'meterd tenant list' lists the tenants"
        case .unknownTenant(let code, nil):
            "the ledger has no tenant '\(code)'; 'meterd tenant list' lists the tenants, 'meterd tenant add \(code)' adds it"
        case .unknownApp(let code, let nearest?):
            "the ledger has no app '\(code)'; did you mean '\(nearest)'? 'meterd app list' lists the apps"
        case .unknownApp(let code, nil):
            "the ledger has no app '\(code)'; 'meterd app list' lists the apps, 'meterd app add \(code) --tenant TENANT' adds it"
        case .unknownDevice(let device, let app):
            "app '\(app)' has no device '\(device)'; give the id as its events do, capital letters and spaces included"
        case .unknownGrant(let code, let nearest?):
            "the ledger has no grant '\(code)'; did you mean '\(nearest)'? 'meterd grant list' lists the grants"
        case .unknownGrant(let code, nil):
            "the ledger has no grant '\(code)'; 'meterd grant list' lists the grants"
        case .differsInCase(let what, let code, let recorded):
            "\(what) '\(code)' differs from \(what) '\(recorded)' only in capital letters. Codes are compared byte by byte and "
                + "never change, so the two would be confused for good; write '\(recorded)' if you mean that one, or choose "
                + "another code"
        case .notInQuarantine(let numbers):
            "the quarantine has no event \(numbers.map(String.init).joined(separator: ", ")), so nothing was changed; "
                + "'meterd quarantine list' shows the numbers"
        case .notSoldYet(let terms, let from, let purchaseDay):
            "the price book sells \(Self.goods(terms)) only from \(from) on, and a purchase goes by the version in force "
                + "on its day, \(purchaseDay); record one that is made on \(from) or later, or choose what was sold on "
                + "\(purchaseDay)"
        case .unknownItem(let code, let known):
            "the price book has no item '\(code)'; "
                + (nearest(to: code, of: known.map(\.text)).map { "did you mean '\($0)'? It has " } ?? "it has ")
                + known.map(\.text).joined(separator: ", ")
        case .otherTerms(let what, let code, let field, let recorded, let given):
            "\(what) '\(code)' is recorded with \(field) '\(recorded)', not '\(given)'; "
                + "repeat it as it is recorded, or choose another code"
        case .unfitName(let name, let owner, let scalar):
            "the name '\(name.fitToShow)' of \(owner) holds \(ShownText.name(scalar)), which can't be shown; "
                + "write a name on one line, without control characters"
        case .appOfOtherTenant(let app, let tenant, let owner):
            "app '\(app)' belongs to tenant '\(owner)', not to '\(tenant)'; name an app of '\(tenant)': 'meterd app list "
                + "--tenant \(tenant)' lists them"
        case .offerMissing(let offer):
            "the price book has no offer \(offer); add it under 'offers' and apply the book with 'meterd price-book apply'"
        case .devicesOutOfRange(let devices, let range):
            "--devices \(devices) is not on sale: the price book sells packages of \(range.lowerBound) to "
                + "\(range.upperBound) devices; choose a number in between"
        case .nothingToDraw(let item, let isFree):
            isFree
                ? "item '\(item)' is free, so a resource package of it would never be used; choose another item"
                : "item '\(item)' has no price in the price book, so its usage is refused and a resource package of it would "
                    + "never be used; apply a book with its tiers first, or choose another item"
        case .purchasedInFuture(let instant, let now):
            "--purchased-at \(instant) lies in the future (it is \(now)); record a purchase once it has been made"
        case .termNotOffered(let term, let offered):
            "--term \(term) is not on sale: the price book sells subscriptions by the \(offered.joined(separator: " or "))"
        case .notALicence(let code, let licences):
            "--item '\(code)' is not a licence: a subscription is for a feature without billable items; "
                + (nearest(to: code, of: licences).map { "did you mean '\($0)'? The" } ?? "the")
                + (licences.isEmpty
                    ? " price book has no such feature"
                    : " licences of the price book are \(licences.joined(separator: ", "))")
        case .grantUsed(let code, let draws, let firstOpenDay):
            "grant '\(code)' can't be voided: final days draw on it (\(draws)), and a final day never changes; leave it as "
                + "it is. If its terms are wrong, record the right ones under another code: that grant can cover days from "
                + "\(firstOpenDay) on"
        case .subscriptionBegun(let code, let life):
            "subscription '\(code)' can't be voided any more: that was possible until its first day, \(life.effective), "
                + "had ended; leave it to end on \(life.end)"
        case .grantVoided(let code):
            "grant '\(code)' is voided already"
        case .voidedCode(let code, let voidedAt):
            "grant '\(code)' was voided at \(voidedAt), and its code can't be used again; record the purchase under "
                + "another code"
        case .notPayable(let option, let amount, let currency):
            "\(option) \(amount.shortest): \(currency.minorUnitRule); \(currency.nearestPayable(to: amount))"
        case .unrated(let words): words
        case .dayInFuture(let day, let today):
            "--date \(day) lies in the future (today is \(today) in the ledger's time zone); rate today or an earlier day"
        }
    }

    private static func goods(_ terms: GrantOrder.Terms) -> String {
        switch terms {
        case .miniProgramPackage(let devices): "a \(terms.offer.rawValue) for \(counted(devices, "device"))"
        case .resourcePackage(let item, _): "a \(terms.offer.rawValue) of item '\(item)'"
        case .subscription(let licence, _, let term):
            "a \(terms.offer.rawValue) to '\(licence)' by the \(term.rawValue)"
        }
    }

    /// Whether the machine's clock is wrong, or taken for it, so that nothing can be stored until it is right.
    package var isOfMachineClock: Bool {
        switch self {
        case .clockNotBelieved, .clockTooEarly(_, given: false): true
        default: false
        }
    }

    /// The zone of the city that was named alone, or one that is written much alike.
    private static func zone(meantBy name: String) -> String? {
        let zones = TimeZone.knownTimeZoneIdentifiers.filter { $0.contains("/") }
        let suffix = "/\(name)".lowercased().replacing(" ", with: "_")
        return zones.first { $0.lowercased().hasSuffix(suffix) } ?? nearest(to: name, of: zones)
    }

    /// The message for somebody who says what time it is, and wants to be told about that in the words they used.
    ///
    /// - Parameter option: `--now`, or what stands for it.
    package func description(whereTimeIsGivenBy option: String) -> String {
        switch self {
        case .notTestClock:
            "\(option) is for a ledger made with 'init --test-clock'; this one goes by the system's clock"
        case .clockGoesBack(let now, let latest):
            "\(option) \(now) is before \(latest), the latest instant that the ledger has recorded; give that instant or a "
                + "later one"
        case .testClockNotSet:
            "nobody has told the ledger's test clock the time yet; give it with \(option), for example "
                + (option == "--now" ? "--now 2027-01-10T12:00:00+08:00" : "2027-01-10T12:00:00+08:00")
        case .testClockFarAhead(let now, let latest):
            "\(option) \(now) is more than 400 days after \(latest), the latest instant that the ledger has recorded, and "
                + "a test clock never goes back; if you mean it, run 'meterd clock confirm --now \(now)', or give "
                + "--confirm-clock with a command that changes something"
        case .clockTooEarly(let now, given: true):
            "\(option) \(now) is too early; meterd begins with the year 1971: give a later instant"
        case .clockTooEarly(let now, given: false):
            "the system's clock shows \(now), before the year 1971: nobody has set it, and nothing was stored. Set the "
                + "clock right"
        default: description
        }
    }
}
