// A history as readable text, for the message of a test that fails.

extension History: CustomStringConvertible {
    package var description: String {
        let local = LocalDates(timeZone: settings.timeZone)
        let tenants = settings.tenants.map { $0.legacy ? $0.code + " (legacy)" : $0.code }
        var lines = [
            "history \(name): \(settings.timeZone)\(settings.hasTestClock ? "" : ", the machine's clock"), N = \(settings.finalAfterDays), max age \(settings.maxAgeDays)",
            "  tenants \(tenants.joined(separator: ", "))",
            "  apps \(settings.apps.map { "\($0.code) of \($0.tenant)" }.joined(separator: ", "))",
            "  price book from \(Dates.text(day: priceBook.effectiveDay))",
        ]
        for item in priceBook.items where !item.tiers.isEmpty {
            lines.append("    \(item.code): \(item.tiers.map(\.description).joined(separator: "; "))")
        }
        for (index, step) in steps.enumerated() {
            let today = Dates.text(day: local.day(of: step.at))
            lines.append("  \(index). \(today) (\(Dates.text(instant: step.at))\(step.trust)) \(step.action)")
        }
        return lines.joined(separator: "\n")
    }
}

extension History.Trust: CustomStringConvertible {
    package var description: String {
        switch self {
        case .seen: ""
        case .nothing: ", set"
        case .kernel: ", set and synchronised"
        case .person: ", confirmed"
        }
    }
}

extension History.Action: CustomStringConvertible {
    package var description: String {
        switch self {
        case .ingest(let events):
            return "ingest" + events.map { "\n       " + $0.description }.joined()
        case .grant(let grant):
            return "grant \(grant)"
        case .voidGrant(let code):
            return "void \(code)"
        case .applyPriceBook(let day, let changes):
            return "price book from \(Dates.text(day: day))\(changes)"
        case .rate(let day):
            return "rate \(Dates.text(day: day))"
        case .retryQuarantine:
            return "retry the quarantine"
        case .dropQuarantine:
            return "drop the quarantine"
        case .eraseDevice(let app, let device):
            return "erase device \(device) of \(app)"
        case .addApp(let app):
            return "add app \(app.code) of \(app.tenant)"
        case .setClock:
            return "the clock is set"
        case .reopen:
            return "reopen"
        }
    }
}

extension History.PriceBookChanges: CustomStringConvertible {
    package var description: String {
        let lines =
            tiers.map { code, tiers in "\(code): \(tiers.map(\.description).joined(separator: "; "))" }
            + features.map { code, items in "\(code) feeds \(items.joined(separator: ", "))" }
            + packageQuotas.map { item, quota in "packages grant \(quota) of \(item)" }
        return lines.sorted().map { "\n       " + $0 }.joined()
    }
}

extension History.Event: CustomStringConvertible {
    package var description: String {
        let what =
            switch kind {
            case .deviceActivity(let features, let device): "\(features.joined(separator: "+")) device \(device)"
            case .gatewayCall(let calls): "\(calls) gateway calls"
            case .usage(let feature, let quantity): "\(quantity) \(feature)"
            case .bareCall(let member, let value): "a gateway call with \(member) \(value)"
            case .callBeside(let member, let value): "a gateway call without data beside \(member) \(value)"
            case .unreadable(let text): "the text \(text)"
            }
        return "\(Dates.text(instant: timeMicros)) \(app): \(what) [\(source) \(id)]"
    }
}

extension History.Grant: CustomStringConvertible {
    package var description: String {
        let what =
            switch offer {
            case .miniProgramPackage(let devices): "mini program package of \(devices)"
            case .resourcePackage(let item, let quantity): "\(quantity) \(item)"
            case .subscription(let item, let app, let term): "\(item) of \(app) for a \(term.rawValue)"
            }
        let price = priceMicros.map { ", paid \($0)" } ?? ""
        return "\(code) to \(tenant): \(what), purchased \(Dates.text(instant: purchasedAt))\(price)"
    }
}

extension History.Tier: CustomStringConvertible {
    package var description: String {
        (upTo.map { "up to \($0) " } ?? "") + "\(price) per \(per)"
    }
}
