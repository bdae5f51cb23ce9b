// Foundation as a second opinion on what is JSON, over random documents and damaged ones, all from fixed seeds.

import EventCodec
import Foundation
import TestSupport
import Testing

@Suite("The JSON reader beside Foundation's", .computing)
struct JSONDifferentialTests {
    private func foundationAccepts(_ text: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(text))) is [String: Any]
    }

    /// The differences there may be: duplicate members and a comma before `}` or `]`, which Foundation lets pass, and numbers
    /// too large for a `Double`, which it refuses though they are JSON. NUL bytes before a text, which meterd passes over,
    /// Foundation takes for UTF-16 or refuses.
    private func isExpected(_ reading: Reading, _ text: [UInt8]) -> Bool {
        if text.first(where: { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }) == 0 { return reading.isJSON }
        if reading.isJSON { return String(decoding: text, as: UTF8.self).contains(/[eE]\+?[0-9]{3}/) }
        guard let reason = reading.reason, let offset = reason.firstMatch(of: /at byte (\d+)/).flatMap({ Int($0.1) })
        else { return false }
        if reason.hasSuffix("a member of this name already") { return true }
        let before = text[..<offset].last { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }
        return before == UInt8(ascii: ",") && Array("}]".utf8).contains(text[offset])
    }

    @Test("Both agree on 24,000 documents but for what Foundation is known to see otherwise", arguments: 1...8)
    func agreement(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        var (valid, invalid, different) = (0, 0, 0)
        for i in 0..<3_000 {
            let text = i % 2 == 0 ? MutationTests.damaged(using: &numbers) : RandomJSON.text(using: &numbers)
            let reading = read(text)
            if reading.isJSON == foundationAccepts(text) {
                if reading.isJSON { valid += 1 } else { invalid += 1 }
            } else {
                different += 1
                #expect(
                    isExpected(reading, text), "seed \(seed): \(reading) \(String(decoding: text, as: UTF8.self))")
            }
        }
        #expect(valid > 500 && invalid > 500 && different < 200, "\(valid) \(invalid) \(different)")
    }
}

/// Random JSON objects, with members, escapes, numbers and white space of every kind.
enum RandomJSON {
    static func text(using numbers: inout SeededNumbers) -> [UInt8] {
        var text = object(4, &numbers)
        if Bool.random(using: &numbers) { return Array(text.utf8) }
        // Half of them are damaged a little.
        let scalars = Array("\"\\{}[],:0e.-+ntf/u \n\u{0}é".unicodeScalars)
        var all = Array(text.unicodeScalars)
        for _ in 0..<Int.random(in: 1...2, using: &numbers) where !all.isEmpty {
            let at = Int.random(in: 0..<all.count, using: &numbers)
            switch Int.random(in: 0..<3, using: &numbers) {
            case 0: all[at] = scalars.randomElement(using: &numbers)!
            case 1: all.remove(at: at)
            default: all.insert(scalars.randomElement(using: &numbers)!, at: at)
            }
        }
        text = String(String.UnicodeScalarView(all))
        return Array(text.utf8)
    }

    private static func value(_ depth: Int, _ numbers: inout SeededNumbers) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &numbers) {
        case 0: ["null", "true", "false"].randomElement(using: &numbers)!
        case 1, 2: number(&numbers)
        case 3, 4, 5: string(&numbers)
        case 6: object(depth - 1, &numbers)
        default:
            "["
                + (0..<Int.random(in: 0...3, using: &numbers)).map { _ in spaced(value(depth - 1, &numbers), &numbers) }
                .joined(separator: ",") + "]"
        }
    }

    private static func object(_ depth: Int, _ numbers: inout SeededNumbers) -> String {
        let members = (0..<Int.random(in: 0...4, using: &numbers)).map { _ in
            spaced(string(&numbers), &numbers) + ":" + spaced(value(depth, &numbers), &numbers)
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private static func number(_ numbers: inout SeededNumbers) -> String {
        var text = ["", "", "-"].randomElement(using: &numbers)!
        text += String(Int.random(in: 0...999, using: &numbers))
        if Int.random(in: 0..<3, using: &numbers) == 0 { text += ".\(Int.random(in: 0...9999, using: &numbers))" }
        if Int.random(in: 0..<4, using: &numbers) == 0 {
            text +=
                ["e", "E", "e+", "E-"].randomElement(using: &numbers)! + "\(Int.random(in: 0...20, using: &numbers))"
        }
        return text
    }

    private static func string(_ numbers: inout SeededNumbers) -> String {
        let pieces = [
            "a", "bc", "0123456789", "é", "日", "😀", "\u{7F}", "\\n", "\\\"", "\\\\", "\\/", "\\u0041", "\\u00e9",
            "\\ud83d\\ude00", "\\u0000", " ",
        ]
        let text = (0..<Int.random(in: 0...6, using: &numbers)).map { _ in pieces.randomElement(using: &numbers)! }
        return "\"" + text.joined() + "\""
    }

    private static func spaced(_ text: String, _ numbers: inout SeededNumbers) -> String {
        let spaces = ["", "", "", " ", "\n", "\t ", "\r\n"]
        return spaces.randomElement(using: &numbers)! + text + spaces.randomElement(using: &numbers)!
    }
}
