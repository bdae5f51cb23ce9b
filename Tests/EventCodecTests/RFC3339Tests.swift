// Times as text: a table of what is and is not RFC 3339, and Foundation as a second opinion on the arithmetic.

import EventCodec
import Foundation
import Quantities
import Testing

@Suite("RFC 3339 times")
struct RFC3339Tests {
    @Test(
        "Times that are read",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000001Z", 1),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2027-01-10T12:00:00.123+08:00", 1_799_553_600_123_000),
            ("2027-01-10t04:00:00z", 1_799_553_600_000_000),
            ("2027-01-10T04:00:00-00:00", 1_799_553_600_000_000),
            ("2027-01-09T04:01:00-23:59", 1_799_553_600_000_000),
            ("2027-01-10T04:00:00.1Z", 1_799_553_600_100_000),
            ("2027-01-10T04:00:00.1234567Z", 1_799_553_600_123_456),
            ("2027-01-10T04:00:00.9999999999999999999999999Z", 1_799_553_600_999_999),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("2024-02-29T23:59:59+23:59", 1_709_164_859_000_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
            ("2016-12-31T23:59:60Z", 1_483_228_799_999_999),
            ("2016-12-31T23:59:60.5Z", 1_483_228_799_999_999),
            ("2017-01-01T07:59:60+08:00", 1_483_228_799_999_999),
            ("2016-12-31T15:59:60-08:00", 1_483_228_799_999_999),
            ("2017-01-01T05:29:60+05:30", 1_483_228_799_999_999),
        ])
    func taken(text: String, micros: Int64) {
        #expect(RFC3339.parse(text) == micros)
    }

    @Test(
        "Texts that are no such time",
        arguments: [
            "", "2027", "2027-01-10", "2027-01-10T04:00:00", "2027-01-10 04:00:00Z", "2027-01-10T04:00Z",
            "2027-01-10T04:00:00.Z", "2027-01-10T04:00:00,5Z", "2027-01-10T04:00:00.5", "2027-01-10T04:00:00ZZ",
            "2027-01-10T04:00:00Z ", " 2027-01-10T04:00:00Z", "2027-01-10T04:00:00+8:00", "2027-01-10T04:00:00+0800",
            "2027-01-10T04:00:00+08", "2027-01-10T04:00:00+08:0", "2027-01-10T04:00:00+08:000",
            "2027-01-10T04:00:00+24:00",
            "2027-01-10T04:00:00+08:60", "2027-01-10T04:00:00*08:00", "2027-01-10T24:00:00Z", "2027-01-10T04:60:00Z",
            "2027-01-10T04:00:60Z", "2027-01-10T23:59:61Z", "2027-01-10T23:59:60+08:00", "2027-00-10T04:00:00Z",
            "2027-13-10T04:00:00Z", "2027-01-00T04:00:00Z", "2027-01-32T04:00:00Z", "2027-04-31T04:00:00Z",
            "2027-02-29T04:00:00Z", "2100-02-29T04:00:00Z", "0000-01-01T00:00:00Z", "-001-01-01T00:00:00Z",
            "+2027-01-10T04:00:00Z", "12027-01-10T04:00:00Z", "2027/01/10T04:00:00Z", "2027-01-10T04.00.00Z",
            "20270110T040000Z", "2027-W02-7T04:00:00Z", "２027-01-10T04:00:00Z", "2027-01-10T04:00:00\u{0}",
            "2027-01-10T04:00: 0Z", "2027-01-10T04:00:00+-8:00", "2027-01-10T0:400:00Z", "aaaa-bb-ccTdd:ee:ffZ",
        ])
    func refused(text: String) {
        #expect(RFC3339.parse(text) == nil)
    }

    @Test(
        "Times are written in UTC, with no more digits than they need",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (1_799_553_600_123_000, "2027-01-10T04:00:00.123Z"), (1_799_553_600_100_000, "2027-01-10T04:00:00.1Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (-62_135_596_800_000_001, "0000-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func written(micros: Int64, text: String) {
        #expect(Instant(micros: micros).description == text)
    }

    @Test("Reading and writing agree with Foundation on 20,000 instants of 1600 to 9999")
    func agreesWithFoundation() {
        // The offset is put on by hand, since Foundation has none beyond 18 hours. Its formatter changes to the Julian
        // calendar before 1582, so the years before are left to the table and to the other tests.
        let formatter = ISO8601DateFormatter()
        var numbers = SeededNumbers(seed: 20_270_110)
        for _ in 0..<20_000 {
            let second = Int64.random(in: -11_676_096_000...253_402_214_400, using: &numbers)
            let offset = Int.random(in: -1439...1439, using: &numbers)
            let local = formatter.string(from: Date(timeIntervalSince1970: Double(second + Int64(offset) * 60)))
            let minutes = String(10_000 + abs(offset) / 60 * 100 + abs(offset) % 60).dropFirst()
            let text = local.dropLast() + (offset < 0 ? "-" : "+") + minutes.prefix(2) + ":" + minutes.suffix(2)
            #expect(RFC3339.parse(String(text)) == second * 1_000_000, "\(text)")
            let readBack = formatter.date(from: Instant(micros: second * 1_000_000).description)
            #expect(readBack?.timeIntervalSince1970 == Double(second), "\(text)")
        }
    }

    @Test("Every day of two cycles of 400 years follows the one before, and only real days are read")
    func everyDay() {
        func padded(_ number: Int, _ width: Int) -> String {
            String(repeating: "0", count: width - String(number).count) + String(number)
        }
        var expected: Int64 = -62_135_596_800
        for year in 1...800 {
            for month in 1...12 {
                for day in 1...31 {
                    let text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T00:00:00Z"
                    guard let micros = RFC3339.parse(text) else {
                        if day <= 28 { Issue.record("\(text) was refused") }
                        continue
                    }
                    if micros != expected * 1_000_000 { Issue.record("\(text) is out of line") }
                    expected += 86_400
                }
            }
        }
        #expect(expected == RFC3339.parse("0801-01-01T00:00:00Z").map { $0 / 1_000_000 })
        #expect(expected == -62_135_596_800 + 2 * 146_097 * 86_400)
    }

    @Test("What is written is read back")
    func roundTrip() {
        var numbers = SeededNumbers(seed: 3339)
        for _ in 0..<20_000 {
            let micros = Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &numbers)
            let text = Instant(micros: micros).description
            #expect(RFC3339.parse(text) == micros, "\(text)")
        }
    }
}
