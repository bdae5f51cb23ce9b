// What the entries of a day come to for a tenant, and what is payable of it (billing rules, section 7).

extension BillingOracle {
    package struct BillKey: Hashable, Sendable {
        package var tenant: String
        package var postedDay: Int

        package init(tenant: String, postedDay: Int) {
            self.tenant = tenant
            self.postedDay = postedDay
        }
    }

    package struct Bill: Hashable, Sendable {
        package var amountMicros: Int64
        /// The posting month's amount through this day cut down to the minor unit, less the same through the day before.
        package var payableMicros: Int64

        package init(amountMicros: Int64, payableMicros: Int64) {
            self.amountMicros = amountMicros
            self.payableMicros = payableMicros
        }
    }

    /// As of the last rating, without adjustments; days that come to nothing are left out.
    ///
    /// - Parameter minorUnitMicros: the currency's minor unit, 10,000 micro-units for cents.
    package func bills(minorUnitMicros: Int64 = 10_000) -> [BillKey: Bill] {
        var amounts: [BillKey: Int64] = [:]
        for (key, net) in ledger where key.source.isUsage {
            amounts[BillKey(tenant: key.tenant, postedDay: key.postedDay), default: 0] += net.amountMicros
        }
        var bills: [BillKey: Bill] = [:]
        for (key, amount) in amounts where amount != 0 {
            let month = Dates.month(ofDay: key.postedDay)
            var before: Int64 = 0
            for (other, otherAmount) in amounts where other.tenant == key.tenant && other.postedDay < key.postedDay {
                if Dates.month(ofDay: other.postedDay) == month { before += otherAmount }
            }
            let payable = (before + amount) / minorUnitMicros - before / minorUnitMicros
            bills[key] = Bill(amountMicros: amount, payableMicros: payable * minorUnitMicros)
        }
        return bills
    }
}
